use std::sync::Arc;

use fedward_manifest::{Chunk, Format, Limits, Parsed, ProblemKind, Source, Span, parse};

use crate::json;

fn strict(text: &str) -> Parsed {
    let source = Arc::new(Source::from_text("t.json", text.to_owned()).unwrap());
    let span = Span::new(0, u32::try_from(text.len()).unwrap());
    parse(&source, Chunk { span, format: Format::Json }, &Limits::default())
}

fn accepted(text: &str) -> String {
    let parsed = strict(text);
    assert_eq!(parsed.problems, [], "{text}");
    json(parsed.document.unwrap().root())
}

#[track_caller]
fn rejected(text: &str, at: u32, message: &str) {
    let parsed = strict(text);
    assert!(parsed.document.is_none(), "{text}");
    let problem = &parsed.problems[0];
    assert_eq!((problem.text_offset, problem.message.as_str()), (at, message), "{text}");
}

#[test]
fn json_is_read_as_go_reads_it() {
    assert_eq!(
        accepted(" {\"a\" : [ 1 , -2.5e3,true,false , null, \"x\" ], \"\": {}} \r\n"),
        r#"{"a":[1,-2500,true,false,null,"x"],"":{}}"#
    );
    assert_eq!(
        accepted(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83dx\udE00""#),
        "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\té😀\u{fffd}x\u{fffd}\""
    );
    assert_eq!(accepted("\"\u{7f}\u{85}ü\""), "\"\u{7f}\u{85}ü\"");
    assert_eq!(accepted("18446744073709551615"), "18446744073709551615");
    assert_eq!(accepted("[0, -0, 1e2, 1E-2, 100000000000000000000]"), "[0,0,100,0.01,100000000000000000000]");
    assert_eq!(accepted("{\"y\": 1, \"1\": 2, \"<<\": {\"a\": 1}}"), r#"{"y":1,"1":2,"<<":{"a":1}}"#);
}

#[test]
fn what_is_not_json_is_an_error_with_its_offset() {
    rejected("", 0, "JSON ends before its value does");
    rejected("{\"a\": [1", 8, "JSON ends before its value does");
    rejected("{\"a\": 1,}", 8, "JSON has no trailing commas");
    rejected("[1,]", 3, "JSON has no trailing commas");
    rejected("{'a': 1}", 1, "JSON strings need double quotes");
    rejected("[1, 'b']", 4, "JSON strings need double quotes");
    rejected("{\"a\": 1} // no", 9, "JSON has no comments");
    rejected("/* no */ 1", 0, "JSON has no comments");
    rejected("{ # no\n}", 2, "JSON has no comments");
    rejected("{a: 1}", 1, "expected a key in double quotes");
    rejected("{\"a\" 1}", 5, "expected `:` after the key");
    rejected("{\"a\": 1 \"b\": 2}", 8, "expected `,` or `}` after the value");
    rejected("[1 2]", 3, "expected `,` or `]` after the value");
    rejected("[1}", 2, "expected `,` or `]` after the value");
    rejected("{} {}", 3, "text after the end of the JSON value");
    rejected("yes", 0, "expected a JSON value");
    rejected("nullx", 0, "expected a JSON value");
    rejected("NaN", 0, "expected a JSON value");
    rejected("+1", 0, "expected a JSON value");
    rejected("01", 0, "JSON numbers have no leading zeros");
    rejected("1.", 2, "JSON ends before its value does");
    rejected("1.x", 2, "expected a digit");
    rejected("-", 1, "JSON ends before its value does");
    rejected("0x1", 1, "text after the end of the JSON value");
    rejected("\"a\nb\"", 2, "line breaks and control characters in a JSON string are written with `\\`");
    rejected("\"abc", 0, "string is not closed");
    rejected("\"\\q\"", 1, "unknown escape in a JSON string");
    rejected("\"\\u12\"", 1, "`\\u` needs four hexadecimal digits");
    rejected("\u{feff}{}", 0, "expected a JSON value");
}

#[test]
fn numbers_out_of_range_and_keys_that_stand_twice() {
    let parsed = strict("{\"a\": 1e400, \"b\": 1, \"b\": 2}");
    let kinds: Vec<ProblemKind> = parsed.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::Value, ProblemKind::DuplicateKey]);
    assert_eq!(json(parsed.document.unwrap().root()), r#"{"a":"1e400","b":2}"#);
}
