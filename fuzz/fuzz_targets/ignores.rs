//! Ignore comments: whatever they say, a finding is there with them as without them, at most marked as ignored.
#![no_main]

use fedward_engine::{INPUT_POLICY, Input, Options, Role};
use fedward_fuzz::judge;
use libfuzzer_sys::fuzz_target;

/// Lines of a manifest with mistakes. A comment can follow each, or stand before it.
const LINES: [&str; 12] = [
    "apiVersion: apps/v1",
    "kind: Deployment",
    "metadata:",
    "  name: orders",
    "spec:",
    "  template:",
    "    metadata:",
    "      labels:",
    "        azure.workload.identity/use: \"True\"",
    "        aadpodidbinding: orders",
    "    spec:",
    "      containers: []",
];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut comments = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    let mut manifest = String::new();
    for line in LINES {
        if let Some(comment) = comments.next().filter(|comment| !comment.is_empty()) {
            let indent = &line[..line.len() - line.trim_start().len()];
            manifest.push_str(&format!("{indent}# {comment}\n"));
        }
        match comments.next().filter(|comment| !comment.is_empty()) {
            Some(comment) => manifest.push_str(&format!("{line} # {comment}\n")),
            None => manifest.push_str(&format!("{line}\n")),
        }
    }
    let count = |use_ignores| {
        let input = Input { name: "fuzz.yaml".to_owned(), bytes: manifest.clone().into(), named: true, role: Role::Judged };
        let outcome = judge(vec![input], Options { use_ignores, ..Options::default() });
        fedward_fuzz::check(&outcome);
        outcome.findings.iter().filter(|finding| finding.policy != INPUT_POLICY).count()
    };
    // A control character may break the document, ignores or not.
    assert_eq!(count(true), count(false), "{manifest}");
});
