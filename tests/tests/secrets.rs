//! No output shows a secret: every reject case of the policies that look into Secrets, in every format.
//!
//! The cases write [`MARKERS`] for secrets, in plain text or base64, and each Secret gets one more here. Each rule needs a case that has one,
//! so that a rule without one is no rule that passes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Input, Options, Policy, Role, run};
use fedward_host::{Host, Limits};
use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;
use fedward_report::{Gate, RuleInfo, Tool};
use serde_json::{Value, json};

const MARKERS: [&str; 2] = ["hunter2", "swordfish"];
const STORED: &str = "forbid-static-credentials";
const POLICIES: [&str; 2] = [STORED, "verify-argocd-identity"];
const GATE: Gate = Gate { fail_on: Severity::Error, allow_empty: false, strict: false };
/// Rules whose objects refer to secrets and hold none.
const WITHOUT: [&str; 4] = ["flux-source-with-secret", "weak-aks-sign-in", "wrong-argocd-extension-setting", "wrong-field-type"];

#[test]
fn no_format_shows_a_secret() {
    let mut outputs = 0;
    for policy in POLICIES {
        let builtin = fedward_modules::ALL.iter().find(|builtin| builtin.id == policy).unwrap();
        let rules = builtin.policy.describe().rules;
        for rule in rules.iter().filter(|rule| !WITHOUT.contains(&rule.id)) {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules").join(rule.id).join("reject");
            let mut has_marker = 0;
            for file in files(&folder) {
                let text = marked(&fs::read_to_string(&file).unwrap());
                let hidden = secrets(&text);
                let outcome = check(policy, &file, &text);
                has_marker += usize::from(!hidden.is_empty() && outcome.findings.iter().any(|finding| finding.rule == rule.id));
                for (format, output) in formats(policy, &outcome) {
                    outputs += 1;
                    for secret in &hidden {
                        assert!(!output.contains(secret.as_str()), "{format} shows `{secret}` of {}:\n{output}", file.display());
                    }
                }
            }
            assert!(has_marker > 0, "no case of `{}` has a secret", rule.id);
        }
    }
    assert!(outputs > 100);
}

/// What a request is for it says itself; its objects may be broken, which is told with the line that they stand in.
#[test]
fn the_objects_of_a_request_for_a_secret_are_hidden_whatever_they_say() {
    let kind = r#""kind":{"group":"","version":"v1","kind":"Secret"},"resource":{"group":"","version":"v1","resource":"secrets"}"#;
    let resource = r#""resource":{"group":"","version":"v1","resource":"secrets"}"#;
    for (said, objects) in [
        (kind, r#""object":{"stringData":{"login":"hunter2"}},"oldObject":"hunter2""#),
        (kind, r#""object":["hunter2"]"#),
        (resource, r#""object":{"data":{"login":"hunter2"}},"oldObject":{"stringData":{"login":"hunter2"}}"#),
    ] {
        let request = format!(r#""request":{{"uid":"a",{said},"operation":"UPDATE","namespace":"shop","name":"shop",{objects}}}"#);
        let text = format!(r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview",{request}}}"#);
        let outcome = run_with(STORED, vec![("review.json".to_owned(), text)], &json!({}));
        assert_eq!(outcome.findings.len(), 1, "{objects}");
        for (format, output) in formats(STORED, &outcome) {
            assert!(!output.contains("hunter2"), "{format}:\n{output}");
        }
    }
}

/// A file of the case that has findings and secrets in one flow map, so that the lines that are quoted hold both.
#[test]
fn variables_that_only_the_settings_know_are_hidden() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec: {containers: [{name: shop, image: a, env: [{name: SHOP_LOGIN, value: hunter2}]}]}\n";
    let outcome = run_with(STORED, vec![("pod.yaml".to_owned(), text.to_owned())], &json!({"extraEnvPatterns": ["SHOP_*"]}));
    let outputs = formats(STORED, &outcome);
    assert!(outputs[0].1.contains("SHOP_LOGIN") && outputs[0].1.contains("static-credential-variable"), "{}", outputs[0].1);
    for (format, output) in outputs {
        assert!(!output.contains("hunter2"), "{format}:\n{output}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The text, with one more secret in each of its Secrets.
fn marked(text: &str) -> String {
    // What a ConfigMap holds is no secret.
    if text.contains("kind: ConfigMap") {
        return text.to_owned();
    }
    text.replace("\nstringData:\n", "\nstringData:\n  fedwardTest: hunter2\n")
        .replace("\ndata:\n", "\ndata:\n  fedwardTest: aHVudGVyMg==\n")
}

/// The markers that a text has, and its words that hold one in base64.
fn secrets(text: &str) -> Vec<String> {
    let plain = MARKERS.iter().filter(|marker| text.contains(**marker)).map(|marker| (*marker).to_owned());
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+/=".contains(letter);
    let encoded = text.split(|letter| !is_letter(letter)).filter(|word| MARKERS.iter().any(|marker| decodes_to(word, marker, 3)));
    plain.chain(encoded.map(str::to_owned)).collect()
}

/// Whether a word is base64 of a text with the marker, or of one with such a word in it.
fn decodes_to(word: &str, marker: &str, depth: usize) -> bool {
    let Some(text) = fedward_manifest::decode_base64(word).and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+/=".contains(letter);
    text.contains(marker) || depth > 0 && text.split(|letter| !is_letter(letter)).any(|word| decodes_to(word, marker, depth - 1))
}

fn check(policy: &str, file: &Path, text: &str) -> Outcome {
    let header = text.lines().next().unwrap().strip_prefix("# fedward-test:");
    let header: Value = header.map_or(json!({}), |header| serde_json::from_str(header).unwrap());
    let settings = header.get("settings").cloned().unwrap_or_else(|| json!({}));
    run_with(policy, vec![(file.file_name().unwrap().to_string_lossy().into_owned(), text.to_owned())], &settings)
}

fn run_with(policy: &str, files: Vec<(String, String)>, settings: &Value) -> Outcome {
    let host = Host::new(Limits::default());
    let builtin = fedward_modules::ALL.iter().find(|builtin| builtin.id == policy).unwrap();
    let policies = std::sync::Arc::new(vec![Policy::builtin(&host, builtin, settings).unwrap()]);
    let input = |(name, text): (String, String)| Input { name, bytes: text.into_bytes(), named: true, role: Role::Judged };
    let options = Options { threads: 1, ..Options::default() };
    run(files.into_iter().map(input).collect(), &policies, &options, &AtomicUsize::new(0)).0
}

fn formats(policy: &str, outcome: &Outcome) -> Vec<(&'static str, String)> {
    let tool = Tool { name: "fedward", version: "0", home: None };
    let rules: Vec<RuleInfo<'_>> = outcome
        .findings
        .iter()
        .map(|finding| RuleInfo { id: &finding.rule, policy, summary: "", default_severity: Severity::Error, docs: "", page: "" })
        .collect();
    let shown = |verbose, color| {
        let mut out = Vec::new();
        let options = fedward_report::Options { verbose, color, ..fedward_report::Options::default() };
        fedward_report::human(outcome, &GATE, &options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let (mut json, mut sarif) = (Vec::new(), Vec::new());
    fedward_report::json(outcome, &GATE, &tool, &mut json).unwrap();
    fedward_report::sarif(outcome, &GATE, &tool, &rules, &mut sarif).unwrap();
    vec![
        ("human", shown(false, false)),
        ("human, verbose", shown(true, false)),
        ("human, in colour", shown(true, true)),
        ("json", String::from_utf8(json).unwrap()),
        ("sarif", String::from_utf8(sarif).unwrap()),
    ]
}
