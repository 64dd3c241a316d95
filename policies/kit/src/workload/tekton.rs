//! Tekton: labels flow from Pipeline to PipelineRun to TaskRun to pod, and a run may treat each task differently.

use super::{Account, Layer, Pod, container};
use crate::context::Context;
use crate::finding::ObjectRef;
use crate::node::Node;
use crate::text::ByName;

pub(super) fn collect<'a>(row: &'static str, object: Node<'a>, namespace: &'a str, context: &Context<'a>, found: &mut Vec<Pod<'a>>) {
    let spec = object.get("spec");
    let run = spec.get("taskRunTemplate");
    let pod_template = if run.get("podTemplate").is_present() { run.get("podTemplate") } else { spec.get("podTemplate") };
    let mut base = Pod::bare(row, object, object.get("metadata"), pod_template, namespace);
    base.account = if run.get("serviceAccountName").filled().is_some() { Account::of(run) } else { Account::of(spec) };
    for (reference, kind) in [(spec.get("pipelineRef"), "Pipeline"), (spec.get("taskRef"), "Task")] {
        let api_version = object.text("apiVersion").unwrap_or("");
        let name = reference.get("name").filled().unwrap_or("");
        if !name.is_empty()
            && let Some(target) = context.get(ObjectRef { api_version, kind, namespace, name }, reference).found()
        {
            base.layers.push(Layer::of(target.get("metadata")));
        }
    }
    // What the run says of single tasks: by `pipelineTaskName`, or (v1beta1) a list of service accounts by `taskName`.
    let mut items = Vec::new();
    let mut of_task = ByName::new();
    for (list, key) in [("taskRunSpecs", "pipelineTaskName"), ("serviceAccountNames", "taskName")] {
        for item in spec.get(list).items() {
            of_task.insert(item.get(key).str().unwrap_or("").into(), items.len());
            items.push(item);
        }
    }
    let pipeline = spec.get("pipelineSpec");
    if pipeline.is_present() {
        for task in ["tasks", "finally"].into_iter().flat_map(|list| pipeline.get(list).items()) {
            let name = task.text("name").unwrap_or("");
            found.push(of(&base, Some(name), task.get("taskSpec"), of_task.get(name).and_then(|at| items.get(*at)).copied()));
        }
        return;
    }
    for (name, item) in of_task.iter().filter_map(|(name, at)| Some((name, items.get(*at)?))) {
        found.push(of(&base, Some(name), item.get("taskSpec"), Some(*item)));
    }
    found.push(of(&base, None, spec.get("taskSpec"), None));
}

/// The pod of one task.
fn of<'a>(base: &Pod<'a>, name: Option<&str>, task: Node<'a>, item: Option<Node<'a>>) -> Pod<'a> {
    let mut pod = base.clone();
    if let Some(name) = name {
        pod.title = format!("pod of task `{name}`");
    }
    pod.layers.splice(0..0, item.into_iter().chain([task]).map(|source| Layer::of(source.get("metadata"))));
    let account = item.into_iter().flat_map(|item| ["serviceAccountName", "taskServiceAccountName"].map(|field| item.get(field)));
    if let Some(account) = account.into_iter().find(|account| account.filled().is_some()) {
        pod.account = Account::at(account);
    }
    let steps = ["steps", "sidecars"].into_iter().flat_map(|list| task.get(list).items());
    pod.containers = steps.map(|step| container(step, false)).collect();
    pod.volumes.extend(task.get("volumes").items());
    pod
}
