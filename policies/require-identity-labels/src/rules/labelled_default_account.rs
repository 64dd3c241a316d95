//! Reports pods with the Azure label that run as the namespace's default service account.
//!
//! ## What it does
//! A pod with the label `azure.workload.identity/use: "true"` and no `serviceAccountName`, or with `default`, is reported. Templates
//! whose service account is decided by whoever runs them are not.
//!
//! ## Why it is bad
//! Every pod of the namespace that names no account shares `default`. An identity that is bound to it belongs to all of them.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   containers:
//!     - name: api
//!       image: api:1
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//!   containers:
//!     - name: api
//!       image: api:1
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (an empty name is read as `default`); Kubernetes: configure service accounts
//! for pods.

use fedward_kit::identity::AZURE_USE;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Account;

use crate::pods::is_labelled;
use crate::settings::Settings;

const DEFAULT: Condition = Condition::warning("default-account", "the pod has the label and runs as `default`");
const DRAFT: Condition = Condition::info("draft", "the same, on a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "labelled-default-account",
    summary: "a pod with the Azure label runs as the default service account",
    conditions: &[DEFAULT, DRAFT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let is_default = matches!(pod.account, Account::Default(_) | Account::Named { name: "default", .. });
        // The controller of runner scale sets gives its listener an account of its own.
        let is_given = pod.account_metadata.is_some() || pod.node.key() == "listenerTemplate";
        if !is_default || is_given || !is_labelled(pod) || pod.account.node().foreign().is_some() {
            continue;
        }
        let condition = if cx.request.is_final { &DEFAULT } else { &DRAFT };
        let report = Report::new(
            condition,
            pod.account.node(),
            "a pod that asks for an Azure identity runs as the `default` service account, which all pods of the namespace share",
        );
        cx.report(
            report
                .help("make a service account for this workload and name it in `serviceAccountName`")
                .related(pod.label(AZURE_USE), "the label that asks for an identity"),
        );
    }
}
