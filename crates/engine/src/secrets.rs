//! Where the values of Secrets stand, so that no output shows them.
//!
//! A key that stands twice leaves no trace of its first value in the tree, so what it may stand in is hidden as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use fedward_manifest::{Limit, Node, ProblemKind, Span};

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
        let fields = ["data", "stringData"];
        for values in fields.iter().filter_map(|field| root.get(field)) {
            if duplicates(one, values.span()).next().is_some() {
                spans.push(values.span());
            } else {
                collect(values, spans);
            }
        }
        if has_more_problems(one)
            || duplicates(one, root.span()).any(|key| fields.contains(&one.source.slice(key).trim_matches(['"', '\''])))
        {
            spans.push(root.span());
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

/// The keys in a stretch of a document that stand there for a second time.
fn duplicates(one: &Loaded, within: Span) -> impl Iterator<Item = Span> {
    let keys = one.problems.iter().filter(|problem| problem.kind == ProblemKind::DuplicateKey).map(|problem| problem.span);
    keys.filter(move |key| key.start >= within.start && key.end <= within.end)
}

/// Whether there are more problems than are listed: any of them may be a key that stands twice.
fn has_more_problems(one: &Loaded) -> bool {
    one.problems.iter().any(|problem| matches!(problem.kind, ProblemKind::Limit(Limit::Problems(_))))
}

fn collect(node: Node<'_>, spans: &mut Vec<Span>) {
    if node.is_map() || node.is_seq() {
        node.entries().map(|entry| entry.value).chain(node.items()).for_each(|child| collect(child, spans));
    } else if !node.span().is_empty() {
        spans.push(node.span());
    }
}
