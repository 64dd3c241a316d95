//! Workflow commands, which GitHub Actions shows as annotations of lines.
//!
//! A command is a line; the runner reads `::` at its beginning, and an older form, `##[`, anywhere in it. What it takes apart is escaped as its
//! toolkit does it.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;

use crate::entry::{Entry, entries};
use crate::gate::Gate;
use crate::writer::BUFFER;
use crate::{clean, summary};

/// Writes an annotation for each finding that is not ignored, for what could not be judged or read, and for notes; then counts.
///
/// GitHub shows ten errors, ten warnings and ten notices of a step, so the gravest come first. All of them stand in the log.
///
/// # Errors
/// Those of the writer.
pub fn github(outcome: &Outcome, gate: &Gate, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    for entry in entries(outcome, gate) {
        command(&entry, &mut out)?;
    }
    for note in &outcome.notes {
        writeln!(out, "::notice title=fedward::{}", data(note))?;
    }
    for line in summary::counts(outcome, gate) {
        writeln!(out, "{line}")?;
    }
    if let Some(reason) = gate.not_judged(outcome) {
        writeln!(out, "{}", clean::word(&reason))?;
    }
    out.flush()
}

fn command(entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    let name = match entry.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    write!(out, "::{name} ")?;
    if !entry.file.is_empty() {
        write!(out, "file={},", property(entry.file))?;
    }
    if let Some((start, end)) = entry.span {
        write!(out, "line={},endLine={},", start.line, end.line)?;
        // Columns are taken only where there is one line.
        if start.line == end.line {
            write!(out, "col={},endColumn={},", start.column, end.column)?;
        }
    }
    let lines = entry.lines();
    let lines: Vec<Cow<'_, str>> = lines.iter().map(|line| data(line)).collect();
    writeln!(out, "title={}::{}", property(entry.id), lines.join("%0A"))
}

const DATA: [(char, &str); 3] = [('%', "%25"), ('\r', "%0D"), ('\n', "%0A")];
const PROPERTY: [(char, &str); 5] = [('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")];

/// Text after the second `::`.
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
    use crate::testing::{GATE, WEB, at, everything, finding, hostile, outcome, text};

    #[test]
    fn everything_is_there() {
        insta::assert_snapshot!(text(|out| github(&everything(), &GATE, out)));
    }

    #[test]
    fn columns_only_on_one_line() {
        let written = text(|out| github(&outcome(vec![finding(at("a.yaml", WEB, "metadata:\n  name: web"))]), &GATE, out));
        assert!(written.starts_with("::error file=a.yaml,line=3,endLine=4,title=missing-label::the label"), "{written}");
    }

    /// Name, properties, data.
    type Command = (String, Vec<(String, String)>, String);

    /// What the runner does with a line, by its source: `::name properties::data` at the beginning, after white space.
    fn parsed(line: &str) -> Option<Command> {
        let rest = line.trim_start().strip_prefix("::")?;
        let (head, data) = rest.split_once("::")?;
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let unescaped = |text: &str| {
            let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
            text.replace("%25", "%")
        };
        let properties = properties.split(',').filter_map(|one| one.split_once('=')).map(|(k, v)| (k.to_owned(), unescaped(v)));
        Some((name.to_owned(), properties.collect(), unescaped(data)))
    }

    #[test]
    fn hostile_text_is_no_command() {
        let written = text(|out| github(&hostile(), &GATE, out));
        assert!(!written.contains(['\u{1b}', '\r', '\u{202e}']) && !written.contains("##["), "{written}");
        let commands: Vec<_> = written.lines().filter_map(parsed).collect();
        // One that was not judged, one unread file, one Application, one finding, one note, and no other.
        assert_eq!(
            commands.iter().map(|command| command.0.as_str()).collect::<Vec<_>>(),
            ["error", "error", "error", "error", "notice"],
            "{written}"
        );
        let (_, properties, data) = &commands[3];
        let property = |name: &str| properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        // The properties are as many as we wrote, and the file is the file.
        assert_eq!(
            properties.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["file", "line", "endLine", "col", "endColumn", "title"]
        );
        assert_eq!(property("file"), Some("a,line=9::b%0A;c].yaml"));
        assert!(data.contains("::error::forged") && data.contains("100%25"), "{data}");
        // Nothing but commands and counts: no line is text of the input.
        assert!(written.lines().filter(|line| !line.starts_with("::")).all(|line| line.starts_with(|first: char| first.is_ascii_digit())));
    }
}
