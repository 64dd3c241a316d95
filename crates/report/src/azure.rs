//! Logging commands of Azure Pipelines, which shows them as issues of the run.
//!
//! The agent finds `##vso[` anywhere in a line, so no text of the input may hold it. What it takes apart is escaped as its task library does it.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;

use crate::entry::{Entry, entries};
use crate::gate::Gate;
use crate::writer::BUFFER;
use crate::{clean, summary};

/// Writes an issue for each finding that is not ignored, and for what could not be judged or read; then notes and counts.
///
/// There are errors and warnings; infos are plain lines of the log. The step fails by its exit code, no command says so.
///
/// # Errors
/// Those of the writer.
pub fn azure(outcome: &Outcome, gate: &Gate, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    for entry in entries(outcome, gate) {
        issue(&entry, &mut out)?;
    }
    for note in &outcome.notes {
        writeln!(out, "note: {}", clean::command(note).replace('\n', " "))?;
    }
    for line in summary::counts(outcome, gate) {
        writeln!(out, "{line}")?;
    }
    if let Some(reason) = gate.not_judged(outcome) {
        writeln!(out, "{}", clean::word(&reason))?;
    }
    out.flush()
}

fn issue(entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lines = entry.lines();
    let name = match entry.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => {
            let place = entry.span.map(|(start, _)| format!("{}:{}: ", start.line, start.column)).unwrap_or_default();
            let lines: Vec<_> = lines.iter().map(|line| clean::command(line).replace('\n', " ")).collect();
            return writeln!(out, "info: {}:{place}{} [{}]", clean::word(entry.file), lines.join(", "), clean::word(entry.id));
        }
    };
    write!(out, "##vso[task.logissue type={name};")?;
    if !entry.file.is_empty() {
        write!(out, "sourcepath={};", property(entry.file))?;
    }
    if let Some((start, _)) = entry.span {
        write!(out, "linenumber={};columnnumber={};", start.line, start.column)?;
    }
    let lines: Vec<Cow<'_, str>> = lines.iter().map(|line| data(line)).collect();
    writeln!(out, "code={}]{}", property(entry.id), lines.join("%0A"))
}

const DATA: [(char, &str); 3] = [('%', "%AZP25"), ('\r', "%0D"), ('\n', "%0A")];
const PROPERTY: [(char, &str); 5] = [('%', "%AZP25"), ('\r', "%0D"), ('\n', "%0A"), (';', "%3B"), (']', "%5D")];

/// Text after the `]`.
fn data(text: &str) -> Cow<'_, str> {
    clean::escaped(text, &DATA)
}

/// The value of a property.
fn property(text: &str) -> Cow<'_, str> {
    clean::escaped(text, &PROPERTY)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::testing::{GATE, everything, hostile, text};

    #[test]
    fn everything_is_there() {
        let mut outcome = everything();
        outcome.findings[1].severity = Severity::Info;
        insta::assert_snapshot!(text(|out| azure(&outcome, &GATE, out)));
    }

    /// Name, properties, data.
    type Command = (String, Vec<(String, String)>, String);

    /// What the agent does with a line, by its source: `##vso[area.event properties]data`, wherever it begins.
    fn parsed(line: &str) -> Option<Command> {
        let (_, rest) = line.split_once("##vso[")?;
        let (head, data) = rest.split_once(']')?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let unescaped = |text: &str| {
            let text = text.replace("%3B", ";").replace("%5D", "]").replace("%0D", "\r").replace("%0A", "\n");
            text.replace("%AZP25", "%")
        };
        let properties = properties.split(';').filter_map(|one| one.split_once('=')).map(|(k, v)| (k.to_owned(), unescaped(v)));
        Some((name.to_owned(), properties.collect(), unescaped(data)))
    }

    #[test]
    fn hostile_text_is_no_command() {
        for severity in [Severity::Error, Severity::Info] {
            let mut outcome = hostile();
            outcome.findings[0].severity = severity;
            let written = text(|out| azure(&outcome, &GATE, out));
            assert!(!written.contains(['\u{1b}', '\r', '\u{202e}']), "{written}");
            assert!(written.matches("##").count() == if severity == Severity::Info { 3 } else { 4 }, "{written}");
            let commands: Vec<_> = written.lines().filter_map(parsed).collect();
            assert!(commands.iter().all(|command| command.0 == "task.logissue"), "{written}");
            if severity == Severity::Info {
                continue;
            }
            let (_, properties, data) = &commands[3];
            let names: Vec<_> = properties.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["type", "sourcepath", "linenumber", "columnnumber", "code"]);
            assert_eq!(properties[1].1, "a,line=9::b%0A;c].yaml");
            assert!(data.contains("# #vso[task.setvariable variable=x;]forged") && data.contains("100%25"), "{data}");
            assert!(written.lines().filter(|line| !line.starts_with("##vso[")).all(|line| !line.contains("##")), "{written}");
        }
    }
}
