//! A few lines for a place with little room: the termination message of a container, the error of an Application.

use std::io::{self, Write};

use fedward_outcome::{Location, Outcome, count_states};

use crate::clean;
use crate::entry::{Entry, entries};
use crate::gate::Gate;
use crate::human::describe;
use crate::summary;

/// What Kubernetes reads of a termination message, in bytes.
const TERMINATION_BYTES: usize = 4096;
/// Bytes that the line about the rest may have.
const REST: usize = 40;
/// Bytes of one line: a hostile name does not push all others out.
const LINE: usize = 600;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes in total.
    pub bytes: usize,
    /// Lines in total, the verdict and the count of the rest among them.
    pub lines: usize,
}

/// Writes what a container's termination message has room for: 4,096 bytes. Kubernetes shows it as the state of the container, and Argo CD as
/// the message of a hook.
///
/// # Errors
/// Those of the writer.
pub fn termination_log(outcome: &Outcome, gate: &Gate, out: &mut dyn Write) -> io::Result<()> {
    let room = Room { bytes: TERMINATION_BYTES, lines: usize::MAX };
    out.write_all(brief(outcome, gate, room, &|_| None).as_bytes())
}

/// A verdict, then a line for each thing that somebody should look at, the gravest first, and how many there was no room for.
///
/// `place` says where somebody finds a place, if not in its file; what it gives is shown as it is, cleaned.
#[must_use]
pub fn brief(outcome: &Outcome, gate: &Gate, room: Room, place: &dyn Fn(&Location) -> Option<String>) -> String {
    let mut text = format!("fedward: {}\n", verdict(outcome, gate));
    let mut left = entries(outcome, gate).count();
    // The verdict of a run that judged nothing says so.
    let shown = entries(outcome, gate).filter(|entry| entry.id != crate::entry::NOTHING);
    left -= usize::from(gate.is_empty(outcome));
    for (lines, entry) in (1..).zip(shown) {
        let line = line(&entry, place);
        let (after, rest) = (text.len() + line.len(), left > 1);
        if after + if rest { REST } else { 0 } > room.bytes || lines + 1 + usize::from(rest) > room.lines {
            break;
        }
        text.push_str(&line);
        left -= 1;
    }
    if left > 0 {
        text.push_str(&format!("(+{left} more)\n"));
    }
    text
}

fn verdict(outcome: &Outcome, gate: &Gate) -> String {
    let mut parts = gate.unknown(outcome);
    let nothing = gate.nothing_of(outcome);
    parts.extend(nothing.map(str::to_owned));
    parts.extend(summary::severities(outcome));
    if parts.is_empty() {
        parts.push("no findings".to_owned());
    }
    // Of a run that judged nothing that is deployed, it is the Applications themselves.
    let beside = if nothing.is_some() && outcome.evaluated > 0 { " beside it" } else { "" };
    parts.push(format!("{} judged{beside}", summary::count(outcome.evaluated, "object")));
    let untouched = count_states(&outcome.deployed, &["Application"]).untouched;
    if untouched > 0 {
        parts.push(format!("{} untouched", summary::count(untouched, "Application")));
    }
    if !outcome.skipped.is_empty() {
        parts.push(format!("{} skipped", outcome.skipped.len()));
    }
    parts.join(", ")
}

/// `error: file:line:column: message (object) [rule]`
fn line(entry: &Entry<'_>, place: &dyn Fn(&Location) -> Option<String>) -> String {
    let elsewhere = entry.location.and_then(place);
    let at = match (elsewhere, entry.span) {
        (Some(place), _) => clean::word(&place).into_owned(),
        (None, Some((start, _))) => format!("{}:{}:{}", clean::word(entry.file), start.line, start.column),
        (None, None) => clean::word(entry.file).into_owned(),
    };
    let at = if at.is_empty() { at } else { format!("{at}: ") };
    let object = entry.object.map(|object| format!(" ({})", clean::word(&describe(object)))).unwrap_or_default();
    let message = clean::word(entry.message.trim_end());
    let mut line = format!("{}: {at}{message}{object} [{}]", entry.severity.name(), clean::word(entry.id));
    if line.len() >= LINE {
        line.truncate(line.floor_char_boundary(LINE - "…\n".len()));
        line.push('…');
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use fedward_kit::finding::Severity;
    use fedward_outcome::State;

    use super::*;
    use crate::testing::{GATE, WEB, at, deployed, everything, finding, hostile, outcome, text};

    fn message(outcome: &Outcome) -> String {
        text(|out| termination_log(outcome, &GATE, out))
    }

    #[test]
    fn everything_is_there() {
        insta::assert_snapshot!(message(&everything()));
        assert_eq!(message(&outcome(Vec::new())), "fedward: no findings, 1 object judged\n");
        assert_eq!(message(&Outcome::default()), "fedward: nothing was judged, 0 objects judged\n");
        let deferred = Outcome { deployed: vec![deployed("web", State::Deferred)], evaluated_applications: 1, ..outcome(Vec::new()) };
        assert_eq!(
            message(&deferred),
            "fedward: nothing was judged of what Applications deploy, 1 object judged beside it\ninfo: Application web is deferred: the repository is not here [not-rendered]\n"
        );
    }

    #[test]
    fn what_is_not_rendered_is_told_with_the_gravest_first() {
        let all = [("a", State::Deferred), ("b", State::Partial), ("c", State::Failed), ("d", State::Deferred), ("e", State::Rendered)];
        let outcome = Outcome { deployed: all.map(|(name, state)| deployed(name, state)).to_vec(), ..outcome(Vec::new()) };
        let strict = Gate { strict: true, ..GATE };
        let written = text(|out| termination_log(&outcome, &strict, out));
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[0], "fedward: 4 not rendered (1 failed, 1 partial, 2 deferred, which `--strict` counts), 1 object judged");
        let order: Vec<&str> = lines[1..].iter().filter_map(|line| line.split(' ').nth(2)).collect();
        assert_eq!(order, ["c", "b", "a", "d"], "{written}");
        assert!(
            message(&outcome).starts_with("fedward: 2 not rendered (1 failed, 1 partial), 1 object judged\nerror: Application c is failed")
        );
    }

    #[test]
    fn it_fits_and_the_gravest_is_kept() {
        for length in [1, 30, 200, 5_000] {
            let mut findings: Vec<_> = (0..300).map(|_| finding(at("a.yaml", WEB, "name: web"))).collect();
            for (index, finding) in findings.iter_mut().enumerate() {
                finding.message = "ü".repeat(length);
                finding.severity = if index == 250 { Severity::Error } else { Severity::Info };
            }
            findings[250].message = "the one that counts".into();
            let written = message(&outcome(findings));
            assert!(written.len() <= TERMINATION_BYTES, "{}", written.len());
            assert!(written.ends_with(" more)\n") && written.lines().nth(1).unwrap().contains("the one that counts"), "{written}");
            let more: usize = written.lines().last().unwrap().trim_matches(|other: char| !other.is_ascii_digit()).parse().unwrap();
            assert_eq!(written.lines().count() - 2 + more, 300, "{written}");
            // Nothing is cut short for want of room for a line that is not there.
            assert!(written.len() > TERMINATION_BYTES - LINE - REST, "{}", written.len());
        }
    }

    #[test]
    fn lines_have_a_bound() {
        let findings = || (0..30).map(|_| finding(at("a.yaml", WEB, "name: web"))).collect::<Vec<_>>();
        let of = |count: usize| {
            let outcome = outcome(findings().split_off(30 - count));
            brief(&outcome, &GATE, Room { bytes: TERMINATION_BYTES, lines: 20 }, &|_| Some("there".into()))
        };
        for (count, lines, more) in [(18, 19, None), (19, 20, None), (20, 20, Some("(+2 more)")), (30, 20, Some("(+12 more)"))] {
            let written = of(count);
            assert_eq!((written.lines().count(), written.lines().last().filter(|line| line.starts_with('('))), (lines, more), "{written}");
            assert!(written.contains("error: there: the label"));
        }
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let written = message(&hostile());
        assert_eq!(written.lines().count(), 5, "{written}");
        assert!(!written.contains(['\u{1b}', '\r', '\u{202e}']) && !written.contains("##"), "{written}");
        assert!(written.lines().skip(1).all(|line| line.starts_with("error: ")), "{written}");
    }
}
