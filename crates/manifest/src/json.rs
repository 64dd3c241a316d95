//! JSON, as Go's `encoding/json` takes it, to a tree.

use memchr::memchr3;

use crate::{
    assembly::{Assembly, Value},
    problem::{Problem, ProblemKind},
    source::{Span, number},
    tree::Style,
    typing::{self, Resolved},
};

/// Reads the one value that stands in `source[from..to]`.
pub(crate) fn read(source: &str, from: usize, to: usize, assembly: &mut Assembly<'_>) -> Result<(), Problem> {
    let bytes = source.as_bytes().get(..to).unwrap_or_default();
    let mut reader = Reader { source, bytes, at: from, scratch: String::new() };
    let mut open: Vec<u8> = Vec::new();
    reader.skip_blank();
    loop {
        // A value begins here.
        match reader.peek() {
            Some(bracket @ (b'{' | b'[')) => {
                assembly.open(bracket == b'{', reader.offset(), Style::Flow)?;
                reader.at += 1;
                reader.skip_blank();
                if reader.peek() != Some(closing(bracket)) {
                    open.push(bracket);
                    if bracket == b'{' {
                        reader.key(assembly)?;
                    }
                    continue;
                }
                reader.at += 1;
                assembly.close(Some(reader.offset()))?;
            }
            _ => reader.scalar(assembly)?,
        }
        // A value has ended here.
        loop {
            reader.skip_blank();
            let Some(bracket) = open.last().copied() else {
                return if reader.peek().is_none() { Ok(()) } else { Err(reader.error("text after the end of the JSON value")) };
            };
            match reader.peek() {
                Some(b',') => {
                    reader.at += 1;
                    reader.skip_blank();
                    if reader.peek() == Some(closing(bracket)) {
                        return Err(reader.error("JSON has no trailing commas"));
                    }
                    if bracket == b'{' {
                        reader.key(assembly)?;
                    }
                    break;
                }
                Some(byte) if byte == closing(bracket) => {
                    reader.at += 1;
                    assembly.close(Some(reader.offset()))?;
                    open.pop();
                }
                _ if bracket == b'{' => return Err(reader.error("expected `,` or `}` after the value")),
                _ => return Err(reader.error("expected `,` or `]` after the value")),
            }
        }
    }
}

/// Whether a comment begins here that no YAML has, either.
pub(crate) fn is_comment(rest: &[u8]) -> bool {
    matches!(rest, [b'/', b'/' | b'*', ..])
}

const fn closing(bracket: u8) -> u8 {
    if bracket == b'{' { b'}' } else { b']' }
}

struct Reader<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    /// The text of the last string that is written with escapes.
    scratch: String,
}

/// Where a string's text is.
enum Text {
    /// As it is written, between the quotes.
    Verbatim,
    Scratch,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn offset(&self) -> u32 {
        number(self.at)
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// An error here; common mistakes are named.
    fn error(&self, otherwise: &str) -> Problem {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let message = match rest {
            [] => "JSON ends before its value does",
            [b'#', ..] => "JSON has no comments",
            rest if is_comment(rest) => "JSON has no comments",
            [b'\'', ..] => "JSON strings need double quotes",
            _ => otherwise,
        };
        let width = self.source.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let width = if rest.is_empty() { 0 } else { width };
        Problem::new(ProblemKind::Syntax, Span::new(self.offset(), number(self.at + width)), message)
    }

    fn key(&mut self, assembly: &mut Assembly<'_>) -> Result<(), Problem> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key in double quotes"));
        }
        let start = self.offset();
        let text = self.string()?;
        let span = Span::new(start, self.offset());
        match text {
            Text::Verbatim => assembly.key(span, true),
            Text::Scratch => assembly.owned_key(&self.scratch, span),
        }
        self.skip_blank();
        if self.peek() != Some(b':') {
            return Err(self.error("expected `:` after the key"));
        }
        self.at += 1;
        self.skip_blank();
        Ok(())
    }

    fn scalar(&mut self, assembly: &mut Assembly<'_>) -> Result<(), Problem> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'"') => match self.string()? {
                Text::Verbatim => Value::Source(number(start + 1), number(self.at - start - 2)),
                Text::Scratch => Value::Owned(&self.scratch),
            },
            Some(b'-' | b'0'..=b'9') => self.number(assembly)?,
            _ => self.word()?,
        };
        assembly.scalar(value, Span::new(number(start), number(self.at)), Style::Flow)
    }

    fn word(&mut self) -> Result<Value<'static>, Problem> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let words = [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)];
        for (word, value) in words {
            if rest.starts_with(word.as_bytes()) && !rest.get(word.len()).is_some_and(u8::is_ascii_alphanumeric) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.error("expected a JSON value"))
    }

    fn number(&mut self, assembly: &mut Assembly<'_>) -> Result<Value<'static>, Problem> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.at;
        self.digits()?;
        if self.bytes.get(whole) == Some(&b'0') && self.at > whole + 1 {
            self.at = whole;
            return Err(self.error("JSON numbers have no leading zeros"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.source.get(start..self.at).unwrap_or_default();
        Ok(match typing::number(text, assembly.floats()) {
            Resolved::Int(value) => Value::Int(value),
            Resolved::Uint(value) => Value::Uint(value),
            Resolved::Float(value) => Value::Float(value),
            _ => {
                let span = Span::new(number(start), self.offset());
                assembly.report(Problem::new(ProblemKind::Value, span, "number out of range"));
                Value::Source(span.start, span.len())
            }
        })
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == from { Err(self.error("expected a digit")) } else { Ok(()) }
    }

    /// A string from its opening quote to behind its closing one.
    fn string(&mut self) -> Result<Text, Problem> {
        let opening = self.at;
        self.at += 1;
        self.scratch.clear();
        let mut copied = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    let verbatim = copied == opening + 1;
                    if !verbatim {
                        self.scratch.push_str(self.source.get(copied..self.at).unwrap_or_default());
                    }
                    self.at += 1;
                    return Ok(if verbatim { Text::Verbatim } else { Text::Scratch });
                }
                Some(b'\\') => {
                    self.scratch.push_str(self.source.get(copied..self.at).unwrap_or_default());
                    self.escape()?;
                    copied = self.at;
                }
                Some(_) => return Err(self.error("line breaks and control characters in a JSON string are written with `\\`")),
                None => {
                    self.at = opening;
                    return Err(self.error("string is not closed"));
                }
            }
        }
    }

    /// An escape, from its backslash; a surrogate without its other half becomes U+FFFD, as in Go.
    fn escape(&mut self) -> Result<(), Problem> {
        let code = match self.bytes.get(self.at + 1) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(quoted @ (b'"' | b'\\' | b'/')) => char::from(*quoted),
            Some(b'u') => {
                let Some(unit) = self.hex(self.at) else { return Err(self.error("`\\u` needs four hexadecimal digits")) };
                let low = self.hex(self.at + 6).filter(|low| (0xdc00..0xe000).contains(low));
                let (code, width) = match (unit, low) {
                    (0xd800..0xdc00, Some(low)) => (0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 12),
                    _ => (unit, 6),
                };
                self.scratch.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                self.at += width;
                return Ok(());
            }
            _ => return Err(self.error("unknown escape in a JSON string")),
        };
        self.scratch.push(code);
        self.at += 2;
        Ok(())
    }

    /// The code unit of the `\uXXXX` at an offset.
    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    }
}

/// Where the JSON object or array at `from` ends by its brackets. Where it does not: where the next one may begin, which
/// is the next line that begins with `{`. With `cautious`, such a line ends the search at once, so that a file with many
/// broken objects is still read in one pass.
pub(crate) fn value_end(text: &str, from: usize, cautious: bool) -> Result<usize, usize> {
    let bytes = text.as_bytes();
    let mut open: Vec<u8> = Vec::new();
    let mut resume = None;
    let mut at = from;
    let object = |at: usize| bytes.get(at) == Some(&b'{');
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let Some(end) = string_end(bytes, at + 1) else { break };
                at = end;
                continue;
            }
            b'{' | b'[' => {
                let begins_line = at > from && matches!(bytes.get(at - 1), Some(b'\n' | b'\r'));
                if begins_line && *byte == b'{' && object(from) {
                    resume = resume.or(Some(at));
                    if cautious {
                        break;
                    }
                }
                open.push(*byte);
            }
            b'}' | b']' => {
                if open.pop().map(closing) != Some(*byte) {
                    break;
                }
                if open.is_empty() {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    let rest = resume.unwrap_or_else(|| next_object(bytes, at));
    Err(if object(from) { rest } else { bytes.len() })
}

/// Where an object begins a line, from an offset on.
pub(crate) fn next_object(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr(b'{', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if at > 0 && matches!(bytes.get(at - 1), Some(b'\n' | b'\r')) {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// Where the string whose text begins at `at` ends; it has to on the same line.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr3(b'"', b'\\', b'\n', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}
