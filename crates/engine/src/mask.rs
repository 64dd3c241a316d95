//! What no output may show, in objects that policies changed.

use serde_json::Value;

use crate::secrets::is_secret_name;

/// What stands for a hidden value.
pub const HIDDEN: &str = "(hidden)";
/// What stands for one that was another before.
pub const CHANGED: &str = "(hidden, changed)";

/// Hides the values of Secrets, of environment variables that hold secrets themselves, and of fields that are named so. `before` is the
/// value that stood in its place, not hidden: whether it changed is said.
pub fn hide(value: &mut Value, before: Option<&Value>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                hide(item, before.and_then(|before| before.get(index)));
            }
        }
        Value::Object(fields) => {
            let is_secret = fields.get("kind").is_some_and(|kind| kind == "Secret");
            let names_secret = fields.get("name").and_then(Value::as_str).is_some_and(is_secret_name);
            for (key, value) in fields {
                let before = before.and_then(|before| before.get(key));
                match key.as_str() {
                    "data" | "stringData" if is_secret => hide_all(value, before),
                    "value" if names_secret => hide_all(value, before),
                    _ if value.is_string() && is_secret_name(key) => hide_all(value, before),
                    _ => hide(value, before),
                }
            }
        }
        _ => {}
    }
}

/// Every value below. Its length says nothing.
fn hide_all(value: &mut Value, before: Option<&Value>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                hide_all(item, before.and_then(|before| before.get(index)));
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                hide_all(value, before.and_then(|before| before.get(key)));
            }
        }
        Value::Null => {}
        other => *other = if before.is_some_and(|before| before != other) { CHANGED } else { HIDDEN }.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::hide;

    #[test]
    fn values_of_secrets_are_hidden() {
        let mut object = json!({
            "kind": "Secret", "metadata": {"name": "till"}, "stringData": {"a": "x"}, "data": {"b": "eA=="},
            "env": [{"name": "DB_PASSWORD", "value": "x"}, {"name": "LEVEL", "value": "info"}], "clientSecret": "x"
        });
        hide(&mut object, None);
        let shown = json!({
            "kind": "Secret", "metadata": {"name": "till"}, "stringData": {"a": "(hidden)"}, "data": {"b": "(hidden)"},
            "env": [{"name": "DB_PASSWORD", "value": "(hidden)"}, {"name": "LEVEL", "value": "info"}], "clientSecret": "(hidden)"
        });
        assert_eq!(object, shown);
    }
}
