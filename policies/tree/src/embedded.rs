//! Texts inside strings: JSON in a cluster Secret, YAML in a ConfigMap, a manifest in a Workflow.

use bumpalo::Bump;
use fedward_manifest::{Floats, Limits, first_yaml};

use crate::node::{Format, Unreadable};
use crate::value::Value;

const LIMITS: Limits = Limits {
    documents: 64,
    document_bytes: 4 << 20,
    nodes: 200_000,
    depth: 100,
    alias_nodes: 10_000,
    problems: 1000,
    floats: Floats::AS_WRITTEN,
};

/// Reads `text` into `arena`. Of several YAML documents it is the first one that is not empty.
///
/// # Errors
/// Text that is not of the format.
pub fn read<'a>(text: &'a str, format: Format, arena: &'a Bump) -> Result<Value<'a>, Unreadable> {
    // As Kubernetes does: YAML that is written as JSON may have what YAML refuses, such as tabs.
    if format == Format::Json || text.trim_ascii_start().starts_with(['{', '[']) {
        let value = Value::from_json(text.as_bytes(), arena);
        if value.is_ok() || format == Format::Json {
            return value.map_err(|_| Unreadable);
        }
    }
    match first_yaml(text.to_owned(), &LIMITS) {
        Some(document) => Ok(Value::detach(document.root(), arena)),
        None if text.is_empty() => Ok(Value::Null),
        None => Err(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use bumpalo::Bump;

    use super::read;
    use crate::node::{Format, Unreadable};
    use crate::value::Value;

    #[test]
    fn the_first_document_with_content_is_the_text() {
        let arena = Bump::new();
        let a = Value::Map(arena.alloc_slice_copy(&[("a", Value::Int(1))]));
        for text in ["a: 1", "# nothing\n---\n---\na: 1\n---\n]", "{\n\t\"a\": 1\n}", "---\n{\"a\": 1}", "{a: 1}"] {
            assert_eq!(read(text, Format::Yaml, &arena), Ok(a), "{text}");
        }
        for text in ["", "# nothing", "~"] {
            assert_eq!(read(text, Format::Yaml, &arena), Ok(Value::Null), "{text}");
        }
        for text in ["a: [", "[\n---\na: 1", "a: *b", "{\"a\": 1} {\"b\": 2}"] {
            assert_eq!(read(text, Format::Yaml, &arena), Err(Unreadable), "{text}");
        }
        assert_eq!(read("a: 1", Format::Json, &arena), Err(Unreadable));
    }
}
