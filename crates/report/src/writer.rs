//! JSON that is safe to look at in a terminal.

use std::io::{self, BufWriter, Write};

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use crate::clean;

/// Bytes that are gathered before they are written on.
pub(crate) const BUFFER: usize = 1 << 16;

/// Writes one JSON document and a line break, safe to look at in a terminal.
///
/// # Errors
/// Those of the writer.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Visible))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A list that is turned into its output form element by element, while it is written.
pub(crate) struct Each<'a, T, U>(pub(crate) &'a [T], pub(crate) fn(&'a T) -> U);

impl<T, U: Serialize> Serialize for Each<'_, T, U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

/// Compact JSON in which the characters that [`clean`] replaces are escapes: the value stays what it was, and a terminal sees nothing
/// to obey. (JSON itself demands that only for U+0000 to U+001F.)
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if clean::is_plain(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut at = 0;
        for (index, character) in fragment.char_indices() {
            if clean::replacement(character).is_none() {
                continue;
            }
            writer.write_all(fragment.get(at..index).unwrap_or_default().as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            at = index + character.len_utf8();
        }
        writer.write_all(fragment.get(at..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_reads_back() {
        let text = "a\u{1b}[31m\u{9b}31m\u{202e}\u{e0041}\u{7f} ü😀\n\"";
        let mut out = Vec::new();
        write(&text, &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, "\"a\\u001b[31m\\u009b31m\\u202e\\udb40\\udc41\\u007f ü😀\\n\\\"\"\n");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
