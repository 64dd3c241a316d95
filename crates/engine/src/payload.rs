//! Objects to the JSON that a policy is given.

use std::collections::BTreeSet;

use fedward_kit::finding::ObjectId;
use fedward_manifest::{Document, Node};

use crate::load::Object;
use crate::request::{Form, Operation};

/// Writes the object as the API server would have it: with its namespace, even where the manifest leaves it to the context.
pub(crate) fn write_object(document: &Document, object: &Object, out: &mut Vec<u8>) {
    let Some(node) = document.node(object.node) else { return out.extend_from_slice(b"null") };
    let metadata = node.get("metadata").filter(|metadata| metadata.is_map());
    let complete = object.namespace.is_empty() || metadata.is_none_or(|metadata| metadata.get("namespace").is_some());
    if complete {
        node.write_json(out);
        return;
    }
    write_entries(node, object, |_| true, out);
}

/// Writes only some fields of the object, each as [`write_object`] does.
pub(crate) fn write_fields(document: &Document, object: &Object, fields: &BTreeSet<String>, out: &mut Vec<u8>) {
    match document.node(object.node) {
        Some(node) if node.is_map() => write_entries(node, object, |key| fields.contains(key), out),
        _ => write_object(document, object, out),
    }
}

fn write_entries(node: Node<'_>, object: &Object, wanted: impl Fn(&str) -> bool, out: &mut Vec<u8>) {
    let metadata = node.get("metadata").filter(|metadata| metadata.is_map());
    let lacks_namespace = !object.namespace.is_empty() && metadata.is_some_and(|metadata| metadata.get("namespace").is_none());
    out.push(b'{');
    let start = out.len();
    for entry in node.entries().filter(|entry| wanted(entry.key)) {
        if out.len() > start {
            out.push(b',');
        }
        write_string(entry.key, out);
        out.push(b':');
        if lacks_namespace && entry.key == "metadata" {
            let start = out.len();
            entry.value.write_json(out);
            // A map ends with `}`; the namespace goes before it.
            out.pop();
            if out.len() > start + 1 {
                out.push(b',');
            }
            out.extend_from_slice(b"\"namespace\":");
            write_string(&object.namespace, out);
            out.push(b'}');
        } else {
            entry.value.write_json(out);
        }
    }
    out.push(b'}');
}

/// Writes the fields of a request for an object, without braces: all but `uid`, `object` and `oldObject`.
pub(crate) fn write_facts(object: &Object, operation: Operation, form: &Form<'_>, out: &mut Vec<u8>) {
    write_names(object, ["kind", "resource"], out);
    if form.is_full {
        // They differ from the two above only where the API server converts the object.
        out.push(b',');
        write_names(object, ["requestKind", "requestResource"], out);
        out.extend_from_slice(br#","options":{"apiVersion":"meta.k8s.io/v1","kind":"#);
        out.extend_from_slice(match operation {
            Operation::Create => b"\"CreateOptions\"}",
            Operation::Update => b"\"UpdateOptions\"}",
            Operation::Delete => b"\"DeleteOptions\"}",
        });
    }
    out.extend_from_slice(b",\"operation\":\"");
    out.extend_from_slice(operation.name().as_bytes());
    out.push(b'"');
    // A request for a Namespace is one in it (`handlers.create`).
    let is_namespace = form.is_full && object.group.is_empty() && object.kind == "Namespace";
    let namespace = if is_namespace { &object.name } else { &object.namespace };
    for (field, value) in [("name", &object.name), ("namespace", namespace)] {
        if !value.is_empty() {
            out.push(b',');
            write_string(field, out);
            out.push(b':');
            write_string(value, out);
        }
    }
    out.extend_from_slice(b",\"userInfo\":{\"username\":");
    write_string(if form.user.name.is_empty() { "fedward" } else { &form.user.name }, out);
    out.extend_from_slice(b",\"groups\":[");
    // Every user of a cluster who has signed in is in this group, and conditions may count on there being some.
    let everybody = ["system:authenticated".to_owned()];
    let groups = form.user.groups.as_deref().unwrap_or(&everybody);
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(group, out);
    }
    out.push(b']');
    out.extend_from_slice(b"},\"dryRun\":true");
}

/// Writes what kind of object and resource a request is for, under the two names.
fn write_names(object: &Object, [kind, resource]: [&str; 2], out: &mut Vec<u8>) {
    for (index, (field, of, value)) in [(kind, "kind", &object.kind), (resource, "resource", &object.resource)].into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(field, out);
        out.extend_from_slice(b":{\"group\":");
        write_string(&object.group, out);
        out.extend_from_slice(b",\"version\":");
        write_string(&object.version, out);
        out.push(b',');
        write_string(of, out);
        out.push(b':');
        write_string(value, out);
        out.push(b'}');
    }
}

/// Writes a JSON string.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    // A string always becomes JSON, and a Vec always takes it.
    let _ = serde_json::to_writer(out, text);
}

/// Which object, for findings.
pub(crate) fn id(object: &Object) -> ObjectId {
    ObjectId {
        api_version: object.api_version(),
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    }
}
