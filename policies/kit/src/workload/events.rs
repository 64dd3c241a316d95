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
    for (manifest, parameters) in triggered(object) {
        let before = found.len();
        collect_object(manifest, namespace, context, depth + 1, found);
        // Event data that is written over the service account: who runs is decided by the event.
        let overwritten =
            parameters.items().find(|parameter| parameter.get("dest").str().is_some_and(|dest| dest.ends_with("serviceAccountName")));
        if let Some(parameter) = overwritten {
            for pod in found.iter_mut().skip(before) {
                pod.account = Account::NotKnown(parameter.get("dest"));
            }
        }
    }
}

/// The objects in the triggers of a Sensor, dead-letter triggers included, each with the parameters that are written over it. Sources
/// outside the Sensor (a URL, Git, a ConfigMap) are not followed.
pub fn triggered(sensor: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let mut found = Vec::new();
    for trigger in sensor.at(&["spec", "triggers"]).items() {
        for trigger in
            [trigger.get("template"), trigger.get("dlqTrigger").get("template"), trigger.get("template").get("dlqTrigger").get("template")]
        {
            for kind in [trigger.get("k8s"), trigger.get("argoWorkflow")] {
                let (source, parameters) = (kind.get("source"), kind.get("parameters"));
                let resource = source.get("resource");
                if resource.is_present() {
                    found.push((resource, parameters));
                }
                let inline = source.get("inline");
                if inline.filled().is_some() {
                    found.extend(inline.open(Format::Yaml).ok().map(|object| (object, parameters)));
                }
            }
        }
    }
    found
}
