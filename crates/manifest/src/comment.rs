//! Comments of a document.

use crate::{
    document::Document,
    source::{Source, Span},
};

/// A comment, without its line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment<'d> {
    /// Where it stands, its `#` included.
    pub span: Span,
    /// What follows the `#`.
    pub text: &'d str,
    /// Whether nothing but blank space precedes it on its line.
    pub own_line: bool,
}

impl Document {
    /// The comments of the document, in the order of the text; those above its `---` belong to it, too.
    pub fn comments(&self) -> impl Iterator<Item = Comment<'_>> {
        self.comments.iter().map(|span| Comment { span: self.place_of(*span), ..Comment::of(&self.text, *span) })
    }
}

impl<'d> Comment<'d> {
    /// The comment at a place of a source; see [`crate::Parsed::stray_comments`].
    #[must_use]
    pub fn of(source: &'d Source, span: Span) -> Self {
        let before = source.text().get(..span.start as usize).unwrap_or_default();
        let line = before.trim_end_matches([' ', '\t', '\u{feff}']);
        let own_line = line.is_empty() || line.ends_with(['\n', '\r']);
        Self { span, text: source.slice(span).get(1..).unwrap_or_default(), own_line }
    }
}
