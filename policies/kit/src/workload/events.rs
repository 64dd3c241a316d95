//! Argo Events: a Sensor is a pod itself, and its triggers hold whole objects.

use super::{Account, Pod, collect as collect_object, container};
use crate::context::Context;
use crate::node::{Format, Node};

pub(super) fn collect<'a>(
    row: &'static str,
    object: Node<'a>,
    namespace: &'a str,
    context: &Context<'a>,
    depth: usize,
    found: &mut Vec<Pod<'a>>,
) {
    let spec = object.get("spec");
    let template = spec.get("template");
    let mut pod = Pod::bare(row, template, template.get("metadata"), template, namespace);
    pod.title = "sensor pod".to_owned();
    pod.containers = vec![container(template.get("container"), false)];
    found.push(pod);
    for Triggered { object: manifest, parameters, .. } in triggered(object).into_iter().filter(|one| one.object.is_present()) {
        let before = found.len();
        collect_object(manifest, namespace, context, depth + 1, found);
        // Event data that is written over the service account: who runs is decided by the event.
        let overwritten =
            parameters.items().find(|parameter| parameter.text("dest").is_some_and(|dest| dest.ends_with("serviceAccountName")));
        if let Some(parameter) = overwritten {
            for pod in found.iter_mut().skip(before) {
                pod.account = Account::NotKnown(parameter.get("dest"));
            }
        }
    }
}

/// What a trigger of a Sensor starts.
#[derive(Clone, Copy)]
pub struct Triggered<'a> {
    /// The object; absent where it stands outside the Sensor (a URL, Git, a ConfigMap), or cannot be read.
    pub object: Node<'a>,
    /// The parameters that are written over the object.
    pub parameters: Node<'a>,
    /// The parameters that are written over the trigger's template before, and so over the object in it, too.
    pub template_parameters: Node<'a>,
    /// The kind of the trigger, which is a field of its template: `k8s`, `argoWorkflow`.
    pub kind: &'static str,
}

/// What the triggers of a Sensor start, dead-letter triggers included. Nothing outside the Sensor is followed.
pub fn triggered(sensor: Node<'_>) -> Vec<Triggered<'_>> {
    let mut found = Vec::new();
    for trigger in sensor.at(&["spec", "triggers"]).items() {
        for trigger in [trigger, trigger.get("dlqTrigger"), trigger.get("template").get("dlqTrigger")] {
            for kind in ["k8s", "argoWorkflow"] {
                let template = trigger.get("template").get(kind);
                let source = template.get("source");
                if source.is_absent() {
                    continue;
                }
                // Argo Events looks for a text first.
                let inline = source.get("inline");
                let text = inline.filled().and_then(|_| inline.open(Format::Yaml).ok());
                found.push(Triggered {
                    object: text.unwrap_or_else(|| source.get("resource")),
                    parameters: template.get("parameters"),
                    template_parameters: trigger.get("parameters"),
                    kind,
                });
            }
        }
    }
    found
}
