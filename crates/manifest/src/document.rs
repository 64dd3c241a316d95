//! A parsed document and its nodes.

use std::sync::Arc;

use crate::{
    offsets::Outer,
    source::{Source, Span},
    tree::{Raw, Shape, Style, Tree},
};

/// One document: a tree in which every node knows its place. It holds its source, so its texts are borrowed from it.
#[derive(Debug)]
pub struct Document {
    /// The text that was parsed.
    pub(crate) text: Arc<Source>,
    /// Where that text stands, if not in a file of its own.
    pub(crate) outer: Option<Arc<Outer>>,
    pub(crate) origin: Origin,
    pub(crate) tree: Tree,
    pub(crate) comments: Vec<Span>,
}

/// What made a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Yaml,
    Json,
    /// A [`crate::Builder`]: what it did not copy is not written as such.
    Built,
}

/// Names a node of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

/// A node of a document; as cheap to copy as a reference.
#[derive(Clone, Copy, Debug)]
pub struct Node<'d> {
    pub(crate) document: &'d Document,
    pub(crate) id: u32,
    pub(crate) raw: &'d Raw,
}

/// What a node is, with its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind<'d> {
    /// `null`, written or not.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// Any other number; always finite.
    Float(f64),
    /// A string, after escapes and folding.
    Str(&'d str),
    /// A list; see [`Node::items`].
    Seq,
    /// A map; see [`Node::entries`].
    Map,
}

/// An entry of a map.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'d> {
    /// The key's text. Keys that are not strings are spelled as Kubernetes' decoder does.
    pub key: &'d str,
    /// The value.
    pub value: Node<'d>,
}

impl Document {
    /// The file that every place refers to.
    #[must_use]
    pub fn source(&self) -> &Arc<Source> {
        self.outer.as_ref().map_or(&self.text, |outer| &outer.source)
    }

    /// The text that was parsed: the file's, or, for an embedded document, the decoded one.
    #[must_use]
    pub fn text(&self) -> &Arc<Source> {
        &self.text
    }

    /// The outermost node. A document without content is null.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        static NOTHING: Raw = Raw::NULL;
        self.node(NodeId(0)).unwrap_or(Node { document: self, id: 0, raw: &NOTHING })
    }

    /// The node of that name, if it is one of this document.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Node<'_>> {
        self.tree.get(id.0).map(|raw| Node { document: self, id: id.0, raw })
    }

    /// Whether there is nothing but comments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let root = self.root();
        root.raw.shape == Shape::Null && root.raw.span.is_empty()
    }

    /// The place in the file of a range of the text.
    pub(crate) fn place_of(&self, inner: Span) -> Span {
        self.outer.as_ref().map_or(inner, |outer| outer.span(inner))
    }
}

impl<'d> Node<'d> {
    /// The node's name in its document.
    #[must_use]
    pub const fn id(self) -> NodeId {
        NodeId(self.id)
    }

    /// The document that the node is of.
    #[must_use]
    pub const fn document(self) -> &'d Document {
        self.document
    }

    /// What the node is, with its value.
    #[must_use]
    #[inline]
    pub fn kind(self) -> Kind<'d> {
        match self.raw.shape {
            Shape::Null => Kind::Null,
            Shape::False => Kind::Bool(false),
            Shape::True => Kind::Bool(true),
            Shape::Int => Kind::Int(self.raw.bits().cast_signed()),
            Shape::Uint => Kind::Uint(self.raw.bits()),
            Shape::Float => Kind::Float(f64::from_bits(self.raw.bits())),
            Shape::Str | Shape::OwnedStr => Kind::Str(self.text()),
            Shape::Seq => Kind::Seq,
            Shape::Map => Kind::Map,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(self) -> Option<&'d str> {
        matches!(self.raw.shape, Shape::Str | Shape::OwnedStr).then(|| self.text())
    }

    /// The value, if this is a boolean.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.raw.shape {
            Shape::True => Some(true),
            Shape::False => Some(false),
            _ => None,
        }
    }

    /// The value, if this is an integer that fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        (self.raw.shape == Shape::Int).then(|| self.raw.bits().cast_signed())
    }

    /// Whether this is null, written or not.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.raw.shape == Shape::Null
    }

    /// Whether this is a list.
    #[must_use]
    pub fn is_seq(self) -> bool {
        self.raw.shape == Shape::Seq
    }

    /// Whether this is a map.
    #[must_use]
    pub fn is_map(self) -> bool {
        self.raw.shape == Shape::Map
    }

    fn text(self) -> &'d str {
        self.document.tree.text(self.raw, self.document.text.text()).unwrap_or_default()
    }

    /// How many items or entries; 0 for a scalar.
    #[must_use]
    pub fn len(self) -> usize {
        if self.raw.is_collection() { self.raw.b as usize } else { 0 }
    }

    /// Whether there are no items or entries.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The items of a list, or the values of a map, in the order of the text.
    #[must_use]
    pub fn items(self) -> Items<'d> {
        Items { document: self.document, next: self.document.tree.first_child(self.id), end: self.id + self.raw.size() }
    }

    /// The entries of a map, in the order of the text; none for anything else.
    pub fn entries(self) -> impl Iterator<Item = Entry<'d>> {
        self.items().filter_map(|value| value.key().map(|key| Entry { key, value }))
    }

    /// The value of a key. The cost grows with the number of entries: to read them all, take [`Node::entries`].
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'d>> {
        self.items().find(|value| value.key() == Some(key))
    }

    /// An item of a list. The cost grows with the index: to read them all, take [`Node::items`].
    #[must_use]
    pub fn index(self, index: usize) -> Option<Node<'d>> {
        if self.is_seq() { self.items().nth(index) } else { None }
    }

    /// The key under which the node stands, if it is a map's value.
    #[must_use]
    #[inline]
    pub fn key(self) -> Option<&'d str> {
        self.document.tree.key_text(self.raw, self.document.text.text())
    }

    /// Where the value is written. A null without text is an empty place; an alias is where it is used, what stands in
    /// it is where that is written; a block scalar begins at its `|` or `>`.
    #[must_use]
    pub fn span(self) -> Span {
        self.document.place_of(self.raw.span)
    }

    /// The same in the text that was parsed, which differs for an embedded document.
    #[must_use]
    pub fn text_span(self) -> Span {
        self.raw.span
    }

    /// Where the key is written, if the node is a map's value.
    #[must_use]
    pub fn key_span(self) -> Option<Span> {
        self.document.tree.key_span(self.raw).map(|key| self.document.place_of(key))
    }

    /// The place to show a person: the key of a block collection or of a null without text, the value otherwise.
    #[must_use]
    pub fn place(self) -> Span {
        let by_key = self.raw.style == Style::Block || self.raw.span.is_empty();
        self.key_span().filter(|_| by_key).unwrap_or_else(|| self.span())
    }
}

/// Iterator over the items of a list or the values of a map.
#[derive(Clone, Debug)]
pub struct Items<'d> {
    document: &'d Document,
    next: Option<u32>,
    end: u32,
}

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let id = self.next?;
        let raw = self.document.tree.get(id)?;
        self.next = self.document.tree.next_sibling(id, self.end);
        Some(Node { document: self.document, id, raw })
    }
}
