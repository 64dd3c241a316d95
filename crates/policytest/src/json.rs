//! Results for programs.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{CaseResult, Counts, Difference, Verdict};

/// Grows by one when a reader of the old form would go wrong; new members alone do not count.
const SCHEMA_VERSION: u32 = 1;

/// What `fedward test --format json` writes.
#[derive(Serialize, JsonSchema)]
struct TestReport<'r> {
    /// 1
    schema_version: u32,
    /// Every case, in the order of the files and of their text.
    cases: Vec<CaseEntry<'r>>,
    summary: Summary,
}

/// A case, and what came of it.
#[derive(Serialize, JsonSchema)]
struct CaseEntry<'r> {
    /// The case file.
    file: &'r str,
    /// Where the case stands in it, from 1.
    line: u32,
    /// The column, from 1.
    column: u32,
    /// The policy of its suite.
    policy: &'r str,
    /// Its name.
    name: &'r str,
    result: Word,
    /// How long it took.
    seconds: f64,
    /// What was expected and is not so; empty unless the case failed.
    differences: Vec<DifferenceEntry<'r>>,
    /// What may explain it.
    notes: &'r [String],
    /// Why the case could not be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'r str>,
}

/// What came of a case.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// It gave what was expected.
    Passed,
    /// It gave something else.
    Failed,
    /// Its expectation was rewritten.
    Updated,
    /// It could not be run.
    Error,
    /// It is no case: a document without any.
    Skipped,
}

/// An expectation that does not hold.
#[derive(Serialize, JsonSchema)]
struct DifferenceEntry<'r> {
    /// The field of `expect`.
    field: &'r str,
    /// Where it stands, from 1.
    line: u32,
    /// The column, from 1.
    column: u32,
    /// What was expected, a line or several.
    expected: &'r str,
    /// What was given.
    got: &'r str,
}

/// How many cases there were.
#[derive(Serialize, JsonSchema)]
struct Summary {
    /// All of them.
    cases: usize,
    /// Those that gave what was expected.
    passed: usize,
    /// Those that gave something else.
    failed: usize,
    /// Those whose expectations were rewritten.
    updated: usize,
    /// Those that could not be run.
    errors: usize,
    /// Documents without a case, which are none.
    skipped: usize,
}

/// Writes results as JSON (docs/testing.md).
///
/// # Errors
/// What writing gives.
pub fn json(results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    let Counts { passed, failed, updated, broken, skipped } = Counts::of(results);
    let report = TestReport {
        schema_version: SCHEMA_VERSION,
        cases: results.iter().map(CaseEntry::new).collect(),
        summary: Summary { cases: results.len() - skipped, passed, failed, updated, errors: broken, skipped },
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

/// The JSON Schema of what [`json`] writes.
pub fn report_schema() -> Value {
    schemars::schema_for!(TestReport<'static>).into()
}

impl<'r> CaseEntry<'r> {
    fn new(result: &'r CaseResult) -> Self {
        let (word, differences, error): (_, &[Difference], _) = match &result.verdict {
            Verdict::Passed => (Word::Passed, &[], None),
            Verdict::Failed { differences, .. } => (Word::Failed, differences, None),
            Verdict::Updated => (Word::Updated, &[], None),
            Verdict::Broken(why) => (Word::Error, &[], Some(why.as_str())),
            Verdict::Skipped => (Word::Skipped, &[], None),
        };
        CaseEntry {
            file: &result.file,
            line: result.line,
            column: result.column,
            policy: &result.policy,
            name: &result.name,
            result: word,
            seconds: result.time.as_secs_f64(),
            differences: differences.iter().map(DifferenceEntry::new).collect(),
            notes: &result.notes,
            error,
        }
    }
}

impl<'r> DifferenceEntry<'r> {
    fn new(one: &'r Difference) -> Self {
        DifferenceEntry { field: one.field, line: one.line, column: one.column, expected: &one.expected, got: &one.got }
    }
}
