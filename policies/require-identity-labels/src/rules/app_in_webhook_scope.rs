//! Reports pods that live where only Azure's webhook should.
//!
//! ## What it does
//! The webhook's Service selects pods of its namespace by the label `azure-workload-identity.io/system: "true"`. Other pods with that
//! label are reported: as an error in the webhook's namespace, as a warning elsewhere, where no Service selects them (yet). So are other
//! pods in `azure-workload-identity-system`, with or without the label. Images of the webhook's own project (`…/workload-identity/…`)
//! are left alone.
//!
//! ## Why it is bad
//! With the label the application becomes an endpoint of the webhook: part of the API server's calls go to it and fail, and with them
//! the pods that wait for an identity. Whoever may write to the webhook's namespace may change who gets which identity.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   namespace: azure-workload-identity-system
//!   labels:
//!     azure-workload-identity.io/system: "true"
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
//!   namespace: api
//!   labels:
//!     app: api
//! spec:
//!   containers:
//!     - name: api
//!       image: api:1
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `deploy/azure-wi-webhook.yaml` (the webhook's Service and Deployment).

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;
use fedward_kit::{index, webhook};

use crate::pods::owners;
use crate::settings::Settings;

const ENDPOINT: Condition = Condition::error("endpoint", "a pod in the webhook's namespace carries the label that its Service selects");
const LABEL: Condition = Condition::warning("label", "a pod elsewhere carries the webhook's label");
const NAMESPACE: Condition = Condition::warning("namespace", "a pod without the label is in the webhook's namespace");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "app-in-webhook-scope",
    summary: "a pod lives where only Azure's webhook should",
    conditions: &[ENDPOINT, LABEL, NAMESPACE],
    supersedes: &[],
    check,
};

const SYSTEM: &str = "azure-workload-identity.io/system";
const HOME: &str = "azure-workload-identity-system";

fn check(cx: &Check<'_, Settings>) {
    for owner in owners(cx) {
        for pod in &owner.pods {
            if !pod.node.in_request() || is_webhooks(pod) {
                continue;
            }
            let label = pod.label(SYSTEM);
            if label.str() == Some("true") {
                // The label may be what the workload finds its own pods by.
                let is_selected = owner.node.get("spec").peek("selector").peek("matchLabels").peek(SYSTEM).is_present();
                with_label(cx, pod, label, is_selected);
            } else if pod.namespace == HOME {
                let message = format!("the {} is in `{HOME}`, the namespace of Azure's webhook", pod.title);
                let place = owner.node.get("metadata").get("namespace");
                cx.report(Report::new(&NAMESPACE, place, message).help("give the application a namespace of its own"));
            }
        }
    }
}

fn with_label<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, label: Node<'a>, is_selected: bool) {
    let webhooks = index::identity_webhooks(cx.context, label).map(|list| list.items).unwrap_or_default();
    let webhook = webhooks.iter().find(|webhook| webhook.foreign().is_some_and(|object| object.namespace == pod.namespace));
    let (condition, why) = if pod.namespace == HOME || webhook.is_some() {
        (&ENDPOINT, "makes the pod an endpoint of Azure's webhook, whose Service selects it")
    } else {
        (&LABEL, "is the label by which the Service of Azure's webhook selects its pods")
    };
    // In the webhook's own namespace the pod should not be, with or without the label.
    let (help, stays) = match pod.namespace {
        HOME => ("remove the label, and give the application a namespace of its own", false),
        _ => ("remove the label", !is_selected),
    };
    let mut report = Report::new(condition, label, format!("`{SYSTEM}` {why}")).on_key().help(help);
    if let Some(webhook) = webhook {
        report = report.related(webhook.get("metadata").get("name"), "the webhook");
    }
    cx.report(if stays { report.fix(PatchStep::remove(label)) } else { report });
}

/// Whether the pod runs an image of the webhook's own project.
fn is_webhooks(pod: &Pod<'_>) -> bool {
    pod.containers
        .iter()
        .filter_map(|container| container.node.text("image"))
        .any(|image| webhook::is_webhook_image(image) || image.contains("/workload-identity/"))
}
