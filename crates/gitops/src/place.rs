//! Where a value is written.

use std::fmt;
use std::sync::Arc;

use fedward_manifest::{Document, Node, NodeId, Position, Source, Span};

/// A node of a document: what a person edits to change a value.
#[derive(Clone)]
pub struct Place {
    document: Arc<Document>,
    node: NodeId,
}

impl Place {
    /// The place of a node of `document`.
    #[must_use]
    pub fn new(document: &Arc<Document>, node: Node<'_>) -> Self {
        Place { document: Arc::clone(document), node: node.id() }
    }

    /// The outermost node of a document.
    #[must_use]
    pub fn root(document: &Arc<Document>) -> Self {
        Place::new(document, document.root())
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// The node. It is one of the document, so there always is one.
    #[must_use]
    pub fn node(&self) -> Node<'_> {
        self.document.node(self.node).unwrap_or_else(|| self.document.root())
    }

    /// The file.
    #[must_use]
    pub fn source(&self) -> &Arc<Source> {
        self.document.source()
    }

    /// What to show of the file.
    #[must_use]
    pub fn span(&self) -> Span {
        self.node().place()
    }

    /// 1-based line and column.
    #[must_use]
    pub fn position(&self) -> Position {
        self.source().position(self.span().start)
    }

    /// The JSON Pointer that leads to the node from `object`, a node above it in the same document; empty if it is not.
    #[must_use]
    pub fn pointer_from(&self, object: &Place) -> String {
        let mut pointer = String::new();
        if !Arc::ptr_eq(&self.document, &object.document) {
            return pointer;
        }
        let mut node = object.node();
        while node.id() < self.node {
            // Nodes are numbered in the order of the text: the last child that is not behind the node holds it.
            let children = node.items().enumerate().take_while(|(_, child)| child.id() <= self.node);
            let Some((index, child)) = children.last() else { return String::new() };
            match child.key() {
                Some(key) => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
                None => pointer.push_str(&format!("/{index}")),
            }
            node = child;
        }
        if node.id() == self.node { pointer } else { String::new() }
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.document, &other.document) && self.node == other.node
    }
}

impl Eq for Place {}

impl std::hash::Hash for Place {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.document).hash(state);
        self.node.hash(state);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// `file:line:column`.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position();
        write!(out, "{}:{}:{}", self.source().name(), position.line, position.column)
    }
}
