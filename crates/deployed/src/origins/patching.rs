//! The patches of kustomizations: which of them has set what is rendered. They are read once for each kustomization and looked for by what they
//! change, since a file may have a finding for each of its objects, and a kustomization a patch.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fedward_engine::{Met, Target};
use fedward_gitops::{Checkout, path};
use fedward_manifest::{Document, Encoding, Format, Limits, Node, NodeId, Source, Span};

use super::Origins;
use super::base::text;

/// Patches that are tried for one place: those of which only a pattern says what they change may be any number.
const MAX_TRIED: usize = 1_000;

/// The patches of a kustomization.
#[derive(Debug, Default)]
pub(crate) struct Patches {
    /// The kustomization, and patches in files.
    pub(crate) files: Vec<Arc<Source>>,
    /// Patches that stand in the kustomization itself.
    pub(crate) inside: Vec<Arc<[Document]>>,
    changes: Vec<Change>,
    /// By the JSON Pointer of what they set.
    by_path: HashMap<String, Meant>,
}

/// Something that a patch sets.
#[derive(Debug)]
struct Change {
    target: Arc<Target>,
    /// What it is set to: a document, and a node of it.
    documents: Arc<[Document]>,
    document: usize,
    value: NodeId,
    /// Whether it becomes an item at the end of a list.
    is_item: bool,
}

/// Changes by their place among all, by the name of the object.
#[derive(Debug, Default)]
struct Meant {
    named: HashMap<String, Vec<usize>>,
    /// Those that may be of several.
    others: Vec<usize>,
}

impl Patches {
    fn add(&mut self, target: &Arc<Target>, documents: &Arc<[Document]>, document: usize, path: &str, value: Node<'_>) {
        let (path, is_item) = path.strip_suffix("/-").map_or((path, false), |list| (list, true));
        let meant = self.by_path.entry(path.to_owned()).or_default();
        let list = match target.name() {
            Some(name) => meant.named.entry(name.to_owned()).or_default(),
            None => &mut meant.others,
        };
        list.push(self.changes.len());
        self.changes.push(Change { target: Arc::clone(target), documents: Arc::clone(documents), document, value: value.id(), is_item });
    }

    /// All that the documents of a patch set. A strategic merge names its object where no target is given.
    fn add_all(&mut self, target: Option<&Arc<Target>>, documents: &Arc<[Document]>) {
        for (number, document) in documents.iter().enumerate() {
            let root = document.root();
            if root.is_map() {
                let own = target.cloned().unwrap_or_else(|| Arc::new(Target::named(root)));
                self.add(&own, documents, number, "", root);
            }
            let operations = root.items().filter(|operation| matches!(text(*operation, "/op"), "add" | "replace"));
            for (operation, target) in operations.filter_map(|operation| Some((operation, target?))) {
                if let Some(value) = operation.get("value") {
                    self.add(target, documents, number, text(operation, "/path"), value);
                }
            }
        }
    }

    /// What sets a field of an object to what is rendered: the file, and the place in it. The last patch that does counts.
    pub(super) fn find(
        &self,
        met: &Met<'_>,
        rendered: Node<'_>,
        pointer: &str,
        is_it: &dyn Fn(Node<'_>) -> bool,
    ) -> Option<(Arc<Source>, Span)> {
        let ends = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]);
        let mut tried: Vec<(usize, &str)> = Vec::new();
        for (path, rest) in ends.filter_map(|end| pointer.split_at_checked(end)) {
            let Some(meant) = self.by_path.get(path) else { continue };
            let named = met.names.iter().filter_map(|name| meant.named.get(*name)).flatten();
            let others = meant.others.iter().rev().take(MAX_TRIED);
            tried.extend(named.chain(others).map(|number| (*number, rest)));
        }
        tried.sort_unstable_by(|one, other| other.cmp(one));
        tried.dedup();
        tried.into_iter().take(MAX_TRIED).find_map(|(number, rest)| {
            let change = self.changes.get(number).filter(|change| change.target.hits(met))?;
            let document = change.documents.get(change.document)?;
            let mut rest = rest;
            let mut held = rendered.find(pointer.strip_suffix(rest)?)?;
            if change.is_item {
                let item = rest.strip_prefix('/')?;
                let (first, inside) = item.split_at(item.find('/').unwrap_or(item.len()));
                (held, rest) = (held.index(first.parse().ok()?)?, inside);
            }
            let (found, absent) = follow(held, document.node(change.value)?, rest);
            (absent.is_empty() && is_it(found)).then(|| (Arc::clone(document.source()), found.place()))
        })
    }
}

/// Where a JSON Pointer into what is rendered leads in what it was made of, and what of it is absent there. Items of lists that have a name are
/// the same by it: patches put others between them.
pub(super) fn follow<'d, 'p>(rendered: Node<'_>, made_of: Node<'d>, pointer: &'p str) -> (Node<'d>, &'p str) {
    let (mut rendered, mut node, mut rest) = (Some(rendered), made_of, pointer);
    while let Some(tokens) = rest.strip_prefix('/') {
        let (step, after) = rest.split_at(1 + tokens.find('/').unwrap_or(tokens.len()));
        rendered = rendered.and_then(|rendered| rendered.find(step));
        let name = rendered.and_then(|item| item.get("name")?.as_str()).filter(|_| node.is_seq());
        let next = match name {
            Some(name) => node.items().find(|item| item.get("name").and_then(Node::as_str) == Some(name)),
            None => node.find(step),
        };
        let Some(next) = next else { break };
        (node, rest) = (next, after);
    }
    (node, rest)
}

/// Reads the patches of a kustomization.
pub(super) fn load(origins: &mut Origins<'_>, checkout: &Arc<Checkout>, changed: &str) -> Patches {
    let mut patches = Patches::default();
    let Some(kustomization) = origins.file(checkout, changed) else { return patches };
    patches.files.push(Arc::clone(&kustomization));
    let mut met: HashSet<Arc<str>> = HashSet::new();
    let folder = changed.rsplit_once('/').map_or("", |(folder, _)| folder);
    for document in origins.documents(&kustomization).iter() {
        let lists = ["patchesStrategicMerge", "patchesJson6902", "patches"];
        for entry in lists.iter().filter_map(|key| document.root().get(key)).flat_map(Node::items) {
            let target = entry.get("target").filter(|target| target.is_map()).map(|target| Arc::new(Target::read(target)));
            let named = entry.get("path").unwrap_or(entry).as_str();
            if let Some(path) = named.and_then(|path| join(folder, path)) {
                let Some(file) = origins.file(checkout, &path) else { continue };
                patches.add_all(target.as_ref(), &origins.documents(&file));
                if met.insert(Arc::clone(file.name())) {
                    patches.files.push(file);
                }
            } else {
                let written = entry.get("patch").unwrap_or(entry);
                let parsed = written.embedded(Encoding::Text, Format::Yaml, &Limits::default()).unwrap_or_default();
                let documents: Arc<[Document]> = parsed.into_iter().filter_map(|parsed| parsed.document).collect();
                patches.add_all(target.as_ref(), &documents);
                patches.inside.push(documents);
            }
        }
    }
    patches
}

/// A path from a folder of the checkout; `None` if it leads out of it or elsewhere.
fn join(folder: &str, file: &str) -> Option<String> {
    if file.starts_with('/') || file.contains("://") || file.contains('\n') {
        return None;
    }
    path::join(folder, file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::{Duration, Instant};

    use super::*;
    use crate::origins::documents;

    fn read(text: &str) -> Arc<[Document]> {
        documents(&Arc::new(Source::from_text("patch.yaml", text.to_owned()).unwrap())).into()
    }

    fn patches(all: &[(&str, &str)]) -> Patches {
        let mut patches = Patches::default();
        for (target, patch) in all {
            let target = read(target).first().map(|target| Arc::new(Target::read(target.root())));
            patches.add_all(target.as_ref(), &read(patch));
        }
        patches
    }

    /// The lines of what is found, or 0.
    fn found(patches: &Patches, name: &str, rendered: &str, pointer: &str) -> u32 {
        let rendered = read(rendered);
        let root = rendered.first().unwrap().root();
        let wanted = root.find(pointer).unwrap();
        let met = Met { group: "apps", version: "v1", kind: "Deployment", names: &[name], namespaces: &[""], metadata: &[] };
        let is_it = |node: Node<'_>| if wanted.is_map() { node.is_map() } else { node.as_str() == wanted.as_str() };
        patches.find(&met, root, pointer, &is_it).map_or(0, |(source, span)| source.position(span.start).line)
    }

    #[test]
    fn a_patch_counts_where_it_sets_what_is_rendered_on_the_object_that_it_is_for() {
        let patch = "- op: add\n  path: /spec\n  value:\n    a: x\n    b: y\n- {op: replace, path: /spec/a, value: z}\n- {op: remove, path: /spec/c}\n- op: add\n  path: /list/-\n  value: {name: one,\n    env: w}\n";
        let of = |target: &str| patches(&[(target, patch)]);
        let all = of("{kind: Deployment}");
        for (rendered, pointer, line) in [
            ("spec: {a: z, b: y}", "/spec/a", 6),
            // A later patch says otherwise; what is rendered is none of these.
            ("spec: {a: x, b: y}", "/spec/a", 4),
            ("spec: {a: other}", "/spec/a", 0),
            ("spec: {a: z, b: y}", "/spec/b", 5),
            ("list: [{name: zero}, {name: one, env: w}]", "/list/1/env", 11),
            ("list: [{name: zero}, {name: two, env: v}]", "/list/1/env", 0),
        ] {
            assert_eq!(found(&all, "web", rendered, pointer), line, "{rendered} {pointer}");
        }
        for (target, is_it) in [
            ("{kind: Deployment, name: web}", true),
            ("{name: we}", false),
            ("{name: we.}", true),
            ("{name: e}", false),
            ("{kind: Job}", false),
            ("{group: batch}", false),
        ] {
            assert_eq!(found(&of(target), "web", "spec: {b: y}", "/spec/b") > 0, is_it, "{target}");
        }
        // Without a target, nobody knows what operations are for.
        assert_eq!(found(&of(""), "web", "spec: {b: y}", "/spec/b"), 0);
    }

    #[test]
    fn items_of_a_merge_are_those_of_the_same_name() {
        let patch = "kind: Deployment\nmetadata: {name: web}\nspec:\n- name: side\n  env: a\n- name: main\n  env: b\n";
        let all = patches(&[("", patch)]);
        let rendered = "spec: [{name: main, env: b}, {name: side, env: a}, {name: other, env: b}]";
        assert_eq!(["/spec/0/env", "/spec/1/env", "/spec/2/env"].map(|pointer| found(&all, "web", rendered, pointer)), [7, 5, 0]);
        assert_eq!(found(&all, "other", rendered, "/spec/0/env"), 0);
    }

    #[test]
    fn findings_and_patches_are_not_multiplied() {
        const OBJECTS: usize = 20_000;
        let patch = |number: usize| format!("kind: Deployment\nmetadata: {{name: a{number}}}\nspec: {{a: x{number}}}\n");
        let all = patches(&(0..OBJECTS).map(|_| ("{name: other.*}", "[{op: add, path: /spec/a, value: y}]")).collect::<Vec<_>>());
        let mut named = Patches::default();
        (0..OBJECTS).for_each(|number| named.add_all(None, &read(&patch(number))));
        let start = Instant::now();
        for number in 0..OBJECTS {
            assert_eq!(found(&named, &format!("a{number}"), &patch(number), "/spec/a"), 3);
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        let start = Instant::now();
        for _ in 0..1_000 {
            assert_eq!(found(&all, "web", "spec: {a: z}", "/spec/a"), 0);
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
