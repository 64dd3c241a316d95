//! Some lines of a file, as they may be shown: cut where they are long, secrets hidden, controls visible.

use std::ops::Range;

use fedward_manifest::{Source, Span};

use crate::clean;
use crate::masks::Masks;

/// What stands for a secret, whatever its length.
const HIDDEN: &str = "•••";
/// What stands where a line goes on.
const MORE: char = '…';
/// Bytes of a line that are kept.
const MAX_LINE: usize = 400;
/// Of which this many before what is pointed at.
const BEFORE: usize = 120;

/// Lines of a source, and where each byte of the source went.
#[derive(Debug)]
pub(crate) struct Window {
    /// The lines, joined by `\n`.
    pub(crate) text: String,
    pieces: Vec<Piece>,
}

/// A stretch of the source beside its stretch of the window; both are in order.
#[derive(Debug)]
struct Piece {
    source: Span,
    text: Range<usize>,
    /// The text is the source's, byte for byte.
    verbatim: bool,
}

impl Window {
    /// The lines `first..=last` (from 1). A long line is cut around the first of the spans that touches it.
    pub(crate) fn new(source: &Source, first: u32, last: u32, spans: &[Span], masks: &Masks<'_>) -> Self {
        let mut window = Window { text: String::new(), pieces: Vec::new() };
        for number in first..=last {
            if number > first {
                window.text.push('\n');
            }
            window.line(source, number, spans, masks);
        }
        // The renderer knows no line after the last line break; a space makes it one.
        if window.text.is_empty() || window.text.ends_with('\n') {
            window.text.push(' ');
        }
        window
    }

    /// Where a stretch of the source is in the window; the nearest place for what was cut away.
    pub(crate) fn place(&self, span: Span) -> Range<usize> {
        let start = self.position(span.start, false);
        start..self.position(span.end, true).max(start)
    }

    /// Whether the place was not cut away.
    pub(crate) fn shows(&self, offset: u32) -> bool {
        let index = self.pieces.partition_point(|piece| piece.source.end < offset);
        self.pieces.get(index).is_some_and(|piece| piece.source.start <= offset)
    }

    fn position(&self, offset: u32, end: bool) -> usize {
        let index = self.pieces.partition_point(|piece| piece.source.end < offset);
        let Some(piece) = self.pieces.get(index) else { return self.pieces.last().map_or(0, |piece| piece.text.end) };
        if offset <= piece.source.start {
            piece.text.start
        } else if piece.verbatim {
            piece.text.start + (offset - piece.source.start) as usize
        } else if end || offset == piece.source.end {
            piece.text.end
        } else {
            piece.text.start
        }
    }

    fn line(&mut self, source: &Source, number: u32, spans: &[Span], masks: &Masks<'_>) {
        let whole = source.line_span(number);
        let mut start = whole.start as usize;
        let end = start + source.line_text(number).len();
        if start == 0 && source.text().starts_with('\u{feff}') {
            start = '\u{feff}'.len_utf8();
        }
        let kept = if end.saturating_sub(start) > MAX_LINE { cut(source.text(), start..end, spans) } else { start..end.max(start) };
        if kept.start > start {
            self.text.push(MORE);
        }
        let mut at = kept.start;
        for mask in masks.within(source, offset(kept.start), offset(kept.end)) {
            let from = source.text().floor_char_boundary(mask.start as usize).max(at);
            let to = source.text().ceil_char_boundary(mask.end as usize).min(kept.end);
            self.visible(source, at..from);
            self.piece(from..to.max(from), false, HIDDEN);
            at = to.max(from);
        }
        self.visible(source, at..kept.end);
        if kept.end < end {
            self.text.push(MORE);
        }
    }

    /// Text without secrets: as it is, but for characters that must not reach a terminal.
    fn visible(&mut self, source: &Source, range: Range<usize>) {
        let text = source.text().get(range.clone()).unwrap_or_default();
        if clean::is_plain(text) {
            return self.piece(range, true, text);
        }
        let mut at = 0;
        for (index, character) in text.char_indices() {
            // The renderer expands tabs itself, and counts them right.
            let Some(shown) = clean::replacement(character).filter(|_| character != '\t') else { continue };
            let next = index + character.len_utf8();
            self.piece(range.start + at..range.start + index, true, text.get(at..index).unwrap_or_default());
            self.piece(range.start + index..range.start + next, false, shown.encode_utf8(&mut [0; 4]));
            at = next;
        }
        self.piece(range.start + at..range.end, true, text.get(at..).unwrap_or_default());
    }

    fn piece(&mut self, source: Range<usize>, verbatim: bool, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        let source = Span::new(offset(source.start), offset(source.end));
        self.pieces.push(Piece { source, text: start..self.text.len(), verbatim });
    }
}

/// The part of a long line around what is pointed at.
fn cut(text: &str, line: Range<usize>, spans: &[Span]) -> Range<usize> {
    let touching = spans.iter().find(|span| span.start as usize <= line.end && span.end as usize >= line.start);
    let focus = touching.map_or(line.start, |span| (span.start as usize).max(line.start));
    let from = text.floor_char_boundary(focus.saturating_sub(BEFORE)).max(line.start);
    let to = text.floor_char_boundary(from + MAX_LINE).min(line.end);
    from..to.max(from)
}

/// A source is never longer than `u32::MAX`.
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
