use fedward_manifest::{Format, Limits, Source, Span, split};

use crate::{all_json, read};

/// The texts of the chunks.
fn chunks(text: &str) -> Vec<String> {
    let source = Source::new("t", text.as_bytes().to_vec()).unwrap();
    let split = split(&source, &Limits::default());
    let together: String = split.chunks.iter().map(|chunk| source.slice(chunk.span)).collect();
    assert_eq!(together, text, "chunks cover the text");
    split.chunks.iter().map(|chunk| source.slice(chunk.span).to_owned()).collect()
}

#[test]
fn markers_begin_and_end_documents() {
    assert_eq!(chunks("a\n---\nb\n"), ["a\n", "---\nb\n"]);
    assert_eq!(chunks("--- a\n---\tb\n--- |\n c\n---"), ["--- a\n", "---\tb\n", "--- |\n c\n", "---"]);
    assert_eq!(chunks("a: 1\n---foo: 2\n--- \n----\n ---\n"), ["a: 1\n---foo: 2\n", "--- \n----\n ---\n"]);
    assert_eq!(chunks("a\r\n---\r\nb\r---\rc"), ["a\r\n", "---\r\nb\r", "---\rc"]);
    assert_eq!(chunks("a\n...\nb\n"), ["a\n...\n", "b\n"]);
    assert_eq!(chunks("a\r\n...\r\n---\r\nb"), ["a\r\n...\r\n", "---\r\nb"]);
    assert_eq!(chunks("a: |\n  ---\n  x\n"), ["a: |\n  ---\n  x\n"]);
    assert_eq!(chunks(""), Vec::<String>::new());
}

#[test]
fn comments_and_directives_above_a_marker_belong_to_what_follows() {
    assert_eq!(chunks("# one\n\n---\na\n"), ["# one\n\n---\na\n"]);
    assert_eq!(chunks("%YAML 1.2\n---\na\n...\n# two\n%TAG ! x:\n---\nb\n"), ["%YAML 1.2\n---\na\n...\n", "# two\n%TAG ! x:\n---\nb\n"]);
    assert_eq!(chunks("a: 1\n%YAML 1.2\n# x\n---\nb\n"), ["a: 1\n", "%YAML 1.2\n# x\n---\nb\n"]);
    assert_eq!(chunks("--- |\n%YAML x\ny\n---\nb\n"), ["--- |\n%YAML x\ny\n", "---\nb\n"]);
    assert_eq!(all_json("a: 1\n%TAG !e! tag:yaml.org,2002:\n---\nb: !e!str 2\n"), [r#"{"a":1}"#, r#"{"b":"2"}"#]);
}

#[test]
fn a_byte_order_mark_may_precede_every_document() {
    assert_eq!(all_json("\u{feff}---\na: 1\n\u{feff}---\nb: 2\n\u{feff}# c\n---\n"), [r#"{"a":1}"#, r#"{"b":2}"#, "null"]);
    assert_eq!(all_json("\u{feff}{\"a\": 1}"), [r#"{"a":1}"#]);
}

#[test]
fn json_splits_at_its_values() {
    assert_eq!(all_json("{\"a\":1}\n{\"b\":\"}{\\\"\"}{} [1]\n"), [r#"{"a":1}"#, r#"{"b":"}{\""}"#, "{}", "[1]"]);
    assert_eq!(all_json("{\"a\":1}\n---\n{\"b\":2}\n"), [r#"{"a":1}"#, r#"{"b":2}"#]);
    assert_eq!(all_json("{\"a\":1} # only YAML\n"), [r#"{"a":1}"#]);
    assert_eq!(all_json("[a, 'b']: no\n").len(), 1);
    let source = Source::new("t", b"{a: '} {'}".to_vec()).unwrap();
    let chunk = split(&source, &Limits::default()).chunks[0];
    assert_eq!((chunk.format, chunk.span), (Format::Yaml, Span::new(0, 10)));
}

#[test]
fn a_broken_value_does_not_hide_the_next() {
    assert_eq!(all_json("{\"a\":[}\n{\"b\":2}\n"), ["-", r#"{"b":2}"#]);
    assert_eq!(all_json("{\"a\":[1}\n{\"b\":2}\n"), ["-", r#"{"b":2}"#]);
    assert_eq!(all_json("{\"a\":1\n{\"b\":2}\n{\"c\":\"\n{\"d\":4}\n"), ["-", r#"{"b":2}"#, "-", r#"{"d":4}"#]);
    assert_eq!(all_json("{\"a\":1}, x\n{\"b\":2}\n"), ["-", r#"{"b":2}"#]);
    assert_eq!(all_json("[\n{\"a\":1},\n{\"b\":2\n]\n").len(), 1, "an array is one value, broken or not");
    assert_eq!(all_json("a: [\n---\n{\"b\":2}\n---\nc: 'x\n"), ["-", r#"{"b":2}"#, "-"]);
}

#[test]
fn empty_documents_are_told() {
    let empty: Vec<bool> =
        read("# one\n---\n---\n...\n--- ~\n--- # two\n").iter().map(|one| one.document.as_ref().unwrap().is_empty()).collect();
    assert_eq!(empty, [true, true, false, true]);
}

#[test]
fn places_count_from_the_start_of_the_file() {
    let all = read("# é\na: 1\n---\nb:\n  c: [x]\n");
    let document = all[1].document.as_ref().unwrap();
    let node = document.root().find("/b/c/0").unwrap();
    assert_eq!(document.source().slice(node.span()), "x");
    let position = document.source().position(node.span().start);
    assert_eq!((position.line, position.column), (5, 7));
}
