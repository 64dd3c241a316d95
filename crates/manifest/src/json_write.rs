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
    let mut written = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(written..at).unwrap_or_default());
        written = at + 1;
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
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
    out.push(b'"');
}
