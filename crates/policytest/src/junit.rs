//! Results for what collects test results: JUnit's XML, a suite for each case file.

use std::io::{self, Write};

use fedward_report::printable;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{CaseResult, Verdict, diff};

/// Writes results as JUnit XML. An expectation that was rewritten counts as passed.
///
/// # Errors
/// What writing gives.
pub fn junit(results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    let mut report = Report::new("fedward test");
    for of_file in results.chunk_by(|one, other| one.file == other.file) {
        let mut suite = TestSuite::new(of_file.first().map_or("", |result| &result.file));
        suite.set_time(of_file.iter().map(|result| result.time).sum());
        for result in of_file {
            let mut case = TestCase::new(&*printable(&result.name), status(result));
            case.set_classname(result.policy.as_str()).set_time(result.time);
            case.extra.insert("file".into(), result.file.as_str().into());
            case.extra.insert("line".into(), result.line.to_string().into());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.set_time(results.iter().map(|result| result.time).sum());
    report.serialize(out).map_err(io::Error::other)
}

fn status(result: &CaseResult) -> TestCaseStatus {
    let (kind, message, mut text) = match &result.verdict {
        Verdict::Passed | Verdict::Updated => return TestCaseStatus::success(),
        Verdict::Skipped => return TestCaseStatus::skipped(),
        Verdict::Broken(why) => {
            let lines: Vec<_> = why.lines().map(printable).collect();
            (NonSuccessKind::Error, lines.first().map(ToString::to_string).unwrap_or_default(), lines.join("\n"))
        }
        Verdict::Failed { differences, .. } => {
            let fields: Vec<&str> = differences.iter().map(|difference| difference.field).collect();
            let mut text = String::new();
            for difference in differences {
                text.push_str(&format!("{} ({}:{}:{})\n", difference.field, result.file, difference.line, difference.column));
                for line in diff::lines(difference) {
                    text.push_str(&format!("  {}{}\n", line.sign, printable(&line.text)));
                }
            }
            (NonSuccessKind::Failure, format!("not as expected: {}", fields.join(", ")), text)
        }
    };
    for note in &result.notes {
        text.push_str(&format!("note: {}\n", printable(note)));
    }
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_description(text);
    status
}
