//! Inputs made to cost more than they should. Each is big enough that a cost that grows with its square would take
//! minutes.

use std::sync::Arc;

use fedward_manifest::{Limits, Source, parse, split};

/// Reads a text, asks for every place, and tells how many problems there are.
fn endure(text: String) -> usize {
    let source = Arc::new(Source::from_text("t", text).unwrap());
    let limits = Limits::default();
    let split = split(&source, &limits);
    let mut count = split.problems.len();
    for chunk in split.chunks {
        let parsed = parse(&source, chunk, &limits);
        count += parsed.problems.len();
        parsed.problems.iter().for_each(|problem| _ = source.position(problem.span.end));
        let Some(document) = parsed.document else { continue };
        document.comments().for_each(|comment| _ = source.position(comment.span.end));
        document.root().items().for_each(|node| _ = source.position(node.span().start));
        document.root().write_json(&mut Vec::new());
    }
    count
}

const MANY: usize = 200_000;

#[test]
fn comments_without_end() {
    assert_eq!(endure(format!("a:\n{}- b\n", "# - x\n".repeat(MANY))), 0);
    assert_eq!(endure(format!("a: !t\n{}  |\n  x\n", " # | x\n".repeat(MANY))), 0);
}

#[test]
fn nesting_without_end() {
    for opener in ["[", "{a: ", "- ", "? ", "{\"a\":", "[{\"a\":"] {
        assert!(endure(opener.repeat(MANY)) > 0, "{opener}");
    }
}

#[test]
fn keys_without_end() {
    assert_eq!(endure("a: 1\n".repeat(MANY)), Limits::default().problems + 1);
    assert_eq!(endure((0..MANY).map(|index| format!("a{index:06}x{:06}a: 1\n", MANY - index)).collect()), 0);
    assert_eq!(endure(format!("{}: 1\n", "k".repeat(MANY * 10))), 1);
}

#[test]
fn one_line_without_end() {
    let items: String = (0..MANY).map(|index| format!("\"ü😀{index}\", ")).collect();
    assert_eq!(endure(format!("[{items}1]")), 0);
    assert_eq!(endure(format!("[x, {items}1]")), 0);
}

#[test]
fn aliases_without_end() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let inside = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{inside}]\n"));
    }
    assert_eq!(endure(text), 1);
    assert_eq!(endure((0..MANY).map(|index| format!("- &a{index} x\n")).collect()), 0);
}

#[test]
fn values_without_end() {
    for value in ["{}x\n", "{\"\n", "{\"a\":\n", "{}", "---\n", "--- [\n"] {
        assert!(endure(value.repeat(MANY)) > 0, "{value}");
    }
}

#[test]
fn texts_without_end() {
    let limits = Limits::default();
    for text in [format!("a: \"{}\"", "\\n".repeat(MANY)), format!("a: >\n{}", " x\n\n".repeat(MANY))] {
        let source = Arc::new(Source::from_text("t", text).unwrap());
        let document = parse(&source, split(&source, &limits).chunks[0], &limits).document.unwrap();
        let node = document.root().find("/a").unwrap();
        assert!(node.embedded(fedward_manifest::Encoding::Text, fedward_manifest::Format::Auto, &limits).is_ok());
    }
}
