//! Texts inside strings: JSON in a cluster Secret, YAML in a ConfigMap, a manifest in a Workflow.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use crate::node::{Format, Unreadable};
use crate::value::Value;

/// Reads `text` into `arena`.
///
/// # Errors
/// Text that is not of the format.
pub(crate) fn read<'a>(text: &'a str, format: Format, arena: &'a Bump) -> Result<Value<'a>, Unreadable> {
    match format {
        Format::Json => {
            Value::from_json(text.as_bytes(), arena).map_err(|error| Unreadable { offset: offset(text, error.line, error.column) })
        }
        Format::Yaml => read_yaml(text, arena),
    }
}

/// serde_json tells lines and byte columns; findings need the byte offset.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

fn read_yaml<'a>(text: &'a str, arena: &'a Bump) -> Result<Value<'a>, Unreadable> {
    read(text, Format::Json, arena)
}
