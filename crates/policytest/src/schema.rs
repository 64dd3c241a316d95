//! The JSON Schema of case files: the fields and their types as [`crate::model`] has them, and what else the reader asks for.

use serde_json::{Value, json};

use crate::model::Suite;

/// The JSON Schema of one document of a case file.
pub fn schema() -> Value {
    let mut schema: Value = schemars::schema_for!(Suite).into();
    without_null(&mut schema);
    if let Some(case) = schema.pointer_mut("/$defs/Case").and_then(Value::as_object_mut) {
        case.insert("anyOf".to_owned(), what_is_asked());
        case.insert("dependentSchemas".to_owned(), alone());
    }
    if let Some(patch) = schema.pointer_mut("/$defs/Expect/properties/patch").and_then(Value::as_object_mut) {
        let step = json!({
            "type": "object",
            "required": ["op", "path"],
            "properties": {
                "op": { "enum": ["add", "remove", "replace", "move", "copy", "test"] },
                "path": { "type": "string" },
                "from": { "type": "string" },
                "value": {},
            },
        });
        patch.insert("type".to_owned(), "array".into());
        patch.insert("items".to_owned(), step);
    }
    if let Some(mutated) = schema.pointer_mut("/$defs/Expect/properties/mutated").and_then(Value::as_object_mut) {
        mutated.insert("not".to_owned(), json!({ "type": "null" }));
    }
    schema
}

/// A case asks something, if it is not about settings alone.
fn what_is_asked() -> Value {
    json!([
        { "required": ["objects"], "properties": { "objects": { "minItems": 1 } } },
        { "required": ["old"], "properties": { "old": { "minItems": 1 } } },
        { "required": ["request"] },
        { "required": ["raw"] },
        { "required": ["expect"], "properties": { "expect": { "required": ["invalidSettings"] } } },
    ])
}

/// Fields beside which others mean nothing.
fn alone() -> Value {
    let without = |fields: &[&str]| {
        let fields: Vec<Value> = fields.iter().map(|field| json!({ "required": [field] })).collect();
        json!({ "not": { "anyOf": fields } })
    };
    let request = ["objects", "old", "operation", "user", "groups", "namespace"];
    let raw: Vec<&str> = request.into_iter().chain(["request", "context", "closedWorld", "cluster"]).collect();
    json!({ "request": without(&request), "raw": without(&raw), "old": without(&["operation"]) })
}

/// What is optional is left out, never `null`.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").filter(|types| types.is_array()) {
        let kept: Vec<Value> = types.as_array().into_iter().flatten().filter(|name| *name != "null").cloned().collect();
        *types = match kept.as_slice() {
            [only] => only.clone(),
            _ => kept.into(),
        };
    }
    if let Some(fields) = schema.as_object_mut()
        && let Some(any) = fields.get("anyOf").and_then(Value::as_array)
        && let [one, other] = any.as_slice()
        && *other == json!({ "type": "null" })
        && let Some(one) = one.as_object().cloned()
    {
        fields.remove("anyOf");
        fields.extend(one);
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(without_null),
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}
