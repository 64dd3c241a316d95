//! Which line of which file a field of a kustomization's result comes from.

use std::sync::Arc;

use fedward_gitops::{Checkout, path};
use fedward_kit::finding::ObjectId;
use fedward_manifest::{Document, Node, Source, Span};
use fedward_outcome::Location;

use super::{Origins, patching};
use crate::sandbox::Piece;

/// The place of `location` in the file that its object comes from, or in a patch, and whether the very line is known.
pub(super) fn find(
    origins: &mut Origins<'_>,
    piece: &Piece,
    source: &Arc<Source>,
    location: &Location,
    object: Option<&ObjectId>,
) -> Option<(Location, bool)> {
    let rendered = origins.documents(&piece.source);
    let rendered = rendered.iter().find(|document| !document.is_empty())?;
    let kind = text(rendered.root(), "/kind");
    let name = object.map_or_else(|| text(rendered.root(), "/metadata/name"), |object| object.name.as_str());
    // Pointers into documents inside of strings go as far as the string.
    let pointer = location.pointer.split('#').next().unwrap_or_default();
    // A finding on what is not there stands on what would hold it.
    let own = rendered.root().pointer(pointer);
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
    let lookup = base.pointer(pointer);
    if lookup.absent == own.absent && is_it(lookup.node) {
        return Some((place(source, lookup.node.place()), true));
    }
    for file in origins.patches(piece) {
        let found = origins.objects(&file);
        let patched = found.same(kind, name).and_then(|patch| patch.find(pointer));
        if let Some(node) = patched.filter(|node| own.is_exact() && is_it(*node)) {
            return Some((place(&file, node.place()), true));
        }
    }
    // A value that the base does not have is a patch's, or of something else that the kustomization says.
    let changed = own.is_exact() && lookup.is_exact() && !own.node.is_map() && !own.node.is_seq();
    if changed && let Some((file, span, exact)) = patching::find(origins, piece, (kind, name), pointer) {
        return Some((place(&file, span), exact));
    }
    Some((place(source, lookup.node.place()), false))
}

/// A kustomization, and its patches that are files.
pub(super) fn patches(origins: &mut Origins<'_>, checkout: &Arc<Checkout>, changed: &str) -> Vec<Arc<Source>> {
    let mut files = vec![changed.to_owned()];
    if let Some(kustomization) = origins.file(checkout, changed) {
        let folder = changed.rsplit_once('/').map_or("", |(folder, _)| folder);
        for document in origins.documents(&kustomization).iter() {
            let list = |key: &str| document.root().get(key).into_iter().flat_map(Node::items).collect::<Vec<_>>();
            let named = list("patches").into_iter().filter_map(|patch| patch.get("path")?.as_str()).map(str::to_owned);
            let merged = list("patchesStrategicMerge").into_iter().filter_map(Node::as_str).map(str::to_owned);
            files.extend(named.chain(merged).filter_map(|path| join(folder, &path)));
        }
    }
    files.into_iter().filter_map(|file| origins.file(checkout, &file)).collect()
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

/// A path from a folder of the checkout; `None` if it leads out of it or elsewhere.
pub(super) fn join(folder: &str, file: &str) -> Option<String> {
    if file.starts_with('/') || file.contains("://") || file.contains('\n') {
        return None;
    }
    path::join(folder, file)
}
