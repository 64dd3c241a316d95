//! JSON text to [`Value`]s and back, for modules: a reader that builds straight into the arena and a writer of strings are a fifth of
//! what a general library costs a module in size, and every request goes through them. Tests hold both to that library.

use std::fmt::Write as _;

use bumpalo::Bump;
use fedward_manifest::length_of_plain;

use crate::value::{NotJson, Value};

/// Lists and maps may nest so deep, less one.
const DEPTH: usize = 128;
/// Reads the one value that `text` is.
///
/// # Errors
/// Text that is not JSON (RFC 8259), numbers beyond 64-bit floats, escapes that are no character, values that nest 128 deep.
pub fn read<'a>(text: &'a [u8], arena: &'a Bump) -> Result<Value<'a>, NotJson> {
    let (valid, error) = match std::str::from_utf8(text) {
        Ok(text) => (text, None),
        Err(error) => ("", Some(error.valid_up_to())),
    };
    let mut reader =
        Reader { text: valid, bytes: valid.as_bytes(), at: 0, arena, items: Vec::with_capacity(32), entries: Vec::with_capacity(64) };
    let read = match error {
        Some(at) => Err(at),
        None => reader.document(),
    };
    read.map_err(|at| place(text, at))
}

/// Where the byte at an offset is, or the last one.
fn place(text: &[u8], at: usize) -> NotJson {
    let before = text.get(..=at).unwrap_or(text);
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let lines = before.iter().take(line).filter(|byte| **byte == b'\n').count();
    NotJson { line: lines + 1, column: before.len() - line }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    arena: &'a Bump,
    /// Elements of the lists that are still open, one after the other; a list moves to the arena when it is complete.
    items: Vec<Value<'a>>,
    /// The same for maps.
    entries: Vec<(&'a str, Value<'a>)>,
}

/// An error is the offset of the byte that does not belong there.
type Read<T> = Result<T, usize>;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Read<Value<'a>> {
        let value = self.value(DEPTH)?;
        self.blank();
        if self.at < self.bytes.len() { Err(self.at) } else { Ok(value) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        // Most texts come from a program and have none: no loop for those.
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.skip_blank();
        }
    }

    #[cold]
    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// Blank space, then this byte.
    fn expect(&mut self, byte: u8) -> Read<()> {
        self.blank();
        if self.peek() != Some(byte) {
            return Err(self.at);
        }
        self.at += 1;
        Ok(())
    }

    /// After an element: whether another follows the comma. The closing bracket is taken.
    fn another(&mut self, closing: u8) -> Read<bool> {
        self.blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blank();
                Ok(true)
            }
            Some(byte) if byte == closing => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.at),
        }
    }

    fn value(&mut self, depth: usize) -> Read<Value<'a>> {
        self.blank();
        match self.peek() {
            Some(b'"') => self.string().map(Value::Str),
            Some(b'{') => self.map(depth - 1),
            Some(b'[') => self.list(depth - 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.at),
        }
    }

    fn map(&mut self, depth: usize) -> Read<Value<'a>> {
        if depth == 0 {
            return Err(self.at);
        }
        self.at += 1;
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(&[]));
        }
        let from = self.entries.len();
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.at);
            }
            let key = self.string()?;
            self.expect(b':')?;
            let value = self.value(depth)?;
            self.entries.push((key, value));
            if !self.another(b'}')? {
                break;
            }
        }
        let entries = self.arena.alloc_slice_copy(self.entries.get(from..).unwrap_or_default());
        self.entries.truncate(from);
        Ok(Value::Map(entries))
    }

    fn list(&mut self, depth: usize) -> Read<Value<'a>> {
        if depth == 0 {
            return Err(self.at);
        }
        self.at += 1;
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Seq(&[]));
        }
        let from = self.items.len();
        loop {
            let item = self.value(depth)?;
            self.items.push(item);
            if !self.another(b']')? {
                break;
            }
        }
        let items = self.arena.alloc_slice_copy(self.items.get(from..).unwrap_or_default());
        self.items.truncate(from);
        Ok(Value::Seq(items))
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Read<Value<'a>> {
        for byte in word.bytes() {
            if self.peek() != Some(byte) {
                return Err(self.at);
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> Read<&'a [u8]> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if from == self.at { Err(from) } else { Ok(self.bytes.get(from..self.at).unwrap_or_default()) }
    }

    fn number(&mut self) -> Read<Value<'a>> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits()?;
        if whole.len() > 1 && whole.first() == Some(&b'0') {
            return Err(self.at - whole.len() + 1);
        }
        let mut is_whole = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_whole = false;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            is_whole = false;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // `-0` is a float.
        let text = self.text.get(start..self.at).unwrap_or_default();
        if is_whole
            && text != "-0"
            && let Ok(value) = text.parse()
        {
            return Ok(Value::Int(value));
        }
        if fedward_manifest::is_finite(text) { Ok(Value::Float) } else { Err(self.at - 1) }
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> Read<&'a str> {
        self.at += 1;
        let from = self.at;
        if self.plain()? == b'"' {
            let text = self.text.get(from..self.at).unwrap_or_default();
            self.at += 1;
            return Ok(text);
        }
        // What escapes stand for is never longer than they are.
        let mut out = bumpalo::collections::String::with_capacity_in(self.at - from + 32, self.arena);
        out.push_str(self.text.get(from..self.at).unwrap_or_default());
        loop {
            let from = self.at;
            let end = self.plain()?;
            out.push_str(self.text.get(from..self.at).unwrap_or_default());
            self.at += 1;
            if end == b'"' {
                return Ok(out.into_bump_str());
            }
            out.push(self.escape()?);
        }
    }

    /// To the next quote or backslash, which it answers.
    fn plain(&mut self) -> Read<u8> {
        self.at += length_of_plain(self.bytes.get(self.at..).unwrap_or_default());
        match self.peek() {
            Some(end @ (b'"' | b'\\')) => Ok(end),
            _ => Err(self.at),
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Read<char> {
        let code = match self.peek() {
            Some(quoted @ (b'"' | b'\\' | b'/')) => char::from(quoted),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.at),
        };
        self.at += 1;
        Ok(code)
    }

    /// Four hexadecimal digits, or a pair of surrogates.
    fn unicode(&mut self) -> Read<char> {
        let mut code = self.unit()?;
        if (0xd800..0xdc00).contains(&code) {
            for byte in *b"\\u" {
                if self.peek() != Some(byte) {
                    return Err(self.at);
                }
                self.at += 1;
            }
            let low = self.unit()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.at - 1);
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        char::from_u32(code).ok_or(self.at - 1)
    }

    fn unit(&mut self) -> Read<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(self.at)?;
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// Writes a string with its quotes.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    loop {
        let at = from + length_of_plain(text.as_bytes().get(from..).unwrap_or_default());
        out.push_str(text.get(from..at).unwrap_or_default());
        let Some(byte) = text.as_bytes().get(at) else { break };
        from = at + 1;
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            8 => "\\b",
            12 => "\\f",
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
                continue;
            }
        };
        out.push_str(escape);
    }
    out.push('"');
}

/// Writes a list, each element by `write`.
pub fn write_list<T>(items: impl IntoIterator<Item = T>, out: &mut String, mut write: impl FnMut(T, &mut String)) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

#[cfg(test)]
mod tests;
