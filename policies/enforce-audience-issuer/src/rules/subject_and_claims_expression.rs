//! Reports federated credentials with both a subject and a claims expression, with neither, or with an expression that Entra does not read.
//!
//! ## What it does
//! A federated credential matches tokens either by `subject` or by `claimsMatchingExpression`. Expressions are `{value, languageVersion: 1}`
//! and exist only for the issuers of GitHub, GitLab and HCP Terraform.
//!
//! ## Why it is bad
//! Azure refuses a credential with both or neither. An expression for a cluster's issuer is refused too: a credential per service account
//! is needed there.
//!
//! ## Example
//! ```yaml
//! issuer: https://token.actions.githubusercontent.com
//! subject: repo:acme/shop:ref:refs/heads/main
//! claimsMatchingExpression: {value: "claims['sub'] matches 'repo:acme/shop:*'", languageVersion: 1}
//! ```
//!
//! ## Use instead
//! ```yaml
//! issuer: https://token.actions.githubusercontent.com
//! claimsMatchingExpression: {value: "claims['sub'] matches 'repo:acme/shop:*'", languageVersion: 1}
//! ```
//!
//! ## References
//! Microsoft Entra, "Flexible federated identity credentials" and "Set up a flexible federated identity credential"; Microsoft Graph,
//! `federatedIdentityExpression`.

use fedward_kit::finding::PatchStep;
use fedward_kit::issuer::{self, Kind};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::Credential;
use fedward_kit::value::Value;

use crate::settings::Settings;
use crate::trusted::plain;

const BOTH: Condition = Condition::error("both", "there is a subject and an expression");
const NEITHER: Condition = Condition::error("neither", "there is neither a subject nor an expression");
const CLUSTER: Condition = Condition::error("cluster-issuer", "the expression stands beside a cluster's issuer");
const OTHER_ISSUER: Condition = Condition::warning("other-issuer", "the expression stands beside an issuer for which Entra reads none");
const FORM: Condition = Condition::error("form", "the expression has no `value`, or a `languageVersion` other than 1");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "subject-and-claims-expression",
    summary: "a federated credential has both a subject and a claims expression, neither, or an expression that is not read",
    conditions: &[BOTH, NEITHER, CLUSTER, OTHER_ISSUER, FORM],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let (claims, subject) = (credential.claims, credential.subject);
    let has_subject = (subject.is_present() && subject.peek_str() != Some("")) || credential.has_subject_elsewhere();
    if claims.is_absent() || claims.peek_str() == Some("") {
        if !has_subject && !credential.observed {
            cx.report(
                Report::new(&NEITHER, subject, "there is no subject: nothing says whose tokens are trusted")
                    .help("set `subject` to `system:serviceaccount:<namespace>:<name>`"),
            );
        }
        return;
    }
    if has_subject {
        cx.report(
            Report::new(&BOTH, claims, "there is a `subject` beside this expression, but only one of the two is allowed")
                .help("keep the subject if one workload is meant, or the expression if several are")
                .related(subject, "the subject"),
        );
    }
    // One text in Crossplane and Terraform, which add the version themselves.
    if matches!(claims.value(), Some(Value::Map(_))) {
        let (value, version) = (claims.get("value"), claims.get("languageVersion"));
        if value.is_absent() || value.peek_str() == Some("") {
            cx.report(Report::new(&FORM, value, "the expression has no `value`").help("write `claims['sub'] matches '…'`"));
        }
        if version.is_present() && version.int() != Some(1) {
            cx.report(
                Report::new(&FORM, version, "the only `languageVersion` is 1").help("write 1").fix(PatchStep::set_value(version, 1.into())),
            );
        }
    }
    let issuer_node = credential.issuer_in(cx.context, cx.request.namespace);
    let Some((node, text)) = issuer_node.and_then(|node| Some((node, plain(node)?))) else { return };
    let kind = issuer::kind(text);
    if matches!(kind, Kind::GitHub | Kind::GitLab | Kind::Terraform) {
        return;
    }
    let (condition, who) = if kind.is_cluster() { (&CLUSTER, kind.name()) } else { (&OTHER_ISSUER, "this issuer") };
    cx.report(
        Report::new(
            condition,
            claims,
            format!("Entra reads expressions for GitHub, GitLab and HCP Terraform only, not for tokens of {who}"),
        )
        .help("write a `subject`, and a credential for every further workload")
        .related(node, "the issuer"),
    );
}
