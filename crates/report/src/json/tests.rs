#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use fedward_outcome::Outcome;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::testing::{deployed, everything, finding, json_text, outcome, place, source};

const SCHEMA: &str = include_str!("../../../../docs/schema/report.schema.json");

fn valid(outcome: &Outcome) -> Value {
    let text = json_text(outcome);
    assert_eq!(text.matches('\n').count(), 1);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problems(&document), [] as [String; 0]);
    document
}

fn problems(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn everything_fits_the_schema() {
    assert_snapshot!(serde_json::to_string_pretty(&valid(&everything())).unwrap());
}

#[test]
fn nothing_fits_the_schema() {
    let document = valid(&Outcome::default());
    assert_eq!(document["findings"], json!([]));
    assert_eq!(document["summary"]["findings"], json!({"error": 0, "warning": 0, "info": 0}));
}

#[test]
fn applications_and_what_makes_them_are_counted_apart() {
    use fedward_outcome::{Deployed, State};
    let set = |state| Deployed { kind: "ApplicationSet", ..deployed("argocd/all", state) };
    let all = vec![deployed("argocd/web", State::Rendered), set(State::Deferred), set(State::Rendered), set(State::Deferred)];
    let summary = valid(&Outcome { deployed: all, ..outcome(Vec::new()) })["summary"].clone();
    assert_eq!(summary["applications"], json!({"rendered": 1, "partial": 0, "deferred": 0, "failed": 0}));
    assert_eq!(summary["application_sets"], json!({"rendered": 1, "partial": 0, "deferred": 2, "failed": 0}));
    let without = valid(&Outcome { deployed: vec![deployed("argocd/web", State::Failed)], ..outcome(Vec::new()) });
    assert!(without["summary"]["application_sets"].is_null());
}

#[test]
fn the_schema_refuses_what_it_does_not_know() {
    let good = valid(&everything());
    let changed = |pointer: &str, value: Value| {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        problems(&document)
    };
    for (pointer, value) in [
        ("/findings/0/location", json!({"file": "a.yaml"})),
        ("/findings/0/location/line", json!(0)),
        ("/findings/0/severity", json!("fatal")),
        ("/findings/0/related/0/message", json!(1)),
        ("/findings/0/fix/0", json!({"op": "move", "path": ""})),
        ("/findings/0/fix/0", json!({"op": "add", "path": ""})),
        ("/schema_version", json!(2)),
        ("/summary/findings/error", json!(-1)),
    ] {
        assert_ne!(changed(pointer, value), [] as [String; 0], "{pointer}");
    }
    for pointer in
        ["", "/summary", "/findings/0", "/findings/0/location", "/findings/0/related/0", "/findings/0/object", "/skipped/0", "/unread/0"]
    {
        let mut document = good.clone();
        document.pointer_mut(pointer).unwrap()["surprise"] = json!(true);
        assert_ne!(problems(&document), [] as [String; 0], "{pointer}");
    }
}

#[test]
fn columns_count_characters() {
    let document = valid(&outcome(vec![finding(place(&source("a.yaml", "größe: 😀 'web'\r\nx: y\n"), "'web'\r\nx"))]));
    let location = &document["findings"][0]["location"];
    let numbers = ["line", "column", "end_line", "end_column"].map(|name| location[name].as_u64().unwrap());
    assert_eq!(numbers, [1, 10, 2, 2]);
}

#[test]
fn ten_thousand_findings() {
    let base = finding(place(&source("a.yaml", "kind: Pod\n"), "Pod"));
    assert_eq!(valid(&outcome(vec![base; 10_000]))["findings"].as_array().unwrap().len(), 10_000);
}
