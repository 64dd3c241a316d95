//! Who uses a service account, as far as sharing is concerned.

use super::{ACCOUNT_USER, API_VERSION, WORKLOAD_KINDS, has, listed_masked, workload_keys};
use crate::context::{Context, List};
use crate::node::Node;
use crate::{value, workload};

/// What a cluster is asked of a kind with pods.
const MASKS: [&str; 8] = [
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.ownerReferences",
    "spec.jobTemplate.spec.template.spec.serviceAccountName",
    "spec.template.spec.serviceAccount",
    "spec.template.spec.serviceAccountName",
];
/// The same for Jobs, whose annotations say whether they are hooks.
const JOB_MASKS: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata.annotations",
    "metadata.name",
    "metadata.namespace",
    "metadata.ownerReferences",
    "spec.template.spec.serviceAccountName",
];
/// What the index is asked: who a user is.
const NAME_MASKS: [&str; 2] = ["metadata.generateName", "metadata.name"];

/// Objects that count as users of the service account: controllers and pods of nobody, but neither what a controller makes nor hooks of a
/// release. Offline they come with names only, at most [`super::SAMPLE`] of them, and there are none where the asker is the only one. In a cluster they are of the kinds of
/// [`super::workloads_of`] and Rollouts, with what `MASKS` name; one list of each kind serves all accounts of the namespace. `None` where
/// the host cannot say.
pub fn users_of<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<List<'a>> {
    let selector = format!("serviceAccount={name}");
    if context.indexed {
        return context.list_masked((API_VERSION, ACCOUNT_USER), namespace, &selector, &NAME_MASKS, anchor);
    }
    let keep = |object: Node<'a>| counts(object) && has(workload_keys(object, object.session().text(namespace)), &selector);
    let (jobs, others): (Vec<_>, Vec<_>) =
        WORKLOAD_KINDS.into_iter().chain([("argoproj.io/v1alpha1", "Rollout")]).partition(|(_, kind)| *kind == "Job");
    let others = listed_masked(context, &others, &[namespace], &MASKS, anchor, &keep);
    let jobs = listed_masked(context, &jobs, &[namespace], &JOB_MASKS, anchor, &keep);
    let complete = [&others, &jobs].iter().all(|list| list.as_ref().is_some_and(|list| list.complete));
    let mut found = others.into_iter().chain(jobs).reduce(|mut all, more| {
        all.items.extend(more.items);
        all
    })?;
    found.complete = complete;
    Some(found)
}

/// Whether an object counts as a user of its pods' service accounts, see [`users_of`].
pub fn counts(object: Node<'_>) -> bool {
    workload::is_known_object(object) && !is_derived(object) && !is_hook(object)
}

/// Whether an object is a controller's, whose template says all that it says.
fn is_derived(object: Node<'_>) -> bool {
    let is_controller = |owner: Node<'_>| owner.peek("controller").value() == Some(&value::Value::Bool(true));
    matches!(object.peek_text("kind"), Some("Pod" | "ReplicaSet" | "Job"))
        && object.peek("metadata").peek("ownerReferences").peek_items().any(is_controller)
}

/// Whether a name is that of a part of Argo CD that signs in with the identity of the whole: these count as one user of it. Releases put
/// their name before it.
pub fn is_argo_cd(name: &str) -> bool {
    ["argocd-server", "argocd-application-controller", "argocd-applicationset-controller", "argocd-repo-server"]
        .iter()
        .any(|part| name.strip_suffix(part).is_some_and(|before| before.is_empty() || before.ends_with('-')))
}

/// Whether an object is a hook of a release, which Argo CD or Helm runs and removes.
pub fn is_hook(object: Node<'_>) -> bool {
    let annotations = object.peek("metadata").peek("annotations");
    ["argocd.argoproj.io/hook", "helm.sh/hook"].into_iter().any(|key| annotations.peek(key).peek_str().is_some_and(|hook| !hook.is_empty()))
}
