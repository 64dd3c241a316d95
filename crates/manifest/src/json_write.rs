//! A tree as compact JSON.

use crate::{
    document::{Kind, Node},
    number::write_json_float,
};

impl Node<'_> {
    /// Appends the node as compact JSON, entries in the order of the text, numbers as Go's `encoding/json` writes them.
    pub fn write_json(self, out: &mut Vec<u8>) {
        let document = self.document;
        let source = document.text.text();
        let tree = &document.tree;
        let end = self.id + self.raw.size();
        // Ends and closing brackets of the collections that are open.
        let mut open: Vec<(u32, u8)> = Vec::new();
        let mut id = self.id;
        let mut first = true;
        while let Some(raw) = tree.get(id).filter(|_| id < end) {
            if raw.dead && id != self.id {
                id += raw.size();
            } else {
                if !first {
                    out.push(b',');
                }
                first = false;
                if id != self.id
                    && let Some(key) = tree.key_text(raw, source)
                {
                    write_string(key, out);
                    out.push(b':');
                }
                match (Node { document, id, raw }).kind() {
                    Kind::Null => out.extend_from_slice(b"null"),
                    Kind::Bool(true) => out.extend_from_slice(b"true"),
                    Kind::Bool(false) => out.extend_from_slice(b"false"),
                    Kind::Int(value) => write_integer(value < 0, value.unsigned_abs(), out),
                    Kind::Uint(value) => write_integer(false, value, out),
                    Kind::Float(value) => write_json_float(value, out),
                    Kind::Str(text) => write_string(text, out),
                    Kind::Seq | Kind::Map => {
                        let (bracket, closing) = if raw.shape == crate::tree::Shape::Map { (b'{', b'}') } else { (b'[', b']') };
                        out.push(bracket);
                        open.push((id + raw.size(), closing));
                        first = true;
                    }
                }
                id += 1;
            }
            while let Some((_, closing)) = open.pop_if(|(end, _)| *end <= id) {
                out.push(closing);
                first = false;
            }
        }
    }
}

fn write_integer(negative: bool, mut value: u64, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    let from = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(from..) {
        digits.reverse();
    }
}

/// Appends a JSON string with its quotes.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut from = 0;
    loop {
        let at = from + length_of_plain(bytes.get(from..).unwrap_or_default());
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        let Some(byte) = bytes.get(at) else { break };
        from = at + 1;
        let short = match byte {
            b'\n' => b'n',
            b'\t' => b't',
            b'\r' => b'r',
            b'"' | b'\\' => *byte,
            _ => {
                let digit = |value: u8| b"0123456789abcdef".get(usize::from(value)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}

/// How many bytes of a string need no escape in JSON: those before the first quote, backslash or control character.
#[must_use]
pub fn length_of_plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let end = first_end(u64::from_le_bytes(*eight));
        at += end;
        if end < 8 {
            return at;
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(eight) = bytes.last_chunk().filter(|_| !rest.is_empty()) {
        // The last eight bytes, of which some were looked at before, and are plain.
        return bytes.len() - 8 + first_end(u64::from_le_bytes(*eight));
    }
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// How many of eight bytes, the first one lowest, stand before the first quote, backslash or control character: eight bytes at once,
/// since most of a request are strings. A byte is zero exactly where subtracting one borrows and its highest bit was not set; what a
/// borrow spoils lies above the first one found.
fn first_end(eight: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let zeros = |bytes: u64, least: u64| bytes.wrapping_sub(ONES * least) & !bytes;
    let quotes = zeros(eight ^ (ONES * u64::from(b'"')), 1);
    let backslashes = zeros(eight ^ (ONES * u64::from(b'\\')), 1);
    let ends = (quotes | backslashes | zeros(eight, 0x20)) & (ONES * 0x80);
    ends.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::string_slice, clippy::indexing_slicing, reason = "tests")]

    use super::{first_end, write_string};

    #[test]
    fn eight_bytes_at_once_end_where_single_ones_do() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Bytes near the bounds, and with their highest bit set, more often than chance has them.
            let bytes = random.to_le_bytes().map(|byte| {
                if byte & 3 == 0 { byte } else { b"\x1f\x20\x21\x22\x23\x5b\x5c\x5d\x9f\xa2\xdc\x7f\x80az0"[usize::from(byte >> 4)] }
            });
            let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(8);
            assert_eq!(first_end(u64::from_le_bytes(bytes)), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn strings_are_read_back_as_they_were() {
        let all: String = (0..0x180u32).filter_map(char::from_u32).chain("\u{2028}😀".chars()).collect();
        for (start, _) in all.char_indices() {
            let (text, mut out) = (&all[start..], Vec::new());
            write_string(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).ok().as_deref(), Some(text));
        }
    }
}
