//! What can be wrong with a source: data, never a panic.

use std::fmt;

use crate::{limits::Limit, source::Span};

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What sort of thing.
    pub kind: ProblemKind,
    /// Where, in the outermost source.
    pub span: Span,
    /// For people: no capital, no full stop, never the value of a scalar.
    pub message: String,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// Byte offset in the text that was parsed. It differs from `span.start` for an embedded document only, where it
    /// counts in the decoded text.
    pub text_offset: u32,
}

/// Another place that belongs to a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where, in the outermost source.
    pub span: Span,
    /// What stands there.
    pub message: String,
}

/// Sorts of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The text is not YAML or not JSON. No tree.
    Syntax,
    /// The text does not parse, and template syntax stands where it breaks. No tree.
    TemplateSyntax,
    /// An alias without an anchor, or inside its own anchor. No tree.
    Alias,
    /// A bound is broken. No tree; for [`Limit::Documents`], no documents from there on; for [`Limit::Problems`], no
    /// more problems.
    Limit(Limit),
    /// A key stands twice in one map; the last one wins.
    DuplicateKey,
    /// A key that JSON cannot have: a collection (the entry is left out), null, or an integer above `i64::MAX`.
    Key,
    /// `<<` has a value that is neither a map nor a list of maps; the entry is left out.
    Merge,
    /// A scalar that does not fit its tag, or a number that JSON cannot have; the node is a string.
    Value,
}

impl ProblemKind {
    /// Whether the document has no tree because of it.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        match self {
            Self::Syntax | Self::TemplateSyntax | Self::Alias => true,
            Self::Limit(limit) => !matches!(limit, Limit::Documents(_) | Limit::Problems(_)),
            _ => false,
        }
    }
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        Self { kind, span, message: for_people(message), related: Vec::new(), text_offset: span.start }
    }

    /// Adds it to a list in the order of the text. Lists are short: [`crate::Limits::problems`].
    pub(crate) fn insert_into(self, problems: &mut Vec<Self>) {
        let at = problems.partition_point(|other| other.span <= self.span);
        problems.insert(at, self);
    }

    pub(crate) fn limit(limit: Limit, span: Span) -> Self {
        Self::new(ProblemKind::Limit(limit), span, if FOR_PEOPLE { limit.to_string() } else { String::new() })
    }

    pub(crate) fn with_related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { span, message: for_people(message) });
        self
    }
}

/// A policy's module reads texts inside of strings and asks only what they say: what is wrong with them, where, and where their
/// comments stand takes none of its room.
pub(crate) const FOR_PEOPLE: bool = cfg!(not(target_arch = "wasm32"));

fn for_people(text: impl Into<String>) -> String {
    if FOR_PEOPLE { text.into() } else { String::new() }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}
