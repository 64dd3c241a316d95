//! The custom section in which a module carries its metadata.
//!
//! A section is its kind (one byte), its length (LEB128) and its content; a custom section is of kind 0, and its content begins with
//! its name as a length (LEB128) and text. Source: WebAssembly core specification, binary format, modules.

/// The section that Kubewarden reads.
pub const SECTION: &str = "io.kubewarden.metadata";

const PREAMBLE: &[u8] = b"\0asm\x01\0\0\0";

/// Why a module cannot be annotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not a core module.
    #[error("not a WebAssembly module of version 1")]
    Preamble,
    /// A section's length is no number or leads out of the file.
    #[error("a section is cut off")]
    Section,
}

/// The module with `metadata` as its only section of that name, at the end. Kubewarden takes the first such section that it meets, so
/// older ones are dropped.
///
/// # Errors
/// Bytes that are not a sequence of sections.
pub fn annotate(module: &[u8], metadata: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = PREAMBLE.to_vec();
    for section in sections(module)? {
        if section.custom_name() != Some(SECTION.as_bytes()) {
            out.extend_from_slice(section.whole);
        }
    }
    let mut content = Vec::new();
    write_leb(&mut content, SECTION.len());
    content.extend_from_slice(SECTION.as_bytes());
    content.extend_from_slice(metadata);
    out.push(0);
    write_leb(&mut out, content.len());
    out.extend_from_slice(&content);
    Ok(out)
}

struct Section<'a> {
    kind: u8,
    whole: &'a [u8],
    content: &'a [u8],
}

impl<'a> Section<'a> {
    fn custom_name(&self) -> Option<&'a [u8]> {
        if self.kind != 0 {
            return None;
        }
        let (length, rest) = read_leb(self.content)?;
        rest.get(..length)
    }
}

fn sections(module: &[u8]) -> Result<Vec<Section<'_>>, Malformed> {
    let mut rest = module.strip_prefix(PREAMBLE).ok_or(Malformed::Preamble)?;
    let mut sections = Vec::new();
    while let Some((&kind, after)) = rest.split_first() {
        let (length, body) = read_leb(after).ok_or(Malformed::Section)?;
        let (content, next) = body.split_at_checked(length).ok_or(Malformed::Section)?;
        let whole = rest.get(..rest.len() - next.len()).ok_or(Malformed::Section)?;
        sections.push(Section { kind, whole, content });
        rest = next;
    }
    Ok(sections)
}

/// An unsigned LEB128 number of 32 bits, and what follows it.
fn read_leb(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value: u64 = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?.try_into().ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

fn write_leb(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use wasmtime::wasmparser::{Parser, Payload};

    use super::*;

    /// Custom sections as Wasmtime's parser sees them.
    fn custom(module: &[u8]) -> Vec<(String, Vec<u8>)> {
        Parser::new(0)
            .parse_all(module)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CustomSection(section) => Some((section.name().to_owned(), section.data().to_vec())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_section_is_byte_for_byte_as_described() {
        let module = wat::parse_str("(module)").unwrap();
        let annotated = annotate(&module, b"{}").unwrap();
        let mut expected = module;
        expected.extend_from_slice(b"\x00\x19\x16io.kubewarden.metadata{}");
        assert_eq!(annotated, expected);
    }

    #[test]
    fn an_older_section_goes_and_everything_else_stays() {
        let module = wat::parse_str(r#"(module (@custom "producers" "\00") (func (export "f")) (@custom "other" "text"))"#).unwrap();
        let long = vec![b'x'; 70_000];
        let twice = annotate(&annotate(&module, &long).unwrap(), b"{\"new\":1}").unwrap();
        let mut expected = custom(&module);
        expected.push((SECTION.to_owned(), b"{\"new\":1}".to_vec()));
        assert_eq!(custom(&twice), expected);
        assert_eq!(custom(&annotate(&module, &long).unwrap()).pop().unwrap().1, long);
        assert_eq!(twice[..module.len()], module);
    }

    #[test]
    fn what_is_not_a_module_is_refused() {
        assert_eq!(annotate(b"\0asm\x0d\0\x01\0", b"{}"), Err(Malformed::Preamble));
        for end in [&b"\x00"[..], b"\x00\x05ab", b"\x00\xff\xff\xff\xff\x7f", b"\x00\x80\x80\x80\x80\x80\x00"] {
            assert_eq!(annotate(&[PREAMBLE, end].concat(), b"{}"), Err(Malformed::Section), "{end:?}");
        }
    }
}
