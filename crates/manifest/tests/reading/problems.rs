use fedward_manifest::{Limits, ProblemKind, Source};

use crate::{all_json, problem, read, read_with};

/// The only problem of a text: its sort, what is written at its place, and what it says.
fn told(text: &str) -> (ProblemKind, String, String) {
    let problem = problem(text);
    (problem.kind, text[problem.span.range()].to_owned(), problem.message)
}

#[track_caller]
fn check_syntax(text: &str, place: &str, message: &str) {
    assert_eq!(told(text), (ProblemKind::Syntax, place.to_owned(), message.to_owned()));
    assert!(read(text)[0].document.is_none());
}

#[test]
fn syntax_errors_are_told_in_plain_words() {
    check_syntax(
        "a: b: c\n",
        ":",
        "a second `:` or a key in the middle of a value; check the indentation, or quote a text that holds `: `",
    );
    check_syntax("a: 'x\n", "'", "the quote is not closed");
    check_syntax("a: \"x\" y\n", "y", "text after the closing quote; quote the whole value, or escape the quotes in it");
    check_syntax("a: [1, 2\nb: 3\n", ":", "misplaced `:`; check that the brackets before it are closed");
    check_syntax("a:\n\tb: 1\n", "\t", "tab where YAML wants spaces");
    check_syntax("a: @x\n", "@", "a text cannot begin with `@` or a backtick unless it is quoted");
    check_syntax("a: \"\\q\"\n", "\"", "unknown escape in double quotes; single quotes need none");
    check_syntax("a:\n  - b\n c: d\n", "c", "expected a key of the map; check the indentation");
    check_syntax("'a'\nb\n", "b", "expected a new document (`---`) or the end of the file; check the indentation");
    check_syntax("{\"a\": 1,\n \"b\" 2}\n", "2", "expected `:` after the key");
    check_syntax("{\"a\": [1, 2}", "}", "expected `,` or `]` after the value");
    check_syntax("a: {b: 1\n", "{", "the map opened with `{` is not closed");
}

#[test]
fn aliases_and_merges_that_lead_nowhere() {
    let alias = (ProblemKind::Alias, "*".to_owned(), "alias names no anchor before it; quote a text that begins with `*`".to_owned());
    assert_eq!(told("host: *.example.invalid\n"), alias);
    assert_eq!(told("a: &x [*x]\n").2, "alias stands inside its own anchor");
    assert_eq!(told("a: 1\n<<: [1]\n"), (ProblemKind::Merge, "<<".to_owned(), "`<<` needs a map or a list of maps".to_owned()));
    assert_eq!(all_json("a: 1\n<<: [1]\nb: 2\n"), [r#"{"a":1,"b":2}"#]);
}

#[test]
fn values_and_keys_that_json_does_not_have() {
    assert_eq!(told("a: !!int x\n"), (ProblemKind::Value, "x".to_owned(), "value does not fit `!!int`".to_owned()));
    assert_eq!(told("a: .nan\n"), (ProblemKind::Value, ".nan".to_owned(), "JSON has no such number".to_owned()));
    assert_eq!(told("~: x\n"), (ProblemKind::Key, "~".to_owned(), "null cannot be a key; quote it".to_owned()));
    assert_eq!(told("18446744073709551615: x\n").0, ProblemKind::Key);
    assert_eq!(told("? [a, b]\n: x\nc: d\n").2, "a list or map cannot be a key");
    let kept = all_json("a: !!int x\nb: .nan\n~: c\n? {d: e}\n: {f: [g]}\nh: &h [1]\n*h : i\nj: k\n");
    assert_eq!(kept, [r#"{"a":"x","b":".nan","null":"c","h":[1],"j":"k"}"#]);
}

#[test]
fn no_message_repeats_a_value() {
    for text in [
        "a: !!int s3cret\n",
        "a: 's3cret\n",
        "a: s3cret: x\n",
        "a: *s3cret\n",
        "a: {{ s3cret }}\n",
        "{\"a\": s3cret}",
        "a: !!binary s3cret\n",
    ] {
        for problem in read(text).into_iter().flat_map(|parsed| parsed.problems) {
            let all = format!("{} {:?}", problem.message, problem.related);
            assert!(!all.contains("s3cret"), "{all}");
        }
    }
}

#[test]
fn template_syntax_is_told_from_mistakes() {
    let template = |text: &str, line: u32, column: u32| {
        let problem = problem(text);
        assert_eq!(problem.kind, ProblemKind::TemplateSyntax, "{text}");
        let at = Source::from_text("t", text.to_owned()).unwrap().position(problem.span.start);
        assert_eq!((at.line, at.column), (line, column), "{text}");
    };
    template("image: {{ .Values.image }}\n", 1, 8);
    template("{{- if .Values.rbac }}\nkind: Role\n{{- end }}\n", 1, 1);
    template("metadata:\n  labels:\n    {{- include \"x\" . | nindent 4 }}\n", 3, 5);
    template("a: 1\nb: \"{{ .x | default \"y\" }}\"\n", 2, 5);
    template("a:\n{% for x in y %}\n- b\n{% endfor %}\n", 2, 1);
    template("a: [1, {{ x }}, 3]\n", 1, 8);
    template("# {{ comment }}\na: {{ b }}: c\n", 2, 4);
    template("a: ${B}: c\n", 1, 4);
    template("a: <% x %>: <%= y %>\n", 1, 13);
    // Texts may hold what they like, and what is wrong elsewhere is wrong elsewhere.
    assert_eq!(all_json("a: '{{ x }}'\nb: |\n  {{ y }}\nc: a{{ z }}\nd: ${E}\n").len(), 1);
    assert_eq!(problem("a: '{{ x }}'\nb: |\n  {{ y }}\n  ${z}\nc: d: e\n").kind, ProblemKind::Syntax);
    assert_eq!(problem("a: \"x\" y\nb: {{ z }}\n").kind, ProblemKind::Syntax);
    assert_eq!(problem("{ {a: b}: c}\n").kind, ProblemKind::Key);
}

#[test]
fn a_tab_is_shown_itself() {
    let at = |text: &str| {
        let problem = problem(text);
        assert_eq!(problem.message, "tab where YAML wants spaces", "{text}");
        assert_eq!(&text[problem.span.range()], "\t", "{text}");
        let position = Source::from_text("t", text.to_owned()).unwrap().position(problem.span.start);
        (position.line, position.column)
    };
    assert_eq!(at("a:\n\tb: 1\n"), (2, 1));
    assert_eq!(at("a:\n  b: 1\n\tc: 2\n"), (3, 1));
    assert_eq!(at("a:\n  - b\n\t- c\n"), (3, 1));
    assert_eq!(at("a:\n  b:\n  \tc: 2\n"), (3, 3));
    assert_eq!(at("a:\tb\nc:\n  d: 1\n\n  \te: 2\n"), (5, 3));
}

#[test]
fn the_words_of_the_parser_do_not_explain_a_template() {
    let problem = problem("a:\n  {{- if .x }}\n  b: c\n");
    assert_eq!((problem.kind, problem.related.len()), (ProblemKind::TemplateSyntax, 0));
}

/// As YAML, the comment would be part of the key below it, and the object would have lost its kind.
#[test]
fn comments_are_not_json() {
    for (text, line, column) in [
        ("// c\n{\"kind\": \"Pod\"}\n", 1, 1),
        ("\n  /* c\n */ {\"kind\": \"Pod\"}\n", 2, 3),
        ("{ // it's } \"this\n  \"kind\": \"Pod\"}\n", 1, 3),
        ("{\"kind\": \"Pod\", // c\n  \"a\": 1}\n", 1, 17),
        ("{\"kind\": \"Pod\" /* c */, \"a\": 1}\n", 1, 16),
        ("[\n  // c\n  {\"kind\": \"Pod\"}]\n", 2, 3),
    ] {
        let problem = problem(text);
        assert_eq!((problem.kind, problem.message.as_str()), (ProblemKind::Syntax, "JSON has no comments"), "{text}");
        let at = Source::from_text("t", text.to_owned()).unwrap().position(problem.span.start);
        assert_eq!((at.line, at.column), (line, column), "{text}");
    }
    // Behind a number it is part of a text, and Kubernetes takes it.
    assert_eq!(all_json("{\"a\": 1 /* c */}\n"), [r#"{"a":"1 /* c */"}"#]);
    // A comment of YAML in what looks like JSON is right, and so is a text that begins with slashes.
    assert_eq!(all_json("{\"a\": 1, # c\n \"b\": 2}\n"), [r#"{"a":1,"b":2}"#]);
    assert_eq!(all_json("// c\n"), [r#""// c""#]);
}

#[test]
fn every_limit_has_a_name_and_a_value() {
    let small = Limits { documents: 2, document_bytes: 40, nodes: 12, depth: 4, alias_nodes: 5, problems: 2, ..Limits::default() };
    let messages = |text: &str| -> Vec<String> {
        read_with(text, &small).into_iter().flat_map(|parsed| parsed.problems).map(|problem| problem.message).collect()
    };
    assert_eq!(messages(&format!("a: {}\n", "x".repeat(50))), ["document larger than 40 bytes"]);
    assert_eq!(messages("[1,1,1,1,1,1,1,1,1,1,1,1]"), ["more than 12 values in one document"]);
    assert_eq!(messages("a: [[[[1]]]]"), ["nested more than 4 deep"]);
    assert_eq!(messages("- - - - - 1"), ["nested more than 4 deep"]);
    assert_eq!(messages("[[[[[1]]]]]"), ["nested more than 4 deep"]);
    assert_eq!(messages("a: &a [[1]]\nb: [[*a]]"), ["nested more than 4 deep"]);
    assert_eq!(messages("a: &a [1, 1]\nb: [*a, *a]"), ["aliases expand to more than 5 values"]);
    assert_eq!(messages("a: &a {b: 1, c: 1}\nd: [<<: *a, <<: *a]"), ["aliases expand to more than 5 values"]);
    let many = "a: 1\na: 1\na: 1\na: 1\na: 1\n";
    let told = messages(many);
    assert_eq!(told.len(), 3);
    assert!(told.contains(&"more than 2 problems in one document; the rest is not listed".to_owned()));
    let source = Source::from_text("t", "a\n---\nb\n---\nc\n".to_owned()).unwrap();
    let split = fedward_manifest::split(&source, &small);
    assert_eq!((split.chunks.len(), split.problems[0].message.as_str()), (2, "more than 2 documents in one file"));
    assert_eq!(split.problems[0].span.start, 8);
}
