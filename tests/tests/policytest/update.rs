//! Expectations rewritten in place.

use fedward_policytest::{Verdict, update};

use crate::{FILE, Memory, TILL, guest, read, run, told};

/// The text after `--update`, which passes then, and what came of the cases.
fn updated(text: &str) -> (String, Vec<String>) {
    let files = [read(text)];
    let mut results = run(&files, &Memory::default());
    let rewritten = update(&files, &mut results);
    let after = rewritten.into_iter().next().map_or_else(|| text.to_owned(), |one| one.text);
    for (result, again) in results.iter().zip(run(&[read(&after)], &Memory::default())) {
        assert_eq!(matches!(result.verdict, Verdict::Passed | Verdict::Updated), matches!(again.verdict, Verdict::Passed), "{after}");
    }
    (after, told(&results))
}

#[test]
fn only_what_differs_is_written() {
    let before = format!(
        "# About these.\npolicy: {}\ncases:\n  - name: a # one\n    objects: [{TILL}]\n    expect:\n      allowed: true # really\n      # In its words.\n      message: 'no till'\n      warnings: [more]\n  - name: b\n    objects: [{TILL}]\n    expect: {{allowed: false}}\n# The end.\n",
        guest("rejects")
    );
    let (after, told) = updated(&before);
    assert_eq!(told, ["updated", "ok"]);
    assert_eq!(after, before.replace("allowed: true", "allowed: false").replace("[more]", "[]"));
}

#[test]
fn an_expectation_is_made_where_there_is_none() {
    for (name, has) in [
        ("rejects", "message: no till runs as root"),
        ("labels", "path: /metadata/labels"),
        ("for-services", "reached: false"),
        ("talks-nonsense", "notEvaluated: "),
        ("refuses-settings", "invalidSettings: "),
    ] {
        let (after, told) = updated(&format!("policy: {}\ncases:\n  - name: a\n    objects:\n      - {TILL}\n", guest(name)));
        assert!(told == ["updated"] && after.contains(has), "{name}: {after}");
    }
}

#[test]
fn several_documents_and_cases_of_one_file() {
    let one = format!(
        "policy: {}\ncases:\n- name: a\n  objects: [{TILL}]\n  expect: {{allowed: true}}\n- name: b\n  objects: [{TILL}]\n",
        guest("rejects")
    );
    let (after, told) = updated(&format!("{one}---\n{one}"));
    assert_eq!(told, ["updated"; 4]);
    assert_eq!(after.matches("allowed: false").count(), 4, "{after}");
}

#[test]
fn json_stays_json() {
    let object = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "till", "namespace": "shop"}}"#;
    let text = format!(
        "{{\n  \"policy\": \"{}\",\n  \"cases\": [\n    {{\"name\": \"a\", \"objects\": [{object}], \"expect\": {{\"allowed\": true}}}}\n  ]\n}}\n",
        guest("rejects")
    );
    let (after, told) = updated(&text);
    assert_eq!((told, after), (vec!["updated".to_owned()], text.replace("\"allowed\": true", "\"allowed\": false")));
}

#[test]
fn what_others_use_is_not_rewritten() {
    let text = format!(
        "policy: {}\ncases:\n  - {{name: a, objects: [{TILL}], expect: &all {{allowed: true}}}}\n  - {{name: b, objects: [{TILL}], expect: *all}}\n",
        guest("rejects")
    );
    let files = [read(&text)];
    let mut results = run(&files, &Memory::default());
    let rewritten = update(&files, &mut results);
    assert!(
        matches!(results[0].verdict, Verdict::Failed { .. }) && results[0].notes.iter().any(|note| note.contains("alias")),
        "{results:?}"
    );
    // An alias can give way to what it stood for.
    assert!(matches!(results[1].verdict, Verdict::Updated), "{results:?}");
    assert_eq!(rewritten[0].text, text.replace("*all", "{allowed: false}"));
    assert_eq!(results[0].file, FILE);
}
