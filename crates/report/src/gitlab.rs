//! GitLab's Code Quality report: a list of issues, after the form of Code Climate.

use std::borrow::Cow;
use std::io::{self, Write};

use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;
use serde::{Serialize, Serializer};

use crate::entry::{Entry, entries};
use crate::fingerprint::Fingerprints;
use crate::gate::Gate;
use crate::human::describe;
use crate::{clean, writer};

/// Writes an issue for each finding that is not ignored, and for what could not be judged or read.
///
/// # Errors
/// Those of the writer.
pub fn gitlab(outcome: &Outcome, gate: &Gate, out: &mut dyn Write) -> io::Result<()> {
    writer::write(&Issues { outcome, gate }, out)
}

/// Issues, made one by one while they are written.
struct Issues<'a> {
    outcome: &'a Outcome,
    gate: &'a Gate,
}

impl Serialize for Issues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fingerprints = Fingerprints::default();
        serializer.collect_seq(entries(self.outcome, self.gate).map(|entry| {
            let fingerprint = match entry.finding {
                Some(finding) => fingerprints.next(finding),
                None => fingerprints.of(&[entry.id, entry.file, &entry.object.map(describe).unwrap_or_default()]),
            };
            Issue::new(&entry, fingerprint)
        }))
    }
}

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: Cow<'a, str>,
    fingerprint: String,
    severity: &'static str,
    location: Place<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

impl<'a> Issue<'a> {
    fn new(entry: &Entry<'a>, fingerprint: String) -> Self {
        let severity = match (entry.finding, entry.severity) {
            (None, Severity::Error) => "blocker",
            (Some(_), Severity::Error) => "critical",
            (_, Severity::Warning) => "minor",
            (_, Severity::Info) => "info",
        };
        let object = entry.object.map(|object| format!(" ({})", describe(object))).unwrap_or_default();
        let origin: String = entry.policy().iter().chain(&entry.origin()).map(|origin| format!("; {origin}")).collect();
        Issue {
            description: clean::unlinked(&clean::line(&format!("{}{object}{origin}", entry.message.trim_end()))).into_owned(),
            check_name: clean::line(entry.id),
            fingerprint,
            severity,
            // Both are required; a run that judged nothing is about the folder.
            location: Place {
                path: if entry.file.is_empty() { "." } else { entry.file },
                lines: Lines { begin: entry.span.map_or(1, |(start, _)| start.line) },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

    use std::collections::HashSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{GATE, everything, hostile, text};

    /// What GitLab's documentation requires of a report, written down as a schema.
    fn schema() -> Value {
        let text = json!({"type": "string", "minLength": 1});
        json!({
            "type": "array",
            "items": {
                "type": "object",
                "required": ["description", "check_name", "fingerprint", "severity", "location"],
                "additionalProperties": false,
                "properties": {
                    "description": text, "check_name": text, "fingerprint": text,
                    "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                    "location": {
                        "type": "object", "required": ["path", "lines"], "additionalProperties": false,
                        "properties": {
                            "path": {"type": "string", "minLength": 1, "not": {"pattern": "^\\./"}},
                            "lines": {
                                "type": "object", "required": ["begin"], "additionalProperties": false,
                                "properties": {"begin": {"type": "integer", "minimum": 1}}
                            }
                        }
                    }
                }
            }
        })
    }

    fn issues(outcome: &Outcome) -> Vec<Value> {
        let written = text(|out| gitlab(outcome, &GATE, out));
        assert!(!written.trim_end().contains(|character| clean::replacement(character).is_some()), "{written}");
        let report: Value = serde_json::from_str(&written).unwrap();
        if let Err(error) = jsonschema::validate(&schema(), &report) {
            panic!("{error}\n{written}");
        }
        report.as_array().unwrap().clone()
    }

    #[test]
    fn everything_fits_what_gitlab_asks_for() {
        let issues = issues(&everything());
        insta::assert_snapshot!(serde_json::to_string_pretty(&issues).unwrap());
        let fingerprints: HashSet<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(fingerprints.len(), issues.len(), "GitLab drops issues with the fingerprint of another");
        assert!(jsonschema::validate(&schema(), &json!([{"description": "a"}])).is_err());
    }

    #[test]
    fn nothing_judged_is_no_empty_report() {
        let issues = issues(&Outcome::default());
        assert_eq!((issues.len(), &issues[0]["check_name"], &issues[0]["severity"]), (1, &json!("nothing-judged"), &json!("blocker")));
        assert_eq!(text(|out| gitlab(&Outcome::default(), &Gate { allow_empty: true, ..GATE }, out)), "[]\n");
    }

    #[test]
    fn hostile_text_is_text() {
        let issues = issues(&hostile());
        assert_eq!(issues.len(), 4);
        let description = issues[3]["description"].as_str().unwrap();
        assert!(!description.contains(['\u{1b}', '\n', '\u{202e}']) && !description.contains("]("), "{description}");
    }
}
