//! For people: a block for each finding, then what could not be judged or read, then a summary.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use annotate_snippets::renderer::{
    DEFAULT_EMPHASIS_STYLE, DEFAULT_ERROR_STYLE, DEFAULT_INFO_STYLE, DEFAULT_LINE_NUM_STYLE, DEFAULT_NOTE_STYLE, DEFAULT_WARNING_STYLE,
    Style,
};
use annotate_snippets::{Level, Renderer};
use anstyle::AnsiColor;
use fedward_kit::finding::{ObjectId, Severity};
use fedward_manifest::Span;
use fedward_outcome::{Deployed, Finding, Location, Mutation, NotEvaluated, Outcome, Rendered, State, SuppressionKind, Unread};
use similar::{ChangeTag, TextDiff};

use crate::entry::{Failures, deployed_by};
use crate::excerpt::Excerpt;
use crate::gate::{Gate, Verdict};
use crate::masks::Masks;
use crate::writer::BUFFER;
use crate::{Options, clean, summary};

/// Writes the outcome for people.
///
/// Each finding is a block as compilers write it: what, where, the lines, what belongs to it, what to do. Ignored findings are shown if
/// [`Options::verbose`] is set. After them comes what could not be judged, read or rendered, then, unless [`Options::quiet`] is set, notes and a
/// summary. Whatever the options, there is a reason if the run does not pass.
///
/// # Errors
/// Those of the writer.
pub fn human(outcome: &Outcome, gate: &Gate, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(outcome, options, out);
    page.problems(outcome)?;
    page.deployed(outcome, gate)?;
    if options.mutations {
        for mutation in &outcome.mutations {
            page.mutation(mutation)?;
        }
    }
    if !options.quiet {
        page.remarks(outcome)?;
        summary::write(outcome, gate, options, &mut page.out)?;
    } else if let (Verdict::Nothing, Some(nothing)) = (gate.verdict(outcome), gate.nothing(outcome)) {
        page.title(DEFAULT_ERROR_STYLE, "error", "", nothing)?;
    }
    if let Some(strict) = gate.strictly(outcome) {
        page.title(DEFAULT_ERROR_STYLE, "error", "", &strict)?;
    }
    page.out.flush()
}

/// Writes what is wrong with what was read, and no more: findings, what could not be judged, read or rendered, and, unless [`Options::quiet`] is set,
/// notes. For tools that have a result of their own.
///
/// # Errors
/// Those of the writer.
pub fn problems(outcome: &Outcome, gate: &Gate, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(outcome, options, out);
    page.problems(outcome)?;
    page.deployed(outcome, gate)?;
    if !options.quiet {
        page.remarks(outcome)?;
    }
    page.out.flush()
}

/// Characters of a line of a diff that are kept.
const MAX_DIFF_LINE: usize = 200;
/// Deferred Applications that are listed.
const MAX_DEFERRED: usize = 10;
/// Lines of a diff.
const MAX_DIFF_LINES: usize = 500;

struct Page<'a> {
    out: BufWriter<&'a mut dyn Write>,
    renderer: Renderer,
    masks: Masks<'a>,
    options: &'a Options,
    /// The next footer is the block's first: a bar stands above it.
    bar_due: bool,
}

impl<'a> Page<'a> {
    fn new(outcome: &'a Outcome, options: &'a Options, out: &'a mut dyn Write) -> Self {
        let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
        Page {
            out: BufWriter::with_capacity(BUFFER, out),
            renderer: renderer.term_width(options.width),
            masks: Masks::new(&outcome.secrets),
            options,
            bar_due: false,
        }
    }
}

impl Page<'_> {
    fn problems(&mut self, outcome: &Outcome) -> io::Result<()> {
        for finding in &outcome.findings {
            if finding.suppressed.is_none() || self.options.verbose {
                self.finding(finding)?;
            }
        }
        for not_evaluated in &outcome.not_evaluated {
            self.not_evaluated(not_evaluated)?;
        }
        for unread in &outcome.unread {
            self.unread(unread)?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let (level, style) = match finding.severity {
            Severity::Error => (Level::ERROR, DEFAULT_ERROR_STYLE),
            Severity::Warning => (Level::WARNING, DEFAULT_WARNING_STYLE),
            Severity::Info => (Level::INFO, DEFAULT_INFO_STYLE),
        };
        let ignored = if finding.suppressed.is_some() { " (ignored)" } else { "" };
        let rule = if finding.rule.is_empty() { String::new() } else { format!("[{}]", clean::line(&finding.rule)) };
        self.title(style, finding.severity.name(), &format!("{rule}{ignored}"), &finding.message)?;

        let excerpt = Excerpt::new(finding, level, &self.masks);
        let margin = digits(excerpt.last_line);
        self.arrow(margin, &finding.location)?;
        if !excerpt.groups.is_empty() {
            writeln!(self.out, "{}", self.renderer.render(&excerpt.groups))?;
        }
        self.bar_due = true;
        self.object(margin, finding.object.as_ref())?;
        self.rendered(margin, &finding.location, finding.rendered.as_ref())?;
        if self.options.verbose || finding.location.pointer.contains('#') {
            self.footer(margin, "path", &finding.location.pointer)?;
        }
        for related in &excerpt.elsewhere {
            let (place, start) = (&related.location, related.location.start());
            let text = format!("{}:{}:{}: {}", clean::line(place.source.name()), start.line, start.column, related.message);
            self.footer(margin, "note", &text)?;
        }
        if excerpt.more > 0 {
            let places = if excerpt.more == 1 { "place" } else { "places" };
            self.footer(margin, "note", &format!("(+{} more {places})", excerpt.more))?;
        }
        if let Some(suppression) = &finding.suppressed {
            let by = match suppression.kind {
                SuppressionKind::Inline => "a comment",
                SuppressionKind::Config => "the configuration",
            };
            self.footer(margin, "ignored", &format!("by {by}: {}", suppression.reason))?;
        }
        self.footer(margin, "help", &finding.help)?;
        if self.options.verbose || finding.is_ambiguous() {
            self.footer(margin, "policy", &finding.said_by().unwrap_or_else(|| finding.policy.clone()))?;
        }
        if self.options.verbose {
            if has_own_page(finding) {
                self.footer(margin, "more", &format!("`fedward explain {}`", finding.rule))?;
            } else {
                self.footer(margin, "docs", &finding.docs)?;
            }
        }
        writeln!(self.out)
    }

    fn not_evaluated(&mut self, not_evaluated: &NotEvaluated) -> io::Result<()> {
        let message = format!("could not be judged by `{}`: {}", clean::line(&not_evaluated.policy), not_evaluated.reason);
        self.title(DEFAULT_ERROR_STYLE, "error", "", &message)?;
        let margin = digits(not_evaluated.location.start().line);
        self.arrow(margin, &not_evaluated.location)?;
        self.bar_due = true;
        self.object(margin, not_evaluated.object.as_ref())?;
        writeln!(self.out)
    }

    /// What a policy changed, as a unified diff of the object as JSON: what the API server compares.
    fn mutation(&mut self, mutation: &Mutation) -> io::Result<()> {
        self.title(DEFAULT_NOTE_STYLE, "changed", "", &format!("by `{}`", mutation.policy))?;
        let margin = digits(mutation.location.start().line);
        self.arrow(margin, &mutation.location)?;
        self.bar_due = true;
        self.object(margin, mutation.object.as_ref())?;
        let [before, after] = [&mutation.before, &mutation.after].map(|value| format!("{value:#}\n"));
        // A change of everything in a huge object is not worth the time that its shortest diff takes.
        let mut config = TextDiff::configure();
        config.timeout(Duration::from_secs(1));
        let diff = config.diff_lines(&before, &after);
        let groups = diff.grouped_ops(3);
        let mut changes = groups.iter().flatten().flat_map(|op| diff.iter_changes(op));
        for change in changes.by_ref().take(MAX_DIFF_LINES) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', self.style(DEFAULT_ERROR_STYLE)),
                ChangeTag::Insert => ('+', self.style(AnsiColor::Green.on_default())),
                ChangeTag::Equal => (' ', Style::new()),
            };
            let text = cut(change.value().trim_end(), MAX_DIFF_LINE);
            writeln!(self.out, "{:margin$} {style}{sign} {text}{style:#}", "")?;
        }
        match changes.count() {
            0 => {}
            1 => writeln!(self.out, "{:margin$} … and 1 more line", "")?,
            more => writeln!(self.out, "{:margin$} … and {more} more lines", "")?,
        }
        writeln!(self.out)
    }

    /// What of Argo CD's is not all rendered. What may be deferred is told in part, unless [`Options::verbose`] is set.
    fn deployed(&mut self, outcome: &Outcome, gate: &Gate) -> io::Result<()> {
        let all = &outcome.deployed;
        let failures = Failures::of(outcome);
        for one in all.iter().filter(|one| gate.is_unknown(one) && !failures.tell(one)) {
            self.undeployed(DEFAULT_ERROR_STYLE, one)?;
        }
        // What is deferred is the reason of a run that judged nothing else.
        if self.options.quiet && gate.verdict(outcome) != Verdict::Nothing {
            return Ok(());
        }
        let deferred: Vec<&Deployed> = all.iter().filter(|one| one.state == State::Deferred && !gate.is_unknown(one)).collect();
        let told = if self.options.verbose { deferred.len() } else { MAX_DEFERRED.min(deferred.len()) };
        for one in deferred.iter().take(told) {
            self.undeployed(DEFAULT_NOTE_STYLE, one)?;
        }
        match deferred.len() - told {
            0 => Ok(()),
            more => self.title(DEFAULT_NOTE_STYLE, "deferred", "", &format!("{more} more (--verbose lists them)\n")),
        }
    }

    fn undeployed(&mut self, style: Style, one: &Deployed) -> io::Result<()> {
        self.title(style, one.state.name(), "", &format!("{} `{}`: {}", one.kind, one.name, one.reasons.join("; ")))?;
        if let Some(location) = &one.location {
            self.arrow(digits(location.start().line), location)?;
        }
        writeln!(self.out)
    }

    fn unread(&mut self, unread: &Unread) -> io::Result<()> {
        let message = format!("cannot read `{}`: {}", clean::line(&unread.file), unread.reason);
        self.title(DEFAULT_ERROR_STYLE, "error", "", &message)?;
        writeln!(self.out)
    }

    /// Notes, and with [`Options::verbose`] what was skipped.
    fn remarks(&mut self, outcome: &Outcome) -> io::Result<()> {
        for note in &outcome.notes {
            self.title(DEFAULT_NOTE_STYLE, "note", "", note)?;
        }
        if self.options.verbose {
            for skipped in &outcome.skipped {
                let line = skipped.line.map(|line| format!(":{line}")).unwrap_or_default();
                let text = format!("{}{line}: {}", clean::line(&skipped.file), skipped.reason);
                self.title(DEFAULT_NOTE_STYLE, "skipped", "", &text)?;
            }
        }
        if !outcome.notes.is_empty() || (self.options.verbose && !outcome.skipped.is_empty()) {
            writeln!(self.out)?;
        }
        Ok(())
    }

    /// `error[rule]: message`; further lines of the message stand below its beginning.
    fn title(&mut self, style: Style, name: &str, detail: &str, message: &str) -> io::Result<()> {
        let (style, bold) = (self.style(style), self.style(DEFAULT_EMPHASIS_STYLE));
        write!(self.out, "{style}{name}{detail}{style:#}{bold}: ")?;
        self.lines(name.len() + detail.chars().count() + 2, message)?;
        writeln!(self.out, "{bold:#}")
    }

    /// `--> file:line:column`
    fn arrow(&mut self, margin: usize, location: &Location) -> io::Result<()> {
        let (style, start) = (self.style(DEFAULT_LINE_NUM_STYLE), location.start());
        let name = clean::line(location.source.name());
        writeln!(self.out, "{:margin$}{style}-->{style:#} {name}:{}:{}", "", start.line, start.column)
    }

    /// What deploys the object, and what the line is there.
    fn rendered(&mut self, margin: usize, location: &Location, rendered: Option<&Rendered>) -> io::Result<()> {
        let Some(rendered) = rendered else { return Ok(()) };
        if let Some(by) = deployed_by(rendered) {
            self.footer(margin, "deployed", by.trim_start_matches("deployed "))?;
        }
        if !rendered.text.is_empty() {
            self.footer(margin, "rendered", &format!("`{}`", cut(&rendered.text, MAX_DIFF_LINE)))?;
        }
        if !rendered.exact {
            let note = match location.span {
                span if span == Span::at(0) => "only the file that this comes from is known, not the line",
                _ => "which line this comes from is not known: it is shown where what holds it begins",
            };
            self.footer(margin, "note", note)?;
        }
        Ok(())
    }

    fn object(&mut self, margin: usize, object: Option<&ObjectId>) -> io::Result<()> {
        let Some(object) = object else { return Ok(()) };
        self.footer(margin, "object", &describe(object))
    }

    /// `= name: text`; nothing for an empty text.
    fn footer(&mut self, margin: usize, name: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let (style, bold) = (self.style(DEFAULT_LINE_NUM_STYLE), self.style(DEFAULT_EMPHASIS_STYLE));
        if std::mem::take(&mut self.bar_due) {
            writeln!(self.out, "{:margin$} {style}|{style:#}", "")?;
        }
        write!(self.out, "{:margin$} {style}={style:#} {bold}{name}{bold:#}: ", "")?;
        self.lines(margin + 3 + name.len() + 2, text)?;
        writeln!(self.out)
    }

    /// Text whose further lines are indented, so that none of them can be taken for a line of ours.
    fn lines(&mut self, indent: usize, text: &str) -> io::Result<()> {
        for (index, line) in clean::block(text).trim_end().split('\n').enumerate() {
            if index > 0 {
                write!(self.out, "\n{:indent$}", "")?;
            }
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn style(&self, style: Style) -> Style {
        if self.options.color { style } else { Style::new() }
    }
}

/// `Deployment shop/web`, or `ClusterRole admin` without a namespace.
pub(crate) fn describe(object: &ObjectId) -> String {
    let ObjectId { kind, namespace, name, .. } = object;
    if name.is_empty() {
        return format!("{kind} without a name");
    }
    if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
}

/// Whether `fedward explain` knows the rule: its page is one of ours, which have no address.
pub(crate) fn has_own_page(finding: &Finding) -> bool {
    !finding.docs.is_empty() && !finding.docs.contains("://")
}

/// The beginning of a long line, and how much more there is.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most).and_then(|(end, _)| text.split_at_checked(end)) {
        None => clean::line(text),
        Some((kept, rest)) => format!("{}… (+{} more characters)", clean::line(kept), rest.chars().count()).into(),
    }
}

fn digits(line: u32) -> usize {
    line.checked_ilog10().map_or(1, |log| log as usize + 1)
}
