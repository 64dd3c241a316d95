//! Objects to the JSON that a policy is given.

use fedward_kit::finding::ObjectId;
use fedward_manifest::Document;

use crate::load::Object;

/// Writes the object as the API server would have it: with its namespace, even where the manifest leaves it to the context.
pub(crate) fn write_object(document: &Document, object: &Object, out: &mut Vec<u8>) {
    let Some(node) = document.node(object.node) else { return out.extend_from_slice(b"null") };
    let metadata = node.get("metadata").filter(|metadata| metadata.is_map());
    let complete = object.namespace.is_empty() || metadata.is_none_or(|metadata| metadata.get("namespace").is_some());
    if complete {
        node.write_json(out);
        return;
    }
    let mut separator = b'{';
    for entry in node.entries() {
        out.push(separator);
        separator = b',';
        write_string(entry.key, out);
        out.push(b':');
        if entry.key == "metadata" {
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

/// Writes `"request": {…}` without the braces around it, for an object that is created.
pub(crate) fn write_request(document: &Document, object: &Object, uid: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"request\":{\"uid\":\"");
    out.extend_from_slice(uid.to_string().as_bytes());
    out.extend_from_slice(b"\",\"kind\":{\"group\":");
    write_string(&object.group, out);
    out.extend_from_slice(b",\"version\":");
    write_string(&object.version, out);
    out.extend_from_slice(b",\"kind\":");
    write_string(&object.kind, out);
    out.extend_from_slice(b"},\"resource\":{\"group\":");
    write_string(&object.group, out);
    out.extend_from_slice(b",\"version\":");
    write_string(&object.version, out);
    out.extend_from_slice(b",\"resource\":");
    write_string(&object.resource, out);
    out.extend_from_slice(b"},\"operation\":\"CREATE\"");
    for (field, value) in [("name", &object.name), ("namespace", &object.namespace)] {
        if !value.is_empty() {
            out.push(b',');
            write_string(field, out);
            out.push(b':');
            write_string(value, out);
        }
    }
    out.extend_from_slice(b",\"userInfo\":{\"username\":\"fedward\"},\"dryRun\":true,\"object\":");
    write_object(document, object, out);
    out.push(b'}');
}

/// Writes a JSON string.
fn write_string(text: &str, out: &mut Vec<u8>) {
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
