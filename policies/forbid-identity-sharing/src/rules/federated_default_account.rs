//! Reports namespaces whose default service account signs in to a cloud.
//!
//! ## What it does
//! The service account `default` should name no identity, and neither a federated credential nor an association of EKS Pod Identity should
//! name it. Empty annotations count for nothing, and what lets people act as the account is not meant.
//!
//! It is a warning, since some controllers leave no other account to choose.
//!
//! ## Why it is bad
//! Every pod of the namespace that names no service account runs as this one: a Job that somebody tries out has the identity, too.
//!
//! ## Example
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: default
//!   annotations:
//!     eks.amazonaws.com/role-arn: arn:aws:iam::112233445566:role/orders
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: orders
//!   annotations:
//!     eks.amazonaws.com/role-arn: arn:aws:iam::112233445566:role/orders
//! ```
//!
//! ## References
//! Kubernetes, "Service accounts" (default service accounts).

use fedward_kit::identity::{Provider, ServiceAccount};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::{self, Credential, PodIdentity};

use crate::settings::Settings;

const ACCOUNT: Condition = Condition::warning("account", "the service account `default` names an identity");
const TRUSTED: Condition = Condition::warning("trusted", "a credential or an association names the service account `default`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "federated-default-account",
    summary: "the default service account of a namespace signs in to a cloud",
    conditions: &[ACCOUNT, TRUSTED],
    supersedes: &[],
    check,
};

const HELP: &str = "use a service account of the workload's own: every pod that names none runs as `default`";

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final {
        return;
    }
    if cx.is("", "ServiceAccount") && cx.request.name == "default" {
        for (provider, node) in ServiceAccount::of(cx.object).marks() {
            if provider != Provider::ArgoSso {
                let message =
                    format!("the identity ({}) goes to every pod of the namespace without a service account of its own", provider.name());
                cx.report(Report::new(&ACCOUNT, node, message).help(HELP));
            }
        }
    }
    let (namespace, node) = if let Some(credential) = Credential::of(cx.object) {
        match credential.subject.peek_str().and_then(trust::service_account) {
            Some((namespace, "default")) => (namespace, credential.subject),
            _ => return,
        }
    } else if let Some(association) = PodIdentity::of(cx.object) {
        if association.service_account.peek_str() != Some("default") {
            return;
        }
        (association.namespace.peek_str().unwrap_or(""), association.service_account)
    } else {
        return;
    };
    let message = format!("the identity goes to every pod of the namespace `{namespace}` without a service account of its own");
    cx.report(Report::new(&TRUSTED, node, message).help(HELP));
}
