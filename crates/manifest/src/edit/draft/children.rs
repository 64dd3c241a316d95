//! Entries of a map as they are written: what a merge key brings stands elsewhere, and what a later key replaces stands there all the same.

use std::collections::BTreeSet;

use crate::document::Node;

/// All children of a node, those included that are replaced or left out.
fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let end = node.id + node.raw.size();
    let mut next = node.id + 1;
    std::iter::from_fn(move || {
        let id = next;
        let raw = node.document.tree.get(id).filter(|_| id < end)?;
        next += raw.size();
        Some(Node { document: node.document, id, raw })
    })
}

/// Keys of entries that later ones replace.
pub(super) fn dead_keys(map: Node<'_>) -> BTreeSet<&str> {
    children(map).filter(|child| child.raw.dead).filter_map(Node::key).collect()
}

/// Whether an entry is written in its map, not brought there by a merge key. Written ones come in the order of the text.
pub(super) fn is_own(map: Node<'_>, id: u32) -> bool {
    own_children(map).is_none_or(|own| own.contains(&id))
}

/// The children that are written in the node; `None` for all.
pub(super) fn own_children(node: Node<'_>) -> Option<BTreeSet<u32>> {
    if !node.is_map() || node.is_built() || node.document.tree.reused.is_empty() {
        return None;
    }
    let mut own = BTreeSet::new();
    let mut end = node.raw.span.start;
    for child in children(node) {
        let start = node.document.tree.key_span(child.raw).unwrap_or(child.raw.span).start;
        if start >= end && child.raw.span.end <= node.raw.span.end {
            own.insert(child.id);
            end = child.raw.span.end.max(start + 1);
        }
    }
    Some(own)
}
