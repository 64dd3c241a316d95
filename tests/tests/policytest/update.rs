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

/// A set that changes two objects of a case.
const TWO: &str = "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: a}\nspec:\n  module: registry://registry.example/labels:v1\n  mutating: true\n  rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}]\n---\napiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: b}\nspec:\n  module: registry://registry.example/writes-secrets:v1\n  mutating: true\n  rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [secrets], operations: [CREATE]}]\n";

#[test]
fn what_changes_of_several_objects_is_not_written() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: till, namespace: shop}, stringData: {pin: 4711-before}}";
    let text = format!("policy: policy.yaml\ncases:\n  - name: a\n    objects: [{TILL}, {secret}]\n    expect: {{patch: []}}\n");
    let files = [read(&text)];
    let memory = Memory::with(&[("policy.yaml", TWO)]);
    let mut results = run(&files, &memory);
    assert!(update(&files, &mut results).is_empty());
    let said = told(&results).join("\n");
    assert!(said.contains("the policy changes 2 objects:\nConfigMap till: add /metadata/labels") && !said.contains("4711"), "{said}");
    assert!(results[0].notes.iter().any(|note| note.contains("a case for each")), "{results:?}");
}

#[test]
fn secrets_are_not_written() {
    let text = format!(
        "policy: {}\ncases:\n  - name: a\n    objects: [{{apiVersion: v1, kind: Secret, metadata: {{name: till, namespace: shop}}, stringData: {{pin: before}}}}]\n    expect: {{patch: []}}\n",
        guest("writes-secrets")
    );
    let (after, told) = updated(&text);
    assert!(after == text && told[0].starts_with("patch: "), "{after}");
}

#[test]
fn what_changed_is_written_and_nothing_hollow() {
    let text = format!(
        "policy: {}\ncases:\n  - name: a\n    objects: [{TILL}]\n    expect: {{mutated: {{metadata: {{annotations: {{wanted/other: \"1\"}}}}, spec: {{x: 1}}}}}}\n",
        guest("labels")
    );
    let (after, told) = updated(&text);
    assert_eq!(told, ["updated"]);
    assert_eq!(after, text.replace("{annotations: {wanted/other: \"1\"}}, spec: {x: 1}", "{labels: {owner: shop}}"), "{after}");
}

#[test]
fn entries_that_hold_keep_their_text_and_their_comments() {
    let text = format!(
        "policy: {}\ncases:\n  - name: a\n    objects: [{TILL}]\n    expect:\n      warnings:\n        - nope # about nope\n        - /^second/ # keep\n      findings:\n        - message: /^first/ # one\n        - message: other # two\n",
        guest("warns-twice")
    );
    let (after, told) = updated(&text);
    assert_eq!(told, ["updated"]);
    assert!(after.contains("      warnings:\n        - /^second/ # keep\n        - first warning\n"), "{after}");
    assert!(after.contains("second warning\n          severity: warning\n        - message: /^first/ # one\n"), "{after}");
    assert!(!after.contains("nope") && !after.contains("# two") && !after.contains("path:") && !after.contains("rule:"), "{after}");
}

#[test]
fn what_is_not_judged_stays_failed() {
    for name in ["talks-nonsense", "hangs"] {
        let text = format!("policy: {}\ncases:\n  - name: a\n    objects: [{TILL}]\n    expect: {{allowed: false}}\n", guest(name));
        let (after, told) = updated(&text);
        assert!(after == text && told[0].starts_with("notEvaluated: "), "{after}\n{told:?}");
    }
}

#[test]
fn what_is_reached_is_not_written() {
    let (after, told) = updated(&format!(
        "policy: {}\ncases:\n  - name: a\n    objects: [{TILL}]\n    expect: {{reached: false, allowed: true}}\n",
        guest("accepts")
    ));
    assert!(told == ["updated"] && after.contains("expect: {allowed: true}"), "{after}");
}
