//! Tests of policies as files: a policy, settings, objects, and what it is to say.
//!
//! [`CaseFile::read`] reads a file and tells every mistake in it with its place; [`Runner::run`] runs cases as [`fedward_engine`] runs
//! policies; [`human()`], [`json()`] and [`junit()`] tell what came of them, and [`update()`] rewrites expectations. Files are read by the caller
//! ([`Files`]), who decides what may be read at all.
//!
//! What a difference shows of changed objects has no secrets in it: they are hidden on both sides after they were compared.

mod changes;
mod compare;
mod diff;
mod given;
mod got;
mod human;
mod inline;
mod json;
mod junit;
mod matching;
mod model;
mod read;
mod run;
mod schema;
mod update;

pub use compare::Difference;
pub use given::{Behind, Files};
pub use human::human;
pub use json::{json, report_schema};
pub use junit::junit;
pub use model::{At, Case, Expect, ExpectedFinding, Given, Operation, Pattern, Severity, Suite};
pub use read::{CaseFile, PlacedSuite};
pub use run::{CaseResult, Runner, Verdict};
pub use schema::schema;
pub use update::{Rewritten, update};

/// A small case file for a built-in policy, which passes: to begin with.
pub const FIRST: &str = include_str!("first.policy-test.yaml");

/// How many cases passed, failed, had their expectations rewritten, could not be run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They gave what was expected.
    pub passed: usize,
    /// They gave something else.
    pub failed: usize,
    /// Their expectations were rewritten.
    pub updated: usize,
    /// They could not be run.
    pub broken: usize,
    /// Documents without a case.
    pub skipped: usize,
}

impl Counts {
    /// Those of results.
    pub fn of(results: &[CaseResult]) -> Self {
        let mut counts = Counts::default();
        for result in results {
            *match result.verdict {
                Verdict::Passed => &mut counts.passed,
                Verdict::Failed { .. } => &mut counts.failed,
                Verdict::Updated => &mut counts.updated,
                Verdict::Broken(_) => &mut counts.broken,
                Verdict::Skipped => &mut counts.skipped,
            } += 1;
        }
        counts
    }
}
