//! From a scalar's decoded text back to the bytes that it is written with.

use std::sync::Arc;

use crate::{
    source::{Source, Span, number},
    tree::{Raw, Shape, Style},
};

/// Where the text of an embedded document stands in the file, possibly through several layers.
#[derive(Debug)]
pub(crate) struct Outer {
    /// The file.
    pub(crate) source: Arc<Source>,
    pub(crate) map: OffsetMap,
    /// Of the document that the text stands in, if it is embedded itself.
    pub(crate) outer: Option<Arc<Outer>>,
}

impl Outer {
    /// The place in the file of a range of the decoded text.
    pub(crate) fn span(&self, inner: Span) -> Span {
        let span = self.map.span(inner);
        self.outer.as_ref().map_or(span, |outer| outer.span(span))
    }
}

/// Offsets in a decoded text to offsets in the text that it was decoded from; never decreasing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OffsetMap {
    segments: Vec<Segment>,
    /// Where the written text ends.
    end: u32,
}

/// A run of decoded text, up to where the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    decoded: u32,
    written: u32,
    /// Whether the bytes are the same; otherwise the run has one place, up to where the next begins.
    verbatim: bool,
}

impl OffsetMap {
    /// Everything has the same place.
    pub(crate) fn constant(place: Span) -> Self {
        Self { segments: vec![Segment { decoded: 0, written: place.start, verbatim: false }], end: place.end }
    }

    /// For the string node `raw` of a document whose text is `source`, with its decoded text.
    pub(crate) fn new(raw: &Raw, source: &str, decoded: &str) -> Self {
        if raw.shape == Shape::Str {
            return Self { segments: vec![Segment { decoded: 0, written: raw.a, verbatim: true }], end: raw.a + raw.b };
        }
        let mut tracer = Tracer { source, decoded, at: 0, segments: Vec::new() };
        let (start, mut end) = (raw.span.start as usize, raw.span.end as usize);
        let complete = match (raw.style, source.as_bytes().get(start)) {
            (Style::Literal, _) => tracer.literal(start, end),
            (Style::Folded, _) => tracer.folded(start, end),
            (Style::Plain, _) => tracer.flow(start, end, None),
            (Style::SingleQuoted | Style::DoubleQuoted | Style::Flow, Some(quote @ (b'\'' | b'"'))) => {
                end = end.saturating_sub(1);
                tracer.flow(start + 1, end, Some(*quote))
            }
            _ => None,
        };
        if complete.is_none() || tracer.segments.is_empty() {
            return Self::constant(raw.span);
        }
        Self { segments: tracer.segments, end: number(end) }
    }

    pub(crate) fn span(&self, decoded: Span) -> Span {
        let start = self.start(decoded.start);
        let end = if decoded.is_empty() && !self.is_constant() { start } else { self.end(decoded.end) };
        Span::new(start, end.max(start))
    }

    /// Whether all of the text has one place.
    pub(crate) fn is_constant(&self) -> bool {
        matches!(self.segments.as_slice(), [Segment { verbatim: false, .. }])
    }

    fn segment(&self, decoded: u32) -> Option<(usize, &Segment)> {
        let index = self.segments.partition_point(|segment| segment.decoded <= decoded).checked_sub(1)?;
        Some((index, self.segments.get(index)?))
    }

    fn start(&self, decoded: u32) -> u32 {
        match self.segment(decoded) {
            Some((index, segment)) if segment.verbatim => (segment.written + (decoded - segment.decoded)).min(self.written_after(index)),
            Some((_, segment)) => segment.written,
            None => self.end,
        }
    }

    /// The end of a range is the end of its last byte.
    fn end(&self, decoded: u32) -> u32 {
        let Some(last) = decoded.checked_sub(1) else { return self.written_after(0).min(self.end) };
        match self.segment(last) {
            Some((index, segment)) if segment.verbatim => (segment.written + (decoded - segment.decoded)).min(self.written_after(index)),
            Some((index, _)) => self.written_after(index),
            None => self.end,
        }
    }

    fn written_after(&self, index: usize) -> u32 {
        self.segments.get(index + 1).map_or(self.end, |next| next.written)
    }
}

/// Follows a scalar's written form beside its decoded text. Every method is `None` where the two do not agree, which no
/// parsed scalar should cause; then the whole scalar is the place of everything in it.
struct Tracer<'t> {
    source: &'t str,
    decoded: &'t str,
    /// Up to here the decoded text is accounted for.
    at: usize,
    segments: Vec<Segment>,
}

impl<'t> Tracer<'t> {
    /// The decoded text goes on as it is written in this range.
    fn verbatim(&mut self, from: usize, to: usize) -> Option<()> {
        let text = self.source.get(from..to)?;
        if !self.decoded.get(self.at..)?.starts_with(text) {
            return None;
        }
        if !text.is_empty() {
            self.push(from, true);
            self.at += text.len();
        }
        Some(())
    }

    /// The next bytes of the decoded text are written otherwise, from here on.
    fn written_as(&mut self, from: usize, decoded_bytes: usize) -> Option<()> {
        self.decoded.get(self.at..self.at + decoded_bytes)?;
        if decoded_bytes > 0 {
            self.push(from, false);
            self.at += decoded_bytes;
        }
        Some(())
    }

    fn push(&mut self, written: usize, verbatim: bool) {
        let (decoded, written) = (number(self.at), number(written));
        let goes_on =
            verbatim && self.segments.last().is_some_and(|last| last.verbatim && last.written + (decoded - last.decoded) == written);
        if !goes_on {
            self.segments.push(Segment { decoded, written, verbatim });
        }
    }

    /// The line at an offset, and where the next begins.
    fn line(&self, from: usize, end: usize) -> Option<(&'t str, usize)> {
        let rest = self.source.get(from..end)?;
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = rest.get(..length)?;
        Some((line, from + length + break_len(rest.get(length..)?)))
    }

    fn literal(&mut self, start: usize, end: usize) -> Option<()> {
        let (_, mut next) = self.line(start, end)?;
        let decoded = self.decoded;
        for line in decoded.split_inclusive('\n') {
            let text = line.strip_suffix('\n').unwrap_or(line);
            let (written, after) = self.line(next, end)?;
            let text_end = next + written.len();
            if !written.ends_with(text) {
                return None;
            }
            self.verbatim(text_end - text.len(), text_end)?;
            if text.len() < line.len() && after - text_end == 1 && self.source.as_bytes().get(text_end) == Some(&b'\n') {
                self.verbatim(text_end, after)?;
            } else {
                self.written_as(text_end, line.len() - text.len())?;
            }
            next = after;
        }
        Some(())
    }

    fn folded(&mut self, start: usize, end: usize) -> Option<()> {
        let (_, mut next) = self.line(start, end)?;
        let mut line_end = next;
        while next < end {
            let (written, after) = self.line(next, end)?;
            let text = written.trim_start_matches(' ');
            if !text.is_empty() {
                let rest = self.decoded.get(self.at..)?;
                let fold = rest.len() - rest.trim_start_matches([' ', '\n']).len();
                self.written_as(line_end, fold)?;
                let from = next + written.len() - text.len();
                line_end = from + text.len();
                self.verbatim(from, line_end)?;
            }
            next = after;
        }
        self.written_as(line_end, self.decoded.len() - self.at)
    }

    /// A plain or quoted scalar, without its quotes.
    fn flow(&mut self, start: usize, end: usize, quote: Option<u8>) -> Option<()> {
        let mut next = start;
        while next < end {
            let rest = self.source.get(next..end)?;
            let special = |byte: &u8| {
                matches!(byte, b'\n' | b'\r') || *byte == b'\\' && quote == Some(b'"') || *byte == b'\'' && quote == Some(b'\'')
            };
            let length = rest.bytes().position(|byte| special(&byte)).unwrap_or(rest.len());
            let stop = next + length;
            match self.source.as_bytes().get(stop).filter(|_| stop < end) {
                None => self.verbatim(next, stop)?,
                Some(b'\n' | b'\r') => {
                    let text = rest.get(..length)?.trim_end_matches([' ', '\t']);
                    self.verbatim(next, next + text.len())?;
                    let (breaks, after) = self.breaks(stop, end);
                    // One line break is a space, each further one a line break.
                    self.written_as(next + text.len(), (breaks - 1).max(1))?;
                    next = after;
                    continue;
                }
                Some(b'\\') => {
                    self.verbatim(next, stop)?;
                    next = self.escape(stop, end)?;
                    continue;
                }
                Some(_) => {
                    self.verbatim(next, stop)?;
                    self.written_as(stop, 1)?;
                    next = stop + 2;
                    continue;
                }
            }
            next = stop;
        }
        (self.at == self.decoded.len()).then_some(())
    }

    /// How many line breaks there are, blank space apart, and where the text goes on.
    fn breaks(&self, from: usize, end: usize) -> (usize, usize) {
        let (mut next, mut breaks) = (from, 0);
        loop {
            let rest = self.source.get(next..end).unwrap_or_default();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let length = break_len(rest.get(blank..).unwrap_or_default());
            next += blank + length;
            if length == 0 {
                return (breaks, next);
            }
            breaks += 1;
        }
    }

    /// An escape in double quotes; returns where the text goes on.
    fn escape(&mut self, from: usize, end: usize) -> Option<usize> {
        let width = match self.source.as_bytes().get(from + 1)? {
            b'\n' | b'\r' => {
                // The line break itself is nothing, each further one is one.
                let (breaks, after) = self.breaks(from + 1, end);
                self.written_as(from, breaks - 1)?;
                return Some(after);
            }
            b'x' => 4,
            b'U' => 10,
            b'u' if self.is_pair(from) => 12,
            b'u' => 6,
            other => 1 + char_len(*other),
        };
        let decoded = self.decoded.get(self.at..)?.chars().next()?;
        self.written_as(from, decoded.len_utf8())?;
        Some(from + width)
    }

    /// Whether two escapes, here and directly after, are the halves of one character.
    fn is_pair(&self, from: usize) -> bool {
        let unit = |at: usize| {
            let digits = self.source.get(at..at + 6)?.strip_prefix("\\u")?;
            u32::from_str_radix(digits, 16).ok()
        };
        unit(from).is_some_and(|high| (0xd800..0xdc00).contains(&high)) && unit(from + 6).is_some_and(|low| (0xdc00..0xe000).contains(&low))
    }
}

/// Bytes of the line break that a text begins with.
fn break_len(text: &str) -> usize {
    match text.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// Bytes of the character that begins with this byte.
const fn char_len(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}
