//! Reports pods with the Azure label in namespaces that AKS keeps webhooks away from.
//!
//! ## What it does
//! AKS' Admissions Enforcer excludes `kube-system` and `gatekeeper-system` from webhooks that you install yourself. Pods there with the
//! label `azure.workload.identity/use: "true"` are reported, unless the webhook's configuration opts out with
//! `admissions.enforcer/disabled: "true"` (a label or an annotation), or the set shows that the webhook is AKS' own, which runs in
//! `kube-system`.
//!
//! ## Why it is bad
//! The webhook never sees the pod, and nothing is injected.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   namespace: kube-system
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
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
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: known issues ("kube-system"); AKS FAQ (admission controllers and `kube-system`).

use fedward_kit::finding::ObjectRef;
use fedward_kit::identity::AZURE_USE;
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::pods::is_labelled;
use crate::settings::Settings;

const KUBE_SYSTEM: Condition = Condition::warning("kube-system", "a labelled pod in `kube-system`");
const GATEKEEPER: Condition = Condition::info("gatekeeper-system", "a labelled pod in `gatekeeper-system`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "labelled-pod-in-system-namespace",
    summary: "a pod with the Azure label is in a namespace that AKS keeps webhooks away from",
    conditions: &[KUBE_SYSTEM, GATEKEEPER],
    supersedes: &[],
    check,
};

const OPT_OUT: &str = "admissions.enforcer/disabled";
const CONFIGURATION: &str = "azure-wi-webhook-mutating-webhook-configuration";

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods().iter().filter(|pod| is_labelled(pod)) {
        let condition = match pod.namespace {
            "kube-system" => &KUBE_SYSTEM,
            "gatekeeper-system" => &GATEKEEPER,
            _ => continue,
        };
        let label = pod.label(AZURE_USE);
        if is_reached(cx, label) {
            continue;
        }
        let message = format!("on AKS, a webhook that you install yourself never sees pods in `{}`", pod.namespace);
        cx.report(
            Report::new(condition, label, message).help(
                "run the pod in a namespace of its own, or set `admissions.enforcer/disabled: \"true\"` on the webhook's configuration",
            ),
        );
    }
}

/// Whether the webhook reaches system namespaces: it opted out of the enforcer, or it is AKS' own.
fn is_reached<'a>(cx: &Check<'a, Settings>, label: Node<'a>) -> bool {
    let object = ObjectRef {
        api_version: "admissionregistration.k8s.io/v1",
        kind: "MutatingWebhookConfiguration",
        namespace: "",
        name: CONFIGURATION,
    };
    let opted_out = cx.context.get(object, label).found().is_some_and(|configuration| {
        let metadata = configuration.get("metadata");
        ["labels", "annotations"].iter().any(|part| metadata.get(part).get(OPT_OUT).str() == Some("true"))
    });
    let is_own = |webhook: &Node<'_>| webhook.foreign().is_some_and(|object| object.namespace == "kube-system");
    opted_out || index::identity_webhooks(cx.context, label).is_some_and(|list| list.items.iter().any(is_own))
}
