//! What there is to set: a JSON Schema for each policy, and one page of tables.

use std::fmt::Write as _;

use fedward_kit::settings::{Field, schema};
use serde_json::Value;

use crate::files::{Generated, MARK};
use crate::pages::cell;

/// Schemas and tables.
pub fn generate() -> Vec<Generated> {
    let policies: Vec<_> = fedward_modules::ALL.iter().map(|builtin| builtin.policy.describe()).collect();
    let mut files = Vec::new();
    for policy in &policies {
        let pretty = format!("{:#}", schema(policy.id, &policy.settings));
        let rest = pretty.strip_prefix('{').unwrap_or(&pretty);
        let text = format!("{{ \"$comment\": \"{MARK} from the policy's settings.\",{rest}\n");
        files.push(Generated { path: format!("policies/{}/settings.schema.json", policy.id), text });
    }
    let is_common = |field: &Field| policies.iter().all(|policy| policy.settings.iter().any(|other| other.name == field.name));
    let mut text = format!("<!-- {MARK} from the policies' settings. -->\n# Settings\n\n");
    text.push_str("Each policy's `settings.schema.json` says the same to editors and pipelines.\n");
    if let Some(policy) = policies.first() {
        table(&mut text, "Every policy", "", policy.settings.iter().filter(|field| is_common(field)));
    }
    for policy in &policies {
        table(&mut text, policy.id, policy.summary, policy.settings.iter().filter(|field| !is_common(field)));
    }
    files.push(Generated { path: "docs/settings.md".to_owned(), text });
    files
}

fn table<'a>(text: &mut String, title: &str, summary: &str, fields: impl Iterator<Item = &'a Field>) {
    let _ = write!(text, "\n## {title}\n\n");
    if !summary.is_empty() {
        let _ = write!(text, "{summary}\n\n");
    }
    text.push_str(&rows(fields));
}

/// The table's head, and a row for each field.
pub(crate) fn rows<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let mut text = "| setting | type | default | what it does |\n|---|---|---|---|\n".to_owned();
    for field in fields {
        let default = field.schema.get("default").map_or_else(String::new, |value| format!("`{}`", cell(&spaced(value))));
        let _ = writeln!(text, "| `{}` | {} | {default} | {} |", field.name, cell(&kind(&field.schema)), cell(field.doc));
    }
    text
}

/// A list with a space after each comma, so that a table can break it.
fn spaced(value: &Value) -> String {
    match value.as_array() {
        Some(items) => format!("[{}]", items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")),
        None => value.to_string(),
    }
}

/// A schema in words.
fn kind(schema: &Value) -> String {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(|word| format!("`{}`", word.as_str().unwrap_or_default())).collect::<Vec<_>>().join(", ");
    }
    let of = |name: &str| schema.get(name).map(kind).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_in_words() {
        assert_eq!(kind(&json!({ "type": "array", "items": { "type": "string" } })), "list (string)");
        assert_eq!(kind(&json!({ "type": "object", "additionalProperties": { "type": "string" } })), "map (string)");
        assert_eq!(kind(&json!({ "enum": ["a", "b"] })), "`a`, `b`");
        assert_eq!(kind(&json!({ "type": "integer", "minimum": 1, "maximum": 5 })), "whole number, 1 to 5");
    }

    #[test]
    fn schemas_are_json_and_say_that_they_are_generated() {
        for file in generate().iter().filter(|file| file.path.ends_with(".json")) {
            assert!(file.text.lines().next().is_some_and(|line| line.contains(MARK)), "{}", file.path);
            let schema: Value = serde_json::from_str(&file.text).unwrap_or_default();
            assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)), "{}", file.path);
        }
    }
}
