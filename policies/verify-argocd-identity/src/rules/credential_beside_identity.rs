//! Reports repositories of Argo CD with `useAzureWorkloadIdentity: "true"` and a credential beside it.
//!
//! ## What it does
//! For Git, Argo CD takes the first of: `password`, `bearerToken`, `sshPrivateKey`, the key of a GitHub App with its id,
//! `gcpServiceAccountKey`, and only then the workload identity. Any of them beside the flag is an error.
//! `azureServicePrincipalClientSecret` comes after it, and is never used: a warning. For Helm the flag wins, so that all of them are
//! warnings there.
//!
//! A `username` alone is nothing. Credentials without the flag are the business of the policy `forbid-static-credentials`, and so is a
//! repository of type `oci`, for which the flag counts for nothing.
//!
//! ## Why it is bad
//! The repository looks as if it were read with the workload identity. It is not: the left-over token still signs in, until it expires and
//! the deployments stop. A secret that is never used can still be stolen.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repository
//! stringData:
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//!   useAzureWorkloadIdentity: "true"
//!   password: …
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repository
//! stringData:
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## References
//! Argo CD: `pkg/apis/application/v1alpha1/repository_types.go` (`GetGitCreds`, `GetHelmCreds`).

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::credentials::{AFTER_IDENTITY, BEFORE_IDENTITY, Way};
use crate::registered::{FLAG, Protocol, Repository};
use crate::settings::Settings;

const WINS: Condition = Condition::error("credential-wins", "Git is read with the credential, not with the identity");
const DEAD: Condition = Condition::warning("dead-credential", "the credential is never used");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "credential-beside-identity",
    summary: "a credential stands beside the workload identity that a repository is to be read with",
    conditions: &[WINS, DEAD],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(repository) = Repository::with_identity(cx) else { return };
    let ways = BEFORE_IDENTITY.iter().map(|way| (way, true)).chain([(&AFTER_IDENTITY, false)]);
    for (way, is_before) in ways.filter(|(way, _)| way.is_in(&repository.secret)) {
        match repository.protocol {
            Protocol::Git if is_before => report(cx, &repository, way, &WINS, "wins over `useAzureWorkloadIdentity`, which is never used"),
            Protocol::Git | Protocol::Helm => report(cx, &repository, way, &DEAD, "is never used: the workload identity wins"),
            Protocol::Oci | Protocol::NotKnown => {}
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, repository: &Repository<'a>, way: &Way, condition: &'static Condition, what: &str) {
    let key = way.credential();
    let fields = repository.secret.fields(key);
    // An encrypted one stands nowhere.
    let node = repository.secret.field(key);
    let report = Report::new(condition, node, format!("`{key}` {what}"))
        .help(format!("remove `{key}`, and revoke it where it was issued"))
        .related(repository.secret.field(FLAG), "the workload identity");
    cx.report(if fields.is_empty() { report } else { report.on_key().fix(fields.into_iter().flat_map(PatchStep::remove).collect()) });
}
