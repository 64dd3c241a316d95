//! Reports federated credentials whose issuer never issues such a subject.
//!
//! ## What it does
//! Tokens of service accounts (`system:serviceaccount:…`) come from clusters, `repo:…` from GitHub, `sc://…` from Azure DevOps, and
//! a GUID or `/eid1/c/pub/t/…` from Microsoft Entra. A credential that pairs a subject with the issuer of another kind is reported.
//! Issuers that are not known are left alone, and so are subjects that a CI system lets its users shape.
//!
//! ## Why it is bad
//! No token ever matches both: every exchange fails, with `AADSTS700213` or `AADSTS700211`.
//!
//! ## Example
//! ```yaml
//! issuer: https://token.actions.githubusercontent.com
//! subject: system:serviceaccount:shop:api
//! ```
//!
//! ## Use instead
//! ```yaml
//! issuer: https://westeurope.oic.prod-aks.azure.com/3c1f0b52-8a4e-4b8e-9d0e-5f6a7b8c9d01/9b2d4c6e-1f3a-4d5b-8c7e-0a1b2c3d4e5f/
//! subject: system:serviceaccount:shop:api
//! ```
//!
//! ## References
//! Microsoft Entra, "Configure an app to trust an external identity provider" (subjects by scenario); Azure DevOps, "Workload identity
//! service connections"; GitHub Actions, "OpenID Connect reference".

use fedward_kit::issuer::{self, Kind};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::is_guid;
use fedward_kit::trust::Credential;

use crate::settings::Settings;
use crate::trusted;

const NEVER: Condition = Condition::error(
    "never-matches",
    "a service account's subject with the issuer of GitHub, GitLab, Entra or Azure DevOps, or a GitHub subject with a cluster's issuer",
);
const UNLIKELY: Condition = Condition::warning("unlikely", "an issuer of Entra or Azure DevOps with a subject that does not have its form");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "issuer-subject-mismatch",
    summary: "a credential's issuer never issues such a subject",
    conditions: &[NEVER, UNLIKELY],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let Some(issuer_node) = credential.issuer_in(cx.context, cx.request.namespace) else { return };
    let Some(subject_node) = credential.subject_in(cx.context, cx.request.namespace) else { return };
    let (Some(issuer), Some(subject)) = (trusted::plain(issuer_node), trusted::plain(subject_node)) else { return };
    let kind = issuer::kind(issuer);
    let Some((is_certain, expected)) = mismatch(kind, subject.trim()) else { return };
    let condition = if is_certain { &NEVER } else { &UNLIKELY };
    // What somebody wrote as subject is usually what is meant: the issuer was copied from elsewhere.
    cx.report(
        Report::new(condition, issuer_node, format!("tokens of {} never have the subject `{}`", kind.name(), subject.trim()))
            .help(format!("{expected}, or trust the issuer that issues this subject"))
            .related(subject_node, "the subject"),
    );
}

/// Whether issuer and subject never go together, and what does.
fn mismatch(kind: Kind, subject: &str) -> Option<(bool, &'static str)> {
    let lower = subject.to_ascii_lowercase();
    let is_account = lower.starts_with("system:serviceaccount");
    match kind {
        Kind::GitHub if is_account => Some((true, "write the subject of a workflow (`repo:<owner>/<repository>:…`)")),
        Kind::GitLab if is_account => Some((true, "write the subject of a pipeline (`project_path:<group>/<project>:…`)")),
        Kind::AzureDevOps if !lower.starts_with("sc://") => {
            Some((is_account, "write the subject of a service connection (`sc://<organisation>/<project>/<connection>`)"))
        }
        Kind::Entra if !is_guid(subject) && !lower.starts_with("/eid") => {
            Some((is_account, "write the object id of the managed identity whose tokens are trusted"))
        }
        _ if kind.is_cluster() && lower.starts_with("repo:") => {
            Some((true, "write the subject of a service account (`system:serviceaccount:<namespace>:<name>`)"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use fedward_kit::issuer::Kind;

    use super::mismatch;

    #[test]
    fn pairs_issuers_and_subjects() {
        let account = "system:serviceaccount:shop:api";
        for (kind, subject, want) in [
            (Kind::Aks, account, None),
            (Kind::Other, account, None),
            (Kind::GitHub, account, Some(true)),
            (Kind::GitHub, "enterprise:acme", None),
            (Kind::Eks, "repo:acme/shop:ref:refs/heads/main", Some(true)),
            (Kind::AzureDevOps, "sc://acme/shop/deploy", None),
            (Kind::AzureDevOps, account, Some(true)),
            (Kind::AzureDevOps, "deploy", Some(false)),
            (Kind::Entra, "0b6f5c1e-7a52-4d0a-9f63-2f4d8f1c3a77", None),
            (Kind::Entra, "/eid1/c/pub/t/AbC/a/dEf/sc/x/y", None),
            (Kind::Entra, "shop", Some(false)),
        ] {
            assert_eq!(mismatch(kind, subject).map(|(is_certain, _)| is_certain), want, "{kind:?} {subject}");
        }
    }
}
