//! `questions-ui.yml` of each policy: the form for its settings in Rancher, which Artifact Hub hands on.
//!
//! Source of the types: `components/Questions` of Rancher's extension for Kubewarden.

use std::fmt::Write as _;

use fedward_kit::policy::Descriptor;
use fedward_kit::settings::Field;
use serde_json::{Map, Value, json};

use crate::files::{Generated, MARK};
use crate::package::Package;
use crate::yaml;

/// The forms of all policies.
pub fn generate(packages: &[Package]) -> Vec<Generated> {
    packages.iter().map(|package| Generated { path: format!("policies/{}/questions-ui.yml", package.id()), text: text(package) }).collect()
}

/// A form as a file.
pub fn text(package: &Package) -> String {
    let (questions, left_out) = form(package);
    let mut text = format!("# {MARK} from the policy's settings.\n");
    if !left_out.is_empty() {
        let _ = writeln!(text, "# No field of a form can hold these, which are set as YAML: {}.", left_out.join(", "));
    }
    text + &yaml::write(&json!({ "questions": questions }))
}

/// The questions, and the settings that none of them asks for.
pub fn form(package: &Package) -> (Vec<Value>, Vec<String>) {
    let policy = package.builtin.policy.describe();
    let (mut questions, mut left_out) = (Vec::new(), Vec::new());
    for field in policy.settings.iter().filter(|field| !(package.is_suite() && field.name == "policies")) {
        match question(field, "", "Settings", true) {
            Some(question) => questions.push(question),
            None => left_out.push(field.name.to_owned()),
        }
    }
    if package.is_suite() {
        for Descriptor { id, settings, summary, .. } in fedward_modules::ALL.iter().map(|builtin| builtin.policy.describe()) {
            let enabled = format!("policies.{id}.enabled");
            questions.push(json!({
                "default": true, "description": format!("Whether `{id}` runs: {summary}."), "group": id, "label": "Enabled",
                "required": false, "type": "boolean", "variable": enabled,
            }));
            let own = settings.iter().filter(|field| policy.settings.iter().all(|common| common.name != field.name));
            for field in own {
                // Rancher puts a list of maps that is this deep in the place of the policy.
                match question(field, &format!("policies.{id}.settings."), id, false) {
                    Some(mut question) => {
                        if let Some(map) = question.as_object_mut() {
                            map.insert("show_if".to_owned(), format!("{enabled}=true").into());
                        }
                        questions.push(question);
                    }
                    None => left_out.push(format!("policies.{id}.settings.{}", field.name)),
                }
            }
        }
    }
    (questions, left_out)
}

/// The question for a setting, if there is a field of forms that holds its value.
fn question(field: &Field, prefix: &str, group: &str, is_top: bool) -> Option<Value> {
    let (kind, mut more) = kind(&field.schema, is_top)?;
    let default = field.schema.get("default").cloned().unwrap_or_else(|| match kind {
        "map[" => json!({}),
        _ => json!(""),
    });
    let texts = [("description", field.doc.to_owned()), ("group", group.to_owned()), ("label", label(field.name))];
    more.extend(texts.map(|(name, text)| (name.to_owned(), text.into())));
    more.insert("default".to_owned(), default);
    more.insert("required".to_owned(), false.into());
    more.insert("type".to_owned(), kind.into());
    more.insert("variable".to_owned(), format!("{prefix}{}", field.name).into());
    Some(Value::Object(more))
}

/// The type of a field, and what else it needs.
fn kind(schema: &Value, is_top: bool) -> Option<(&'static str, Map<String, Value>)> {
    let mut more = Map::new();
    let is_text = |schema: Option<&Value>| schema.and_then(|schema| schema.get("type")).is_some_and(|name| name == "string");
    let kind = match schema.get("type").and_then(Value::as_str)? {
        "boolean" => "boolean",
        "integer" => {
            for (name, bound) in [("min", "minimum"), ("max", "maximum")] {
                more.extend(schema.get(bound).map(|value| (name.to_owned(), value.clone())));
            }
            "int"
        }
        "string" => match schema.get("enum") {
            Some(options) => {
                more.insert("options".to_owned(), options.clone());
                "enum"
            }
            None => "string",
        },
        "array" if is_text(schema.get("items")) => "array[",
        "array" if is_top => {
            let item = schema.get("items")?;
            let required = item.get("required").and_then(Value::as_array);
            let fields: Option<Vec<Value>> = item
                .get("properties")?
                .as_object()?
                .iter()
                .map(|(name, schema)| {
                    let required = required.is_some_and(|names| names.iter().any(|known| known == name));
                    is_text(Some(schema)).then(|| {
                        json!({
                            "default": "", "group": "Settings", "label": label(name), "required": required, "type": "string",
                            "variable": name,
                        })
                    })
                })
                .collect();
            more.insert("sequence_questions".to_owned(), fields?.into());
            "sequence["
        }
        // Keys and values that are words.
        "object" if is_top && (is_text(schema.get("additionalProperties")) || are_words(schema)) => "map[",
        _ => return None,
    };
    Some((kind, more))
}

/// Whether it is a map whose values are some words, such as severities.
fn are_words(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| !properties.is_empty() && properties.values().all(|value| value.get("enum").is_some()))
}

/// `extraAzureHosts` as words.
fn label(name: &str) -> String {
    let mut text = String::new();
    for char in name.chars() {
        if text.is_empty() {
            text.extend(char.to_uppercase());
        } else if char.is_ascii_uppercase() {
            text.push(' ');
            text.push(char.to_ascii_lowercase());
        } else {
            text.push(char);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_field_that_holds_them() {
        let kind = |schema: Value, is_top| kind(&schema, is_top).map(|(kind, _)| kind);
        let list = json!({"type": "array", "items": {"type": "object", "properties": {"role": {"type": "string"}}}});
        assert_eq!(kind(json!({"type": "integer", "minimum": 1}), false), Some("int"));
        assert_eq!(kind(json!({"type": "string", "enum": ["a"]}), false), Some("enum"));
        assert_eq!(kind(json!({"type": "array", "items": {"type": "string"}}), false), Some("array["));
        assert_eq!((kind(list.clone(), true), kind(list, false)), (Some("sequence["), None));
        assert_eq!(kind(json!({"type": "object", "additionalProperties": {"type": "string"}}), true), Some("map["));
        assert_eq!(kind(json!({"type": "object", "properties": {"rule": {"enum": ["off"]}}}), true), Some("map["));
        let lists = json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}});
        assert_eq!(kind(lists, true), None);
        assert_eq!(label("extraAzureHosts"), "Extra azure hosts");
    }
}
