//! Policy tests: what a case says is what is run and compared, with modules that say one thing (`src/guests.rs`) and our own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

mod cases;
mod fixtures;
mod hostile;
mod unusable;
mod update;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Input, Role};
use fedward_host::{Host, Limits};
use fedward_policytest::{Behind, CaseFile, CaseResult, Files, Runner, Verdict};
use fedward_tests::guests::Known;

/// Files by their names, which case files of the top folder give them.
#[derive(Default)]
struct Memory(BTreeMap<String, String>);

impl Memory {
    fn with(files: &[(&str, &str)]) -> Self {
        Memory(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }
}

impl Files for Memory {
    fn read(&self, _suite: &str, path: &str, role: Role) -> Result<Behind, String> {
        let folder = format!("{path}/");
        let below = self.0.iter().filter(|(name, _)| *name == path || name.starts_with(&folder));
        let files: Vec<Input> =
            below.map(|(name, text)| Input { name: name.clone(), bytes: text.clone().into_bytes(), named: name == path, role }).collect();
        if files.is_empty() {
            return Err(format!("cannot read `{path}`: no such file or folder"));
        }
        Ok(Behind { is_folder: !self.0.contains_key(path), inputs: files, ..Behind::default() })
    }
}

const FILE: &str = "a.policy-test.yaml";

fn read(text: &str) -> CaseFile {
    CaseFile::read(FILE, text.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn run(files: &[CaseFile], memory: &Memory) -> Vec<CaseResult> {
    let host = Host::new(Limits::default());
    Runner { host: &host, modules: &Known, files: memory, threads: 2 }.run(files, &|_, _| true, &AtomicUsize::new(0))
}

/// What came of each case: `ok`, or what differs as `field: expected | got`.
fn told(results: &[CaseResult]) -> Vec<String> {
    let told = |result: &CaseResult| match &result.verdict {
        Verdict::Passed => "ok".to_owned(),
        Verdict::Updated => "updated".to_owned(),
        Verdict::Broken(why) => format!("broken: {why}"),
        Verdict::Skipped => "skipped".to_owned(),
        Verdict::Failed { differences, .. } => {
            let one = |one: &fedward_policytest::Difference| format!("{}: {} | {}", one.field, one.expected, one.got);
            differences.iter().map(one).collect::<Vec<_>>().join("; ")
        }
    };
    results.iter().map(told).collect()
}

const TILL: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: till, namespace: shop}}";
const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {azure.workload.identity/use: yes}}, spec: {containers: []}}";

/// A suite with one case for each expectation.
fn suite(policy: &str, fields: &str, expectations: &[&str]) -> String {
    let mut text = format!("policy: {policy}\ncases:\n");
    for (index, expect) in expectations.iter().enumerate() {
        text.push_str(&format!("  - {{name: case {index}, {fields}, expect: {expect}}}\n"));
    }
    text
}

fn says(policy: &str, fields: &str, expectations: &[&str]) -> Vec<String> {
    told(&run(&[read(&suite(policy, fields, expectations))], &Memory::default()))
}

fn guest(name: &str) -> String {
    format!("registry.example/{name}:v1")
}
