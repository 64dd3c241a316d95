#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::HashSet;

use fedward_manifest::{
    Limits, Span,
    edit::{self, Step},
    parse, split,
};
use fedward_outcome::{Edit, Outcome};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::testing::{GATE, RULES, WEB, at, deployed, everything, find, finding, outcome, place, related, sarif_text, source};
use crate::{Tool, sarif};

/// The schema of the standard, unchanged; see the notice beside it.
const SCHEMA: &str = include_str!("../../tests/schema/sarif-schema-2.1.0.json");

fn valid(outcome: &Outcome) -> Value {
    let document: Value = serde_json::from_str(&sarif_text(outcome)).unwrap();
    check(&document);
    document
}

fn check(document: &Value) {
    assert_eq!(problems(document), [] as [String; 0]);
}

fn problems(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn results(outcome: &Outcome) -> Vec<Value> {
    valid(outcome)["runs"][0]["results"].as_array().unwrap().clone()
}

#[test]
fn everything_fits_the_standard() {
    assert_snapshot!(serde_json::to_string_pretty(&valid(&everything())).unwrap());
}

#[test]
fn nothing_fits_the_standard() {
    let document = valid(&Outcome { evaluated: 1, ..Outcome::default() });
    assert_eq!(document["runs"][0]["invocations"], json!([{"executionSuccessful": true, "toolExecutionNotifications": []}]));
    assert_eq!(document["runs"][0]["results"], json!([]));
}

#[test]
fn the_schema_is_really_applied() {
    let mut document = valid(&everything());
    document["runs"][0]["results"][0]["level"] = json!("fatal");
    document["runs"][0]["tool"]["driver"]["informationUri"] = json!("not a uri");
    assert_eq!(problems(&document).len(), 2);
}

#[test]
fn rules_are_found_by_their_index() {
    let mut foreign = finding(at("a.yaml", "kind: Pod\n", "Pod"));
    foreign.rule = "of-another".into();
    foreign.policy = "third-party".into();
    foreign.docs = "https://third.example/rule".into();
    let mut without_page = foreign.clone();
    without_page.rule = "without-page".into();
    without_page.docs = "not an address".into();
    let document = valid(&outcome(vec![foreign.clone(), without_page, foreign, finding(at("a.yaml", "kind: Pod\n", "Pod"))]));
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len() + 2);
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    assert_eq!(rules[1]["helpUri"], "https://docs.example/fedward/rules/missing-label.md");
    assert_eq!(rules[2]["helpUri"], "https://third.example/rule");
    assert_eq!(rules[3].get("helpUri"), None);
}

#[test]
fn without_a_home_there_are_no_links() {
    let mut out = Vec::new();
    sarif(&Outcome::default(), &GATE, &Tool { name: "fedward", version: "1.2.3", home: None }, RULES, &mut out).unwrap();
    let document: Value = serde_json::from_slice(&out).unwrap();
    check(&document);
    let driver = &document["runs"][0]["tool"]["driver"];
    assert_eq!((driver.get("informationUri"), driver["rules"][0].get("helpUri")), (None, None));
}

#[test]
fn files_are_uris_below_the_root() {
    let findings = ["my apps/ü.yaml", "/srv/a.yaml"].map(|name| finding(at(name, "kind: Pod\n", "Pod"))).to_vec();
    let files: Vec<Value> =
        results(&outcome(findings)).iter().map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"].clone()).collect();
    assert_eq!(files, [json!({"uri": "my%20apps/%C3%BC.yaml", "uriBaseId": "%SRCROOT%"}), json!({"uri": "file:///srv/a.yaml"})]);
}

#[test]
fn a_fix_is_the_edits() {
    let text = "metadata:\n  name: wéb\n";
    let file = source("a.yaml", text);
    let mut fixable = finding(place(&file, "metadata"));
    let end = u32::try_from(text.len()).unwrap();
    fixable.edits = vec![
        Edit { span: find(&file, "wéb"), text: "shop".into() },
        Edit { span: find(&file, "  name"), text: String::new() },
        Edit { span: Span::at(end), text: "  labels: {}\n".into() },
    ];
    let results = results(&outcome(vec![fixable]));
    assert_eq!(
        results[0]["fixes"],
        json!([{
            "description": {"text": "add `example/use: \"true\"` to the pod template"},
            "artifactChanges": [{
                "artifactLocation": {"uri": "a.yaml", "uriBaseId": "%SRCROOT%"},
                "replacements": [
                    {"deletedRegion": {"startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 12}, "insertedContent": {"text": "shop"}},
                    {"deletedRegion": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 7}},
                    {
                        "deletedRegion": {"startLine": 2, "startColumn": 13, "endLine": 2, "endColumn": 13},
                        "insertedContent": {"text": "  labels: {}\n"},
                    },
                ],
            }],
        }])
    );
}

/// The patch of a finding, made into edits, and these applied as a reader of the standard would: by lines and columns.
#[test]
fn a_real_fix_mends_the_file() {
    let text = format!("{WEB}---\n# other\nkind: Pod\n");
    let file = source("apps/web.yaml", &text);
    let limits = Limits::default();
    let document = parse(&file, split(&file, &limits).chunks[0], &limits).document.unwrap();
    let value = json!("true");
    let template = "/spec/template";
    let (label, annotations) = (format!("{template}/metadata/labels/example~1use"), format!("{template}/metadata/annotations"));
    let annotation = json!({"example/audience": "api://x"});
    let steps = [
        Step::Add { path: &label, value: &value },
        Step::Add { path: &annotations, value: &annotation },
        Step::Remove { path: "/spec/template/spec/serviceAccountName" },
    ];
    let mut fixable = finding(place(&file, "labels:"));
    fixable.edits = document.root().edits(steps).unwrap();
    let fix = results(&outcome(vec![fixable.clone()]))[0]["fixes"][0].clone();
    assert_snapshot!(serde_json::to_string_pretty(&fix).unwrap());
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let offset = |region: &Value, line: &str, column: &str| {
        let at = |key: &str| usize::try_from(region[key].as_u64().unwrap()).unwrap() - 1;
        lines[..at(line)].concat().len() + at(column)
    };
    let mut mended = text.clone();
    for replacement in fix["artifactChanges"][0]["replacements"].as_array().unwrap().iter().rev() {
        let region = &replacement["deletedRegion"];
        let range = offset(region, "startLine", "startColumn")..offset(region, "endLine", "endColumn");
        mended.replace_range(range, replacement["insertedContent"]["text"].as_str().unwrap_or_default());
    }
    assert_eq!(mended, edit::apply(&text, &fixable.edits));
    assert_snapshot!(mended);
}

#[test]
fn what_could_not_be_judged_fails_the_run() {
    let document = valid(&everything());
    let invocation = &document["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let levels: Vec<_> = invocation["toolExecutionNotifications"].as_array().unwrap().iter().map(|each| each["level"].clone()).collect();
    assert_eq!(levels, ["error", "error", "note", "note", "note", "note"]);
    let descriptors = &document["runs"][0]["tool"]["driver"]["notifications"];
    for notification in invocation["toolExecutionNotifications"].as_array().unwrap() {
        let index = usize::try_from(notification["descriptor"]["index"].as_u64().unwrap()).unwrap();
        assert_eq!(descriptors[index]["id"], notification["descriptor"]["id"]);
    }
}

#[test]
fn what_a_change_leaves_alone_is_told_once() {
    use fedward_outcome::State;
    let mut all: Vec<_> = (0..500).map(|number| deployed(&format!("argocd/{number}"), State::Untouched)).collect();
    all.push(deployed("argocd/web", State::Deferred));
    all.push(fedward_outcome::Deployed { kind: "ApplicationSet", ..deployed("argocd/all", State::Untouched) });
    let document = valid(&Outcome { deployed: all, is_narrowed: true, ..outcome(Vec::new()) });
    let notifications = document["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().clone();
    let texts: Vec<&str> = notifications.iter().filter_map(|one| one["message"]["text"].as_str()).collect();
    assert_eq!(
        texts,
        [
            "Application argocd/web is deferred: the repository is not here",
            "not judged, since the change does not touch them: 500 Applications, 1 ApplicationSet"
        ]
    );
}

#[test]
fn the_input_makes_no_links_and_no_commands() {
    let mut hostile = finding(at("a.yaml", "kind: Pod\n", "Pod"));
    hostile.message = "see [here](https://evil.example) {0} {{ .Values.x }} \u{9b}31m".into();
    hostile.related = vec![related(at("a.yaml", "kind: Pod\n", "Pod"), "[x](1)")];
    let outcome = outcome(vec![hostile]);
    assert!(!sarif_text(&outcome).chars().any(|character| character != '\n' && crate::clean::replacement(character).is_some()));
    let result = &results(&outcome)[0];
    let message = result["message"]["text"].as_str().unwrap();
    assert!(message.starts_with("see [here] (https://evil.example) {0} {{ .Values.x }} \u{9b}31m\n"));
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "[x] (1)");
}

#[test]
fn ten_thousand_findings_have_ten_thousand_fingerprints() {
    let base = finding(at("a.yaml", "kind: Pod\n", "Pod"));
    let results = results(&outcome(vec![base; 10_000]));
    let fingerprints: HashSet<&str> =
        results.iter().map(|result| result["partialFingerprints"]["fedwardFinding/v1"].as_str().unwrap()).collect();
    assert_eq!(fingerprints.len(), 10_000);
}
