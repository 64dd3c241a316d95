//! Types, schemas and errors in words for people.

use std::io;

use fedward_kit::suggest;
use fedward_manifest::{Kind, Node};
use serde_json::Value;

/// Why a file cannot be read or written.
pub fn io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory | io::ErrorKind::ReadOnlyFilesystem => error.kind().to_string(),
        _ => error.to_string(),
    }
}

/// ` (did you mean …?)`, or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    suggest::nearest(word, candidates).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// The values that a JSON Schema allows.
pub fn schema(schema: &Value) -> String {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(|word| format!("`{}`", word.as_str().unwrap_or_default())).collect::<Vec<_>>().join(", ");
    }
    let of = |name: &str| schema.get(name).map(self::schema).unwrap_or_default();
    match schema.get("type").and_then(Value::as_str).unwrap_or_default() {
        "boolean" => "true or false".to_owned(),
        "integer" => match (schema.get("minimum"), schema.get("maximum")) {
            (Some(least), Some(most)) => format!("whole number, {least} to {most}"),
            _ => "whole number".to_owned(),
        },
        "array" => format!("list ({})", of("items")),
        "object" => match schema.get("properties").and_then(Value::as_object).map(|properties| properties.keys()) {
            Some(names) if schema.get("required").is_some() => {
                format!("map with {}", names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
            }
            Some(_) => "map".to_owned(),
            None => format!("map ({})", of("additionalProperties")),
        },
        other => other.to_owned(),
    }
}

/// What serde says of a field that does not fit, in words that name no type of ours. `node` is the field, or its nearest parent.
pub(crate) fn misfit(error: &str, node: Node<'_>) -> String {
    let (what, expected) = error.rsplit_once(", expected ").unwrap_or((error, ""));
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let name = what.split_once('`').map_or("", |(_, rest)| rest.trim_end_matches('`'));
    if what.starts_with("unknown field") {
        let near = did_you_mean(name, names.iter().copied());
        let known = if near.is_empty() { format!(" (there are {})", list(&names)) } else { near };
        return format!("no such field: `{name}`{known}");
    }
    if what.starts_with("unknown variant") {
        return format!("one of {} is required{}", list(&names), did_you_mean(name, names.iter().copied()));
    }
    if what.starts_with("missing field") {
        return format!("`{name}` is required");
    }
    let required = match expected {
        "a string" => "a string",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a map",
        _ if expected.starts_with("struct ") => "a map",
        // Unions of words are read from a string or a map with one key; ours are words.
        "string or map" => "a word",
        _ if expected.contains("variant") || expected.starts_with("enum ") => "a word",
        _ if ["usize", "u32", "u64"].contains(&expected) => "a whole number, 0 or more",
        _ => return error.to_owned(),
    };
    let is_unquoted = expected == "a string" && matches!(node.kind(), Kind::Bool(_) | Kind::Int(_) | Kind::Uint(_) | Kind::Float(_));
    format!("{required} is required, not {}{}", kind(node), if is_unquoted { ": quote it" } else { "" })
}

/// The field that serde misses.
pub(crate) fn missing(error: &str) -> Option<&str> {
    error.strip_prefix("missing field `")?.strip_suffix('`')
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn kind(node: Node<'_>) -> &'static str {
    match node.kind() {
        Kind::Null => "nothing",
        Kind::Bool(_) => "true or false",
        Kind::Int(_) | Kind::Uint(_) | Kind::Float(_) => "a number",
        Kind::Str(_) => "a string",
        Kind::Seq => "a list",
        Kind::Map => "a map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_in_words() {
        assert_eq!(schema(&json!({ "type": "array", "items": { "type": "string" } })), "list (string)");
        assert_eq!(schema(&json!({ "type": "object", "additionalProperties": { "type": "string" } })), "map (string)");
        assert_eq!(schema(&json!({ "enum": ["a", "b"] })), "`a`, `b`");
        assert_eq!(schema(&json!({ "type": "integer", "minimum": 1, "maximum": 5 })), "whole number, 1 to 5");
    }

    #[test]
    fn errors_of_the_system_in_words() {
        assert_eq!(io(&io::Error::from(io::ErrorKind::NotFound)), "no such file or folder");
        assert_eq!(io(&io::Error::from(io::ErrorKind::PermissionDenied)), "permission denied");
    }
}
