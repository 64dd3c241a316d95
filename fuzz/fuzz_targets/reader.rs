//! The manifest reader: splitting, parsing, documents in strings, and JSON out of trees.
#![no_main]

use std::sync::Arc;

use fedward_manifest::{Encoding, Format, Kind, Limits, Node, Parsed, Source, parse, split};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::new("fuzz.yaml", bytes.to_vec()) else { return };
    let source = Arc::new(source);
    let limits = Limits { nodes: 20_000, alias_nodes: 2_000, ..Limits::default() };
    let split = split(&source, &limits);
    let mut end = 0;
    for chunk in split.chunks {
        assert!(chunk.span.start >= end, "documents overlap");
        end = chunk.span.end;
        check(&source, &parse(&source, chunk, &limits), &limits, 0);
    }
});

fn check(source: &Source, parsed: &Parsed, limits: &Limits, depth: usize) {
    for problem in &parsed.problems {
        assert!(problem.span.end as usize <= source.text().len(), "a problem outside the file");
        _ = source.position(problem.span.start);
    }
    let Some(document) = &parsed.document else { return };
    for comment in document.comments() {
        assert!(comment.span.end as usize <= source.text().len(), "a comment outside the file");
    }
    let mut json = Vec::new();
    document.root().write_json(&mut json);
    serde_json::from_slice::<IgnoredAny>(&json).expect("JSON that does not parse");
    let mut strings = Vec::new();
    walk(source, document.root(), &mut strings);
    if depth < 2 {
        // Each text is parsed three times, and so is each text in it.
        for node in strings.into_iter().take(20) {
            for (encoding, format) in [(Encoding::Text, Format::Yaml), (Encoding::Text, Format::Json), (Encoding::Base64, Format::Yaml)] {
                for parsed in node.embedded(encoding, format, limits).into_iter().flatten() {
                    check(source, &parsed, limits, depth + 1);
                }
            }
        }
    }
}

fn walk<'d>(source: &Source, node: Node<'d>, strings: &mut Vec<Node<'d>>) {
    let place = node.place();
    assert!(place.start <= place.end && place.end as usize <= source.text().len(), "a value outside the file");
    assert!(source.text().is_char_boundary(place.start as usize) && source.text().is_char_boundary(place.end as usize));
    if matches!(node.kind(), Kind::Map | Kind::Seq) {
        node.items().for_each(|item| walk(source, item, strings));
        node.entries().for_each(|entry| walk(source, entry.value, strings));
    } else if node.as_str().is_some_and(|text| text.len() > 3) {
        strings.push(node);
    }
}
