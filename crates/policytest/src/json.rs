//! Results for programs.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::{CaseResult, Counts, Verdict};

/// Writes results as JSON (docs/testing.md).
///
/// # Errors
/// What writing gives.
pub fn json(results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    let case = |result: &CaseResult| {
        let differences: &[_] = if let Verdict::Failed { differences, .. } = &result.verdict { differences } else { &[] };
        let difference = |one: &crate::Difference| json!({ "field": one.field, "line": one.line, "column": one.column, "expected": one.expected, "got": one.got });
        let word = match &result.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed { .. } => "failed",
            Verdict::Updated => "updated",
            Verdict::Broken(_) => "error",
        };
        let mut case = json!({
            "file": result.file,
            "line": result.line,
            "column": result.column,
            "policy": result.policy,
            "name": result.name,
            "result": word,
            "seconds": result.time.as_secs_f64(),
            "differences": differences.iter().map(difference).collect::<Vec<Value>>(),
            "notes": result.notes,
        });
        if let (Verdict::Broken(why), Some(case)) = (&result.verdict, case.as_object_mut()) {
            case.insert("error".to_owned(), why.clone().into());
        }
        case
    };
    let counts = Counts::of(results);
    let summary = json!({
        "cases": results.len(), "passed": counts.passed, "failed": counts.failed, "updated": counts.updated, "errors": counts.broken
    });
    let report = json!({ "schema_version": 1, "cases": results.iter().map(case).collect::<Vec<Value>>(), "summary": summary });
    writeln!(out, "{report:#}")
}
