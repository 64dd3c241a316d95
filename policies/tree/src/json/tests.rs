#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use bumpalo::Bump;

use crate::value::Value;

/// A value as serde_json has it.
fn oracle(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float => "a float".into(),
        Value::Str(text) => (*text).into(),
        Value::Seq(items) => items.iter().map(oracle).collect(),
        Value::Map(entries) => entries.iter().map(|(key, value)| ((*key).to_owned(), oracle(value))).collect(),
    }
}

/// The same from the other side: numbers that are no `i64` lose their value.
fn plain(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) if number.as_i64().is_none() => "a float".into(),
        serde_json::Value::Array(items) => items.into_iter().map(plain).collect(),
        serde_json::Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => other,
    }
}

/// Holds the reader to serde_json: what it takes, what it makes of it, and where it stops.
fn compare(text: &[u8]) {
    let arena = Bump::new();
    let ours = Value::from_json(text, &arena);
    let shown = String::from_utf8_lossy(text);
    match (ours, serde_json::from_slice::<serde_json::Value>(text)) {
        (Ok(ours), Ok(theirs)) => assert_eq!(oracle(&ours), plain(theirs), "{shown}"),
        (Err(ours), Err(theirs)) => {
            // Inside an escape, in an endless exponent and at text that is not UTF-8, the other reader stops a few bytes away.
            if !shown.contains("\\u") && !shown.contains('\u{fffd}') && !theirs.to_string().starts_with("number out of range") {
                assert_eq!((ours.line, ours.column), (theirs.line(), theirs.column()), "{shown}: {theirs}");
            }
        }
        (ours, theirs) => panic!("{shown}: {ours:?}, not {theirs:?}"),
    }
}

const DOCUMENT: &str = r#" { "a" : [ 1 , -2.5e+3, 0.0, -0, 18446744073709551615, 9223372036854775807, -9223372036854775808, -9223372036854775809 ],
  "\u00e4\ud83d\ude00" : { "b\n\t\"\\\/\b\f\r" : null , "ü" : [ ] , "" : { } } , "c" : [true,false,"text", [[ "deep" ]] ] , "a" : 1E5 } "#;

#[test]
fn reads_what_serde_json_reads_and_stops_where_it_stops() {
    compare(DOCUMENT.as_bytes());
    // Cut off everywhere, and with every byte spoilt.
    for at in 0..DOCUMENT.len() {
        compare(&DOCUMENT.as_bytes()[..at]);
        for spoilt in b"\"\\{}[],:0x-.e \n\x01\x7f\xff" {
            let mut text = DOCUMENT.as_bytes().to_vec();
            text[at] = *spoilt;
            compare(&text);
            text.insert(at, *spoilt);
            compare(&text);
        }
    }
}

#[test]
fn reads_numbers_as_serde_json_does() {
    for text in [
        "0",
        "-0",
        "00",
        "01",
        "-01",
        "1.",
        ".5",
        "1.5",
        "-",
        "+1",
        "1e",
        "1e+",
        "1e5",
        "1E-5",
        "0e999999999999999999999",
        "0.0e400",
        "1e308",
        "1e309",
        "-1e400",
        "1e-400",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "1.7976931348623157e308",
        "1.7976931348623160e308",
        "0.00017976931348623157e312",
        "0.0002e312",
        "1x",
        "1 2",
        "--1",
        "1..2",
        "Infinity",
        "NaN",
    ] {
        compare(text.as_bytes());
        compare(format!("[{text}]").as_bytes());
    }
    compare(format!("2{}", "0".repeat(308)).as_bytes());
    compare(format!("{}.5", "9".repeat(308)).as_bytes());
}

#[test]
fn nests_as_deep_as_serde_json_and_no_deeper() {
    for depth in [126, 127, 128, 129, 100_000] {
        compare(["[".repeat(depth), "]".repeat(depth)].concat().as_bytes());
        compare("[".repeat(depth).as_bytes());
        compare(["{\"a\":".repeat(depth), "1".to_owned(), "}".repeat(depth)].concat().as_bytes());
    }
}

#[test]
fn escapes_are_characters_or_errors() {
    for escape in [
        "\\u0000",
        "\\u00E4",
        "\\ud800",
        "\\udc00",
        "\\ud800\\udc00",
        "\\ud800\\u0041",
        "\\ud800x",
        "\\u12",
        "\\u12g4",
        "\\x",
        "\\uD83D\\uDE00",
        "\\u+123",
    ] {
        compare(format!("\"{escape}\"").as_bytes());
        compare(format!("\"before {escape} after \\n\"").as_bytes());
    }
    for bytes in [&b"\"\xff\""[..], b"\"\xc3\"", b"\"\xed\xa0\x80\"", b"\xef\xbb\xbf1", b"\"\xf4\x90\x80\x80\""] {
        compare(bytes);
    }
}

#[test]
fn strings_are_written_as_serde_json_writes_them() {
    let all: String = (0..0x180u32).filter_map(char::from_u32).chain("\u{2028}😀".chars()).collect();
    let mut out = String::new();
    super::write_string(&all, &mut out);
    assert_eq!(out, serde_json::to_string(&all).unwrap());
}
