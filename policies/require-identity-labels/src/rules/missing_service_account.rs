//! Reports service accounts that pods name and nothing creates.
//!
//! ## What it does
//! A pod's `serviceAccountName` is looked up in its namespace. It is reported if the service account does not exist, or, among loaded
//! files, if other service accounts of that namespace are there and this one is not. If no service account of the namespace is loaded at
//! all, it is only noted, and only for pods that use a cloud identity.
//!
//! In a cluster it is a warning for workloads, whose account may be applied next, and nothing for Pods: the API server refuses those
//! itself.
//!
//! ## Why it is bad
//! Without its service account a pod is refused: by Azure's webhook if it has the label (`400 Bad Request`), by the API server in any
//! case. A misspelt name also leaves the account that the cloud trusts unused.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: svc-deployer
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ---
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: deployer
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: svc-deployers
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: svc-deployer
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ---
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: deployer
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: svc-deployer
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (the account is read before anything else); Kubernetes: the ServiceAccount
//! admission controller.

use fedward_kit::context::{Lookup, Unknown};
use fedward_kit::identity::{self, AZURE_USE};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Account, Pod};
use fedward_kit::{audience, index, projection, suggest, text};

use crate::settings::Settings;

const NOT_FOUND: Condition = Condition::error("does-not-exist", "the loaded objects are all there is, and the account is not among them");
const NOT_LOADED: Condition = Condition::warning(
    "not-among-the-loaded",
    "other service accounts of the namespace are loaded, or, in a cluster, the account does not exist (yet)",
);
const UNSEEN: Condition = Condition::info(
    "nothing-loaded",
    "no service account of the namespace is loaded and the pod uses an identity, or something patches the object",
);

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "missing-service-account",
    summary: "a pod names a service account that nothing creates",
    conditions: &[NOT_FOUND, NOT_LOADED, UNSEEN],
    supersedes: &[],
    check,
};

/// Accounts that the cluster makes in every namespace: the last three are OpenShift's.
const EVERYWHERE: [&str; 4] = ["default", "builder", "deployer", "pipeline"];

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let Account::Named { name, node } = pod.account else { continue };
        let skipped = EVERYWHERE.contains(&name) || pod.namespace.is_empty() || pod.account_metadata.is_some() || node.foreign().is_some();
        if skipped || text::classify(name) != text::Value::Plain {
            continue;
        }
        let Some((condition, why)) = condition(cx, pod) else { continue };
        let condition = if cx.request.is_final { condition } else { &UNSEEN };
        let mut report = Report::new(condition, node, format!("the service account `{name}` of namespace `{}` {why}", pod.namespace));
        let federated = index::federated_accounts(cx.context, pod.namespace, node).map(|list| list.items).unwrap_or_default();
        let near = suggest::nearest(name, federated.iter().filter_map(|account| account.foreign()).map(|account| account.name));
        report = match near {
            Some(near) => report.help(format!("did you mean `{near}`?")),
            None => report.help("create it, or name one that exists; pods without their service account are refused"),
        };
        for account in federated.iter().filter(|account| account.foreign().map(|account| account.name) == near) {
            report = report.related(account.get("metadata").get("name"), "the federated service account with the nearest name");
        }
        cx.report(report);
    }
}

fn condition<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> Option<(&'static Condition, &'static str)> {
    match identity::account_of(pod, cx.context) {
        Lookup::NotFound if cx.context.indexed => Some((&NOT_FOUND, "does not exist")),
        Lookup::NotFound if pod.row != "v1/Pod" => Some((&NOT_LOADED, "does not exist yet")),
        Lookup::NotKnown(Unknown::Absent) => Some((&NOT_LOADED, "is not among those that are loaded")),
        Lookup::NotKnown(Unknown::Unseen) if uses_identity(pod) => Some((&UNSEEN, "is not loaded, nor is any other of that namespace")),
        _ => None,
    }
}

fn uses_identity(pod: &Pod<'_>) -> bool {
    let is_cloud = |token: &projection::Token<'_>| token.audience.str().is_some_and(|name| audience::provider(name).is_some());
    pod.label(AZURE_USE).is_present() || projection::tokens(pod).iter().any(is_cloud)
}
