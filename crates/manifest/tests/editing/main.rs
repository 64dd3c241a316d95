//! Changes of objects, written into their text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::sync::Arc;

use fedward_manifest::{Document, Limits, Node, Source, edit, parse, split};
use serde_json::Value;

mod random;
mod refusals;
mod tables;

/// The documents of a text, which all parse.
fn read(text: &str) -> Vec<Document> {
    let source = Arc::new(Source::from_text("t.yaml", text.to_owned()).unwrap());
    let limits = Limits::default();
    let chunks = split(&source, &limits).chunks;
    let documents = chunks.iter().map(|chunk| parse(&source, *chunk, &limits));
    documents.map(|parsed| parsed.document.unwrap_or_else(|| panic!("{:?}\n{text}", parsed.problems))).collect()
}

fn value(node: Node<'_>) -> Value {
    let mut out = Vec::new();
    node.write_json(&mut out);
    serde_json::from_slice(&out).unwrap()
}

/// The patch as steps.
fn edits(node: Node<'_>, patch: &Value) -> Result<Vec<edit::Edit>, edit::Refusal> {
    let text = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    let steps: Vec<(String, String, &Value)> =
        patch.as_array().unwrap().iter().map(|step| (text(step, "op"), text(step, "path"), &step["value"])).collect();
    node.edits(steps.iter().map(|(op, path, value)| match op.as_str() {
        "add" => edit::Step::Add { path, value },
        "replace" => edit::Step::Replace { path, value },
        _ => edit::Step::Remove { path },
    }))
}

/// The text after a patch of its first document, which is then what `json-patch` makes of it.
fn edited(text: &str, patch: &str) -> String {
    let patch: Value = serde_json::from_str(patch).unwrap();
    let documents = read(text);
    let found = edits(documents[0].root(), &patch).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
    for pair in found.windows(2) {
        assert!(pair[0].span.end < pair[1].span.start, "{found:?}");
    }
    let after = edit::apply(text, &found);
    let mut expected = value(documents[0].root());
    let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
    json_patch::patch(&mut expected, &patch).unwrap();
    let again = read(&after);
    assert_eq!(value(again[0].root()), expected, "\n{after}");
    for (one, other) in documents.iter().zip(&again).skip(1) {
        assert_eq!(value(one.root()), value(other.root()));
    }
    after
}
