//! `templatePatch`: a strategic merge patch on an Application.

use crate::reason::Stop;
use crate::value::{Data, Value};

/// Where the patch is, as far as it matters: lists are replaced, but for finalizers, and what has no schema cannot be merged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Root,
    Metadata,
    /// In `valuesObject`, of which the API knows no fields.
    Raw,
    Other,
}

const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Merges a patch into an Application.
///
/// # Errors
/// The patch has directives that cannot be followed, or changes something inside of `valuesObject` that is itself a map or a list, for
/// which Argo CD finds no schema.
pub(crate) fn apply(original: &mut Value, patch: &Value) -> Result<(), Stop> {
    merge(original, patch, Where::Root)
}

fn merge(original: &mut Value, patch: &Value, at: Where) -> Result<(), Stop> {
    let Some(entries) = patch.as_map() else { return Ok(()) };
    match entries.get("$patch").map(|directive| (directive, directive.as_str())) {
        None | Some((_, Some("merge"))) => {}
        Some((_, Some("replace"))) => {
            let mut replaced = patch.clone();
            replaced.remove("$patch");
            *original = replaced;
            return Ok(());
        }
        Some((_, Some("delete"))) => {
            *original = Value::map(&patch.place);
            return Ok(());
        }
        Some((directive, _)) => return Err(Stop::failed(&directive.place, "`$patch` is none of `merge`, `replace` and `delete`")),
    }
    retain(original, patch)?;
    for (key, value) in entries {
        if matches!(key.as_str(), "$patch" | "$retainKeys") || key.starts_with(ORDER) {
            continue;
        }
        if let Some(list) = key.strip_prefix(DELETE_FROM) {
            let gone: Vec<&Value> = value.as_list().unwrap_or_default().iter().collect();
            if let Some(Data::List(items)) = original.get_mut(list).map(|list| &mut list.data) {
                items.retain(|item| !gone.iter().any(|gone| gone.data == item.data));
            }
            continue;
        }
        if value.is_null() {
            original.remove(key);
            continue;
        }
        let below = match (at, key.as_str()) {
            (Where::Raw, _) | (_, "valuesObject") => Where::Raw,
            (Where::Root, "metadata") => Where::Metadata,
            _ => Where::Other,
        };
        match original.get_mut(key) {
            None => original.insert(key, without_directives(value)),
            Some(present) => match (&mut present.data, &value.data) {
                (Data::Map(_), Data::Map(_)) | (Data::List(_), Data::List(_)) if at == Where::Raw => {
                    let what = format!("`{key}` is in `valuesObject` of the template, too: a patch cannot change maps and lists in there");
                    return Err(Stop::failed(&value.place, what));
                }
                (Data::Map(_), Data::Map(_)) => merge(present, value, below)?,
                (Data::List(items), Data::List(added)) if at == Where::Metadata && key == "finalizers" => {
                    for item in added {
                        if !items.iter().any(|present| present.data == item.data) {
                            items.push(item.clone());
                        }
                    }
                }
                _ => *present = value.clone(),
            },
        }
    }
    Ok(())
}

/// `$retainKeys`: what is not in the list goes.
fn retain(original: &mut Value, patch: &Value) -> Result<(), Stop> {
    let Some(retained) = patch.get("$retainKeys") else { return Ok(()) };
    let Some(list) = retained.as_list() else { return Err(Stop::failed(&retained.place, "`$retainKeys` is no list")) };
    let keeps = |key: &str| list.iter().any(|kept| kept.as_str() == Some(key));
    let unlisted = patch.as_map().into_iter().flatten().find(|(key, value)| !key.starts_with('$') && !value.is_null() && !keeps(key));
    if let Some((key, value)) = unlisted {
        return Err(Stop::failed(&value.place, format!("`{key}` is set, and missing in `$retainKeys`")));
    }
    if let Data::Map(map) = &mut original.data {
        map.retain(|key, _| keeps(key));
    }
    Ok(())
}

/// What a patch sets where there was nothing: without directives and nulls.
fn without_directives(value: &Value) -> Value {
    let data = match &value.data {
        Data::Map(map) => {
            let entries = map.iter().filter(|(key, value)| !value.is_null() && !is_directive(key));
            Data::Map(entries.map(|(key, value)| (key.clone(), without_directives(value))).collect())
        }
        other => other.clone(),
    };
    Value::new(data, &value.place)
}

fn is_directive(key: &str) -> bool {
    matches!(key, "$patch" | "$retainKeys") || key.starts_with(ORDER) || key.starts_with(DELETE_FROM)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::test_text::value;

    fn patched(original: &str, patch: &str) -> Result<String, String> {
        let mut original = value(original).1;
        apply(&mut original, &value(patch).1).map_err(|stop| stop.reason().text.clone())?;
        Ok(original.to_json().to_string())
    }

    #[test]
    fn patches_are_merged() {
        for (original, patch, expected) in [
            ("{a: {b: 1, c: 2}}", "{a: {c: 3, d: 4}}", r#"{"a":{"b":1,"c":3,"d":4}}"#),
            ("{a: {b: 1, c: 2}}", "{a: {c: null}}", r#"{"a":{"b":1}}"#),
            ("{spec: {project: x}}", "{spec: null}", "{}"),
            ("{a: [1, 2]}", "{a: [3]}", r#"{"a":[3]}"#),
            ("{a: text}", "{a: {b: 1}}", r#"{"a":{"b":1}}"#),
            ("{a: {b: 1}}", "{a: text}", r#"{"a":"text"}"#),
            ("{}", "{a: {b: {c: null, d: 1}, $patch: replace}}", r#"{"a":{"b":{"d":1}}}"#),
            ("{a: {b: 1, c: 2}}", "{a: {$patch: replace, d: 3}}", r#"{"a":{"d":3}}"#),
            ("{a: {b: 1}}", "{a: {$patch: delete}}", r#"{"a":{}}"#),
            ("{a: {b: 1, c: 2}}", "{a: {$retainKeys: [c, d], d: 3}}", r#"{"a":{"c":2,"d":3}}"#),
            ("{metadata: {finalizers: [a, b]}}", "{metadata: {finalizers: [b, c]}}", r#"{"metadata":{"finalizers":["a","b","c"]}}"#),
            (
                "{metadata: {finalizers: [a, b]}}",
                "{metadata: {$deleteFromPrimitiveList/finalizers: [a], $setElementOrder/finalizers: [b]}}",
                r#"{"metadata":{"finalizers":["b"]}}"#,
            ),
            ("{spec: {finalizers: [a]}}", "{spec: {finalizers: [b]}}", r#"{"spec":{"finalizers":["b"]}}"#),
            ("{h: {valuesObject: {a: 1}}}", "{h: {valuesObject: {a: 2, b: {c: 3}}}}", r#"{"h":{"valuesObject":{"a":2,"b":{"c":3}}}}"#),
            ("{a: 1}", "null", r#"{"a":1}"#),
        ] {
            assert_eq!(patched(original, patch).as_deref(), Ok(expected), "{original} {patch}");
        }
    }

    #[test]
    fn what_cannot_be_merged_is_said() {
        for (original, patch) in [
            ("{h: {valuesObject: {a: {b: 1}}}}", "{h: {valuesObject: {a: {c: 2}}}}"),
            ("{h: {valuesObject: {a: [1]}}}", "{h: {valuesObject: {a: [2]}}}"),
            ("{a: {b: 1}}", "{a: {$patch: other}}"),
            ("{a: {b: 1}}", "{a: {$retainKeys: [b], c: 1}}"),
            ("{a: {b: 1}}", "{a: {$retainKeys: b}}"),
        ] {
            assert!(patched(original, patch).is_err(), "{original} {patch}");
        }
    }
}
