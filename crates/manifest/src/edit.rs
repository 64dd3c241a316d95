//! Changes of an object as text edits of its file: everything that does not change stays as it is written.
//!
//! ```
//! use std::sync::Arc;
//! use fedward_manifest::{Limits, Source, edit, parse, split};
//!
//! let text = "metadata:\n  name: web # for all\n  labels: {app: web}\n";
//! let source = Arc::new(Source::from_text("a.yaml", text.to_owned())?);
//! let limits = Limits::default();
//! let parsed = parse(&source, split(&source, &limits).chunks[0], &limits);
//! let document = parsed.document.ok_or("not parsed")?;
//! let value = "true".into();
//! let step = edit::Step::Add { path: "/metadata/labels/use", value: &value };
//! let edits = document.root().edits([step])?;
//! assert_eq!(edit::apply(text, &edits), "metadata:\n  name: web # for all\n  labels: {app: web, use: \"true\"}\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The steps are first played on the tree (`draft`); then every collection that changed is written, at once (`block`, `flow`).
//! So steps that meet in one place, such as a removal and an addition that rename a key, are one change.

mod block;
mod draft;
mod flow;
mod page;
mod scalar;
mod value;
mod writer;

use serde_json::Value;

use crate::{
    document::{Node, Origin},
    source::Span,
};

/// How many steps one patch may have.
pub const MAX_STEPS: usize = 1000;

/// How many values one patch may bring, those in lists and maps included.
pub const MAX_VALUES: usize = 10_000;

/// How many bytes the edits of one patch may insert. Indentation can make a text much longer than the patch.
pub const MAX_TEXT: usize = 256 << 10;

/// A step of a JSON Patch (RFC 6902). Paths are JSON Pointers from the node that is edited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step<'p> {
    /// Adds an entry, or inserts an item; an entry that is there is replaced.
    Add {
        /// Where.
        path: &'p str,
        /// What.
        value: &'p Value,
    },
    /// Replaces what is there. Of lists and maps only what differs is written anew.
    Replace {
        /// Where.
        path: &'p str,
        /// By what.
        value: &'p Value,
    },
    /// Removes what is there.
    Remove {
        /// Where.
        path: &'p str,
    },
}

/// A text edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced, in bytes of the file; empty for an insertion.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// Why a change cannot be written as text edits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The patch does not fit the object.
    #[error("`{0}` leads nowhere in the object")]
    Path(String),
    /// More than [`MAX_STEPS`], [`MAX_VALUES`] or [`MAX_TEXT`].
    #[error("the patch has more than {MAX_STEPS} steps, {MAX_VALUES} values or {MAX_TEXT} bytes of text")]
    TooLarge,
    /// What is written in a string cannot be edited in place.
    #[error("the document stands in a string of another")]
    Embedded,
    /// The object is put together from parts, and the change is not inside of one.
    #[error("the object is not written as such in the file")]
    Built,
    /// The text is used in other places, too.
    #[error("an alias or a merge key uses the text elsewhere")]
    Shared,
    /// The value is written elsewhere.
    #[error("the value comes from an alias or a merge key")]
    Reused,
    /// Removing the last of several would bring back one before it.
    #[error("the key `{0}` stands twice")]
    Duplicate(String),
    /// Something is written between a value and its key or dash, or in another place where it is in the way.
    #[error("an anchor, a tag, a comment or an unusual notation is in the way")]
    Layout,
}

impl Node<'_> {
    /// The text edits that make of this node what a JSON Patch makes of it: in the order of the text, and apart from one another. None
    /// where nothing changes.
    ///
    /// # Errors
    /// The patch does not fit, or cannot be written without changing other values.
    pub fn edits<'p>(self, steps: impl IntoIterator<Item = Step<'p>>) -> Result<Vec<Edit>, Refusal> {
        if self.document.outer.is_some() {
            return Err(Refusal::Embedded);
        }
        let mut draft = draft::Draft::new(self);
        let mut values = 0;
        for (index, step) in steps.into_iter().enumerate() {
            if let Step::Add { value, .. } | Step::Replace { value, .. } = step {
                values += count(value);
            }
            if index >= MAX_STEPS || values > MAX_VALUES {
                return Err(Refusal::TooLarge);
            }
            draft.apply(step)?;
        }
        let mut writer = writer::Writer::new(self, &draft);
        // What is inside comes first: of two insertions at one place, the deeper one stands before.
        for (id, change) in draft.changes.iter().rev() {
            writer.change(*id, change)?;
        }
        writer.finish()
    }

    /// Whether what a builder made, and did not copy, stands here.
    fn is_built(self) -> bool {
        self.document.origin == Origin::Built && self.raw.style == crate::tree::Style::Alias
    }
}

/// How many values there are in one, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// A text with edits applied. Edits that [`Node::edits`] did not make for this text may be left out.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut from = 0;
    for edit in edits {
        if let Some(before) = text.get(from..edit.span.start as usize) {
            edited.push_str(before);
            edited.push_str(&edit.text);
            from = edit.span.end as usize;
        }
    }
    edited.push_str(text.get(from..).unwrap_or_default());
    edited
}
