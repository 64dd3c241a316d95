//! Custom sections of a module.

use wasmtime::wasmparser::{Parser, Payload};

/// The data of the first custom section of that name, wherever it stands: Kubewarden's tools read policy metadata so
/// (policy-evaluator, `Metadata::from_contents`). `None` where there is none, or where the bytes before it are not WebAssembly.
pub fn custom_section<'w>(wasm: &'w [u8], name: &str) -> Option<&'w [u8]> {
    Parser::new(0).parse_all(wasm).map_while(Result::ok).find_map(|payload| match payload {
        Payload::CustomSection(section) if section.name() == name => Some(section.data()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::custom_section;

    #[test]
    fn the_first_of_that_name_counts() {
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        for (name, data) in [("a", "1"), ("b", "2"), ("b", "3")] {
            wasm.extend([0, 2 + data.len() as u8, 1]);
            wasm.extend(name.bytes().chain(data.bytes()));
        }
        assert_eq!(custom_section(&wasm, "b"), Some(&b"2"[..]));
        assert_eq!(custom_section(&wasm, "c"), None);
        assert_eq!(custom_section(b"text", "a"), None);
    }
}
