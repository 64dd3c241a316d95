//! Which line of which file a field of a kustomization's result comes from.

use std::sync::Arc;

use fedward_engine::Met;
use fedward_kit::finding::ObjectId;
use fedward_manifest::{Document, Node, Source, Span};
use fedward_outcome::Location;

use super::Origins;
use super::patching::follow;
use crate::pieces::Piece;

/// The place of `location` in the file that its object comes from, or in a patch, and whether the very line is known.
pub(super) fn find(
    origins: &mut Origins<'_>,
    piece: &Piece,
    source: &Arc<Source>,
    location: &Location,
    object: Option<&ObjectId>,
) -> Option<(Location, bool)> {
    let rendered = origins.documents(&piece.source);
    let rendered = rendered.iter().find(|document| !document.is_empty())?.root();
    let kind = text(rendered, "/kind");
    let name = object.map_or_else(|| text(rendered, "/metadata/name"), |object| object.name.as_str());
    // Pointers into documents inside of strings go as far as the string.
    let pointer = location.pointer.split('#').next().unwrap_or_default();
    // A finding on what is not there stands on what would hold it.
    let own = rendered.pointer(pointer);
    let is_it = |other: Node<'_>| {
        if own.node.is_map() {
            other.is_map()
        } else if own.node.is_seq() {
            other.is_seq()
        } else {
            is_same(own.node, other)
        }
    };
    let place = |source: &Arc<Source>, span: Span| Location { source: Arc::clone(source), span, pointer: location.pointer.clone() };

    let files = origins.objects(source);
    let Some(base) = files.same(kind, name) else {
        return generator(&files.documents, name).map(|span| (place(source, span), false));
    };
    let (node, absent) = follow(rendered, base, pointer);
    if absent == own.absent && is_it(node) {
        return Some((place(source, node.place()), true));
    }
    // A value that the base does not have is a patch's, or of something else that the kustomization says.
    if own.is_exact() {
        let api_version = text(rendered, "/apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let both = [base, rendered];
        let metadata: Vec<Node<'_>> = both.iter().filter_map(|object| object.get("metadata")).collect();
        let names = [text(base, "/metadata/name"), name];
        let namespaces = both.map(|object| text(object, "/metadata/namespace"));
        let met = Met { group, version, kind, names: &names, namespaces: &namespaces, metadata: &metadata };
        // Those that come last have the last word.
        for changed in piece.changed_by.iter().rev() {
            let patches = origins.patches(&piece.checkout, changed);
            if let Some((file, span)) = patches.find(&met, rendered, pointer, &is_it) {
                return Some((place(&file, span), true));
            }
        }
    }
    Some((place(source, node.place()), false))
}

/// The entry of a generator, in a kustomization, that makes an object of a name.
fn generator(documents: &[Document], name: &str) -> Option<Span> {
    let lists = ["configMapGenerator", "secretGenerator", "helmCharts"];
    let items = documents.iter().flat_map(|document| lists.iter().filter_map(|key| document.root().get(key))).flat_map(Node::items);
    items.filter(|item| !text(*item, "/name").is_empty() && name.contains(text(*item, "/name"))).map(Node::place).next()
}

fn is_same(one: Node<'_>, other: Node<'_>) -> bool {
    let json = |node: Node<'_>| {
        let mut text = Vec::new();
        node.write_json(&mut text);
        text
    };
    json(one) == json(other)
}

/// The text at a JSON Pointer, or none.
pub(super) fn text<'d>(node: Node<'d>, pointer: &str) -> &'d str {
    node.find(pointer).and_then(Node::as_str).unwrap_or_default()
}
