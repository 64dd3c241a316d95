//! Argo Events: a Sensor is a pod itself, and its triggers hold whole objects.

use super::{Pod, collect as collect_object, container};
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
    for manifest in manifests(object) {
        collect_object(manifest, namespace, context, depth + 1, found);
    }
}

/// The objects in the triggers of a Sensor, dead-letter triggers included. Sources outside the Sensor (a URL, Git, a ConfigMap) are
/// not followed.
pub(super) fn manifests(sensor: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    for trigger in sensor.at(&["spec", "triggers"]).items() {
        for trigger in
            [trigger.get("template"), trigger.get("dlqTrigger").get("template"), trigger.get("template").get("dlqTrigger").get("template")]
        {
            for source in [trigger.get("k8s").get("source"), trigger.get("argoWorkflow").get("source")] {
                let resource = source.get("resource");
                if resource.is_present() {
                    found.push(resource);
                }
                let inline = source.get("inline");
                if inline.filled().is_some() {
                    found.extend(inline.open(Format::Yaml).ok());
                }
            }
        }
    }
    found
}
