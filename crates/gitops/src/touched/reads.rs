//! The files that rendering reads, told from the text of charts and kustomizations.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use super::{Touching, address};
use crate::changed::Within;
use crate::charts::is_about;
use crate::checkout::{Checkout, Entry};
use crate::path;
use crate::source::{Source, directory_takes};
use crate::value::Value;

/// What can be asked of a path of a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum About {
    /// A file of a chart, or of another that it builds on.
    Chart,
    /// A file that building a kustomization reads.
    Kustomization,
    /// A file that Jsonnet may import.
    Jsonnet,
    /// Where the links of a folder lead.
    Links,
    /// A file that has a say in which chart of a name is taken.
    Kept,
}

impl Touching<'_> {
    /// What is known of a path, which is found out once.
    fn once(&self, about: About, checkout: &Arc<Checkout>, path: &str, find: impl FnOnce() -> Option<String>) -> Option<String> {
        let key = (about, address(checkout), path.to_owned());
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(&key).cloned();
        found.unwrap_or_else(|| {
            let found = find();
            known().insert(key, found.clone());
            found
        })
    }

    /// A file that has a say in which chart of a Helm repository a source means.
    pub(super) fn chosen(&self, spec: &Value) -> Option<String> {
        let name = spec.text("chart");
        if name.is_empty() { None } else { self.kept(spec.text("repoURL"), name, spec.text("targetRevision")) }
    }

    /// The same of a chart that is asked for by its name.
    fn kept(&self, repository: &str, name: &str, version: &str) -> Option<String> {
        let checkout = self.repositories.shelf(repository, version)?;
        let within = self.within(checkout)?;
        self.once(About::Kept, checkout, name, || within.files().find(|file| is_about(file, name)).map(|file| checkout.shown(file)))
    }

    /// A file of a chart, or of another that it builds on.
    pub(super) fn chart(&self, checkout: &Arc<Checkout>, folder: &str) -> Option<String> {
        self.once(About::Chart, checkout, folder, || {
            let within = self.within(checkout)?;
            let mut seen = HashSet::from([folder.to_owned()]);
            let mut waiting = vec![folder.to_owned()];
            while let Some(folder) = waiting.pop() {
                let own = within.below(&folder).map(|file| checkout.shown(file)).or_else(|| self.linked(checkout, &folder, within));
                if own.is_some() {
                    return own;
                }
                let (beside, fetched) = needed(checkout, &folder);
                let found = fetched.iter().find_map(|[name, repository, version]| self.kept(repository, name, version));
                if found.is_some() {
                    return found;
                }
                // Charts in it may need others, too.
                let held = checkout.below(&folder).map(|(file, _)| file).filter(|file| path::name(file) == "Chart.yaml");
                let held = held.map(|file| path::folder(file).to_owned());
                waiting.extend(beside.into_iter().chain(held).filter(|folder| seen.insert(folder.clone())));
            }
            None
        })
    }

    /// A file that building a kustomization reads.
    pub(super) fn kustomization(&self, checkout: &Arc<Checkout>, folder: &str, within: &Within) -> Option<String> {
        self.once(About::Kustomization, checkout, folder, || {
            let layout = checkout.layout();
            let folders = layout.closure(folder);
            // What generators and transformers name in turn lies in these folders, too, unless somebody allows otherwise.
            let below = || folders.iter().find_map(|folder| within.below(folder));
            let named = || layout.names(folder).iter().find_map(|file| within.below(file));
            let found = below().or_else(named).map(|file| checkout.shown(file));
            found.or_else(|| folders.iter().find_map(|folder| self.linked(checkout, folder, within)))
        })
    }

    /// A file of plain manifests, or of what Jsonnet reads for them.
    pub(super) fn directory(&self, checkout: &Arc<Checkout>, folder: &str, source: &Source, within: &Within) -> Option<String> {
        let takes = directory_takes(&source.effective, folder);
        if let Some(file) = within.at(folder).or_else(|| within.all_below(folder).find(|file| takes(file))) {
            return Some(checkout.shown(file));
        }
        if let Some(file) = self.linked(checkout, folder, within) {
            return Some(file);
        }
        let libraries = source.effective.at(&["directory", "jsonnet"]).into_iter().flat_map(|jsonnet| jsonnet.list("libs"));
        let mut libraries = libraries.filter_map(|library| path::clean(library.as_str()?));
        let mut beside = || within.below(folder).or_else(|| libraries.find_map(|folder| within.below(&folder)));
        let read = beside().map(|file| checkout.shown(file)).or_else(|| self.imported(checkout, within));
        // Only where there is any Jsonnet.
        read.filter(|_| checkout.below(folder).any(|(file, _)| file.ends_with(".jsonnet") && takes(file)))
    }

    /// A file that Jsonnet may import: an import may lead anywhere in the repository, and what it names stands in some file of Jsonnet.
    fn imported(&self, checkout: &Arc<Checkout>, within: &Within) -> Option<String> {
        let is_jsonnet = |file: &str| file.ends_with(".jsonnet") || file.ends_with(".libsonnet");
        self.once(About::Jsonnet, checkout, "", || {
            let all = checkout.entries().filter(|(file, entry)| **entry == Entry::File && is_jsonnet(file));
            let mut named = HashSet::new();
            for text in all.filter_map(|(file, _)| checkout.text(file).ok()) {
                named.extend(text.text().split(['"', '\'', '/', '\n']).map(str::to_owned));
            }
            within.files().find(|file| is_jsonnet(file) || named.contains(path::name(file))).map(|file| checkout.shown(file))
        })
    }

    /// What is touched of where the links of a folder lead.
    fn linked(&self, checkout: &Arc<Checkout>, folder: &str, within: &Within) -> Option<String> {
        self.once(About::Links, checkout, folder, || {
            let links = checkout.below(folder).filter(|(_, entry)| matches!(entry, Entry::Link(_))).map(|(link, _)| link);
            links.filter_map(|link| checkout.follow(link).ok()).find_map(|(real, _)| within.below(&real).map(|file| checkout.shown(file)))
        })
    }
}

/// What the dependencies of a chart are: folders beside it, and others, each by its name, repository and version.
fn needed(checkout: &Checkout, folder: &str) -> (Vec<String>, Vec<[String; 3]>) {
    let (mut beside, mut fetched) = (Vec::new(), Vec::new());
    let parsed = path::join(folder, "Chart.yaml").and_then(|file| checkout.documents(&file).ok());
    let document = parsed.as_ref().and_then(|parsed| parsed.only().ok()?);
    for dependency in document.into_iter().filter_map(|document| document.root().get("dependencies")).flat_map(|all| all.items()) {
        let of = ["name", "repository", "version"];
        let of = of.map(|key| dependency.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned());
        let [_, repository, _] = &of;
        match repository.strip_prefix("file://") {
            Some(local) => beside.extend(path::join(if local.starts_with('/') { "" } else { folder }, local)),
            None if repository.is_empty() => {}
            None => fetched.push(of),
        }
    }
    (beside, fetched)
}
