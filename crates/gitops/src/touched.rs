//! Which Applications a change touches: by what they are written in and generated from, by the files that rendering them reads, and by what
//! they themselves say that Argo CD is to look at.
//!
//! What is read is told from the text of charts and kustomizations, and in doubt it is read: a whole folder rather than some of its files.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fedward_manifest::Source as Text;

use crate::DEEPEST;
use crate::application::Rendered;
use crate::changed::{Changed, Within};
use crate::checkout::{Checkout, Entry};
use crate::discovery::{Application, ApplicationSet, Discovery, Parent, Root};
use crate::glob::{Glob, is_pattern};
use crate::path;
use crate::repositories::{Found, Repositories};
use crate::source::{Source, SourceType, directory_takes};
use crate::value::Value;

/// The annotation that says for which files Argo CD renders anew.
pub(crate) const GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";

/// What a change touches, by checkout.
pub(crate) struct Touching<'a> {
    repositories: &'a Repositories,
    within: HashMap<usize, Within>,
    /// Whether something is touched that all depends on.
    everything: bool,
}

/// How an Application is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touch {
    /// By what it is made of, or as it says itself.
    Said,
    /// By a file that rendering it reads, and for which Argo CD does not render anew.
    Unsaid(String),
}

impl<'a> Touching<'a> {
    /// `everything`: all Applications count as touched.
    pub(crate) fn new(changed: &Changed, everything: bool, repositories: &'a Repositories) -> Self {
        let kept = repositories.kept_charts();
        let all = repositories.checkouts().iter().chain(kept);
        let within = all.map(|checkout| (address(checkout), changed.within(checkout.root()))).collect();
        Touching { repositories, within, everything }
    }

    /// Says that everything is touched, if one of some files is. They are named as outputs name them.
    pub(crate) fn all_depend_on<'f>(&mut self, mut files: impl Iterator<Item = &'f str>) {
        self.everything = self.everything || files.any(|file| self.file(file));
    }

    /// Whether and how an Application is touched. `rendered` is what is known of it without tools.
    pub(crate) fn touch(&self, application: &Application, rendered: &Rendered, discovery: &Discovery) -> Option<Touch> {
        if self.everything || self.is_defined_anew(application, discovery) {
            return Some(Touch::Said);
        }
        let instances = instances(application);
        let read = rendered.sources.iter().find_map(|source| self.source(source, &instances));
        let paths = application.object.at(&["metadata", "annotations", GENERATE_PATHS]).and_then(Value::as_str).unwrap_or_default();
        let items: Vec<&str> = paths.split(';').filter(|item| !item.is_empty()).collect();
        match read {
            _ if rendered.sources.iter().any(|source| self.is_said(source, rendered, &items)) => Some(Touch::Said),
            Some(file) if !items.is_empty() => Some(Touch::Unsaid(file)),
            Some(_) => Some(Touch::Said),
            None => None,
        }
    }

    /// Whether a set itself is touched, whatever becomes of its Applications.
    pub(crate) fn set(&self, set: &ApplicationSet, discovery: &Discovery) -> bool {
        self.everything || self.file(set.object.place.source().name()) || self.parents(&set.parents, discovery)
    }

    /// Whether what an Application is written in or made of is touched.
    pub(crate) fn is_defined_anew(&self, application: &Application, discovery: &Discovery) -> bool {
        let project = || discovery.projects.iter().filter(|project| project.name == application.project);
        self.file(application.place().source().name())
            || self.file(application.object.place.source().name())
            || application.made_of.iter().any(|file| self.file(file))
            || project().any(|project| self.file(project.object.place.source().name()))
            || self.parents(&application.parents, discovery)
    }

    fn parents(&self, parents: &[Parent], discovery: &Discovery) -> bool {
        parents.iter().any(|parent| match parent {
            Parent::File | Parent::AsWritten => false,
            Parent::Set(at) => discovery.sets.get(*at).is_some_and(|set| self.set(set, discovery)),
            Parent::Root(at) => discovery.roots.get(*at).is_some_and(|root| self.root(root)),
            // Of plain manifests, each is by itself.
            Parent::Application(at) => discovery.applications.get(*at).is_some_and(|parent| {
                let is_built = |source: &Source| source.kind != Some(SourceType::Directory);
                !parent.is_left_out && parent.sources.iter().any(is_built)
            }),
        })
    }

    fn root(&self, root: &Root) -> bool {
        let Some(main) = self.repositories.main() else { return false };
        self.within(main).is_some_and(|within| {
            if root.is_chart { chart(main, &root.folder, within, 0) } else { kustomization(main, &root.folder, within) }.is_some()
        })
    }

    /// Whether a file is touched, by the name that outputs give it; of what was rendered the name begins with its file's and `#`, which may
    /// be part of a file's own name as well.
    pub(crate) fn file(&self, shown: &str) -> bool {
        let mut names = shown.match_indices('#').map(|(at, _)| at).chain([shown.len()]).filter_map(|end| shown.get(..end));
        names.any(|name| {
            self.repositories.checkouts().iter().any(|checkout| {
                let path = checkout.path_of(name);
                path.is_some_and(|path| self.within(checkout).is_some_and(|within| within.at(path).is_some()))
            })
        })
    }

    fn within(&self, checkout: &Arc<Checkout>) -> Option<&Within> {
        self.within.get(&address(checkout))
    }

    /// A file that rendering a source reads, and that is touched.
    fn source(&self, source: &Source, instances: &[String]) -> Option<String> {
        for (checkout, target) in &source.reads {
            let Some(within) = self.within(checkout) else { continue };
            let glob = is_pattern(target).then(|| Glob::doublestar(target).ok()).flatten();
            let hit = within.at(target).or_else(|| within.files().find(|file| glob.as_ref().is_some_and(|glob| glob.matches(file))));
            if let Some(file) = hit {
                return Some(checkout.shown(file));
            }
        }
        let Some((checkout, folder)) = &source.place else { return self.nowhere(&source.spec) };
        let within = self.within(checkout)?;
        let committed = instances.iter().map(|name| format!(".argocd-source-{name}.yaml")).chain([".argocd-source.yaml".to_owned()]);
        let committed = committed.filter_map(|name| path::join(folder, &name)).find_map(|file| within.at(&file).map(str::to_owned));
        let read = || {
            let found = match source.kind {
                Some(SourceType::Helm) => chart(checkout, folder, within, 0),
                Some(SourceType::Kustomize) => {
                    let components = source.effective.get("kustomize").into_iter().flat_map(|block| block.list("components"));
                    let components = components.filter_map(|component| path::join(folder, component.as_str()?));
                    let mut folders = std::iter::once(folder.clone()).chain(components);
                    folders.find_map(|folder| kustomization(checkout, &folder, within))
                }
                Some(SourceType::Directory) => directory(checkout, folder, source, within),
                // A program may read anything of the repository.
                Some(SourceType::Plugin) => within.below("").map(str::to_owned),
                None => within.below(folder).map(str::to_owned),
            };
            // What a folder is built with depends on the files in it: one that is new or gone may make it another tool.
            let decides = |file: &&str| path::folder(file) == folder && crate::source::decides(path::name(file));
            found.or_else(|| within.all_below(folder).find(decides).map(str::to_owned))
        };
        committed.or_else(read).map(|file| checkout.shown(&file))
    }

    /// The same for a source whose folder is not there: it may be gone.
    fn nowhere(&self, spec: &Value) -> Option<String> {
        if !spec.text("chart").is_empty() || spec.text("path").is_empty() {
            return None;
        }
        let Found::Here(checkout) = self.repositories.find(spec.text("repoURL"), spec.text("targetRevision")) else { return None };
        let folder = path::clean(spec.text("path"))?;
        self.within(checkout)?.below(&folder).map(|file| checkout.shown(file))
    }

    /// Whether Argo CD renders anew for what is touched of the repository of a source, by `manifest-generate-paths`.
    fn is_said(&self, source: &Source, rendered: &Rendered, items: &[&str]) -> bool {
        let Some((checkout, _)) = &source.place else { return false };
        let Some(within) = self.within(checkout) else { return false };
        items.iter().any(|item| {
            let hits = |written: &str| {
                let clean = path::clean(written).unwrap_or_default();
                let glob = || Glob::path(&clean).ok();
                within.below(&clean).is_some()
                    || is_pattern(&clean) && glob().is_some_and(|glob| within.files().any(|file| glob.matches(file)))
            };
            match item.strip_prefix('/') {
                Some(rest) => hits(rest),
                // Argo CD puts it below the path of each source, whatever repository that is in.
                None => rendered.sources.iter().any(|source| hits(&format!("{}/{item}", source.spec.text("path")))),
            }
        })
    }
}

fn address(checkout: &Arc<Checkout>) -> usize {
    Arc::as_ptr(checkout).addr()
}

/// What files of overrides call an Application: with its namespace or without.
fn instances(application: &Application) -> [String; 2] {
    [application.name.clone(), format!("{}_{}", application.namespace, application.name)]
}

/// A file of a chart, or of a chart beside it that it builds on.
fn chart(checkout: &Checkout, folder: &str, within: &Within, depth: usize) -> Option<String> {
    if let Some(file) = within.below(folder) {
        return Some(file.to_owned());
    }
    if let Some(file) = linked(checkout, folder, within) {
        return Some(file);
    }
    if depth >= DEEPEST {
        return None;
    }
    let parsed = checkout.documents(&path::join(folder, "Chart.yaml")?).ok()?;
    let document = parsed.only().ok()??;
    let dependencies = document.root().get("dependencies")?.items();
    let mut beside = dependencies.filter_map(|dependency| {
        let local = dependency.get("repository")?.as_str()?.strip_prefix("file://")?;
        path::join(if local.starts_with('/') { "" } else { folder }, local)
    });
    beside.find_map(|folder| chart(checkout, &folder, within, depth + 1))
}

/// A file that building a kustomization reads.
fn kustomization(checkout: &Checkout, folder: &str, within: &Within) -> Option<String> {
    let layout = checkout.layout();
    let folders = layout.closure(folder);
    // What generators and transformers name in turn lies in these folders, too, unless somebody allows otherwise.
    let below = || folders.iter().find_map(|folder| within.below(folder));
    let named: BTreeSet<String> = layout.names(folder);
    let found = below().or_else(|| named.iter().find_map(|file| within.below(file)));
    found.map(str::to_owned).or_else(|| folders.iter().find_map(|folder| linked(checkout, folder, within)))
}

/// A file of plain manifests, or of what Jsonnet reads for them.
fn directory(checkout: &Checkout, folder: &str, source: &Source, within: &Within) -> Option<String> {
    let takes = directory_takes(&source.effective, folder);
    if let Some(file) = within.at(folder).or_else(|| within.all_below(folder).find(|file| takes(file))) {
        return Some(file.to_owned());
    }
    if let Some(file) = linked(checkout, folder, within) {
        return Some(file);
    }
    let is_jsonnet = |file: &str| file.ends_with(".jsonnet") || file.ends_with(".libsonnet");
    if !checkout.below(folder).any(|(file, _)| file.ends_with(".jsonnet") && takes(file)) {
        return None;
    }
    let libraries = source.effective.at(&["directory", "jsonnet"]).into_iter().flat_map(|jsonnet| jsonnet.list("libs"));
    let mut libraries = libraries.filter_map(|library| path::clean(library.as_str()?));
    // An import may lead anywhere in the repository; what it names stands in some file of Jsonnet.
    let imported = || {
        let all = checkout.entries().filter(|(file, entry)| **entry == Entry::File && is_jsonnet(file));
        let texts: Vec<Arc<Text>> = all.filter_map(|(file, _)| checkout.text(file).ok()).collect();
        let is_named = |file: &str| texts.iter().any(|source| source.text().contains(path::name(file)));
        within.files().find(|file| is_jsonnet(file) || is_named(file))
    };
    within.below(folder).or_else(|| libraries.find_map(|folder| within.below(&folder))).or_else(imported).map(str::to_owned)
}

/// What is touched of where the links of a folder lead.
fn linked(checkout: &Checkout, folder: &str, within: &Within) -> Option<String> {
    let links = checkout.below(folder).filter(|(_, entry)| matches!(entry, Entry::Link(_))).map(|(link, _)| link);
    links.filter_map(|link| checkout.follow(link).ok()).find_map(|(real, _)| within.below(&real).map(str::to_owned))
}
