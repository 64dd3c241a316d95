//! The table of cases on a native build: quick to run, and to debug. `crates/conditions` runs it in the sandbox.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use fedward_cel::session::Session;
use serde_json::{Value, json};

const CASES: &str = include_str!("../cases/cases.txt");
const VARIABLES: &str = include_str!("../cases/variables.json");

fn outcome(session: &mut Session, expression: &str) -> String {
    let compiled = session.compile(json!({ "expressions": [expression] }).to_string().as_bytes()).unwrap();
    let compiled: Value = serde_json::from_slice(&compiled).unwrap();
    if let Some(message) = compiled.pointer("/0/problems/0/message") {
        return format!("refused: {}", message.as_str().unwrap());
    }
    let mut payload: Value = serde_json::from_str(VARIABLES).unwrap();
    payload["number"] = json!(1);
    payload["fresh"] = json!(true);
    payload["sets"] = json!([[expression]]);
    let verdict = session.evaluate(payload.to_string().as_bytes()).unwrap();
    match serde_json::from_slice::<Vec<Value>>(&verdict).unwrap().remove(0) {
        Value::String(text) if text == "match" => "true".to_owned(),
        verdict if verdict.get("no_match").is_some() => "false".to_owned(),
        verdict => format!("error: {}", verdict.pointer("/error/1").unwrap().as_str().unwrap()),
    }
}

#[test]
fn every_case_of_the_table_holds() {
    let mut session = Session::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in CASES.lines().filter(|line| !line.starts_with('#')) {
        let Some((expression, expected)) = line.split_once(" ==> ") else { continue };
        count += 1;
        let found = outcome(&mut session, expression);
        // What only says `error` or `refused:` leaves the words to the interpreter.
        let holds = match expected {
            "error" | "refused: " | "refused:" => found.starts_with(expected.trim_end()),
            expected => found == expected,
        };
        if !holds {
            wrong.push(format!("{expression}\n    expected {expected}\n    found    {found}"));
        }
    }
    assert!(count >= 120, "only {count} cases");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
