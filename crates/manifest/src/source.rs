//! A file's text, and where a byte offset lies in it.

use std::sync::{Arc, OnceLock};

use memchr::memchr2_iter;

/// Bytes between two entries of the table that makes columns on very long lines cheap.
const CHECKPOINT: usize = 4096;
const BOM: &str = "\u{feff}";

/// A half-open range of bytes in a [`Source`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// First byte after the range; equal to `start` for a place without text.
    pub end: u32,
}

impl Span {
    /// The range `start..end`.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// A place without text.
    #[must_use]
    pub const fn at(offset: u32) -> Self {
        Self::new(offset, offset)
    }

    /// Number of bytes.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the place has no text.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// As indices into the source's text.
    #[must_use]
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A line and column; all three numbers start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line; lines end at `\n`, `\r\n` or a lone `\r`, as in YAML.
    pub line: u32,
    /// Column in Unicode scalar values. A byte order mark at the start of the file has no width.
    pub column: u32,
    /// Column in UTF-16 code units, as editors and SARIF's default count.
    pub utf16_column: u32,
}

/// Why bytes cannot be a [`Source`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The bytes are not UTF-8.
    #[error("not UTF-8: invalid byte at offset {offset}{}", if *.utf16 { " (this looks like UTF-16)" } else { "" })]
    NotUtf8 {
        /// Offset of the first byte that is not part of a character.
        offset: usize,
        /// Whether the text begins with the byte order mark of UTF-16.
        utf16: bool,
    },
    /// Offsets are 32 bits wide.
    #[error("larger than {limit} bytes, the most that one file may have")]
    TooLarge {
        /// The most bytes that a source may have.
        limit: usize,
    },
}

/// One file's text. Every offset counts from the first byte given, a byte order mark included.
#[derive(Debug)]
pub struct Source {
    name: Arc<str>,
    text: String,
    lines: OnceLock<LineIndex>,
}

impl Source {
    /// The most bytes that a source may have.
    pub const MAX_BYTES: usize = u32::MAX as usize - 1;

    /// Takes a file's bytes; `name` is what findings call the file.
    ///
    /// # Errors
    /// The bytes are not UTF-8, or more than [`Source::MAX_BYTES`].
    pub fn new(name: impl Into<Arc<str>>, bytes: Vec<u8>) -> Result<Self, SourceError> {
        let utf16 = matches!(bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let text = String::from_utf8(bytes).map_err(|error| SourceError::NotUtf8 { offset: error.utf8_error().valid_up_to(), utf16 })?;
        Self::from_text(name, text)
    }

    /// The same for text that is already known to be UTF-8.
    ///
    /// # Errors
    /// The text has more than [`Source::MAX_BYTES`].
    pub fn from_text(name: impl Into<Arc<str>>, text: String) -> Result<Self, SourceError> {
        if text.len() > Self::MAX_BYTES {
            return Err(SourceError::TooLarge { limit: Self::MAX_BYTES });
        }
        Ok(Self { name: name.into(), text, lines: OnceLock::new() })
    }

    /// What findings call the file.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a range; empty where the range is not one of whole characters.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Line and column of a byte offset; past the end means the end. The line index is built at the first call.
    /// The cost does not depend on the length of the line.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let lines = self.lines();
        let offset = (offset as usize).min(self.text.len());
        let line = lines.line_of(offset);
        let start = lines.start_of(line);
        let (chars, utf16) = lines.width(&self.text, start, offset);
        let bom = usize::from(line == 0 && offset >= BOM.len() && self.text.starts_with(BOM));
        Position { line: number(line + 1), column: number(chars - bom.min(chars) + 1), utf16_column: number(utf16 - bom.min(utf16) + 1) }
    }

    /// How many lines the text has; a text that ends with a line break has no line after it.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        let lines = self.lines();
        let last_is_empty = lines.starts.last().is_some_and(|start| *start as usize == self.text.len());
        number(lines.starts.len() - usize::from(last_is_empty))
    }

    /// The text of a line (from 1), without its line break; empty where there is no such line.
    #[must_use]
    pub fn line_text(&self, line: u32) -> &str {
        self.slice(self.line_span(line)).trim_end_matches(['\n', '\r'])
    }

    /// The bytes of a line (from 1), its line break included; empty at the end of the text where there is no such line.
    #[must_use]
    pub fn line_span(&self, line: u32) -> Span {
        let lines = self.lines();
        let end = number(self.text.len());
        let index = line as usize;
        let start = index.checked_sub(1).and_then(|index| lines.starts.get(index)).copied().unwrap_or(end);
        Span::new(start, lines.starts.get(index).copied().unwrap_or(end).max(start))
    }

    fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }
}

/// Offsets, lengths and counts fit: a source is never longer than `u32::MAX`, and the rest is bounded by its limits.
pub(crate) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[derive(Debug)]
struct LineIndex {
    starts: Vec<u32>,
    /// Characters and UTF-16 units before every [`CHECKPOINT`]th byte; empty where the text is ASCII.
    widths: Vec<(u32, u32)>,
}

impl LineIndex {
    fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for at in memchr2_iter(b'\n', b'\r', bytes) {
            let crlf = bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n');
            if !crlf {
                starts.push(number(at + 1));
            }
        }
        let mut widths = Vec::new();
        if !text.is_ascii() {
            let mut total = (0, 0);
            for block in bytes.chunks(CHECKPOINT) {
                widths.push((number(total.0), number(total.1)));
                let (chars, utf16) = count(block);
                total = (total.0 + chars, total.1 + utf16);
            }
        }
        Self { starts, widths }
    }

    /// Index of the line that holds the offset.
    fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1)
    }

    fn start_of(&self, line: usize) -> usize {
        self.starts.get(line).map_or(0, |start| *start as usize)
    }

    /// Characters and UTF-16 units between two offsets.
    fn width(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        if self.widths.is_empty() {
            return (end - start, end - start);
        }
        if end - start <= CHECKPOINT {
            return count(text.as_bytes().get(start..end).unwrap_or_default());
        }
        let (chars_start, utf16_start) = self.before(text, start);
        let (chars_end, utf16_end) = self.before(text, end);
        (chars_end - chars_start, utf16_end - utf16_start)
    }

    /// Characters and UTF-16 units before an offset.
    fn before(&self, text: &str, offset: usize) -> (usize, usize) {
        let block = (offset / CHECKPOINT).min(self.widths.len().saturating_sub(1));
        let (chars, utf16) = self.widths.get(block).copied().unwrap_or_default();
        let rest = count(text.as_bytes().get(block * CHECKPOINT..offset).unwrap_or_default());
        (chars as usize + rest.0, utf16 as usize + rest.1)
    }
}

/// Characters and UTF-16 units that begin in these bytes of UTF-8.
fn count(bytes: &[u8]) -> (usize, usize) {
    let chars = bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count();
    let beyond_the_basic_plane = bytes.iter().filter(|byte| **byte >= 0xf0).count();
    (chars, chars + beyond_the_basic_plane)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn source(text: &str) -> Source {
        Source::from_text("t.yaml", text.to_owned()).unwrap()
    }

    fn at(text: &str, offset: u32) -> (u32, u32, u32) {
        let position = source(text).position(offset);
        (position.line, position.column, position.utf16_column)
    }

    #[test]
    fn lines_end_as_in_yaml() {
        let text = "a\nb\r\nc\rd";
        assert_eq!(at(text, 0), (1, 1, 1));
        assert_eq!(at(text, 2), (2, 1, 1));
        assert_eq!(at(text, 5), (3, 1, 1));
        assert_eq!(at(text, 7), (4, 1, 1));
        assert_eq!(at(text, 99), (4, 2, 2));
        let source = source(text);
        assert_eq!((1..=5).map(|line| source.line_text(line)).collect::<Vec<_>>(), ["a", "b", "c", "d", ""]);
        assert_eq!(source.line_count(), 4);
    }

    #[test]
    fn columns_count_characters_and_utf16_units() {
        let text = "ä😀x";
        assert_eq!(at(text, 2), (1, 2, 2));
        assert_eq!(at(text, 6), (1, 3, 4));
    }

    #[test]
    fn a_byte_order_mark_has_no_width() {
        assert_eq!(at("\u{feff}a: b\nc: d", 3), (1, 1, 1));
        assert_eq!(at("\u{feff}a: b\nc: d", 6), (1, 4, 4));
        assert_eq!(at("\u{feff}a: b\nc: d", 8), (2, 1, 1));
    }

    #[test]
    fn checkpoints_agree_with_counting() {
        let text: String = (0..9000).map(|index| if index % 7 == 0 { '😀' } else { 'ü' }).collect();
        let source = source(&text);
        for (index, (offset, _)) in text.char_indices().enumerate().step_by(613) {
            let position = source.position(number(offset));
            let utf16: usize = text.chars().take(index).map(char::len_utf16).sum();
            assert_eq!((position.column as usize, position.utf16_column as usize), (index + 1, utf16 + 1));
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named() {
        let error = Source::new("t", b"a: \xff".to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "not UTF-8: invalid byte at offset 3");
        let error = Source::new("t", b"\xff\xfea\0".to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "not UTF-8: invalid byte at offset 0 (this looks like UTF-16)");
    }
}
