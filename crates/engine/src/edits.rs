//! Fixes as text edits of the file.

use std::collections::BTreeSet;

use fedward_kit::finding::{Finding, PatchStep};
use fedward_manifest::Node;
use fedward_manifest::edit::{Edit, Step};

use crate::world::World;

/// Steps of a fix that is looked through for what it leaves empty; ours have a few.
const MAX_TIDIED: usize = 32;

/// A finding's fix, and the edits that do the same to the file; no edits where there is no fix, or one that cannot be written. What a tool
/// wrote is not mended: the next run would write it again.
pub(crate) fn of(world: &World, number: usize, finding: &Finding) -> (Vec<PatchStep>, Vec<Edit>) {
    let place = &finding.place;
    let as_given = |edits| (finding.fix.clone(), edits);
    // Paths lead from the root of the object under admission.
    if finding.fix.is_empty() || place.object.is_some() || !place.embedded.is_empty() {
        return as_given(Vec::new());
    }
    let Some(object) = world.objects.get(number) else { return as_given(Vec::new()) };
    let loaded = world.loaded.get(object.document);
    if loaded.is_some_and(|loaded| loaded.generated) {
        return (Vec::new(), Vec::new());
    }
    let document = loaded.and_then(|loaded| loaded.document.as_ref());
    let Some(root) = document.and_then(|document| document.node(object.node)) else { return as_given(Vec::new()) };
    let tidied = tidied(root, &finding.fix);
    match edits(root, &tidied) {
        Some(edits) => (tidied, edits),
        // An anchor on the map must stay, the label in it need not.
        None => as_given(edits(root, &finding.fix).unwrap_or_default()),
    }
}

fn edits(root: Node<'_>, fix: &[PatchStep]) -> Option<Vec<Edit>> {
    let steps = fix.iter().map(|step| match step {
        PatchStep::Add { path, value } => Step::Add { path, value },
        PatchStep::Replace { path, value } => Step::Replace { path, value },
        PatchStep::Remove { path } => Step::Remove { path },
    });
    root.edits(steps).ok()
}

/// A patch that takes along the labels and annotations of which it leaves nothing, and a pod template's metadata likewise. A rule knows
/// only its own label; that others go as well, or that there are none, is seen here.
fn tidied(root: Node<'_>, fix: &[PatchStep]) -> Vec<PatchStep> {
    let mut steps = fix.to_vec();
    if steps.len() > MAX_TIDIED {
        return steps;
    }
    while let Some(map) = emptied(root, &steps) {
        let is_inside = |step: &PatchStep| parent(path(step)) == Some(map.as_str());
        let last = steps.iter().rposition(is_inside).unwrap_or_default();
        let mut index = 0;
        steps.retain_mut(|step| {
            if index == last {
                *step = PatchStep::Remove { path: map.clone() };
            }
            index += 1;
            index > last || !is_inside(step)
        });
    }
    steps
}

/// A map that may go, and of which every entry is removed.
fn emptied(root: Node<'_>, steps: &[PatchStep]) -> Option<String> {
    let removals = steps.iter().filter(|step| matches!(step, PatchStep::Remove { .. })).map(path);
    let maps: BTreeSet<&str> = removals.clone().filter_map(parent).filter(|map| may_go(map)).collect();
    let is_emptied = |map: &&&str| {
        let gone: BTreeSet<&str> = removals.clone().filter(|path| parent(path) == Some(**map)).collect();
        let comes = steps.iter().any(|step| {
            let inside = path(step).strip_prefix(**map).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            inside && !matches!(step, PatchStep::Remove { .. })
        });
        !comes && root.find(map).is_some_and(|node| node.is_map() && node.len() == gone.len())
    };
    maps.iter().find(is_emptied).map(|map| (*map).to_owned())
}

/// Whether a map means nothing when it is empty.
fn may_go(map: &str) -> bool {
    map.strip_suffix("/labels").or(map.strip_suffix("/annotations")).is_some_and(|above| above.ends_with("/metadata"))
        || map.ends_with("/metadata") && map != "/metadata"
}

fn path(step: &PatchStep) -> &str {
    let (PatchStep::Add { path, .. } | PatchStep::Replace { path, .. } | PatchStep::Remove { path }) = step;
    path
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::sync::Arc;

    use fedward_manifest::{Limits, Source, edit, parse, split};

    use super::*;

    /// The text after a fix: what is removed, and what is added with the value `v`.
    fn fixed(text: &str, removed: &[&str], added: &[&str]) -> String {
        let source = Arc::new(Source::from_text("a.yaml", text.to_owned()).unwrap());
        let limits = Limits::default();
        let document = parse(&source, split(&source, &limits).chunks[0], &limits).document.unwrap();
        let added = added.iter().map(|path| PatchStep::Add { path: (*path).to_owned(), value: "v".into() });
        let removed = removed.iter().map(|path| PatchStep::Remove { path: (*path).to_owned() });
        let steps = tidied(document.root(), &added.chain(removed).collect::<Vec<_>>());
        edit::apply(text, &edits(document.root(), &steps).unwrap())
    }

    const POD: &str = "metadata:\n  name: web\n  labels:\n    a: b # one\n    c: d\nspec:\n  template:\n    metadata:\n      annotations: {e: f}\n    spec: {}\n";

    #[test]
    fn what_a_fix_empties_goes() {
        let labels = ["/metadata/labels/a", "/metadata/labels/c"];
        let without = POD.replace("  labels:\n    a: b # one\n    c: d\n", "");
        assert_eq!(fixed(POD, &labels, &[]), without);
        let template = "/spec/template/metadata/annotations/e";
        assert_eq!(fixed(POD, &[template], &[]), POD.replace("    metadata:\n      annotations: {e: f}\n", ""));
        assert_eq!(fixed(POD, &labels, &["/spec/template/metadata/annotations/c"]), without.replace("{e: f}", "{e: f, c: v}"));
    }

    #[test]
    fn what_a_fix_leaves_something_in_stays() {
        assert_eq!(fixed(POD, &["/metadata/labels/a"], &[]), POD.replace("    a: b # one\n", ""));
        assert_eq!(
            fixed(POD, &["/spec/template/metadata/annotations/e"], &["/spec/template/metadata/annotations/g"]),
            POD.replace("e: f", "g: v")
        );
        // An empty selector selects everything, and an object has metadata.
        for (text, path) in [("spec:\n  podSelector:\n    a: b\n", "/spec/podSelector/a"), ("metadata:\n  name: x\n", "/metadata/name")] {
            assert!(fixed(text, &[path], &[]).ends_with(" {}\n"), "{text}");
        }
    }
}
