//! Case files with mistakes, and such as are made to do harm.

use fedward_policytest::{CaseFile, Counts, human, json, junit};

use crate::{FILE, Memory, POD, TILL, guest, read, run, suite};

fn wrong(text: &str) -> Vec<String> {
    let error = CaseFile::read(FILE, text.as_bytes().to_vec()).map(|_| ()).unwrap_err();
    error.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = format!(
        "policy: require-identity-label\ncase: []\n---\npolicy: a.yaml\nsettings: {{}}\ncases:\n  - name: a\n    objects: [{TILL}, 3]\n    operation: PATCH\n---\npolicy: require-identity-label\ncases:\n  - {{name: a, objects: [{TILL}], raw: 1}}\n  - {{name: a, request: {{}}, user: ada, namespace: Shop}}\n  - {{name: b}}\n"
    );
    assert_eq!(
        wrong(&text),
        [
            "a.policy-test.yaml:1:1: `cases` is required",
            "a.policy-test.yaml:2:1: no such field: `case` (did you mean `cases`?)",
            "a.policy-test.yaml:8:91: a path or an object is required",
            "a.policy-test.yaml:9:16: one of `CREATE`, `UPDATE`, `DELETE` is required",
            "a.policy-test.yaml:11:9: no such built-in policy: `require-identity-label` (did you mean `require-identity-labels`?); a file needs its extension, a folder its `/`",
            "a.policy-test.yaml:13:24: `objects` means nothing beside `raw`",
            "a.policy-test.yaml:14:5: the cases of a suite are for a raw policy (`raw`) all, or none",
            "a.policy-test.yaml:14:12: another case of the suite has this name",
            "a.policy-test.yaml:14:34: `user` means nothing beside `request`",
            "a.policy-test.yaml:14:50: `namespace` means nothing beside `request`",
            "a.policy-test.yaml:14:50: no name of a namespace",
            "a.policy-test.yaml:15:5: `objects`, `old`, `request` or `raw` is required",
        ]
    );
    let expect = |expect: &str| wrong(&suite(&guest("accepts"), &format!("objects: [{TILL}]"), &[expect]));
    assert!(expect("{message: /(/}")[0].contains("no regular expression"));
    assert!(expect("{patch: [{op: put, path: /a}]}")[0].contains("no JSON Patch"));
    assert!(expect("{findings: [{at: a.yaml}]}")[0].contains("file:line"));
    assert!(expect("{findings: [{sverity: error}]}")[0].contains("did you mean `severity`?"));
    assert_eq!(wrong("policy: a.yaml\nsettings: {}\ncases: []\n"), ["a.policy-test.yaml:2:11: the manifests have settings of their own"]);
    assert!(!wrong("policy: [\n").is_empty());
}

#[test]
fn sizes_and_counts_have_bounds() {
    assert!(wrong(&" ".repeat((16 << 20) + 1))[0].ends_with("larger than 16 MiB"));
    let mut many = format!("policy: {}\ncases:\n", guest("accepts"));
    for index in 0..10_001 {
        many.push_str(&format!("- {{name: '{index}', objects: [x]}}\n"));
    }
    assert_eq!(wrong(&many), ["a.policy-test.yaml: more than 10000 cases"]);
    let findings = format!("{{findings: [{}]}}", "{},".repeat(1_001));
    assert!(wrong(&suite(&guest("accepts"), "objects: [x]", &[&findings]))[0].contains("more than 1000 findings"));
}

#[test]
fn a_module_that_never_ends_is_one_failure() {
    let text = suite(&guest("hangs"), &format!("objects: [{TILL}]"), &["{allowed: true}", "{notEvaluated: time}"]);
    let results = run(&[read(&text)], &Memory::default());
    assert_eq!(Counts::of(&results), Counts { passed: 1, failed: 1, ..Counts::default() });
}

#[test]
fn outputs_do_not_obey_what_they_show() {
    let text = suite(
        &guest("rejects"),
        &format!("objects: [{TILL}]"),
        &["{message: \"\\e[31m\\u202ered\\nok      other: case\"}", "{allowed: false}"],
    );
    let text = text.replace("case 1", "\"\\e]0;title\\a <&>\"");
    let results = run(&[read(&text)], &Memory::default());
    let mut shown = Vec::new();
    human(&results, false, &mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("ok ")).count(), 1, "{shown}");
    let mut xml = Vec::new();
    junit(&results, &mut xml).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert!(xml.contains("failures=\"1\" errors=\"0\"") && xml.contains("&lt;&amp;&gt;") && !xml.contains(['\u{1b}', '\u{202e}']), "{xml}");
    let mut text = Vec::new();
    json(&results, &mut text).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(report["summary"]["failed"], 1);
    assert_eq!(report["cases"][0]["differences"][0]["field"], "message");
}

#[test]
fn long_differences_are_cut() {
    let wide = "x".repeat(1 << 20);
    let many: String = (0..5_000).map(|index| format!("{index}\\n")).collect();
    let text =
        suite(&guest("rejects"), &format!("objects: [{POD}]"), &[&format!("{{message: \"{wide}\"}}"), &format!("{{message: \"{many}\"}}")]);
    let results = run(&[read(&text)], &Memory::default());
    let mut shown = Vec::new();
    human(&results, false, &mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.len() < 1 << 19 && shown.contains("more lines)"), "{}", shown.len());
}

/// What the reader refuses an editor shows, as far as a schema can say it, and no more.
#[test]
fn the_schema_says_what_the_reader_says() {
    let schema = jsonschema::validator_for(&fedward_policytest::schema()).unwrap();
    for (case, is_right) in [
        ("objects: [a.yaml], expect: {allowed: true}", true),
        ("objects: [a.yaml], old: [b.yaml]", true),
        ("old: [b.yaml]", true),
        ("request: a.yaml, context: [a.yaml]", true),
        ("expect: {invalidSettings: level}", true),
        ("objects: [a.yaml], expect: {mutated: {a: 1}, patch: [{op: add, path: /a, value: 1}]}", true),
        ("expect: {allowed: true}", false),
        ("objects: []", false),
        ("objects: [a.yaml], raw: 1", false),
        ("request: a.yaml, user: ada", false),
        ("objects: [a.yaml], old: [b.yaml], operation: UPDATE", false),
        ("objects: [\"\"]", false),
        ("objects: [a.yaml], user: null", false),
        ("objects: [a.yaml], expect: {patch: {}}", false),
        ("objects: [a.yaml], expect: {patch: null}", false),
        ("objects: [a.yaml], expect: {mutated: null}", false),
        ("objects: [a.yaml], expect: {allowed: null}", false),
        ("objects: [a.yaml], expect: {findings: [{rule: null}]}", false),
        ("objects: [a.yaml], name: \" \"", false),
    ] {
        let name = if case.contains("name:") { "" } else { "name: a, " };
        let text = format!("{{policy: {}, cases: [{{{name}{case}}}]}}", guest("accepts"));
        let value: serde_json::Value = fedward_engine::from_yaml(&text).unwrap();
        let read = CaseFile::read(FILE, text.into_bytes());
        assert_eq!((schema.is_valid(&value), read.is_ok()), (is_right, is_right), "{case}\n{:?}", read.map(|_| ()));
    }
    assert!(!schema.is_valid(&serde_json::json!({ "policy": guest("accepts"), "cases": [] })));
}
