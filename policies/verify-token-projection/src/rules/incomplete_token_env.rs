//! Reports containers that name the file of a token, but not the identity to sign in with.
//!
//! ## What it does
//! A container with `AZURE_FEDERATED_TOKEN_FILE` also needs `AZURE_CLIENT_ID` and `AZURE_TENANT_ID`, unless the pod has the Azure label and
//! the webhook sets them. One with `AWS_WEB_IDENTITY_TOKEN_FILE` also needs `AWS_ROLE_ARN`.
//!
//! Not reported: containers with `envFrom`, which may set them; bases that a kustomization patches; and containers with
//! `AWS_CONFIG_FILE` or `AWS_PROFILE`. Where the service account has a role of AWS, `env-shadows-identity` reports the half pair; where nothing
//! mounts the file, `dangling-token` reports that.
//!
//! ## Why it is bad
//! The SDK has a token and does not know whose it is. Azure's `WorkloadIdentityCredential` is left out of the chain without a word, unless
//! the application passes the ids itself.
//!
//! ## Example
//! ```yaml
//! env:
//!   - name: AZURE_FEDERATED_TOKEN_FILE
//!     value: /var/run/secrets/tokens/azure-identity-token
//! ```
//!
//! ## Use instead
//! ```yaml
//! env:
//!   - name: AZURE_FEDERATED_TOKEN_FILE
//!     value: /var/run/secrets/tokens/azure-identity-token
//!   - name: AZURE_CLIENT_ID
//!     value: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//!   - name: AZURE_TENANT_ID
//!     value: 0d2c4f6a-8b1e-4c3d-9e5f-7a6b5c4d3e2f
//! ```
//!
//! ## References
//! Azure Identity SDKs, `WorkloadIdentityCredential`; AWS SDKs, "Assume role credential provider" (web identity).

use fedward_kit::identity::{self, AZURE_SKIP, AZURE_USE, is_skipped};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::token_use::{self, AWS_FILE, AZURE_FILE};
use fedward_kit::workload::{Container, Pod};

use crate::mounts::{covering, is_patched, tidy};
use crate::settings::Settings;

const INCOMPLETE: Condition =
    Condition::warning("incomplete", "a container names the file of a token, and lacks a variable that belongs to it");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "incomplete-token-env",
    summary: "a container names the file of a token, but not the identity to sign in with",
    conditions: &[INCOMPLETE],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final {
        return;
    }
    for pod in cx.pods() {
        for container in pod.containers.iter().filter(|container| container.node.in_request()) {
            // A label with a wrong value is `wrong-azure-label-value`'s matter.
            let is_labelled = !matches!(pod.label(AZURE_USE).peek_str(), None | Some("" | "false"));
            let is_injected = || is_labelled && !is_skipped(pod, AZURE_SKIP, *container);
            one(cx, pod, *container, (AZURE_FILE, &["AZURE_CLIENT_ID", "AZURE_TENANT_ID"]), &is_injected);
            let is_elsewhere = || {
                let has_role = || identity::account_of(pod, cx.context).found().is_some_and(|account| account.role_arn().is_some());
                ["AWS_CONFIG_FILE", "AWS_PROFILE"].iter().any(|name| container.env(name).is_some()) || has_role()
            };
            one(cx, pod, *container, (AWS_FILE, &["AWS_ROLE_ARN"]), &is_elsewhere);
        }
    }
}

fn one<'a>(
    cx: &Check<'a, Settings>,
    pod: &Pod<'a>,
    container: Container<'a>,
    (variable, companions): (&str, &[&str]),
    is_elsewhere: &dyn Fn() -> bool,
) {
    let Some(entry) = container.env(variable) else { return };
    if container.has_env_from() || is_patched(pod, container) || !is_mounted(pod, container, variable) || is_elsewhere() {
        return;
    }
    let is_set = |entry: Node<'a>| entry.get("valueFrom").is_present() || entry.get("value").filled().is_some();
    let missing: Vec<String> =
        companions.iter().filter(|name| !container.env(name).is_some_and(is_set)).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        let neither = if missing.len() > 1 { "neither" } else { "not" };
        let message = format!("container `{}` has `{variable}`, but {neither} {}", container.name, missing.join(" nor "));
        let help = format!("set {}, unless the application knows it from elsewhere", missing.join(" and "));
        cx.report(Report::new(&INCOMPLETE, entry.get("name"), message).help(help));
    }
}

/// Whether a mount may hold the file that the variable names.
fn is_mounted<'a>(pod: &Pod<'a>, container: Container<'a>, variable: &str) -> bool {
    let file = token_use::literal(container, variable).and_then(|(_, file)| tidy(file));
    file.and_then(|file| covering(pod, container, &file)).is_none_or(|mounts| !mounts.is_empty())
}
