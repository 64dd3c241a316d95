//! What a policy changes of an object, against what was expected. Values are compared as they are; what no output may show is hidden
//! only in what is told of them.

use fedward_engine::{HIDDEN, HIDDEN_CHANGED, hide_secrets};
use fedward_kit::finding::ObjectId;
use serde_json::{Map, Value, json};

/// An object before and after all policies, with values that no output may show.
#[derive(Debug)]
pub(crate) struct Change {
    /// The file of the object, and where it begins there.
    pub(crate) place: (String, u32),
    pub(crate) object: Option<ObjectId>,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

/// What a changed object has instead of what was expected, without secrets.
pub(crate) struct Unlike {
    pub(crate) wanted: String,
    pub(crate) got: String,
    /// The fields that would hold, if there are any, or why they are not written.
    pub(crate) now: Option<Result<Value, String>>,
}

/// What stands for a hidden value that is not the one that was expected.
const OTHER: &str = "(hidden, not what is expected)";
/// Why a change is not written into a case file.
const HAS_SECRETS: &str = "the change has values that no output shows; write them yourself";

impl Change {
    /// How it differs from expected fields; `None` if they are as expected.
    pub(crate) fn unlike(&self, expected: &Value) -> Option<Unlike> {
        let seen = projected(&self.after, expected);
        if seen == *expected {
            return None;
        }
        let (wanted, mut got) = (hidden(expected, &self.after), hidden(&seen, &self.after));
        mark(&mut got, &seen, expected);
        let still = pruned(seen, expected);
        let now = merged(still, changed(&self.before, &self.after)).map(|now| match hidden(&now, &self.after) == now {
            true => Ok(now),
            false => Err(HAS_SECRETS.to_owned()),
        });
        Some(Unlike { wanted: pretty(&wanted), got: pretty(&got), now })
    }

    /// How it differs from what an expected patch does, as patches; `None` if it does the same.
    pub(crate) fn unlike_patch(&self, expected: &Value) -> Option<(String, String)> {
        let Ok(patch) = serde_json::from_value::<json_patch::Patch>(expected.clone()) else { return None };
        let mut wanted = self.before.clone();
        if let Err(error) = json_patch::patch(&mut wanted, &patch) {
            return Some((format!("{}\n{error}", steps(expected)), self.shown(None)));
        }
        if wanted == self.after {
            return None;
        }
        let mut shown = wanted.clone();
        hide_secrets(&mut shown, Some(&self.before));
        Some((pretty(&json!(json_patch::diff(&self.hidden_before(), &shown))), self.shown(Some(&wanted))))
    }

    /// As a patch that a case file may have.
    ///
    /// # Errors
    /// It has values that no output may show.
    pub(crate) fn patch(&self) -> Result<Value, String> {
        let patch = json!(json_patch::diff(&self.before, &self.after));
        let mut after = self.after.clone();
        hide_secrets(&mut after, Some(&self.before));
        if json!(json_patch::diff(&self.hidden_before(), &after)) == patch { Ok(patch) } else { Err(HAS_SECRETS.to_owned()) }
    }

    /// The object and its change, on a line.
    pub(crate) fn told(&self) -> String {
        let object = self.object.as_ref().map_or_else(String::new, |object| format!("{} {}", object.kind, object.name));
        let mut after = self.after.clone();
        hide_secrets(&mut after, Some(&self.before));
        format!("{object}: {}", steps(&json!(json_patch::diff(&self.hidden_before(), &after))).replace('\n', ", "))
    }

    fn hidden_before(&self) -> Value {
        let mut before = self.before.clone();
        hide_secrets(&mut before, None);
        before
    }

    /// As a patch without secrets; of hidden values it is said where they are not as in `wanted`.
    fn shown(&self, wanted: Option<&Value>) -> String {
        let mut after = self.after.clone();
        hide_secrets(&mut after, Some(&self.before));
        if let Some(wanted) = wanted {
            mark(&mut after, &self.after, wanted);
        }
        pretty(&json!(json_patch::diff(&self.hidden_before(), &after)))
    }
}

/// A part of an object without what no output may show of the object, or would not if the part stood in it.
pub(crate) fn hidden(part: &Value, whole: &Value) -> Value {
    let mut shown = part.clone();
    // A part does not say that it is a Secret's.
    let own = part.get("kind").cloned();
    if let (Some(fields), Some(kind)) = (shown.as_object_mut(), whole.get("kind")) {
        fields.insert("kind".to_owned(), kind.clone());
    }
    hide_secrets(&mut shown, None);
    if let Some(fields) = shown.as_object_mut() {
        match own {
            Some(kind) => drop(fields.insert("kind".to_owned(), kind)),
            None => drop(fields.remove("kind")),
        }
    }
    let mut hidden_whole = whole.clone();
    hide_secrets(&mut hidden_whole, None);
    hide_alike(&mut shown, &hidden_whole);
    shown
}

/// A part of an object that nobody knows: it may be a Secret, if it does not say what it is.
pub(crate) fn hidden_alone(part: &Value) -> Value {
    let kind = part.get("kind").cloned().unwrap_or_else(|| "Secret".into());
    hidden(part, &json!({ "kind": kind }))
}

/// Hides in a value what is hidden in another in the same place.
fn hide_alike(value: &mut Value, other: &Value) {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) => {
            for (key, value) in fields {
                hide_alike(value, others.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(items), Value::Array(others)) => items.iter_mut().zip(others).for_each(|(item, other)| hide_alike(item, other)),
        (value, other) if other == HIDDEN => *value = HIDDEN.into(),
        _ => {}
    }
}

/// Says of hidden values that they are not the expected ones.
fn mark(shown: &mut Value, got: &Value, wanted: &Value) {
    match (shown, got) {
        (Value::Object(fields), Value::Object(got)) => {
            for (key, shown) in fields {
                mark(shown, got.get(key).unwrap_or(&Value::Null), wanted.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(items), Value::Array(got)) => {
            for (index, (shown, got)) in items.iter_mut().zip(got).enumerate() {
                mark(shown, got, wanted.get(index).unwrap_or(&Value::Null));
            }
        }
        (shown, got) if (shown == HIDDEN || shown == HIDDEN_CHANGED) && got != wanted => *shown = OTHER.into(),
        _ => {}
    }
}

/// What of a value stands in another: the same fields, and lists as a whole.
fn projected(value: &Value, onto: &Value) -> Value {
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

/// The same without the maps that have nothing left of what was expected in them: they would hold of anything.
fn pruned(seen: Value, wanted: &Value) -> Option<Value> {
    match (seen, wanted) {
        (Value::Object(fields), Value::Object(wanted)) => {
            let field = |(key, value): (String, Value)| {
                let kept = pruned(value, wanted.get(&key)?)?;
                Some((key, kept))
            };
            let is_bare = wanted.is_empty();
            let kept: Map<String, Value> = fields.into_iter().filter_map(field).collect();
            (is_bare || !kept.is_empty()).then_some(Value::Object(kept))
        }
        (seen, _) => Some(seen),
    }
}

/// What of a value is new: fields by themselves, lists as a whole.
fn changed(before: &Value, after: &Value) -> Option<Value> {
    match (before, after) {
        _ if before == after => None,
        (Value::Object(before), Value::Object(fields)) => {
            let field = |(key, value): (&String, &Value)| match before.get(key) {
                Some(before) => Some((key.clone(), changed(before, value)?)),
                None => Some((key.clone(), value.clone())),
            };
            let changed: Map<String, Value> = fields.iter().filter_map(field).collect();
            (!changed.is_empty()).then_some(Value::Object(changed))
        }
        (_, after) => Some(after.clone()),
    }
}

/// Two parts of one value, together.
fn merged(one: Option<Value>, other: Option<Value>) -> Option<Value> {
    match (one, other) {
        (Some(Value::Object(mut fields)), Some(Value::Object(others))) => {
            for (key, value) in others {
                let both = merged(fields.remove(&key), Some(value));
                fields.extend(both.map(|both| (key, both)));
            }
            Some(Value::Object(fields))
        }
        (one, other) => other.or(one),
    }
}

/// What a patch does, without the values: they may be secrets, and there is no object to say so.
pub(crate) fn steps(patch: &Value) -> String {
    let word = |step: &Value, field: &str| step.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let steps = patch.as_array().map(Vec::as_slice).unwrap_or_default();
    if steps.is_empty() {
        return "[]".to_owned();
    }
    steps.iter().map(|step| format!("{} {}", word(step, "op"), word(step, "path"))).collect::<Vec<_>>().join("\n")
}

pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_stays_hidden_in_parts() {
        let secret = json!({"kind": "Secret", "stringData": {"pin": "1"}, "env": [{"name": "DB_PASSWORD", "value": "2"}]});
        let part = json!({"stringData": {"pin": "3", "new": "4"}, "env": [{"value": "5"}], "kept": "6"});
        let shown = json!({"stringData": {"pin": HIDDEN, "new": HIDDEN}, "env": [{"value": HIDDEN}], "kept": "6"});
        assert_eq!(hidden(&part, &secret), shown);
        assert_eq!(steps(&json!([{"op": "add", "path": "/stringData/pin", "value": "1"}])), "add /stringData/pin");
    }

    #[test]
    fn projections_have_what_is_asked_for() {
        let object = json!({"a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 2}, 3]});
        assert_eq!(projected(&object, &json!({"a": {"b": 9}})), json!({"a": {"b": 1}}));
        assert_eq!(projected(&object, &json!({"l": [{"y": 2}]})), json!({"l": [{"y": 2}, 3]}));
        assert_eq!(projected(&object, &json!({"d": 1})), json!({}));
    }

    #[test]
    fn what_would_hold_is_what_changed() {
        let change = |before: Value, after: Value, expected: Value| {
            Change { place: (String::new(), 0), object: None, before, after }.unlike(&expected).and_then(|it| it.now)
        };
        let now = change(json!({"a": {"b": 1}}), json!({"a": {"b": 1, "c": 2}}), json!({"a": {"x": 1}, "y": {"z": 1}}));
        assert_eq!(now, Some(Ok(json!({"a": {"c": 2}}))));
        let now = change(json!({"a": {"b": 1, "l": []}}), json!({"a": {"b": 1}}), json!({"a": {"x": 1}}));
        assert_eq!(now, None);
        let now = change(json!({"a": 1}), json!({"a": 1, "token": "x"}), json!({"a": 2}));
        assert!(matches!(now, Some(Err(_))));
    }
}
