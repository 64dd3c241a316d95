//! The source lines that a finding points at, drawn by annotate-snippets.

use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Snippet};
use fedward_manifest::{Source, Span};
use fedward_outcome::{Finding, Location, Related};

use crate::clean;
use crate::masks::Masks;
use crate::window::Window;

/// Spans over more lines than this are shown by their first line.
const MAX_SPAN_LINES: u32 = 6;
/// A related place at most this many lines away is labelled in the same excerpt.
const NEAR: u32 = 10;
/// Related places that are shown; a policy of others may send any number.
const MAX_RELATED: usize = fedward_kit::finding::MAX_RELATED;

/// What of a finding can be drawn.
pub(crate) struct Excerpt<'a> {
    /// For the renderer; empty where there is no text.
    pub(crate) groups: Vec<Group<'a>>,
    /// The largest line number in the margin.
    pub(crate) last_line: u32,
    /// Related places in other files.
    pub(crate) elsewhere: Vec<&'a Related>,
    /// Related places that are not shown at all.
    pub(crate) more: usize,
}

impl<'a> Excerpt<'a> {
    /// Draws at most a screenful, whatever the finding says.
    pub(crate) fn new(finding: &'a Finding, level: Level<'a>, masks: &Masks<'_>) -> Self {
        let Location { source, span, .. } = &finding.location;
        let related = finding.related.get(..MAX_RELATED).unwrap_or(&finding.related);
        let more = finding.related_more + finding.related.len() - related.len();
        let (here, elsewhere): (Vec<_>, Vec<_>) = related.iter().partition(|related| Arc::ptr_eq(&related.location.source, source));
        let mut excerpt = Excerpt { groups: Vec::new(), last_line: line(source, span.start), elsewhere, more };
        if source.text().is_empty() {
            return excerpt;
        }

        let primary = shown(source, *span, MAX_SPAN_LINES);
        let (first, last) = (line(source, primary.start), line(source, primary.end));
        let is_near = |span: Span| (first.saturating_sub(NEAR)..=last.saturating_add(NEAR)).contains(&line(source, span.start));
        let here: Vec<(Span, &Related)> = here.into_iter().map(|related| (shown(source, related.location.span, 1), related)).collect();
        let (near, far): (Vec<_>, Vec<_>) = here.into_iter().partition(|(span, _)| is_near(*span));

        let spans: Vec<Span> = std::iter::once(primary).chain(near.iter().map(|(span, _)| *span)).collect();
        let lines = spans.iter().map(|span| line(source, span.start));
        let (from, to) = lines.fold((first, last), |(from, to), line| (from.min(line), to.max(line)));
        let window = Window::new(source, from, to, &spans, masks);
        let (near, cut_away): (Vec<_>, Vec<_>) = near.into_iter().partition(|(span, _)| window.shows(span.start));

        excerpt.reach(last);
        let mut annotations = vec![AnnotationKind::Primary.span(window.place(primary))];
        for (span, related) in near {
            excerpt.reach(line(source, span.start));
            annotations.push(label(&window, span, related));
        }
        let snippet = Snippet::source(window.text).line_start(from as usize).annotations(annotations);
        excerpt.groups.push(Group::with_level(level).element(snippet));
        for (span, related) in cut_away.into_iter().chain(far) {
            excerpt.separate(source, span, related, masks);
        }
        excerpt
    }

    /// A related place in the same file, with its own heading.
    fn separate(&mut self, source: &'a Source, span: Span, related: &'a Related, masks: &Masks<'_>) {
        let start = related.location.start();
        let number = line(source, span.start);
        let window = Window::new(source, number, number, &[span], masks);
        let annotation = label(&window, span, related);
        let origin = Origin::path(clean::line(source.name())).line(start.line as usize).char_column(start.column as usize);
        let snippet = Snippet::source(window.text).line_start(number as usize).annotation(annotation);
        self.groups.push(Group::with_level(Level::NOTE).element(origin));
        self.groups.push(Group::with_level(Level::NOTE).element(snippet));
        self.reach(number);
    }

    fn reach(&mut self, line: u32) {
        self.last_line = self.last_line.max(line);
    }
}

fn label<'a>(window: &Window, span: Span, related: &'a Related) -> Annotation<'a> {
    let text = Some(clean::line(&related.message)).filter(|text| !text.is_empty());
    AnnotationKind::Context.span(window.place(span)).label(text)
}

fn line(source: &Source, offset: u32) -> u32 {
    source.position(offset).line
}

/// The span as it is drawn: inside the text, on whole characters, without the white space after a block; a long one by its first line.
fn shown(source: &Source, span: Span, max_lines: u32) -> Span {
    let text = source.text();
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.ceil_char_boundary(span.end as usize).max(start);
    let length = text.get(start..end).unwrap_or_default().trim_end().len();
    let start = u32::try_from(start).unwrap_or(u32::MAX);
    let end = start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
    let first = line(source, start);
    if line(source, end) - first < max_lines {
        return Span::new(start, end);
    }
    let rest = Span::new(start, source.line_span(first).end);
    let length = source.slice(rest).trim_end().len();
    Span::new(start, start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX)))
}
