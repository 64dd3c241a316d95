//! Objects of Argo CD's own that were found, each once, with all ways to it.

use std::collections::HashSet;

use super::Run;
use crate::application::name_of;
use crate::appset::SetState;
use crate::clusters;
use crate::discovery::found::{Role, role};
use crate::discovery::{Application, ApplicationSet, Parent, Project};
use crate::manifest::Manifest;
use crate::reason::Reason;
use crate::value::Value;

/// What entries are found by.
const APPLICATIONS: usize = 0;
const SETS: usize = 1;
const PROJECTS: usize = 2;

impl Run<'_> {
    /// Takes an object that was found. `namespace` is where it goes if it does not say.
    pub(super) fn take(&mut self, manifest: &Manifest, parent: Parent, depth: usize, namespace: &str) {
        let Some(role) = role(manifest) else { return };
        if let Some(origin) = &manifest.origin {
            self.seen_files.insert(origin.file.clone());
        }
        self.seen_files.insert(manifest.place.source().name().to_string());
        let object = || Value::read(manifest.place.document(), manifest.node());
        let own = manifest.text("/metadata/namespace");
        let namespace =
            [own, namespace, &self.out.settings.namespace].into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned();
        match role {
            Role::Application => {
                if let Some(at) = self.by_place.get(&(APPLICATIONS, manifest.place.clone())).copied() {
                    if let Some(known) = self.out.applications.get_mut(at) {
                        known.add_parent(parent, namespace, own.is_empty());
                    }
                    return;
                }
                let made_of = manifest.origin.as_ref().map(|origin| {
                    let mut text = Vec::new();
                    manifest.node().write_json(&mut text);
                    [origin.file.clone(), namespace.clone(), String::from_utf8_lossy(&text).into_owned()]
                });
                let known = made_of.as_ref().and_then(|key| self.by_origin.get(key)).copied();
                if let Some(known) = known.and_then(|at| self.out.applications.get_mut(at)) {
                    known.add_parent(parent, namespace, own.is_empty());
                    return;
                }
                let application = Application::new(object(), &namespace, parent, depth);
                if let Some(at) = self.push(application) {
                    self.by_place.insert((APPLICATIONS, manifest.place.clone()), at);
                    self.by_origin.extend(made_of.map(|key| (key, at)));
                }
            }
            Role::Set => {
                if let Some(known) = self.by_place.get(&(SETS, manifest.place.clone())).and_then(|at| self.out.sets.get_mut(*at)) {
                    if known.parents.first() == Some(&Parent::File) {
                        known.parents.clear();
                    }
                    known.parents.push(parent);
                    return;
                }
                let object = object();
                self.by_place.insert((SETS, manifest.place.clone()), self.out.sets.len());
                self.waiting_sets.push(self.out.sets.len());
                self.out.sets.push(ApplicationSet {
                    name: name_of(&object).0.to_owned(),
                    object,
                    namespace,
                    parents: vec![parent],
                    depth,
                    state: SetState::Deferred(Vec::new()),
                    is_left_out: false,
                    applications: 0,
                    notes: Vec::new(),
                });
            }
            Role::Project => {
                if self.by_place.insert((PROJECTS, manifest.place.clone()), self.out.projects.len()).is_none() {
                    let object = object();
                    self.out.projects.push(Project { name: name_of(&object).0.to_owned(), object });
                }
            }
            Role::Cluster => {
                if !self.out.clusters.complete {
                    clusters::secret(manifest).into_iter().for_each(|cluster| self.out.clusters.add(cluster));
                }
            }
            Role::Settings => {}
        }
    }

    pub(super) fn push(&mut self, application: Application) -> Option<usize> {
        if self.out.applications.len() >= self.options.limits.applications {
            self.too_many = true;
            return None;
        }
        let at = self.out.applications.len();
        self.waiting_applications.push(at);
        self.out.applications.push(application);
        Some(at)
    }

    /// An object of an Application that is one of Argo CD's own.
    pub(super) fn child(&mut self, parent: usize, child: &Manifest, depth: usize, namespace: &str) {
        if role(child) == Some(Role::Application) {
            let own = child.text("/metadata/namespace");
            let space = if own.is_empty() { namespace } else { own };
            let name = child.text("/metadata/name");
            // An Application that manages itself, or one above it, is what it is already.
            if let Some(above) = self.above(parent, space, name) {
                let is_itself = self.by_place.get(&(APPLICATIONS, child.place.clone())) == Some(&above);
                if !is_itself && let Some(app) = self.out.applications.get_mut(parent) {
                    let what = format!("it renders an Application `{name}`, which it comes from: that one was not followed");
                    app.notes.push(Reason::at(&child.place, what));
                }
                if let Some(origin) = &child.origin {
                    self.seen_files.insert(origin.file.clone());
                }
                return;
            }
        }
        self.take(child, Parent::Application(parent), depth + 1, namespace);
    }

    /// The Application of this name that another comes from, or itself.
    fn above(&self, from: usize, namespace: &str, name: &str) -> Option<usize> {
        let mut waiting = vec![from];
        let mut seen = HashSet::new();
        while let Some(at) = waiting.pop() {
            let Some(app) = self.out.applications.get(at).filter(|_| seen.insert(at)) else { continue };
            if app.name == name && app.namespace == namespace {
                return Some(at);
            }
            for parent in &app.parents {
                match parent {
                    Parent::Application(above) => waiting.push(*above),
                    Parent::Set(set) => {
                        let parents = self.out.sets.get(*set).into_iter().flat_map(|set| &set.parents);
                        waiting
                            .extend(parents.filter_map(|parent| if let Parent::Application(above) = parent { Some(*above) } else { None }));
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

impl Application {
    /// Another way to it. That it stands in a file means nothing once something renders that.
    fn add_parent(&mut self, parent: Parent, namespace: String, takes_namespace: bool) {
        if self.parents.first() == Some(&Parent::File) {
            self.parents.clear();
            if takes_namespace {
                self.namespace = namespace;
            }
        }
        if !self.parents.contains(&parent) {
            self.parents.push(parent);
        }
    }
}
