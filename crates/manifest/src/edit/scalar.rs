//! Scalars as text: quoted where they have to be, and as what stood there was.

use serde_json::Value;

use crate::{
    number::Floats,
    tree::Style,
    typing::{self, Resolved},
};

/// Where a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Block,
    Flow,
    Json,
}

/// A value that is no list and no map, on one line.
pub(super) fn write(value: &Value, like: Style, place: Place) -> String {
    match value {
        Value::String(text) => string(text, like, place),
        other => other.to_string(),
    }
}

/// A string in the style of what stood there, as far as that can hold it.
pub(super) fn string(text: &str, like: Style, place: Place) -> String {
    let one_line = !text.chars().any(is_escaped);
    match like {
        _ if place == Place::Json => double_quoted(text),
        Style::SingleQuoted if one_line => format!("'{}'", text.replace('\'', "''")),
        Style::DoubleQuoted => double_quoted(text),
        _ if one_line && is_plain(text, place) => text.to_owned(),
        _ => double_quoted(text),
    }
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // All of them are in the plane where four digits do, in JSON and in YAML.
            char if is_escaped(char) => quoted.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// Characters that YAML does not print, or takes for a line break, and control characters.
pub(super) fn is_escaped(char: char) -> bool {
    matches!(char, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text without line breaks means itself without quotes, to readers of YAML 1.1 and 1.2 alike.
fn is_plain(text: &str, place: Place) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    // What follows an indicator that may begin a plain scalar.
    let second = bytes.get(1).is_some_and(|byte| !byte.is_ascii_whitespace() && !b",[]{}".contains(byte));
    let begins = match first {
        b'-' | b'?' | b':' => second,
        _ => !b",[]{}#&*!|>'\"%@`=~ \t".contains(first),
    };
    begins
        && !matches!(last, b' ' | b'\t' | b':')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(":\t")
        && !text.contains(" #")
        && !text.contains("\t#")
        && (place == Place::Block || !bytes.iter().any(|byte| b",[]{}".contains(byte)))
        && text != "<<"
        && typing::resolve(text, Floats::EXACT) == Resolved::Str
        && !is_word(text)
        && !looks_like_number(text)
        && !looks_like_date(text)
}

fn is_word(text: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", ".nan", ".inf", "+.inf", "-.inf"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Numbers of any reader: other bases, underscores, sixties (`1:30`).
fn looks_like_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.starts_with("0x") || digits.starts_with("0o") || digits.starts_with("0b") {
        return digits.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit() || byte == b'_');
    }
    let rest = digits.trim_start_matches(|char: char| char.is_ascii_digit() || "._:,".contains(char));
    let exponent = rest.strip_prefix(['e', 'E']).map_or(rest, |rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
    rest.len() < digits.len() && exponent.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// A year of four digits, a month, a day, and the end or a time.
fn looks_like_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, most: usize| part.is_some_and(|part| part.len() <= most && is_digits(part));
    let year = parts.next().filter(|year| year.len() == 4);
    digits(year, 4) && digits(parts.next(), 2) && parts.next().is_some_and(|day| day.starts_with(|char: char| char.is_ascii_digit()))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_where_a_reader_would_take_it_for_something_else() {
        for text in [
            "web",
            "api://AzureADTokenExchange",
            "https://issuer.example/a",
            "6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11",
            "12345678-1234-1234-1234-123456789012",
            "arn:aws:iam::111122223333:role/x",
            "a#b",
            "a b",
            "v1.2.3",
            "nope",
            "-x",
            "ä",
        ] {
            assert_eq!(string(text, Style::Plain, Place::Block), text);
        }
        for text in [
            "",
            "true",
            "True",
            "y",
            "NO",
            "~",
            "null",
            "12",
            "0x1f",
            "1_000",
            "1:30",
            "1e3",
            ".5",
            "-1",
            "0o17",
            "2024-01-02",
            "2024-1-2T10:00:00Z",
            "- a",
            "a: b",
            "a:",
            " a",
            "a ",
            "a #b",
            "#a",
            "*a",
            "&a",
            "!a",
            "{a",
            "[a",
            "@a",
            "`a",
            "%a",
            "|",
            ">",
            "'a",
            "\"a",
            "---",
            "...",
            "<<",
            "=",
            "?",
            "-",
            ":",
            "a\nb",
            "\u{85}",
        ] {
            let quoted = string(text, Style::Plain, Place::Block);
            assert!(quoted.starts_with('"') && quoted.ends_with('"') && quoted.len() > 1, "{quoted}");
        }
        assert_eq!(string("a,b", Style::Plain, Place::Block), "a,b");
        assert_eq!(string("a,b", Style::Plain, Place::Flow), "\"a,b\"");
        assert_eq!(string("it's", Style::SingleQuoted, Place::Block), "'it''s'");
        assert_eq!(string("a\tb", Style::SingleQuoted, Place::Block), "\"a\\tb\"");
        assert_eq!(string("a", Style::DoubleQuoted, Place::Block), "\"a\"");
        assert_eq!(string("a", Style::Literal, Place::Block), "a");
        assert_eq!(string("\u{2028}\u{1}\\", Style::Plain, Place::Json), "\"\\u2028\\u0001\\\\\"");
    }
}
