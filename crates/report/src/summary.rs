//! The last lines of the human format.

use std::collections::HashMap;
use std::io::{self, Write};

use fedward_kit::finding::Severity;
use fedward_outcome::{Outcome, count_states};

use crate::gate::{Gate, Verdict};
use crate::human::has_own_page;
use crate::{Options, clean};

/// Reasons for skipping that are listed; the others are counted together.
const MAX_REASONS: usize = 8;

/// Writes how many findings, how much was judged, and what was skipped why.
pub(crate) fn write(outcome: &Outcome, gate: &Gate, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    if let Some(rule) = explained(outcome) {
        writeln!(out, "`fedward explain {}` says why, and what to do instead", clean::line(rule))?;
    }
    writeln!(out, "{}\n{}", findings(outcome, gate), judged(outcome))?;
    for line in deployed(outcome) {
        writeln!(out, "{line}")?;
    }
    skipped(outcome, options, out)
}

/// Writes how much was skipped, and why; nothing where nothing was.
///
/// # Errors
/// Those of the writer.
pub fn skipped(outcome: &Outcome, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    if outcome.skipped.is_empty() {
        return Ok(());
    }
    writeln!(out, "{} skipped{}", outcome.skipped.len(), if options.verbose { "" } else { " (--verbose lists them)" })?;
    let mut reasons = reasons(outcome);
    let others = reasons.split_off(MAX_REASONS.min(reasons.len()));
    for (reason, count) in reasons {
        writeln!(out, "{count:>6} {}", clean::line(reason))?;
    }
    if !others.is_empty() {
        let count: usize = others.iter().map(|(_, count)| count).sum();
        writeln!(out, "{count:>6} for {} other reasons", others.len())?;
    }
    Ok(())
}

/// The same in a few lines that hold no text of the input.
pub(crate) fn counts(outcome: &Outcome, gate: &Gate) -> Vec<String> {
    let mut lines = vec![findings(outcome, gate), judged(outcome)];
    lines.extend(deployed(outcome));
    if !outcome.skipped.is_empty() {
        lines.push(format!("{} skipped", outcome.skipped.len()));
    }
    lines
}

fn judged(outcome: &Outcome) -> String {
    let mut text = format!("{}, {}, {} evaluated", count(outcome.files, "file"), count(outcome.objects, "object"), outcome.evaluated);
    if !outcome.not_evaluated.is_empty() {
        text.push_str(&format!(", {} could not be judged", outcome.not_evaluated.len()));
    }
    if !outcome.unread.is_empty() {
        text.push_str(&format!(", {} could not be read", outcome.unread.len()));
    }
    if outcome.rendered_files > 0 {
        text.push_str(&format!(", {} judged as rendered", count(outcome.rendered_files, "file")));
    }
    text
}

/// What became of what is deployed, a line for each sort of it.
fn deployed(outcome: &Outcome) -> Vec<String> {
    let sorts = [
        (["Application"].as_slice(), "Application"),
        (&["ApplicationSet"], "ApplicationSet"),
        (&["chart", "kustomization"], "chart or kustomization"),
    ];
    let line = |(kinds, noun): (&[&str], &str)| {
        let counts = count_states(&outcome.deployed, kinds);
        let states = [
            (counts.rendered, "rendered"),
            (counts.partial, "partial"),
            (counts.deferred, "deferred"),
            (counts.failed, "failed"),
            (counts.untouched, "untouched"),
        ];
        let all: usize = states.iter().map(|(number, _)| number).sum();
        let said: Vec<String> =
            states.iter().filter(|(number, _)| *number > 0).map(|(number, state)| format!("{number} {state}")).collect();
        (all > 0).then(|| format!("{}: {}", count(all, noun), said.join(", ")))
    };
    sorts.into_iter().filter_map(line).collect()
}

/// A rule with a page, of the gravest that were found.
fn explained(outcome: &Outcome) -> Option<&str> {
    let with_page = outcome.findings.iter().filter(|finding| finding.suppressed.is_none() && has_own_page(finding));
    with_page.rev().max_by_key(|finding| finding.severity).map(|finding| finding.rule.as_str())
}

fn findings(outcome: &Outcome, gate: &Gate) -> String {
    let ignored = outcome.findings.iter().filter(|finding| finding.suppressed.is_some()).count();
    let mut counts = severities(outcome);
    // A clean result says that something was judged.
    if gate.verdict(outcome) == Verdict::Nothing || counts.is_empty() && outcome.evaluated == 0 {
        counts.push(gate.nothing_of(outcome).unwrap_or("nothing was judged").to_owned());
    } else if counts.is_empty() {
        counts.push("no findings".to_owned());
    }
    if ignored > 0 {
        counts.push(format!("{ignored} ignored"));
    }
    counts.join(", ")
}

/// How many findings of each severity count, where there are any.
pub(crate) fn severities(outcome: &Outcome) -> Vec<String> {
    let [errors, warnings, infos] = [Severity::Error, Severity::Warning, Severity::Info].map(|severity| outcome.count(severity));
    let all = [(errors, count(errors, "error")), (warnings, count(warnings, "warning")), (infos, format!("{infos} info"))];
    all.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect()
}

/// The most frequent first, then by name.
fn reasons(outcome: &Outcome) -> Vec<(&str, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for skipped in &outcome.skipped {
        *counts.entry(&skipped.reason).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    counts
}

/// A number with its noun.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
