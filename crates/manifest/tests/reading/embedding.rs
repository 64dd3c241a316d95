use fedward_manifest::{Document, EmbeddedError, Encoding, Format, Limits, Node, Parsed, ProblemKind};

use crate::{json, one};

fn inside(node: Node<'_>, format: Format) -> Parsed {
    let mut all = node.embedded(Encoding::Text, format, &Limits::default()).unwrap();
    assert_eq!(all.len(), 1);
    all.pop().unwrap()
}

/// The only document in a string, which has no problems.
fn document(node: Node<'_>, format: Format) -> Document {
    let parsed = inside(node, format);
    assert_eq!(parsed.problems, []);
    parsed.document.unwrap()
}

/// What the file says at the place of a node.
fn written(node: Node<'_>) -> &str {
    node.document().source().slice(node.span())
}

/// Checks that `pointer` inside of the text at `/a` is written as `expected` in the file.
#[track_caller]
fn check(text: &str, format: Format, pointer: &str, expected: &str) {
    let outer = one(text);
    let inner = document(outer.root().find("/a").unwrap(), format);
    assert_eq!(written(inner.root().find(pointer).unwrap()), expected);
}

#[test]
fn places_in_block_texts() {
    let literal = "a: |-  # why\n\n   x: 1\n   w:\n\n     - zwei\n     - 'dr''ei'\n# end\n";
    check(literal, Format::Yaml, "/x", "1");
    check(literal, Format::Yaml, "/w/0", "zwei");
    check(literal, Format::Yaml, "/w/1", "'dr''ei'");
    check("a: |\r\n  x: 1\r\n  w: [2,\r\n   3]\r\n", Format::Yaml, "/w/1", "3");
    check("a: |\r\n  x: 1\r\n  w: [2,\r\n   3]\r\n", Format::Yaml, "/w", "[2,\r\n   3]");
    check("a: |2\n    x: 1\n    w: 2", Format::Yaml, "/w", "2");
    let folded = "a: >\n  {\"x\": 1,\n  \"yy\":\n\n  [true,\n    \"text\"]}\n\nb: 2\n";
    check(folded, Format::Auto, "/yy", "[true,\n    \"text\"]");
    check(folded, Format::Json, "/yy/1", "\"text\"");
}

#[test]
fn places_in_quoted_texts() {
    let double = "a: \"x: 1\\nw: \\u00e9\\x41z\\n\\\n   zz: \\U0001F600 end\\nl: \\\n  last\"\n";
    check(double, Format::Yaml, "/x", "1");
    check(double, Format::Yaml, "/w", "\\u00e9\\x41z");
    check(double, Format::Yaml, "/zz", "\\U0001F600 end");
    check(double, Format::Yaml, "/l", "last");
    let single = "a: '{\"k\": \"it''s\",\n    \"l\": 2}'\n";
    check(single, Format::Json, "/l", "2");
    check(single, Format::Json, "/k", "\"it''s\"");
    check("{\"a\": \"{\\\"k\\\": \\\"\\\\ud83d\\\\ude00\\\", \\\"l\\\":\\ud83d\\ude00}\"}", Format::Yaml, "/l", "\\ud83d\\ude00");
}

#[test]
fn places_in_plain_texts() {
    check("a: x y\n   z\n\n   w\n", Format::Yaml, "", "x y\n   z\n\n   w");
    check("a: k=v\nb: 1\n", Format::Yaml, "", "k=v");
    let outer = one("a: &t 'k: v'\nb: *t\n");
    let inner = document(outer.root().find("/b").unwrap(), Format::Yaml);
    assert_eq!(written(inner.root().find("/k").unwrap()), "*t");
}

#[test]
fn texts_inside_texts() {
    let text = r#"
a: |
  # one
  b: |
    c: "d: [1,\n e: 'f\u0020g']"
"#;
    let outer = one(text);
    let first = document(outer.root().find("/a").unwrap(), Format::Yaml);
    let second = document(first.root().find("/b").unwrap(), Format::Yaml);
    let third = inside(second.root().find("/c").unwrap(), Format::Yaml).document.unwrap();
    assert_eq!(json(third.root()), r#"{"d":[1,{"e":"f g"}]}"#);
    let node = third.root().find("/d/1/e").unwrap();
    assert_eq!(written(node), r"'f\u0020g'");
    let key = node.key_span().unwrap();
    assert_eq!(outer.source().slice(key), "e");
    let position = outer.source().position(key.start);
    assert_eq!((position.line, position.column), (5, 18));
    assert_eq!(third.text().slice(node.text_span()), "'f g'");
    assert_eq!(first.comments().next().map(|comment| (comment.text, outer.source().slice(comment.span))), Some((" one", "# one")));
}

#[test]
fn what_is_wrong_inside_has_its_place_outside() {
    let outer = one("a: |\n  {\"x\": 1,\n   \"x\": 2}\nb: \"{'x': 1}\"\nc: |\n  {\"k\": [1,\n   2,]}\nd: '{\"k\": 1} // no'\n");
    let at = |pointer: &str| outer.root().find(pointer).unwrap();
    let duplicate = inside(at("/a"), Format::Json);
    assert_eq!(json(duplicate.document.as_ref().unwrap().root()), r#"{"x":2}"#);
    assert_eq!(duplicate.problems[0].kind, ProblemKind::DuplicateKey);
    assert_eq!((duplicate.problems[0].span.start, duplicate.problems[0].related[0].span.start), (19, 8));
    assert_eq!(duplicate.problems[0].text_offset, 10);
    let wrong = |pointer: &str| {
        let parsed = inside(at(pointer), Format::Json);
        assert!(parsed.document.is_none());
        let problem = &parsed.problems[0];
        (problem.message.clone(), problem.text_offset, outer.source().slice(problem.span).to_owned())
    };
    assert_eq!(wrong("/b"), ("JSON strings need double quotes".to_owned(), 1, "'".to_owned()));
    assert_eq!(wrong("/c"), ("JSON has no trailing commas".to_owned(), 13, "]".to_owned()));
    assert_eq!(wrong("/d"), ("JSON has no comments".to_owned(), 9, "/".to_owned()));
    assert_eq!(inside(at("/b"), Format::Auto).problems, [], "as YAML it is right");
}

#[test]
fn base64_has_the_place_of_its_key() {
    let outer = one("data:\n  config: eyJhIjogW3RydWVd\n    fQ==\n  bad: '%%'\n  bytes: /w==\n  number: 1\n");
    let at = |pointer: &str| outer.root().find(pointer).unwrap();
    let decode = |pointer: &str| at(pointer).embedded(Encoding::Base64, Format::Json, &Limits::default());
    assert!(decode("/data/config").is_err(), "a space is no part of base64");
    let good = one("data:\n  config: eyJhIjogW3RydWVdfQ==\n");
    let parsed = good.root().find("/data/config").unwrap().embedded(Encoding::Base64, Format::Json, &Limits::default()).unwrap();
    let inner = parsed[0].document.as_ref().unwrap();
    assert_eq!(json(inner.root()), r#"{"a":[true]}"#);
    assert_eq!(written(inner.root().find("/a/0").unwrap()), "config");
    assert_eq!(decode("/data/bad").unwrap_err(), EmbeddedError::NotBase64);
    assert_eq!(decode("/data/bytes").unwrap_err(), EmbeddedError::NotUtf8 { offset: 0 });
    assert_eq!(decode("/data/number").unwrap_err(), EmbeddedError::NotString);
}

#[test]
fn a_text_may_hold_several_documents_or_none() {
    let outer = one("a: |\n  x: 1\n  ---\n  y: 2\nb: ''\n");
    let all = outer.root().find("/a").unwrap().embedded(Encoding::Text, Format::Auto, &Limits::default()).unwrap();
    let places: Vec<_> = all.iter().map(|one| written(one.document.as_ref().unwrap().root().items().next().unwrap())).collect();
    assert_eq!(places, ["1", "2"]);
    let none = outer.root().find("/b").unwrap().embedded(Encoding::Text, Format::Auto, &Limits::default()).unwrap();
    assert_eq!(none.len(), 0);
    let empty = outer.root().find("/b").unwrap().embedded(Encoding::Text, Format::Json, &Limits::default()).unwrap();
    assert_eq!(empty[0].problems[0].message, "JSON ends before its value does");
}
