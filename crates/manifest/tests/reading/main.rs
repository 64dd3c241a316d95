//! What a reader of manifests relies on, over the public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::sync::Arc;

use fedward_manifest::{Document, Limits, Node, Parsed, Problem, Source, parse, split};

mod building;
mod comments;
mod core;
mod docs;
mod embedding;
mod hostile;
mod objects;
mod oracle;
mod problems;
mod splitting;
mod strict_json;

/// Splits and parses a whole text.
fn read(text: &str) -> Vec<Parsed> {
    read_with(text, &Limits::default())
}

fn read_with(text: &str, limits: &Limits) -> Vec<Parsed> {
    let source = Arc::new(Source::new("t.yaml", text.as_bytes().to_vec()).unwrap());
    let split = split(&source, limits);
    assert_eq!(split.problems, []);
    split.chunks.iter().map(|chunk| parse(&source, *chunk, limits)).collect()
}

/// The only document of a text, which has no problems.
fn one(text: &str) -> Document {
    let mut all = read(text);
    assert_eq!(all.len(), 1, "{all:?}");
    let parsed = all.pop().unwrap();
    assert_eq!(parsed.problems, []);
    parsed.document.unwrap()
}

/// The only problem of a text.
fn problem(text: &str) -> Problem {
    let problems: Vec<Problem> = read(text).into_iter().flat_map(|parsed| parsed.problems).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].clone()
}

fn json(node: Node<'_>) -> String {
    let mut out = Vec::new();
    node.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

/// The documents of a text as JSON; `-` for one without a tree.
fn all_json(text: &str) -> Vec<String> {
    read(text).iter().map(|parsed| parsed.document.as_ref().map_or("-".to_owned(), |doc| json(doc.root()))).collect()
}
