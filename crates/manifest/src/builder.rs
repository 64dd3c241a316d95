//! Documents put together from parts of others.

use std::sync::Arc;

use crate::{
    assembly::{Assembly, Value},
    document::{Document, Node, Origin},
    limits::Limits,
    parse::Parsed,
    problem::Problem,
    source::{Source, Span},
    tree::Style,
};

/// Why a document could not be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A map's value came without its key.
    #[error("value without a key")]
    MissingKey,
    /// A key came where none is expected.
    #[error("key outside of a map, or after another key")]
    UnexpectedKey,
    /// An end came without a start, a value after the root, or the document ended in the middle.
    #[error("starts and ends do not match")]
    Unbalanced,
    /// A bound is broken.
    #[error("{}", .0.message)]
    Limit(Problem),
}

/// Puts a document together: its parts are literals with a place, and copies of nodes of other documents, which keep
/// theirs. All places are in one file.
///
/// Calls come in the order of the text, a map's as key, value, key, value. The first error is kept and comes out of
/// [`Builder::finish`].
#[derive(Debug)]
pub struct Builder<'s> {
    source: &'s Arc<Source>,
    assembly: Assembly<'s>,
    /// Where the collections that are open end.
    ends: Vec<u32>,
    has_root: bool,
    error: Option<BuildError>,
}

impl<'s> Builder<'s> {
    /// An empty document with places in `source`.
    #[must_use]
    pub fn new(source: &'s Arc<Source>, limits: &'s Limits) -> Self {
        Self { source, assembly: Assembly::new(source.text(), limits, 0), ends: Vec::new(), has_root: false, error: None }
    }

    /// Opens a map.
    pub fn map(&mut self, place: Span) -> &mut Self {
        self.open(true, place)
    }

    /// Opens a list.
    pub fn list(&mut self, place: Span) -> &mut Self {
        self.open(false, place)
    }

    /// Closes the innermost map or list.
    pub fn end(&mut self) -> &mut Self {
        let Some(end) = self.ends.pop() else { return self.fail(BuildError::Unbalanced) };
        if self.assembly.expects_value_of_key() {
            return self.fail(BuildError::Unbalanced);
        }
        let closed = self.assembly.close(Some(end));
        self.check(closed)
    }

    /// The key of the value that comes next.
    pub fn key(&mut self, key: &str, place: Span) -> &mut Self {
        if !self.assembly.expects_key() {
            return self.fail(BuildError::UnexpectedKey);
        }
        self.assembly.owned_key(key, place);
        self
    }

    /// A string.
    pub fn string(&mut self, text: &str, place: Span) -> &mut Self {
        self.scalar(Value::Owned(text), place)
    }

    /// An integer.
    pub fn int(&mut self, value: i64, place: Span) -> &mut Self {
        self.scalar(Value::Int(value), place)
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool, place: Span) -> &mut Self {
        self.scalar(Value::Bool(value), place)
    }

    /// A null.
    pub fn null(&mut self, place: Span) -> &mut Self {
        self.scalar(Value::Null, place)
    }

    /// A copy of a node with all that it holds. The node is of a document in the same file, or embedded in one. Its key
    /// is not copied.
    pub fn copy(&mut self, node: Node<'_>) -> &mut Self {
        if !self.admits_value() {
            return self;
        }
        let same_text = node.document.outer.is_none() && Arc::ptr_eq(&node.document.text, self.source);
        let copied = self.assembly.copy(node, same_text);
        self.check(copied)
    }

    /// The document, with problems where keys stand twice.
    ///
    /// # Errors
    /// The calls did not make a document, or one that breaks a limit.
    pub fn finish(mut self) -> Result<Parsed, BuildError> {
        if !self.ends.is_empty() || !self.has_root {
            self.fail(BuildError::Unbalanced);
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        let (tree, problems) = self.assembly.finish();
        let document = Document { text: Arc::clone(self.source), outer: None, origin: Origin::Built, tree, comments: Vec::new() };
        Ok(Parsed { document: Some(document), problems, stray_comments: Vec::new() })
    }

    fn open(&mut self, map: bool, place: Span) -> &mut Self {
        if !self.admits_value() {
            return self;
        }
        self.ends.push(place.end);
        let opened = self.assembly.open(map, place.start, Style::Alias);
        self.check(opened)
    }

    fn scalar(&mut self, value: Value<'_>, place: Span) -> &mut Self {
        if !self.admits_value() {
            return self;
        }
        let pushed = self.assembly.scalar(value, place, Style::Alias);
        self.check(pushed)
    }

    /// Whether a value may come now; if so, and nothing is open, it is the root.
    fn admits_value(&mut self) -> bool {
        if self.error.is_some() {
            return false;
        }
        if self.assembly.expects_key() {
            self.fail(BuildError::MissingKey);
            return false;
        }
        if self.ends.is_empty() && std::mem::replace(&mut self.has_root, true) {
            self.fail(BuildError::Unbalanced);
            return false;
        }
        true
    }

    fn check(&mut self, result: Result<(), Problem>) -> &mut Self {
        match result {
            Ok(()) => self,
            Err(problem) => self.fail(BuildError::Limit(problem)),
        }
    }

    fn fail(&mut self, error: BuildError) -> &mut Self {
        self.error.get_or_insert(error);
        self
    }
}
