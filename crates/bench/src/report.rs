//! What a run measured: the document that `--format json` prints and `--save` keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Comparison, Times, shown};

/// The version of [`Report`] as JSON. A reader refuses others.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that a run measured. All texts are safe to print.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of fedward.
    pub fedward: String,
    /// The machine: architecture and operating system.
    pub machine: String,
    /// What was measured.
    pub module: ModuleInfo,
    /// SHA-256 over the settings of all requests, in their order.
    pub settings_sha256: String,
    /// On what.
    pub requests: Requests,
    /// SHA-256 over the files of the context; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_sha256: Option<String>,
    /// How instances lived.
    pub instance: Instance,
    /// How many threads evaluated at the same time.
    pub threads: usize,
    /// From the module's bytes to the first verdict.
    pub load: Load,
    /// The largest linear memory of the guest after evaluating every request once, in bytes.
    pub memory_bytes: u64,
    /// The same over the whole run. It is larger only where a module keeps what it should not, or uses more at random.
    pub memory_bytes_all: u64,
    /// Host calls of evaluating every request once.
    pub host_calls: HostCalls,
    /// The measured evaluations together; absent if there were none.
    pub timed: Option<Timed>,
    /// Every request that was evaluated.
    pub per_request: Vec<RequestReport>,
    /// What was asked for and could not be evaluated.
    pub failed: Vec<Failure>,
    /// What was read and is no request.
    pub skipped: Vec<Skipped>,
}

/// A report with what it is compared with: what `--format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "BenchReport")]
pub struct Document<'r> {
    /// What was measured.
    #[serde(flatten)]
    pub report: &'r Report,
    /// What changed since the baseline; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<&'r Comparison>,
}

/// The JSON Schema of a [`Document`].
pub fn schema() -> Value {
    schemars::schema_for!(Document<'static>).into()
}

/// A module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModuleInfo {
    /// The id of a built-in policy, or the path.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// The requests of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requests {
    /// How many there are, failed ones included.
    pub count: usize,
    /// SHA-256 over all of them, without their settings, in their order.
    pub sha256: String,
    /// How many the module accepts.
    pub accepted: usize,
    /// How many it rejects.
    pub rejected: usize,
}

/// How instances live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Instance {
    /// A new one for each evaluation, as in a cluster.
    Fresh,
    /// One for each thread.
    Kept,
}

/// Times in nanoseconds, each of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Compiling the module, on all cores.
    pub compile_ns: u64,
    /// Bytes of the compiled form.
    pub compiled_bytes: u64,
    /// Loading the compiled form.
    pub load_ns: u64,
    /// The first evaluation; absent if there was none.
    pub first_ns: Option<u64>,
}

/// Host calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostCalls {
    /// How many.
    pub count: u64,
    /// Bytes of the questions, the names of the capabilities included.
    pub request_bytes: u64,
    /// Bytes of the answers.
    pub response_bytes: u64,
}

/// The measured evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timed {
    /// The wall time of measuring.
    pub seconds: f64,
    /// Evaluations a second, of all threads together.
    pub per_second: f64,
    /// How long they took.
    pub times: Times,
}

/// What the module makes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It may pass.
    Accepted,
    /// It may not.
    Rejected,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestReport {
    /// The file, with the line if it holds several.
    pub name: String,
    /// Bytes of the payload, settings included.
    pub bytes: u64,
    /// What the module says.
    pub verdict: Verdict,
    /// The guest's linear memory after evaluating it once, in bytes.
    pub memory_bytes: u64,
    /// The host calls of evaluating it once.
    pub host_calls: HostCalls,
    /// How long it took; absent if it was not measured, because it failed later.
    pub times: Option<Times>,
}

/// A request that could not be evaluated, or not each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The file, with the line.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Failure {
    /// Takes texts of any kind.
    pub fn new(name: &str, reason: &str) -> Self {
        Self { name: shown(name), reason: shown(reason) }
    }
}

/// A document that is no request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// The file, with the line.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Skipped {
    /// Takes texts of any kind.
    pub fn new(name: &str, reason: &str) -> Self {
        Self { name: shown(name), reason: shown(reason) }
    }
}

/// A report for tests.
#[cfg(test)]
pub(crate) fn sample() -> Report {
    let times = Times { count: 900, min_ns: 950, p50_ns: 1000, p90_ns: 12_340, p95_ns: 123_400, p99_ns: 1_234_000, max_ns: 12_345_678 };
    let host_calls = HostCalls { count: 2, request_bytes: 300, response_bytes: 4000 };
    let request = |name: &str, verdict| RequestReport {
        name: name.to_owned(),
        bytes: 1200,
        verdict,
        memory_bytes: 1 << 20,
        host_calls,
        times: Some(times),
    };
    Report {
        schema_version: SCHEMA_VERSION,
        fedward: "0.1.0".to_owned(),
        machine: "x86_64 linux".to_owned(),
        module: ModuleInfo { name: "sample.wasm".to_owned(), bytes: 262_144, sha256: "00".repeat(32) },
        settings_sha256: "22".repeat(32),
        requests: Requests { count: 3, sha256: "11".repeat(32), accepted: 2, rejected: 1 },
        context_sha256: None,
        instance: Instance::Fresh,
        threads: 1,
        load: Load { compile_ns: 812_000_000, compiled_bytes: 1_258_291, load_ns: 1_300_000, first_ns: Some(210_000) },
        memory_bytes: 1 << 20,
        memory_bytes_all: 1 << 20,
        host_calls: HostCalls { count: 6, request_bytes: 900, response_bytes: 12_000 },
        timed: Some(Timed { seconds: 5.0, per_second: 540.0, times: Times { count: 2700, ..times } }),
        per_request: vec![
            request("a.json", Verdict::Accepted),
            request("b.yaml:1", Verdict::Accepted),
            request("b.yaml:20", Verdict::Rejected),
        ],
        failed: Vec::new(),
        skipped: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::Value;

    use super::*;

    fn keys(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                into.push(key.clone());
                keys(value, into);
            }),
            Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
            _ => {}
        }
    }

    #[test]
    fn the_page_has_every_field() {
        let page = include_str!("../../../docs/bench.md");
        let mut report = sample();
        report.failed.push(Failure::new("a", "b"));
        let comparison = crate::compare(&sample(), &sample(), 10).unwrap();
        let mut found = Vec::new();
        keys(&serde_json::to_value(&report).unwrap(), &mut found);
        keys(&serde_json::to_value(&comparison).unwrap(), &mut found);
        assert!(found.len() > 40);
        let missing: Vec<_> = found.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
        assert!(missing.is_empty(), "docs/bench.md does not name {missing:?}");
    }
}
