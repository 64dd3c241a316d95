//! Reports the Azure pod label where it does nothing: on a service account, a namespace, a workload's own metadata, or as an annotation.
//!
//! ## What it does
//! Only a label of the pod itself counts. The key `azure.workload.identity/use` is reported in the labels and annotations of
//! ServiceAccounts, Namespaces, Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs, Rollouts, Argo workflows
//! (`workflowMetadata` too), Sensors and EventSources, and in the annotations of a pod, if a pod that it is meant for lacks the label.
//!
//! A label beside a correct pod label is silent, and so are metadata that an operator copies to its pods, an annotation that the pod
//! reads through a field reference, and values that say no.
//!
//! ## Why it is bad
//! The label looks right and has no effect: the webhook selects pods, and a workload's own labels are not its pods' labels. (Webhooks
//! before v1.0 looked at the service account; while the set deploys one, such a label is a warning.)
//!
//! ## Example
//! ```yaml
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app: api
//!     spec:
//!       serviceAccountName: api
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata:
//!   name: api
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app: api
//!         azure.workload.identity/use: "true"
//!     spec:
//!       serviceAccountName: api
//! ```
//!
//! ## Settings
//! `allowCsiOnly`
//!
//! ## References
//! Azure/azure-workload-identity: `deploy/azure-wi-webhook.yaml`, release notes of v1.0.0; argoproj/argo-workflows:
//! `workflow/controller/workflowpod.go` (which metadata reaches a pod).

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{AZURE_USE, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload;
use fedward_kit::{index, text};

use super::missing_azure_label::{has_own_way, old_webhook};
use crate::pods::{Owner, is_read_by_pod, owners};
use crate::settings::Settings;

const MISPLACED: Condition = Condition::error("misplaced", "a pod that the label is meant for lacks it");
const OLD_WEBHOOK: Condition = Condition::warning(
    "old-webhook",
    "the label is on the service account, while the set deploys a webhook before v1.0, which looks there",
);
const MENDABLE: Condition =
    Condition::warning("mendable", "in a cluster: the label is on the service account, and workloads that exist lack it on their pods");
const INERT: Condition =
    Condition::info("inert", "no pod needs it: none is known, the pods project a token themselves, or something patches the object");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-label-on-wrong-object",
    summary: "the Azure pod label stands where it does nothing",
    conditions: &[MISPLACED, OLD_WEBHOOK, MENDABLE, INERT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if cx.is("", "ServiceAccount") {
        return service_account(cx);
    }
    if cx.is("", "Namespace") {
        for place in misplaced(cx.object.get("metadata")) {
            let message = format!("`{AZURE_USE}` on a namespace has no effect: the webhook selects pods");
            cx.report(Report::new(&INERT, place, message).on_key().help("put the label on the pods that sign in, and remove it here"));
        }
        return;
    }
    for owner in owners(cx) {
        workload(cx, owner);
    }
}

/// Whether this rule speaks of an object's pods, so that the absence of the label needs no finding of its own.
pub(crate) fn reports<'a>(cx: &Check<'a, Settings>, owner: &Owner<'a>) -> bool {
    cx.common.is_on(RULE.id) && !places(owner).is_empty()
}

fn workload<'a>(cx: &Check<'a, Settings>, owner: &Owner<'a>) {
    let places = places(owner);
    let mut lacking: Vec<_> = owner.pods.iter().filter(|pod| pod.label(AZURE_USE).is_absent()).collect();
    // The phases of a roll-out share one template.
    lacking.dedup_by(|one, other| one.node.is_same(other.node));
    let Some(first) = lacking.first() else { return };
    let inert = !cx.request.is_final || lacking.iter().all(|pod| has_own_way(cx, pod));
    for place in places {
        let (condition, why, help) = match inert {
            true => (&INERT, "", "remove it, or put it on the pod template if the webhook is to inject the token"),
            false => (&MISPLACED, ", and the pods lack the label", "move it to the labels of the pod template"),
        };
        let mut fix = Vec::new();
        // Which of several steps is meant, only a person can tell; what a patch will bring, too.
        if cx.request.is_final && (inert || !is_workflow(owner.kind) || lacking.len() == 1) {
            fix = PatchStep::remove(place);
            if !inert {
                fix.extend(lacking.iter().flat_map(|pod| PatchStep::set(pod.home.labels.get(AZURE_USE), "true")));
            }
        }
        let what = match place_name(place) {
            "annotations" => "is a label, not an annotation",
            _ => "does nothing here: the webhook selects pods by their own labels",
        };
        cx.report(
            Report::new(condition, place, format!("`{AZURE_USE}` {what}{why}"))
                .on_key()
                .help(help)
                .related(first.label(AZURE_USE), format!("where the label of the {} belongs", first.title))
                .fix(fix),
        );
    }
}

/// Where an object of these kinds has the mark in vain; empty if some pod of a workflow has it in the right place.
fn places<'a>(owner: &Owner<'a>) -> Vec<Node<'a>> {
    let known = matches!(
        (owner.group, owner.kind),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job" | "CronJob")
            | (
                "argoproj.io",
                "Rollout" | "Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate" | "CronWorkflow" | "Sensor" | "EventSource"
            )
    );
    let mut found = Vec::new();
    if !owner.node.in_request() {
        return found;
    }
    if known {
        found = misplaced(owner.node.get("metadata"));
        if is_workflow(owner.kind) {
            // Of a step that signs in and one that does not, only the first needs the label.
            if owner.pods.iter().any(|pod| pod.label(AZURE_USE).is_present()) {
                return Vec::new();
            }
            let metadata = owner.node.get("spec").get("workflowMetadata");
            found.extend(misplaced(metadata));
            found.extend(Some(metadata.get("labelsFrom").get(AZURE_USE)).filter(|from| from.is_present()));
        }
    }
    for pod in &owner.pods {
        let annotation = pod.home.annotations.get(AZURE_USE);
        if pod.label(AZURE_USE).is_absent() && says_yes(annotation) && !is_read_by_pod(pod, AZURE_USE) {
            found.push(annotation);
        }
    }
    found
}

fn is_workflow(kind: &str) -> bool {
    kind.ends_with("Workflow") || kind.ends_with("WorkflowTemplate")
}

fn misplaced(metadata: Node<'_>) -> Vec<Node<'_>> {
    ["labels", "annotations"].into_iter().map(|part| metadata.get(part).get(AZURE_USE)).filter(|node| says_yes(*node)).collect()
}

fn says_yes(node: Node<'_>) -> bool {
    node.str().is_some_and(|value| !matches!(value, "" | "false" | "False") && text::classify(value) == text::Value::Plain)
}

/// `labels` or `annotations`.
fn place_name(place: Node<'_>) -> &'static str {
    match place.parent().map(Node::key).as_deref() {
        Some("annotations") => "annotations",
        _ => "labels",
    }
}

fn service_account<'a>(cx: &Check<'a, Settings>) {
    let account = ServiceAccount::of(cx.object);
    for place in misplaced(cx.object.get("metadata")) {
        let (mut known, mut labelled, mut lacking) = (0, 0, Vec::new());
        let (namespace, name) = (cx.request.namespace, cx.request.name);
        for object in index::workloads_of(cx.context, namespace, name, place).map(|list| list.items).unwrap_or_default() {
            for pod in workload::pods(object, namespace, cx.context) {
                if pod.account.name() == Some(name) && pod.namespace == namespace && pod.certain {
                    known += 1;
                    if pod.label(AZURE_USE).is_present() {
                        labelled += 1;
                    } else if !has_own_way(cx, &pod) {
                        lacking.push(pod);
                    }
                }
            }
        }
        // Right beside it: the pods carry the label. (Of a workflow's steps some may.)
        if known > 0 && (labelled == known || labelled > 0 && lacking.iter().all(|pod| pod.workflow.is_some())) {
            continue;
        }
        let needed = account.client_id().is_some() && !lacking.is_empty() && cx.request.is_final;
        let (condition, why) = match old_webhook(cx, place) {
            _ if known == 0 => (&INERT, ": the webhook selects pods by their own labels, and no pod of this account is known".to_owned()),
            _ if !needed => (&INERT, ": the webhook selects pods by their own labels".to_owned()),
            Some(version) => {
                (&OLD_WEBHOOK, format!(" from webhook v1.0 on ({version} of this set still looks there), and pods of this account lack it"))
            }
            None if !cx.context.indexed => {
                (&MENDABLE, ": the webhook selects pods by their own labels, and pods of this account lack it".to_owned())
            }
            None => (&MISPLACED, ": the webhook selects pods by their own labels, and pods of this account lack it".to_owned()),
        };
        let mut report = Report::new(condition, place, format!("`{AZURE_USE}` on a service account has no effect{why}")).on_key().help(
            if known > 0 && lacking.is_empty() {
                "remove it: the pods of this account get their tokens without the webhook"
            } else {
                "put the label on the pod templates that use the account"
            },
        );
        for pod in lacking {
            report = report.related(pod.label(AZURE_USE), format!("the {} lacks the label", pod.title));
        }
        cx.report(report);
    }
}
