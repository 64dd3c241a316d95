//! Which pods the policy gives the missing label itself (`mode: fix`), and in which requests.

use fedward_kit::context::Context;
use fedward_kit::finding::ObjectRef;
use fedward_kit::identity::{AZURE_EXPIRATION, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::request::Operation;
use fedward_kit::rule::Check;
use fedward_kit::text::{self, Value};
use fedward_kit::workload::{Account, Pod, ROWS, Shape};
use fedward_kit::{index, projection};

use crate::rules::wrong_token_expiration;
use crate::settings::{Mode, Settings};

/// Kinds with templates that are not changed any more once the object is there: the API server or the controller refuses it, or nothing new
/// comes of it. A pod's own label counts at its creation only.
const CREATE_ONLY: [&str; 7] = ["Pod", "Job", "JobSet", "Workflow", "Experiment", "Service", "Configuration"];

/// Whether the policy adds the label to a pod that lacks it for certain.
///
/// The label has to go into a template of pods, in the object of the request itself, and nobody may have doubts that this pod is meant:
/// its account is named, and all that may stand in the label's place is known.
pub(crate) fn mends<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, account: ServiceAccount<'a>) -> bool {
    cx.settings.mode == Mode::Fix
        && (cx.request.operation != Operation::Update || !CREATE_ONLY.contains(&cx.request.kind))
        && is_template_of(cx.object, pod)
        && matches!(pod.account, Account::Named { name, .. } if name != "default")
        && account.client_id().is_some_and(|id| text::classify(id) == Value::Plain)
        // With the label, the webhook would refuse the pod. Of a value of its own another rule tells.
        && (pod.annotation(AZURE_EXPIRATION).filled().is_some() || !wrong_token_expiration::is_refused_for(account))
        && projection::tokens(pod).iter().all(|token| token.audience.str().is_none_or(|text| text::classify(text) == Value::Plain))
        && pod.volumes.iter().all(|volume| is_known(cx.context, pod.namespace, volume.get("persistentVolumeClaim")))
}

/// Whether the pod comes of a template of pods with metadata of its own, that stands in the object itself and not in one inside it. Of a
/// workflow it has to be a step, beside which no others run.
fn is_template_of<'a>(object: Node<'a>, pod: &Pod<'a>) -> bool {
    let is_template = ROWS
        .iter()
        .any(|row| row.name == pod.row && matches!(row.shape, Shape::Pod | Shape::Templates(_) | Shape::Rollout | Shape::Workflow(_)));
    let is_object = |node: &Node<'a>| node.peek_text("apiVersion").is_some() && node.peek_text("kind").is_some();
    let own = std::iter::successors(Some(pod.node), |node| node.parent()).find(is_object);
    is_template
        && own.is_some_and(|own| own.is_same(object))
        // Of steps in other objects nobody knows here which of them signs in; the agent's labels are those of all steps.
        && pod.workflow.is_none_or(|spec| !spec.is_same(pod.node) && !index::mentions(spec, "emplateRef"))
}

/// Whether a claim, if there is one, is known with its volume: its driver may have tokens of the pod's account issued to itself.
fn is_known<'a>(context: &Context<'a>, namespace: &'a str, claim: Node<'a>) -> bool {
    let get = |kind, namespace, name: Node<'a>| {
        let object = ObjectRef { api_version: "v1", kind, namespace, name: name.str().unwrap_or("") };
        context.get(object, claim).found()
    };
    claim.is_absent()
        || get("PersistentVolumeClaim", namespace, claim.get("claimName"))
            .and_then(|claim| get("PersistentVolume", "", claim.get("spec").get("volumeName")))
            .is_some()
}
