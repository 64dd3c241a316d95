//! Reports projected tokens that a cloud is given although they are for the API server.
//!
//! ## What it does
//! A `serviceAccountToken` without `audience` is a token for the Kubernetes API server. It is reported if the container's environment gives
//! it to a cloud's SDK: its file is the one in `AZURE_FEDERATED_TOKEN_FILE`, `AWS_WEB_IDENTITY_TOKEN_FILE`, or (for the EKS Pod Identity
//! agent) `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`; it lies where a cloud's webhook puts its tokens; or the credential configuration in
//! `GOOGLE_APPLICATION_CREDENTIALS`, read from its ConfigMap, names it.
//!
//! ## Why it is bad
//! The cloud refuses it, since its audience is the API server's. And whoever receives it can use it against the API server in the pod's name.
//!
//! ## Example
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//! ```
//!
//! ## Use instead
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//!   audience: api://AzureADTokenExchange
//! ```
//!
//! ## Settings
//! `cloud`
//!
//! ## References
//! Kubernetes API, `ServiceAccountTokenProjection` ("defaults to the identifier of the apiserver"); Google Cloud, workload identity
//! federation with Kubernetes (the audience of a provider without `allowedAudiences`).

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::accepted;
use crate::settings::Settings;

const MISSING: Condition = Condition::error("missing", "a cloud's SDK reads a token that is for the API server");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "missing-token-audience",
    summary: "a cloud is given a token that is for the API server",
    conditions: &[MISSING],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for projected in cx.projected() {
        let audience = projected.token.audience;
        let Some(using) = projected.uses.first().filter(|_| audience.is_absent() || audience.peek_str() == Some("")) else { continue };
        let message = format!("the token is read through {}, but has no audience, so that it is one for the API server", using.by());
        let report = Report::new(&MISSING, audience, message).related(using.node, "what reads the token");
        cx.report(match accepted::expected(cx, projected, using) {
            Some(expected) => report.help(format!("add `audience: {expected}`")).fix(PatchStep::set(audience, expected)),
            None => report.help("add the audience that the cloud's side expects"),
        });
    }
}
