//! `.argocd-source.yaml`: parameters that are committed beside the files of a source.

use crate::checkout::{Checkout, Lost};
use crate::path;
use crate::reason::Stop;
use crate::shape::{SOURCE, mismatch};
use crate::value::{Data, Value};

/// Fields that no such file changes.
const FIXED: [&str; 4] = ["chart", "path", "repoURL", "targetRevision"];

/// Merges the file for every Application, and the one for this one, into a source.
pub(super) fn apply(source: &mut Value, checkout: &Checkout, folder: &str, instance: &str) -> Result<(), Stop> {
    let fixed: Vec<(&str, Option<Value>)> = FIXED.iter().map(|key| (*key, source.get(key).cloned())).collect();
    for name in [".argocd-source.yaml".to_owned(), format!(".argocd-source-{instance}.yaml")] {
        // A name is a name: one with a slash in it is no file of this folder.
        let Some(file) = Some(name).filter(|name| !name.contains('/')).and_then(|name| path::join(folder, &name)) else { continue };
        let parsed = match checkout.documents(&file) {
            Ok(parsed) => parsed,
            Err(Lost::Missing | Lost::NotFile) => continue,
            Err(lost) => return Err(Stop::failed(&source.place, format!("`{}` {lost}", checkout.shown(&file)))),
        };
        let document = parsed.only().map_err(|problem| {
            let line = parsed.source.position(problem.span.start).line;
            Stop::failed(&source.place, format!("`{}` is no YAML, line {line}: {}", checkout.shown(&file), problem.message))
        })?;
        let Some(document) = document else { continue };
        let patch = Value::read(document, document.root());
        if patch.as_map().is_none() {
            return Err(Stop::failed(&patch.place, format!("`{}` is {} and must be a map", checkout.shown(&file), patch.kind())));
        }
        let merged = merge(source, &patch);
        if let Some((place, text)) = mismatch(&merged, &SOURCE, "") {
            return Err(Stop::failed(&place, text));
        }
        overlay(source, &merged, false);
    }
    for (key, value) in fixed {
        match value {
            Some(value) => source.insert(key, value),
            None => _ = source.remove(key),
        }
    }
    Ok(())
}

/// RFC 7386.
fn merge(target: &Value, patch: &Value) -> Value {
    let Some(changes) = patch.as_map() else { return patch.clone() };
    let mut merged = if target.as_map().is_some() { target.clone() } else { Value::map(&patch.place) };
    for (key, change) in changes {
        if change.is_null() {
            merged.remove(key);
        } else {
            let below = merged.get(key).cloned().unwrap_or_else(|| Value::new(Data::Null, &change.place));
            merged.insert(key, merge(&below, change));
        }
    }
    merged
}

/// Go reads the merged source into the one that there was, and what the merge has taken away stays: fields and entries of maps are kept,
/// and items of lists are changed field by field. Only values of charts are replaced.
fn overlay(value: &mut Value, merged: &Value, is_raw: bool) {
    match (&mut value.data, &merged.data) {
        (Data::Map(map), Data::Map(merged)) if !is_raw => {
            for (key, merged) in merged {
                match map.get_mut(key) {
                    Some(value) => overlay(value, merged, key == "valuesObject"),
                    None => _ = map.insert(key.clone(), merged.clone()),
                }
            }
        }
        (Data::List(items), Data::List(merged)) if !is_raw => {
            items.truncate(merged.len());
            for (index, merged) in merged.iter().enumerate() {
                match items.get_mut(index) {
                    Some(item) => overlay(item, merged, false),
                    None => items.push(merged.clone()),
                }
            }
        }
        _ => *value = merged.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_text::value;

    fn merged(source: &str, patch: &str) -> String {
        let mut source = value(source).1;
        let merged = merge(&source, &value(patch).1);
        overlay(&mut source, &merged, false);
        source.to_json().to_string()
    }

    #[test]
    fn overrides_are_merged() {
        for (source, patch, expected) in [
            ("{helm: {valueFiles: [a]}}", "{helm: {valueFiles: [b, c]}}", r#"{"helm":{"valueFiles":["b","c"]}}"#),
            ("{helm: {valueFiles: [a, b]}}", "{helm: {valueFiles: [c]}}", r#"{"helm":{"valueFiles":["c"]}}"#),
            ("{}", "{kustomize: {images: [a=b]}}", r#"{"kustomize":{"images":["a=b"]}}"#),
            // What a null takes away, Go leaves where it was.
            ("{helm: {releaseName: a, skipCrds: true}}", "{helm: {releaseName: null}}", r#"{"helm":{"releaseName":"a","skipCrds":true}}"#),
            (
                "{kustomize: {images: [a]}}",
                "{kustomize: null, helm: {skipCrds: true}}",
                r#"{"helm":{"skipCrds":true},"kustomize":{"images":["a"]}}"#,
            ),
            // And so are fields of the item that stood at the same place of a list.
            (
                "{helm: {parameters: [{name: a, value: b, forceString: true}]}}",
                "{helm: {parameters: [{name: c, value: d}]}}",
                r#"{"helm":{"parameters":[{"forceString":true,"name":"c","value":"d"}]}}"#,
            ),
            (
                "{helm: {valuesObject: {a: 1, b: {c: 2}}}}",
                "{helm: {valuesObject: {a: null, b: {d: 3}}}}",
                r#"{"helm":{"valuesObject":{"b":{"c":2,"d":3}}}}"#,
            ),
        ] {
            assert_eq!(merged(source, patch), expected, "{source} {patch}");
        }
    }
}
