//! Values that patches set of which only operations are written (JSON Patch), and patches that stand in a kustomization itself.

use std::sync::Arc;

use fedward_manifest::{Node, Source, Span};

use super::Origins;
use super::base::{join, text};
use crate::sandbox::Piece;

/// What sets a field of an object, by its kind and name: the file, the place in it, and whether that is the value itself. The last patch that
/// does counts.
pub(super) fn find(origins: &mut Origins<'_>, piece: &Piece, object: (&str, &str), pointer: &str) -> Option<(Arc<Source>, Span, bool)> {
    let mut found = None;
    for changed in &piece.changed_by {
        let Some(kustomization) = origins.file(&piece.checkout, changed) else { continue };
        let folder = changed.rsplit_once('/').map_or("", |(folder, _)| folder);
        for document in origins.documents(&kustomization).iter() {
            let lists = ["patchesStrategicMerge", "patchesJson6902", "patches"];
            for entry in lists.iter().filter_map(|key| document.root().get(key)).flat_map(Node::items) {
                let target = entry.get("target");
                let asks = |key: &str| target.and_then(|target| target.get(key)?.as_str()).filter(|text| !text.is_empty());
                // Names are patterns: one that is plain and another is not meant.
                let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                if asks("kind").is_some_and(|kind| kind != object.0)
                    || asks("name").is_some_and(|name| is_plain(name) && !object.1.contains(name))
                {
                    continue;
                }
                if let Some(file) = entry.get("path").and_then(Node::as_str).and_then(|path| join(folder, path)) {
                    let Some(file) = origins.file(&piece.checkout, &file) else { continue };
                    let documents = origins.documents(&file);
                    let value = documents.iter().find_map(|document| operation(document.root(), pointer));
                    found = value.map(|value| (Arc::clone(&file), value.place(), true)).or(found);
                } else {
                    let node = entry.get("patch").unwrap_or(entry);
                    if origins.inside(&kustomization, node).iter().any(|document| sets(document.root(), object.0, pointer)) {
                        found = Some((Arc::clone(&kustomization), node.place(), false));
                    }
                }
            }
        }
    }
    found
}

/// The value of the last operation of a JSON Patch that sets a field or what holds it.
fn operation<'d>(root: Node<'d>, pointer: &str) -> Option<Node<'d>> {
    let sets = |path: &str| {
        let path = path.strip_suffix("/-").unwrap_or(path);
        pointer.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let operations = root.items().filter(|operation| matches!(text(*operation, "/op"), "add" | "replace"));
    operations.filter(|operation| sets(text(*operation, "/path"))).filter_map(|operation| operation.get("value")).last()
}

/// Whether a patch sets a field of an object of a kind.
fn sets(patch: Node<'_>, kind: &str, pointer: &str) -> bool {
    if patch.is_seq() { operation(patch, pointer).is_some() } else { text(patch, "/kind") == kind && patch.find(pointer).is_some() }
}
