//! JUnit's XML, for what collects the results of tests: a suite for each file, a case for each finding.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use fedward_kit::finding::Severity;
use fedward_outcome::{Outcome, Skipped, count_states};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::clean;
use crate::count;
use crate::entry::{Entry, NOTHING, entries};
use crate::gate::Gate;
use crate::human::describe;

/// Writes a case for each finding: a failure where it counts, passed with its text where it does not, skipped where it is ignored. What could not
/// be judged, read or rendered is an error, what was skipped on purpose or may be deferred is skipped. One more case, which is always there, is
/// the run as such.
///
/// # Errors
/// Those of the writer.
pub fn junit(outcome: &Outcome, gate: &Gate, out: &mut dyn Write) -> io::Result<()> {
    let mut suites = Suites::default();
    let untouched = count_states(&outcome.deployed, &["Application"]).untouched;
    let what = if untouched > 0 {
        format!("everything that the change touches was judged ({} untouched)", count(untouched, "Application"))
    } else if outcome.is_narrowed {
        "everything that the change touches was judged".to_owned()
    } else {
        "everything was judged".to_owned()
    };
    let mut run = TestCase::new(what, run_status(outcome, gate));
    run.set_classname("fedward");
    suites.add("fedward check", run);
    for entry in entries(outcome, gate).filter(|entry| entry.id != NOTHING) {
        suites.add(entry.file, case(&entry, status(&entry, gate)));
    }
    for finding in &outcome.findings {
        if let Some(suppression) = &finding.suppressed {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("ignored: {}", clean::line(&suppression.reason)));
            suites.add(finding.location.source.name(), case(&Entry::finding(finding), status));
        }
    }
    for skipped in &outcome.skipped {
        suites.add(&skipped.file, skipped_case(skipped));
    }
    let mut report = Report::new("fedward check");
    report.add_test_suites(suites.list);
    // A reader that has left is nobody's mistake, and an error of the XML's writer does not tell.
    out.write_all(report.to_string().map_err(io::Error::other)?.as_bytes())
}

/// Suites by file, in the order in which they came.
#[derive(Default)]
struct Suites {
    list: Vec<TestSuite>,
    by_name: HashMap<String, usize>,
}

impl Suites {
    fn add(&mut self, file: &str, case: TestCase) {
        let name = clean::line(file);
        let index = *self.by_name.entry(name.clone().into_owned()).or_insert(self.list.len());
        if index == self.list.len() {
            self.list.push(TestSuite::new(&*name));
        }
        if let Some(suite) = self.list.get_mut(index) {
            suite.add_test_case(case);
        }
    }
}

fn run_status(outcome: &Outcome, gate: &Gate) -> TestCaseStatus {
    // Findings have cases of their own.
    let message = gate.not_judged(outcome).or_else(|| gate.nothing(outcome).map(str::to_owned));
    message.map_or_else(TestCaseStatus::success, |message| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(&*clean::line(&message));
        status
    })
}

/// Whether the finding counts.
fn status(entry: &Entry<'_>, gate: &Gate) -> TestCaseStatus {
    let kind = match entry.finding {
        None if entry.severity == Severity::Error => NonSuccessKind::Error,
        // It passes, and nobody judged it.
        None => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(&*clean::line(entry.message.trim_end()));
            return status;
        }
        Some(finding) if finding.severity >= gate.fail_on => NonSuccessKind::Failure,
        Some(_) => return TestCaseStatus::success(),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(&*clean::line(entry.message.trim_end())).set_type(entry.severity.name()).set_description(body(entry));
    status
}

fn case(entry: &Entry<'_>, status: TestCaseStatus) -> TestCase {
    let object = entry.object.map(|object| format!(" {}", clean::line(&describe(object)))).unwrap_or_default();
    let place = entry.span.map(|(start, _)| format!(" ({}:{})", start.line, start.column)).unwrap_or_default();
    let passes = matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(format!("{}{object}{place}", clean::line(entry.id)), status);
    case.set_classname(&*clean::line(entry.finding.map_or("fedward", |finding| &finding.policy)));
    case.extra.insert("file".into(), (&*clean::line(entry.file)).into());
    if let Some((start, _)) = entry.span {
        case.extra.insert("line".into(), start.line.to_string().into());
    }
    if passes {
        case.set_system_out(format!("{}: {}", entry.severity.name(), body(entry)));
    }
    case
}

fn skipped_case(skipped: &Skipped) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(&*clean::line(&skipped.reason));
    let place = skipped.line.map(|line| format!(" ({line})")).unwrap_or_default();
    let mut case = TestCase::new(format!("skipped{place}"), status);
    case.set_classname("fedward");
    case.extra.insert("file".into(), (&*clean::line(&skipped.file)).into());
    case
}

/// All that is known, a line each.
fn body(entry: &Entry<'_>) -> String {
    let place = entry.span.map(|(start, _)| format!(":{}:{}", start.line, start.column)).unwrap_or_default();
    let mut lines: Vec<Cow<'_, str>> = vec![format!("{}{place}", clean::line(entry.file)).into()];
    let more = entry.lines();
    lines.extend(more.iter().map(|line| clean::line(line)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::testing::{GATE, everything, hostile, text};

    fn xml(outcome: &Outcome, gate: &Gate) -> String {
        text(|out| junit(outcome, gate, out))
    }

    /// Reads the report back, as a program that collects results does; the counts have to be those of the cases.
    fn read(written: &str) -> Report {
        let report = Report::deserialize_from_str(written).unwrap();
        for suite in &report.test_suites {
            let count = |is: fn(&TestCaseStatus) -> bool| suite.test_cases.iter().filter(|case| is(&case.status)).count();
            assert_eq!(suite.tests, suite.test_cases.len());
            assert_eq!(suite.skipped, count(|status| matches!(status, TestCaseStatus::Skipped { .. })));
            let of = |kind| {
                let is = |case: &&TestCase| matches!(&case.status, TestCaseStatus::NonSuccess { kind: own, .. } if *own == kind);
                suite.test_cases.iter().filter(is).count()
            };
            assert_eq!((suite.failures, suite.errors), (of(NonSuccessKind::Failure), of(NonSuccessKind::Error)));
            assert!(!suite.name.is_empty() && suite.test_cases.iter().all(|case| !case.name.is_empty() && case.classname.is_some()));
        }
        report
    }

    #[test]
    fn everything_is_there() {
        let written = xml(&everything(), &GATE);
        let report = read(&written);
        insta::assert_snapshot!(written);
        assert_eq!((report.failures, report.errors), (1, 3));
        // The warning counts where warnings do.
        assert_eq!(read(&xml(&everything(), &Gate { fail_on: Severity::Warning, ..GATE })).failures, 2);
    }

    #[test]
    fn a_run_without_findings_is_no_empty_report() {
        let passed = read(&xml(&Outcome { evaluated: 1, ..Outcome::default() }, &GATE));
        assert_eq!((passed.tests, passed.failures, passed.errors), (1, 0, 0));
        let empty = read(&xml(&Outcome::default(), &GATE));
        assert_eq!((empty.tests, empty.failures, empty.errors), (1, 0, 1));
        assert_eq!(read(&xml(&Outcome::default(), &Gate { allow_empty: true, ..GATE })).errors, 0);
    }

    #[test]
    fn hostile_text_is_text() {
        let written = xml(&hostile(), &GATE);
        let report = read(&written);
        assert!(!written.contains(['\u{1b}', '\u{202e}', '\0']) && !written.contains("<b>"), "{written}");
        assert_eq!((report.tests, report.failures, report.errors), (5, 1, 4));
    }
}
