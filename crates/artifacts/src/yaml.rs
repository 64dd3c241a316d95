//! JSON values as YAML that people read: blocks, text of several lines as it stands, quotes only where they are needed.

use serde_json::{Map, Value};

/// A map or a list, with a line break at the end.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// Whether nothing of it needs a line of its own.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    }
}

fn block(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => entries(map, depth, false, out),
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&"  ".repeat(depth));
                out.push_str("- ");
                match item {
                    Value::Object(map) if !map.is_empty() => entries(map, depth + 1, true, out),
                    _ => after(item, depth + 1, out),
                }
            }
        }
        _ => after(value, depth, out),
    }
}

/// The entries of a map. Behind a dash the first one stands on the line of the dash.
fn entries(map: &Map<String, Value>, depth: usize, dashed: bool, out: &mut String) {
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 || !dashed {
            out.push_str(&"  ".repeat(depth));
        }
        out.push_str(&scalar(key));
        out.push(':');
        if is_flat(value) {
            out.push(' ');
            after(value, depth + 1, out);
        } else {
            out.push('\n');
            // Lists stand below their key without indentation, as Kubernetes writes them.
            block(value, if value.is_array() { depth } else { depth + 1 }, out);
        }
    }
}

/// What stands behind a key or a dash.
fn after(value: &Value, depth: usize, out: &mut String) {
    match value {
        // A block keeps every line as it is. It would lose a second line break at the end, and spaces at the beginning.
        Value::String(text) if text.contains('\n') && is_block(text) => {
            out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
            for line in text.lines() {
                if !line.is_empty() {
                    out.push_str(&"  ".repeat(depth));
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        Value::String(text) => {
            out.push_str(&scalar(text));
            out.push('\n');
        }
        Value::Array(items) if !items.is_empty() => {
            // A list in a list.
            out.push('\n');
            block(value, depth, out);
        }
        _ => {
            out.push_str(&value.to_string());
            out.push('\n');
        }
    }
}

fn is_block(text: &str) -> bool {
    !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && !text.chars().any(|char| char.is_control() && char != '\n')
        && text.lines().all(|line| !line.ends_with(' '))
}

/// A text on one line: plain where nobody can take it for something else, else in double quotes, which are those of JSON.
fn scalar(text: &str) -> String {
    let is_word = |char: char| char.is_ascii_alphanumeric() || "_./()-'+".contains(char);
    let is_plain = text.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(|char| is_word(char) || " ,:;`<>@*=?".contains(char))
        && !text.contains(": ")
        && !text.ends_with([' ', ':'])
        // What some reader takes for a boolean, nothing, or a number.
        && !["true", "false", "yes", "no", "on", "off", "y", "n", "null"].contains(&text.to_ascii_lowercase().as_str())
        && text.parse::<f64>().is_err();
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_back_as_they_were() {
        let value = json!({
            "plain": "some words, and a key:value",
            "": "empty key",
            "numbers": [1, -2.5, true, null, "1", "true", "off", "2026-11-30", "1e3", "nan", "~", "0x1f"],
            "odd": ["a: b", "- a", "# a", "a #b", "\u{1}", "tab\there", "", " a", "a ", "*", "&a", "{a}", "[a]", "'a'", "\"a\"", "a:", "!a", "é"],
            "lines": "first\n  second\n\nthird\n",
            "without an end": "first\nsecond",
            "no block": ["a \nb", "\na", "a\n\n", " a\nb", "a\tb\nc"],
            "in a list": ["one\ntwo\n", {"a": 1, "b": {"c": []}, "d": [{}]}, [[1], ["x\ny"]]],
            "nothing": {"map": {}, "list": []},
        });
        let text = write(&value);
        assert_eq!(fedward_engine::from_yaml::<Value>(&text).unwrap(), value, "{text}");
    }

    #[test]
    fn it_looks_as_people_write_it() {
        let value = json!({"name": "suite", "list": [{"a": "x", "b": ["z"]}], "text": "one\ntwo\n", "off": "off"});
        assert_eq!(write(&value), "list:\n- a: x\n  b:\n  - z\nname: suite\n\"off\": \"off\"\ntext: |\n  one\n  two\n");
    }
}
