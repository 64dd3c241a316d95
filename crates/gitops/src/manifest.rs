//! Objects that are to be applied.

use std::sync::Arc;

use fedward_manifest::{Document, Node};

use crate::place::Place;

/// An object, with what a person edits to change it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The object in the text that it was read from: a file for plain manifests, a tool's output otherwise.
    pub place: Place,
    /// The file that it comes from, where that is another than the one of `place`.
    pub origin: Option<Origin>,
}

/// Where a rendered object comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, as outputs name it.
    pub file: String,
    /// The 1-based line, if it is known.
    pub line: Option<u32>,
}

impl Manifest {
    /// An object of a file.
    #[must_use]
    pub fn new(document: &Arc<Document>, node: Node<'_>) -> Self {
        Manifest { place: Place::new(document, node), origin: None }
    }

    /// The objects of a document of a file; those of lists one by one.
    pub fn all(document: &Arc<Document>) -> impl Iterator<Item = Manifest> {
        let nodes: Vec<Node<'_>> = document.objects().objects.into_iter().map(|object| object.node).filter(|node| node.is_map()).collect();
        nodes.into_iter().map(|node| Manifest::new(document, node))
    }

    /// The object.
    #[must_use]
    pub fn node(&self) -> Node<'_> {
        self.place.node()
    }

    /// A field that is a string; empty if there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.node().find(pointer).and_then(Node::as_str).unwrap_or_default()
    }

    /// Group and kind.
    #[must_use]
    pub fn kind(&self) -> (&str, &str) {
        let version = self.text("/apiVersion");
        (version.split_once('/').map_or("", |(group, _)| group), self.text("/kind"))
    }

    /// Group and kind as messages have them: `Kind.group`.
    #[must_use]
    pub fn group_kind(&self) -> String {
        let (group, kind) = self.kind();
        if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") }
    }

    /// The file that a person would edit, as outputs name it.
    #[must_use]
    pub fn file(&self) -> &str {
        self.origin.as_ref().map_or_else(|| self.place.source().name().as_ref(), |origin| &origin.file)
    }
}
