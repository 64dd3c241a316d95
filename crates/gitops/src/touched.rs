//! Which Applications a change touches: by what they are written in and generated from, by the files that rendering them reads, and by what
//! they themselves say that Argo CD is to look at. In doubt a file is read: a whole folder rather than some of its files.

mod reads;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reads::About;

use crate::application::Rendered;
use crate::changed::{Changed, Within};
use crate::checkout::Checkout;
use crate::discovery::{Application, ApplicationSet, Discovery, Parent, Root};
use crate::glob::{Glob, is_pattern};
use crate::path;
use crate::repositories::{Found, Repositories};
use crate::source::{Source, SourceType};
use crate::value::Value;

/// The annotation that says for which files Argo CD renders anew.
pub(crate) const GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";

/// What a change touches, by checkout.
pub(crate) struct Touching<'a> {
    repositories: &'a Repositories,
    within: HashMap<usize, Within>,
    /// Whether something is touched that all depends on.
    everything: bool,
    /// What was found out of folders and files, by what it is, the checkout and the path: many Applications are rendered from one.
    known: Mutex<HashMap<(About, usize, String), Option<String>>>,
    projects: Mutex<Projects>,
}

/// The projects by their names, as far as they were found.
#[derive(Default)]
struct Projects {
    by_name: HashMap<String, Vec<usize>>,
    seen: usize,
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
        Touching { repositories, within, everything, known: Mutex::default(), projects: Mutex::default() }
    }

    /// Says that everything is touched, if one of some files is. They are named as outputs name them.
    pub(crate) fn all_depend_on<'f>(&mut self, mut files: impl Iterator<Item = &'f str>) {
        self.everything = self.everything || files.any(|file| self.file(file));
    }

    /// Whether an Application is touched, whatever it is rendered from.
    pub(crate) fn is_sure(&self, application: &Application, discovery: &Discovery) -> bool {
        self.everything || self.is_defined_anew(application, discovery)
    }

    /// Whether and how an Application is touched of which it is not sure. `rendered` is what is known of it without tools.
    pub(crate) fn touch(&self, application: &Application, rendered: &Rendered) -> Option<Touch> {
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
        self.file(application.place().source().name())
            || self.file(application.object.place.source().name())
            || application.made_of.iter().any(|file| self.file(file))
            || self.project(&application.project, discovery)
            || self.parents(&application.parents, discovery)
    }

    /// Whether a project of a name is touched.
    fn project(&self, name: &str, discovery: &Discovery) -> bool {
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, project) in discovery.projects.iter().enumerate().skip(projects.seen) {
            projects.by_name.entry(project.name.clone()).or_default().push(at);
        }
        projects.seen = discovery.projects.len();
        let own = projects.by_name.get(name).into_iter().flatten().filter_map(|at| discovery.projects.get(*at));
        own.into_iter().any(|project| self.file(project.object.place.source().name()))
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
            if root.is_chart { self.chart(main, &root.folder) } else { self.kustomization(main, &root.folder, within) }.is_some()
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
        let Some((checkout, folder)) = &source.place else {
            return self.chosen(&source.spec).or_else(|| self.nowhere(&source.spec));
        };
        let within = self.within(checkout)?;
        let committed = instances.iter().map(|name| format!(".argocd-source-{name}.yaml")).chain([".argocd-source.yaml".to_owned()]);
        let mut committed = committed.filter_map(|name| path::join(folder, &name)).filter_map(|file| within.at(&file).map(str::to_owned));
        let shown = |file: &str| checkout.shown(file);
        if let Some(file) = committed.next() {
            return Some(shown(&file));
        }
        let found = match source.kind {
            Some(SourceType::Helm) => self.chosen(&source.spec).or_else(|| self.chart(checkout, folder)),
            Some(SourceType::Kustomize) => {
                let components = source.effective.get("kustomize").into_iter().flat_map(|block| block.list("components"));
                let components = components.filter_map(|component| path::join(folder, component.as_str()?));
                let mut folders = std::iter::once(folder.clone()).chain(components);
                folders.find_map(|folder| self.kustomization(checkout, &folder, within))
            }
            Some(SourceType::Directory) => self.directory(checkout, folder, source, within),
            // A program may read anything of the repository.
            Some(SourceType::Plugin) => within.below("").map(shown),
            None => within.below(folder).map(shown),
        };
        // What a folder is built with depends on the files in it: one that is new or gone may make it another tool.
        let decides = |file: &&str| path::folder(file) == folder && crate::source::decides(path::name(file));
        found.or_else(|| within.all_below(folder).find(decides).map(shown))
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
