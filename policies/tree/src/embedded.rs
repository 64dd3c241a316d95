//! Texts inside strings: JSON in a cluster Secret, YAML in a ConfigMap, a manifest in a Workflow.

use std::sync::Arc;

use bumpalo::Bump;
use fedward_manifest::{Floats, Limits, Source, parse, split};

use crate::node::{Format, Unreadable};
use crate::value::{NotJson, Value};

/// Reads `text` into `arena`.
///
/// # Errors
/// Text that is not of the format.
pub fn read<'a>(text: &'a str, format: Format, arena: &'a Bump) -> Result<Value<'a>, Unreadable> {
    match format {
        Format::Json => Value::from_json(text.as_bytes(), arena).map_err(|error| Unreadable { offset: offset(text, &error) }),
        Format::Yaml => read_yaml(text, arena),
    }
}

/// [`NotJson`] has line and byte column; findings need the byte offset.
fn offset(text: &str, error: &NotJson) -> usize {
    let start: usize = text.split_inclusive('\n').take(error.line.saturating_sub(1)).map(str::len).sum();
    (start + error.column.saturating_sub(1)).min(text.len())
}

/// A text with several documents or with mistakes is not readable: the first mistake tells where.
fn read_yaml<'a>(text: &'a str, arena: &'a Bump) -> Result<Value<'a>, Unreadable> {
    let limits = Limits {
        documents: 64,
        document_bytes: 4 << 20,
        nodes: 200_000,
        depth: 100,
        alias_nodes: 10_000,
        problems: 1000,
        floats: Floats::AS_WRITTEN,
    };
    let source = Arc::new(Source::from_text("", text.to_owned()).map_err(|_| Unreadable { offset: 0 })?);
    for chunk in split(&source, &limits).chunks {
        let parsed = parse(&source, chunk, &limits);
        if let Some(problem) = parsed.problems.iter().find(|problem| problem.kind.is_fatal()) {
            return Err(Unreadable { offset: problem.span.start as usize });
        }
        if let Some(document) = parsed.document.filter(|document| !document.is_empty()) {
            return Ok(Value::detach(document.root(), arena));
        }
    }
    Ok(Value::Null)
}
