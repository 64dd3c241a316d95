//! YAML events to a tree.

use std::borrow::Cow;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span as GranitSpan, StructureStyle, options};
use memchr::{memchr, memchr_iter, memchr2};

use crate::{
    assembly::{Assembly, Value},
    base64,
    limits::{Limit, Limits},
    messages,
    number::Floats,
    problem::{FOR_PEOPLE, Problem, ProblemKind},
    source::{Span, number},
    tree::{Shape, Style},
    typing::{self, Resolved, Tag},
};

const CORE: &str = "tag:yaml.org,2002:";

/// Reads the one document that stands in `source[from..to]`; comments are appended in the order of the text.
pub(crate) fn read(
    source: &str,
    from: usize,
    to: usize,
    limits: &Limits,
    assembly: &mut Assembly<'_>,
    comments: &mut Vec<Span>,
) -> Result<(), Problem> {
    let text = source.get(from..to).unwrap_or_default();
    let mut reader = Reader { source, text, base: from, scanned: from, has_document: false, floats: limits.floats, assembly, comments };
    for next in Parser::new_from_str_with_options(text, parser_options(limits)) {
        let (event, span) = next.map_err(|error| reader.syntax(&error, limits))?;
        let span = reader.span(span);
        reader.event(event, span)?;
    }
    reader.scan_gap(to);
    Ok(())
}

/// Depth is counted by the assembly, over both sorts of collection and through aliases; the parser's own bounds keep
/// its stacks from growing before that.
fn parser_options(limits: &Limits) -> Options {
    options! {
        emit_comments: false,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: limits.depth + 1,
        block_nesting_limit: limits.depth + 1,
    }
}

struct Reader<'s, 'a, 'l> {
    source: &'s str,
    /// The document.
    text: &'s str,
    /// Where the document begins in `source`.
    base: usize,
    /// Up to here, comments are known.
    scanned: usize,
    has_document: bool,
    floats: Floats,
    assembly: &'a mut Assembly<'l>,
    comments: &'a mut Vec<Span>,
}

impl Reader<'_, '_, '_> {
    fn span(&self, span: GranitSpan) -> Span {
        let range = span.byte_range().unwrap_or_default();
        Span::new(number(self.base + range.start), number(self.base + range.end))
    }

    fn syntax(&self, error: &ScanError, limits: &Limits) -> Problem {
        if !FOR_PEOPLE {
            return Problem::new(ProblemKind::Syntax, Span::default(), "");
        }
        let mut at = self.base + error.marker().byte_offset().unwrap_or_default().min(self.text.len());
        if messages::is_tab(error.kind()) {
            at = self.tab_near(at);
        }
        let width = self.source.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let span = Span::new(number(at), number(at + width));
        match messages::of(error.kind()) {
            Some((kind, message)) => Problem::new(kind, span, message),
            None => Problem::limit(Limit::Depth(limits.depth), span),
        }
    }

    /// The tab that an error means. The parser tells of it when it is past it, or at the blank space before it, or at the beginning of
    /// the text that it ends.
    fn tab_near(&self, at: usize) -> usize {
        let (before, after) = self.source.split_at_checked(at).unwrap_or_default();
        let line = before.get(self.base..).and_then(|text| text.rsplit(['\n', '\r']).next()).unwrap_or_default();
        let behind = line.rfind('\t').map(|tab| at - (line.len() - tab));
        if let Some(tab) = behind.filter(|_| line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'-'))) {
            return tab;
        }
        let mut start = at;
        for line in after.split_inclusive(['\n', '\r']) {
            let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
            let tab = line.get(..indentation).and_then(|indentation| indentation.find('\t'));
            if let Some(tab) = tab {
                return start + tab;
            }
            start += line.len();
        }
        behind.unwrap_or(at)
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(|tag| tag.suffix_in_namespace(CORE).map_or(Tag::Other, |name| Tag::core(&name)));
                self.scalar(text, style, anchor, tag, span)?;
            }
            Event::MappingStart(style, anchor, _) => self.open(true, style, anchor, span)?,
            Event::SequenceStart(style, anchor, _) => self.open(false, style, anchor, span)?,
            // Only the end of a flow collection has text.
            Event::MappingEnd | Event::SequenceEnd => {
                self.assembly.close((!span.is_empty()).then_some(span.end))?;
            }
            Event::Alias(anchor) => self.alias(anchor, span)?,
            // A chunk has no marker inside, so this has none.
            Event::DocumentStart(..) if self.has_document => {
                return Err(Problem::new(ProblemKind::Syntax, span, messages::EXPECTED_DOCUMENT));
            }
            Event::DocumentStart(..) => self.has_document = true,
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, map: bool, style: StructureStyle, anchor: usize, span: Span) -> Result<(), Problem> {
        let gap = self.scanned;
        self.scan_gap(span.start as usize);
        self.name(anchor);
        let (mut start, style) = (span.start, if style == StructureStyle::Flow { Style::Flow } else { Style::Block });
        if FOR_PEOPLE && !map && style == Style::Block && self.assembly.expects_value_of_key() {
            start = self.first_dash(gap, start).unwrap_or(start);
        }
        self.assembly.open(map, start, style)
    }

    /// The first dash of a list that is no further indented than its key: the parser gives the place behind it.
    fn first_dash(&self, from: usize, to: u32) -> Option<u32> {
        let gap = self.source.as_bytes().get(from..to as usize)?;
        let blank = |at: Option<usize>| at.and_then(|at| gap.get(at)).is_none_or(u8::is_ascii_whitespace);
        let dashes = memchr_iter(b'-', gap).filter(|at| blank(at.checked_sub(1)) && blank(Some(at + 1)));
        dashes.map(|at| number(from + at)).find(|at| {
            let comment = self.comments.partition_point(|comment| comment.end <= *at);
            self.comments.get(comment).is_none_or(|comment| comment.start > *at)
        })
    }

    /// Anchors are numbered from 1 there, and 0 is none.
    fn name(&mut self, anchor: usize) {
        if let Some(anchor) = anchor.checked_sub(1) {
            self.assembly.anchor(anchor);
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let anchor = anchor.saturating_sub(1);
        if !self.assembly.expects_key() {
            return self.assembly.alias(anchor, span);
        }
        match self.anchored_key(anchor) {
            Some(text) => self.assembly.owned_key(&text, span),
            None => {
                self.assembly.report(Problem::new(ProblemKind::Key, span, "a list or map cannot be a key"));
                self.assembly.dropped_key(span);
            }
        }
        Ok(())
    }

    /// The text of an anchored scalar as a key.
    fn anchored_key(&self, anchor: usize) -> Option<String> {
        let raw = self.assembly.anchored(anchor)?;
        Some(match raw.shape {
            Shape::Null => "null".to_owned(),
            Shape::False => "false".to_owned(),
            Shape::True => "true".to_owned(),
            Shape::Int => raw.bits().cast_signed().to_string(),
            Shape::Uint => raw.bits().to_string(),
            Shape::Float => (self.floats.key)(f64::from_bits(raw.bits()), self.source.get(raw.span.range()).unwrap_or_default()),
            Shape::Str | Shape::OwnedStr => self.assembly.tree().text(raw, self.source)?.to_owned(),
            Shape::Seq | Shape::Map => return None,
        })
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, anchor: usize, tag: Option<Tag>, mut span: Span) -> Result<(), Problem> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let gap = self.scanned..span.start as usize;
        self.scan_gap(gap.end);
        self.scanned = span.end as usize;
        if FOR_PEOPLE && matches!(style, Style::Literal | Style::Folded) {
            span = self.block_scalar(gap.start, span);
        }
        // A plain scalar without text comes as `~`.
        let missing = style == Style::Plain && span.is_empty();
        let mut text = if missing { Cow::Borrowed("") } else { text };
        let resolved = match tag {
            None if style == Style::Plain => Some(typing::resolve(&text, self.floats)),
            None => Some(Resolved::Str),
            Some(Tag::Binary) => base64::decode(&text).map(|bytes| {
                text = Cow::Owned(String::from_utf8_lossy(&bytes).into_owned());
                Resolved::Str
            }),
            Some(tag) => typing::resolve_tagged(tag, &text, self.floats),
        };
        let resolved = resolved.unwrap_or_else(|| {
            let name = tag.map_or("its tag", Tag::name);
            self.assembly.report(Problem::new(ProblemKind::Value, span, format!("value does not fit `{name}`")));
            Resolved::Str
        });
        if self.assembly.expects_key() {
            if anchor > 0 {
                self.name(anchor);
                let value = self.value(&text, resolved, span);
                self.assembly.aside(value, span, style)?;
            }
            let merges = text == "<<" && (tag == Some(Tag::Merge) || tag.is_none() && style == Style::Plain);
            if merges {
                self.assembly.merge_key(span);
            } else {
                self.key(&text, resolved, span, style);
            }
            return Ok(());
        }
        self.name(anchor);
        if missing && self.source.as_bytes().get(span.start as usize) == Some(&b':') {
            span = Span::at(span.start + 1);
        }
        let value = self.value(&text, resolved, span);
        self.assembly.scalar(value, span, style)
    }

    fn value<'t>(&mut self, text: &'t str, resolved: Resolved, span: Span) -> Value<'t> {
        match resolved {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Int(value) => Value::Int(value),
            Resolved::Uint(value) => Value::Uint(value),
            Resolved::Float(value) if value.is_finite() => Value::Float(value),
            Resolved::Float(_) => {
                self.assembly.report(Problem::new(ProblemKind::Value, span, "JSON has no such number"));
                self.text_value(text)
            }
            Resolved::Str => self.text_value(text),
        }
    }

    fn text_value<'t>(&self, text: &'t str) -> Value<'t> {
        self.offset_of(text).map_or(Value::Owned(text), |at| Value::Source(at, number(text.len())))
    }

    /// Where in the source a text is, if the parser borrowed it from there.
    fn offset_of(&self, text: &str) -> Option<u32> {
        let at = text.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        (at + text.len() <= self.text.len()).then(|| number(self.base + at))
    }

    fn key(&mut self, text: &str, resolved: Resolved, span: Span, style: Style) {
        let spelled = match resolved {
            Resolved::Str => {
                let quotes = if style == Style::Plain { 0 } else { 2 };
                if self.offset_of(text).is_some() && text.len() + quotes == span.len() as usize {
                    self.assembly.key(span, quotes > 0);
                } else {
                    self.assembly.owned_key(text, span);
                }
                return;
            }
            Resolved::Bool(value) => value.to_string(),
            Resolved::Int(value) => value.to_string(),
            Resolved::Float(value) => (self.floats.key)(value, text),
            Resolved::Null | Resolved::Uint(_) => {
                let what = if resolved == Resolved::Null { "null" } else { "an integer above 9223372036854775807" };
                self.assembly.report(Problem::new(ProblemKind::Key, span, format!("{what} cannot be a key; quote it")));
                if resolved == Resolved::Null { "null".to_owned() } else { text.to_owned() }
            }
        };
        self.assembly.owned_key(&spelled, span);
    }

    /// A block scalar's place from its `|` or `>` to the end of its last line. The parser gives the content, which may
    /// reach into the indentation of what follows.
    fn block_scalar(&self, gap: usize, span: Span) -> Span {
        let header = self.header(gap, span.start as usize).unwrap_or(span.start as usize);
        let content = self.source.get(span.range()).unwrap_or_default();
        let last_line = content.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let partial = content.get(last_line..).unwrap_or_default();
        let end = if partial.bytes().all(|byte| byte == b' ') { span.end - number(partial.len()) } else { span.end };
        Span::new(number(header), end)
    }

    /// Where the last token before the content of a block scalar begins: its header. Comments may stand between.
    fn header(&self, gap: usize, content: usize) -> Option<usize> {
        let mut comments = self.comments.iter().rev();
        let mut text = self.source.get(gap..content)?.trim_end();
        loop {
            let end = gap + text.len();
            match comments.next().filter(|comment| comment.end as usize == end) {
                Some(comment) => text = self.source.get(gap..comment.start as usize)?.trim_end(),
                None => return Some(gap + text.rfind(char::is_whitespace).map_or(0, |at| at + 1)),
            }
        }
    }

    /// Takes the comments between the last scalar and `to`, where `#` has no other meaning if blank space precedes it.
    fn scan_gap(&mut self, to: usize) {
        if !FOR_PEOPLE {
            return;
        }
        let mut from = self.scanned;
        while let Some(at) = self.source.as_bytes().get(from..to).and_then(hash_sign) {
            let start = from + at;
            from = start + 1;
            let before = start.checked_sub(1).filter(|_| start > self.base).and_then(|at| self.source.as_bytes().get(at));
            if before.is_none_or(u8::is_ascii_whitespace) {
                let line = self.source.as_bytes().get(start..to).unwrap_or_default();
                from = start + memchr2(b'\n', b'\r', line).unwrap_or(line.len());
                self.comments.push(Span::new(number(start), number(from)));
            }
        }
        self.scanned = to.max(self.scanned);
    }
}

/// The first `#`. Most gaps are a line break and some blanks, for which a search that prepares is slow.
fn hash_sign(gap: &[u8]) -> Option<usize> {
    const SHORT: usize = 24;
    if gap.len() <= SHORT { gap.iter().position(|byte| *byte == b'#') } else { memchr(b'#', gap) }
}
