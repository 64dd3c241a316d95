//! Changed objects and patches, as differences show them: without secrets.

use fedward_engine::{HIDDEN, HIDDEN_CHANGED};
use serde_json::Value;

/// What of a value stands in another: the same fields, and lists as a whole.
pub(super) fn projected(value: &Value, onto: &Value) -> Value {
    match (value, onto) {
        (Value::Object(fields), Value::Object(wanted)) => {
            let field = |(key, onto): (&String, &Value)| Some((key.clone(), projected(fields.get(key)?, onto)));
            wanted.iter().filter_map(field).collect()
        }
        (Value::Array(items), Value::Array(wanted)) => {
            let item = |(index, item): (usize, &Value)| wanted.get(index).map_or_else(|| item.clone(), |onto| projected(item, onto));
            items.iter().enumerate().map(item).collect()
        }
        _ => value.clone(),
    }
}

/// Hides in a value what is hidden in another in the same place: a part of a Secret does not say that it is one.
pub(super) fn hide_alike(value: &mut Value, other: &Value) {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) => {
            for (key, value) in fields {
                hide_alike(value, others.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(items), Value::Array(others)) => items.iter_mut().zip(others).for_each(|(item, other)| hide_alike(item, other)),
        (value, other) if other == HIDDEN || other == HIDDEN_CHANGED => *value = HIDDEN.into(),
        _ => {}
    }
}

/// What a patch does, without the values: they may be secrets, and there is no object to say so.
pub(super) fn steps(patch: &Value) -> String {
    let word = |step: &Value, field: &str| step.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let steps = patch.as_array().map(Vec::as_slice).unwrap_or_default();
    if steps.is_empty() {
        return "[]".to_owned();
    }
    steps.iter().map(|step| format!("{} {}", word(step, "op"), word(step, "path"))).collect::<Vec<_>>().join("\n")
}

pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_hidden_stays_hidden_in_parts() {
        let mut wanted = json!({"stringData": {"pin": "1", "list": ["2", "3"]}, "kept": "4"});
        hide_alike(&mut wanted, &json!({"stringData": {"pin": "(hidden, changed)", "list": ["(hidden)", "x"]}, "kept": "5"}));
        assert_eq!(wanted, json!({"stringData": {"pin": "(hidden)", "list": ["(hidden)", "3"]}, "kept": "4"}));
        assert_eq!(steps(&json!([{"op": "add", "path": "/stringData/pin", "value": "1"}])), "add /stringData/pin");
    }

    #[test]
    fn projections_have_what_is_asked_for() {
        let object = json!({"a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 2}, 3]});
        assert_eq!(projected(&object, &json!({"a": {"b": 9}})), json!({"a": {"b": 1}}));
        assert_eq!(projected(&object, &json!({"l": [{"y": 2}]})), json!({"l": [{"y": 2}, 3]}));
        assert_eq!(projected(&object, &json!({"d": 1})), json!({}));
    }
}
