//! Objects that stand in a case file, as inputs whose places are those of the case file.

use std::sync::Arc;

use fedward_engine::{Input, Role};
use fedward_manifest::{Limits, Node, Source, parse, split};

/// The input that a node becomes. What findings say of places is right if its text can stand alone; an anchor elsewhere keeps it from
/// that, and then only pointers are.
pub(crate) fn input(node: Node<'_>, source: &Arc<Source>, pointer: &str, role: Role) -> Input {
    let json = json(node);
    let as_written = alone(node, source);
    let (name, bytes) = match as_written.filter(|text| reads_as(text, &json)) {
        Some(text) => (source.name().to_string(), text.into_bytes()),
        None => (format!("{}#{pointer}", source.name()), json),
    };
    Input { name, bytes, named: true, role }
}

/// The JSON of a node.
pub(crate) fn json(node: Node<'_>) -> Vec<u8> {
    let mut json = Vec::new();
    node.write_json(&mut json);
    json
}

/// A node's text on the lines and in the columns where it stands.
fn alone(node: Node<'_>, source: &Arc<Source>) -> Option<String> {
    let span = node.span();
    let start = source.position(span.start);
    let mut text = "\n".repeat(usize::try_from(start.line).ok()?.checked_sub(1)?);
    text.push_str(&" ".repeat(usize::try_from(start.column).ok()?.checked_sub(1)?));
    text.push_str(source.slice(span));
    text.push('\n');
    Some(text)
}

fn reads_as(text: &str, json: &[u8]) -> bool {
    let Ok(source) = Source::from_text("", text.to_owned()) else { return false };
    let source = Arc::new(source);
    let limits = Limits::default();
    let chunks = split(&source, &limits).chunks;
    let documents: Vec<_> = chunks.into_iter().map(|chunk| parse(&source, chunk, &limits)).collect();
    let [one] = documents.as_slice() else { return false };
    one.problems.is_empty() && one.document.as_ref().is_some_and(|document| self::json(document.root()) == json)
}
