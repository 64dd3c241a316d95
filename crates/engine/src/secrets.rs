//! Where the values of Secrets stand, so that no output shows them.

use std::collections::HashMap;
use std::sync::Arc;

use fedward_manifest::{Node, Span};

use crate::input::looks_like_manifest;
use crate::load::{Loaded, Object};

/// By file, the spans of every value under `data` and `stringData` of a Secret, and the whole of a document that does not parse and
/// may be one.
pub(crate) fn spans(loaded: &[Loaded], objects: &[Object]) -> HashMap<Arc<str>, Vec<Span>> {
    let mut found: HashMap<Arc<str>, Vec<Span>> = HashMap::new();
    for object in objects.iter().filter(|object| object.group.is_empty() && object.kind == "Secret") {
        let Some(one) = loaded.get(object.document) else { continue };
        let Some(root) = one.document.as_ref().and_then(|document| document.node(object.node)) else { continue };
        let spans = found.entry(Arc::clone(one.source.name())).or_default();
        for field in ["data", "stringData"] {
            if let Some(values) = root.get(field) {
                collect(values, spans);
            }
        }
    }
    for one in loaded.iter().filter(|one| one.document.is_none()) {
        let text = one.source.slice(one.chunk.span);
        if text.contains("Secret") && looks_like_manifest(text) {
            found.entry(Arc::clone(one.source.name())).or_default().push(one.chunk.span);
        }
    }
    found
}

fn collect(node: Node<'_>, spans: &mut Vec<Span>) {
    if node.is_map() || node.is_seq() {
        node.entries().map(|entry| entry.value).chain(node.items()).for_each(|child| collect(child, spans));
    } else if !node.span().is_empty() {
        spans.push(node.span());
    }
}
