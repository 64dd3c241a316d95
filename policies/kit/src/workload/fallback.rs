//! Kinds without a row: any map that holds a list of `containers` is taken for a pod spec, and its sibling `metadata` for the pod's.

use super::Pod;
use crate::node::Node;
use crate::request::group_of;
use crate::value::Value;

/// How deep a pod spec may hide.
const MAX_DEPTH: usize = 24;

/// Kinds that hold pod specs as patterns or schemas, or pods that are not theirs.
fn is_excluded(api_version: &str, kind: &str) -> bool {
    let group = group_of(api_version);
    kind.is_empty()
        || api_version.is_empty()
        // Everything built in has a row, or no pods.
        || !group.contains('.') && api_version != "extensions/v1beta1"
        || group.ends_with(".k8s.io") && !group.ends_with(".x-k8s.io")
        || matches!(kind, "CustomResourceDefinition" | "Kustomization" | "Component" | "ConstraintTemplate" | "PodDefault")
        || group.starts_with("policies.kubewarden.io") || group.starts_with("kyverno.io") || group.starts_with("policies.kyverno.io") || group.ends_with("gatekeeper.sh")
        || group.starts_with("trust.fedward")
}

pub(super) fn collect<'a>(object: Node<'a>, api_version: &str, kind: &str, namespace: &'a str, found: &mut Vec<Pod<'a>>) {
    if !is_excluded(api_version, kind) {
        walk(object, namespace, 0, found);
    }
}

fn walk<'a>(node: Node<'a>, namespace: &'a str, depth: usize, found: &mut Vec<Pod<'a>>) {
    if depth > MAX_DEPTH {
        return;
    }
    for (key, child) in node.peek_entries() {
        if is_pod_spec(child) {
            let metadata = node.peek("metadata");
            let metadata = if key == "spec" && metadata.value().is_some() && depth > 0 { metadata } else { child.peek("metadata") };
            let mut pod = Pod::bare("generic fallback", node, metadata, child, namespace);
            pod.certain = false;
            found.push(pod);
        } else {
            walk(child, namespace, depth + 1, found);
        }
    }
    for child in node.peek_items() {
        walk(child, namespace, depth + 1, found);
    }
}

fn is_pod_spec(node: Node<'_>) -> bool {
    let containers = node.peek("containers");
    matches!(containers.value(), Some(Value::Seq([Value::Map(first), ..])) if first.iter().any(|(key, _)| *key == "name" || *key == "image"))
}
