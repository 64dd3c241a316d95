//! What the targets share: policies, runs, and what must hold of every run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Input, Options, Policy, Role, Runtime, run};
use fedward_host::{Host, Limits};
use fedward_outcome::Outcome;
use serde_json::Value;

/// The built-in policies; their native builds run, since only those count coverage.
pub static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let host = Host::new(Limits::default());
    fedward_modules::ALL.iter().map(|builtin| Policy::builtin(&host, builtin, &Value::Null).unwrap()).collect()
});

/// The separator of files in one input: a line that begins with it and goes on with the file's name.
pub const FILE: &str = "#=== ";

/// The files of a text.
pub fn files(text: &str) -> Vec<Input> {
    let input = |name: &str, text: &str| Input { name: name.to_owned(), bytes: text.into(), named: false, role: Role::Judged };
    let mut found = Vec::new();
    let (mut name, mut body) = ("fuzz.yaml", String::new());
    for line in text.split_inclusive('\n') {
        if let Some(next) = line.strip_prefix(FILE) {
            found.push(input(name, &body));
            body.clear();
            name = next.trim();
        } else {
            body.push_str(line);
        }
    }
    found.push(input(name, &body));
    found.retain(|input| !input.bytes.is_empty());
    found
}

/// Judges files natively.
pub fn judge(files: Vec<Input>, options: Options) -> Outcome {
    run(files, &POLICIES, &Options { threads: 1, runtime: Runtime::Native, ..options }, &AtomicUsize::new(0)).0
}

/// What must hold of every run of our policies: everything could be judged, and see [`check_places`].
pub fn check(outcome: &Outcome) {
    assert!(outcome.not_evaluated.is_empty(), "not judged: {}", outcome.not_evaluated[0].reason);
    check_places(outcome);
}

/// What must hold of every run: every place is one of its file, and every format can be written.
pub fn check_places(outcome: &Outcome) {
    for finding in &outcome.findings {
        for location in std::iter::once(&finding.location).chain(finding.related.iter().map(|related| &related.location)) {
            let (start, end) = (location.start(), location.end());
            assert!((start.line, start.column) <= (end.line, end.column), "{}: a place that ends before it begins", finding.rule);
            assert!(location.span.end as usize <= location.source.text().len(), "{}: a place outside the file", finding.rule);
        }
    }
    let (gate, tool) = (fedward_report::Gate::default(), fedward_report::Tool { name: "fedward", version: "0", home: None });
    let mut out = Vec::new();
    fedward_report::json(outcome, &gate, &tool, &mut out).unwrap();
    serde_json::from_slice::<serde::de::IgnoredAny>(&out).expect("JSON that does not parse");
    out.clear();
    fedward_report::sarif(outcome, &gate, &tool, &[], &mut out).unwrap();
    serde_json::from_slice::<serde::de::IgnoredAny>(&out).expect("SARIF that does not parse");
    out.clear();
    let options = fedward_report::Options { verbose: true, ..fedward_report::Options::default() };
    fedward_report::human(outcome, &gate, &options, &mut out).unwrap();
}

/// The objects of all fixtures.
pub static OBJECTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for file in fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")) {
        let text = fs::read_to_string(file).unwrap();
        found.extend(fedward_engine::objects(&text, "default").into_iter().map(|(object, _)| object));
    }
    found
});

fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(fixtures(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found
}
