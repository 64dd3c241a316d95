//! Rendering until nothing new turns up.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::found::{self, Found, Role, role};
use super::{Application, ApplicationSet, Discovery, Home, Options, Parent, Project, Root};
use crate::application::{self, State, name_of};
use crate::appset::{self, SetState, Surroundings};
use crate::clusters;
use crate::manifest::Manifest;
use crate::path;
use crate::place::Place;
use crate::reason::Reason;
use crate::renderer::{Helm, Kustomize, Render, SourceRequest, Tool};
use crate::settings::Settings;
use crate::source::{Around, SourceType};
use crate::touched::{Touch, Touching};
use crate::value::Value;
use crate::wanted::{Bringing, NotNow, Wanted};

/// Discovery at work.
pub(super) struct Run<'a> {
    options: Options<'a>,
    out: Discovery,
    /// The checkout in which Applications are looked for.
    main: Option<Home>,
    /// Objects that wait for the kustomization that holds them.
    held: Vec<(Manifest, Vec<String>)>,
    /// Charts with Applications in them that wait for somebody who deploys them.
    charts: BTreeSet<String>,
    /// Where what is written has its entry.
    by_place: HashMap<(usize, Place), usize>,
    /// The same for Applications that several sources render out of one file.
    by_origin: HashMap<[String; 3], usize>,
    /// Files from which an Application, ApplicationSet or project came, rendered or not.
    seen_files: HashSet<String>,
    waiting_applications: Vec<usize>,
    waiting_sets: Vec<usize>,
    /// Folders that were built, and whether that worked.
    built: BTreeMap<(usize, String), bool>,
    too_many: bool,
    bringing: Bringing,
    touching: Option<Touching<'a>>,
    /// Files for which Argo CD does not render anew what they change.
    unsaid: BTreeSet<String>,
    /// What was chosen of several, as notes.
    chosen: BTreeSet<String>,
}

/// What entries are found by.
const APPLICATIONS: usize = 0;
const SETS: usize = 1;
const PROJECTS: usize = 2;

impl<'a> Run<'a> {
    pub(super) fn new(options: Options<'a>) -> Self {
        let mut out = Discovery { settings: options.settings.cloned().unwrap_or_default(), ..Discovery::default() };
        let mut found = Found::default();
        for checkout in options.repositories.checkouts() {
            out.notes.extend(checkout.notes().iter().cloned());
        }
        if let Some(main) = options.repositories.main() {
            found = found::find(main, options.takes);
        }
        out.unread = found.unread;
        let main = options.repositories.main().cloned();
        let mut run = Run {
            options,
            out,
            main,
            held: found.held,
            charts: found.charts,
            by_place: HashMap::new(),
            by_origin: HashMap::new(),
            seen_files: HashSet::new(),
            waiting_applications: Vec::new(),
            waiting_sets: Vec::new(),
            built: BTreeMap::new(),
            too_many: false,
            bringing: Bringing::default(),
            touching: None,
            unsaid: BTreeSet::new(),
            chosen: BTreeSet::new(),
        };
        if let Wanted::Touched { changed, everything } = options.wanted {
            run.touching = Some(Touching::new(changed, everything, options.repositories));
        }
        run.settings(&found.plain);
        if let Some(clusters) = options.clusters {
            run.out.clusters = clusters.clone();
        }
        // How Argo CD is set up, and which clusters there are, may change any Application.
        let about_all = |manifest: &&Manifest| matches!(role(manifest), Some(Role::Settings | Role::Cluster));
        let held = run.held.iter().map(|(manifest, _)| manifest);
        let files: Vec<&str> = found.plain.iter().chain(held).filter(about_all).map(Manifest::file).collect();
        if let Some(touching) = &mut run.touching {
            touching.all_depend_on(files.into_iter());
        }
        for manifest in found.plain {
            run.take(&manifest, Parent::File, 0, "");
        }
        run
    }

    /// Settings that the repository has, if there is only one of each: several are of several Argo CDs.
    fn settings(&mut self, plain: &[Manifest]) {
        if self.options.settings.is_some() {
            return;
        }
        let all: Vec<&Manifest> = plain.iter().chain(self.held.iter().map(|(manifest, _)| manifest)).collect();
        for name in ["argocd-cm", "argocd-cmd-params-cm"] {
            let maps: Vec<&&Manifest> =
                all.iter().filter(|manifest| role(manifest) == Some(Role::Settings) && manifest.text("/metadata/name") == name).collect();
            match maps.as_slice() {
                [] => {}
                [only] => {
                    if let Err(why) = self.out.settings.take(only) {
                        self.out.notes.push(format!("{}: {why}", only.place));
                    }
                }
                several => {
                    if name == "argocd-cm" {
                        self.out.settings.exclusions = None;
                    }
                    let places: Vec<String> = several.iter().map(|manifest| manifest.place.to_string()).collect();
                    self.out.notes.push(format!("there are several ConfigMaps `{name}`, so none is used: {}", places.join(", ")));
                }
            }
        }
    }

    pub(super) fn finish(mut self) -> Discovery {
        loop {
            if self.sets(false) | self.applications() {
                continue;
            }
            // Sets that need clusters wait for all that can be found of them.
            if self.sets(true) || self.roots() || self.as_written() {
                continue;
            }
            break;
        }
        if self.too_many {
            self.out
                .notes
                .push(format!("there are more than {} Applications: the rest was not looked at", self.options.limits.applications));
        }
        self.out.notes.extend(self.chosen);
        self.out.notes.extend(some(self.unsaid));
        leave_out_sets(&mut self.out, self.touching.as_ref());
        self.out
    }

    fn around(&self) -> Around<'_> {
        Around {
            repositories: self.options.repositories,
            settings: &self.out.settings,
            renderer: self.options.renderer,
            limits: self.options.limits,
        }
    }

    /// Takes an object that was found. `namespace` is where it goes if it does not say.
    fn take(&mut self, manifest: &Manifest, parent: Parent, depth: usize, namespace: &str) {
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

    fn push(&mut self, application: Application) -> Option<usize> {
        if self.out.applications.len() >= self.options.limits.applications {
            self.too_many = true;
            return None;
        }
        let at = self.out.applications.len();
        self.waiting_applications.push(at);
        self.out.applications.push(application);
        Some(at)
    }

    /// Makes the Applications of sets that wait. Those that need clusters only if `all`.
    fn sets(&mut self, all: bool) -> bool {
        let (now, later): (Vec<usize>, Vec<usize>) = std::mem::take(&mut self.waiting_sets)
            .into_iter()
            .partition(|at| all || self.out.clusters.complete || self.out.sets.get(*at).is_none_or(|set| !needs_clusters(&set.object)));
        self.waiting_sets = later;
        let around = Surroundings {
            repositories: self.options.repositories,
            clusters: &self.out.clusters,
            fixtures: self.options.fixtures,
            settings: &self.out.settings,
            renderer: self.options.renderer,
            limits: self.options.limits,
        };
        let sets: Vec<(usize, &ApplicationSet)> = now.iter().filter_map(|at| Some((*at, self.out.sets.get(*at)?))).collect();
        let generated: Vec<_> =
            sets.into_par_iter().map(|(at, set)| (at, set.depth, appset::generate(&set.object, &set.namespace, around))).collect();
        for (at, depth, generated) in generated {
            let Some(set) = self.out.sets.get_mut(at) else { continue };
            set.applications = generated.applications.len();
            set.state = generated.state;
            set.notes = generated.notes;
            let namespace = set.namespace.clone();
            for ((object, wrong), made_of) in generated.applications.into_iter().zip(generated.made_of) {
                let mut application = Application::new(object, &namespace, Parent::Set(at), depth + 1);
                application.made_of = made_of;
                match wrong {
                    Some(reason) => {
                        application.state = State::Failed(reason);
                        if self.out.applications.len() < self.options.limits.applications {
                            self.out.applications.push(application);
                        } else {
                            self.too_many = true;
                        }
                    }
                    None => _ = self.push(application),
                }
            }
        }
        !now.is_empty()
    }

    /// Renders the Applications that wait, and takes what they render to.
    fn applications(&mut self) -> bool {
        let now = std::mem::take(&mut self.waiting_applications);
        let nesting = self.options.limits.nesting;
        let applications: Vec<(usize, &Application)> = now.iter().filter_map(|at| Some((*at, self.out.applications.get(*at)?))).collect();
        let rendered: Vec<_> = applications
            .into_par_iter()
            .map(|(at, app)| {
                let is_deep = app.depth > nesting;
                (at, (!is_deep).then(|| self.render(app)))
            })
            .collect();
        for (at, rendered) in rendered {
            let Some(app) = self.out.applications.get_mut(at) else { continue };
            let is_as_written = app.parents.contains(&Parent::AsWritten);
            match rendered {
                Some((rendered, touch)) => {
                    app.is_left_out = touch.is_none();
                    if let Some(Touch::Unsaid(file)) = touch {
                        self.unsaid.insert(format!(
                            "Application `{}` is rendered from `{file}`, which the change touches, and its `manifest-generate-paths` do not hold it: \
                             Argo CD does not render it anew for that"
                            , app.name
                        ));
                    }
                    app.take(rendered);
                }
                None => {
                    let what = format!("Applications come from one another more than {nesting} deep");
                    app.state = State::Deferred(vec![Reason::at(app.place(), what)]);
                }
            }
            if is_as_written && app.state == State::Rendered {
                let what = "taken as it is written: what holds it could not be built, and may change it";
                app.state = State::Partial(vec![Reason::at(app.place(), what)]);
            }
            self.chosen.extend(app.sources.iter().filter_map(|source| source.note.clone()));
            let (depth, namespace) = (app.depth, app.destination.namespace.clone());
            let children: Vec<Manifest> =
                app.resources.iter().map(|resource| &resource.manifest).filter(|manifest| role(manifest).is_some()).cloned().collect();
            self.note_built(at);
            for child in children {
                self.child(at, &child, depth, &namespace);
            }
        }
        !now.is_empty()
    }

    /// Renders an Application, or, where it is not wanted, what of it needs no tool; why it is wanted comes with it.
    fn render(&self, app: &Application) -> (application::Rendered, Option<Touch>) {
        let with = |around: Around<'_>| application::render(&app.object, &app.namespace, &self.out.clusters, self.options.scopes, around);
        let around = self.around();
        let is_wanted = match self.options.wanted {
            Wanted::All => true,
            Wanted::Named(is_wanted) => is_wanted(&app.namespace, &app.name),
            Wanted::Touched { .. } => false,
        };
        if is_wanted {
            return (with(around), Some(Touch::Said));
        }
        let plain = with(Around { renderer: &NotNow, ..around });
        let touch = self.touching.as_ref().and_then(|touching| touching.touch(app, &plain, &self.out));
        let may_bring = || plain.sources.iter().any(|source| self.bringing.may_bring(source));
        (if touch.is_some() || may_bring() { with(around) } else { plain }, touch)
    }

    /// An object of an Application that is one of Argo CD's own.
    fn child(&mut self, parent: usize, child: &Manifest, depth: usize, namespace: &str) {
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

    /// Remembers the folders that the sources of an Application built.
    fn note_built(&mut self, at: usize) {
        let Some(app) = self.out.applications.get(at) else { return };
        for source in &app.sources {
            // What a plugin was run on is built; what no plugin was run on may be a chart or a kustomization all the same.
            let is_tool = match source.kind {
                Some(SourceType::Helm | SourceType::Kustomize) => true,
                Some(SourceType::Plugin) => source.result.is_ok(),
                Some(SourceType::Directory) | None => false,
            };
            if let Some((checkout, folder)) = source.place.as_ref().filter(|_| is_tool) {
                let key = (Arc::as_ptr(checkout).addr(), folder.clone());
                *self.built.entry(key).or_default() |= source.result.is_ok();
            }
        }
    }

    /// Whether a folder of the main checkout was built, and that worked.
    fn is_built(&self, folder: &str) -> Option<bool> {
        let checkout = self.main.as_ref()?;
        self.built.get(&(Arc::as_ptr(checkout).addr(), folder.to_owned())).copied()
    }

    /// Builds the charts and kustomizations that have Applications and that nobody deploys.
    fn roots(&mut self) -> bool {
        let Some(checkout) = &self.main else { return false };
        // Settings are read as they stand: the manifests of Argo CD itself are large, and are built in many ways.
        let is_unseen = |manifest: &Manifest| {
            role(manifest) != Some(Role::Settings) && !self.seen_files.contains(manifest.place.source().name().as_ref())
        };
        let used: BTreeSet<String> =
            self.held.iter().filter(|(manifest, _)| is_unseen(manifest)).flat_map(|(_, holders)| holders.clone()).collect();
        let kustomizations = checkout.layout().top_kustomizations(&used).into_iter().map(|folder| (folder, false));
        let charts = self.charts.iter().map(|folder| (folder.clone(), true));
        let now: Vec<(String, bool)> = kustomizations.chain(charts).filter(|(folder, _)| self.is_built(folder).is_none()).collect();
        let (checkout, renderer) = (Arc::clone(checkout), self.options.renderer);
        let (settings, namespace) = (self.out.settings.clone(), self.out.settings.namespace.clone());
        let renders: Vec<Render> =
            now.par_iter().map(|(folder, is_chart)| build(&checkout, folder, *is_chart, &settings, renderer)).collect();
        self.charts.clear();
        for ((folder, is_chart), render) in now.iter().zip(renders) {
            let at = self.out.roots.len();
            let (stopped, manifests) = match render {
                Render::Done(manifests) => (None, manifests),
                Render::Deferred(why) => (Some(State::Deferred(vec![Reason::new(why)])), Vec::new()),
                Render::Failed(why) => (Some(State::Failed(Reason::new(why))), Vec::new()),
            };
            self.built.insert((Arc::as_ptr(&checkout).addr(), folder.clone()), stopped.is_none());
            self.out.roots.push(Root { folder: folder.clone(), is_chart: *is_chart, stopped });
            for manifest in manifests {
                self.take(&manifest, Parent::Root(at), 0, &namespace);
            }
        }
        !now.is_empty()
    }

    /// Takes what is held by something that could not be built as it is written.
    fn as_written(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        let Some(main) = &self.main else { return false };
        // What was built holds all that it builds on, even where the result does not say where it comes from.
        let done: BTreeSet<String> =
            self.built.iter().filter(|(_, worked)| **worked).flat_map(|((_, folder), _)| main.layout().closure(folder)).collect();
        // Several objects of one file are each taken: what is seen from here on is no reason to pass over another.
        let seen = std::mem::take(&mut self.seen_files);
        let mut any = false;
        for (manifest, holders) in held {
            let is_seen = seen.contains(manifest.place.source().name().as_ref());
            if !is_seen && !holders.iter().any(|holder| done.contains(holder)) {
                any |= matches!(role(&manifest), Some(Role::Application | Role::Set));
                self.take(&manifest, Parent::AsWritten, 0, "");
            }
        }
        self.seen_files = seen;
        any
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

/// The first of some notes, and how many there are.
fn some(notes: BTreeSet<String>) -> Vec<String> {
    const FEW: usize = 3;
    let more = notes.len().saturating_sub(FEW);
    let mut first: Vec<String> = notes.into_iter().take(FEW).collect();
    if more > 0 {
        first.push(format!("the same is true of {more} more Applications"));
    }
    first
}

/// Marks the sets that a change does not touch, and that make no Application which it does.
fn leave_out_sets(out: &mut Discovery, touching: Option<&Touching<'_>>) {
    let Some(touching) = touching else { return };
    // What a set would not even make was never looked at.
    let is_unmade = |app: &Application| app.sources.is_empty() && matches!(app.state, State::Failed(_)) && !app.is_left_out;
    let unmade: Vec<bool> = out.applications.iter().map(|app| is_unmade(app) && !touching.is_defined_anew(app, out)).collect();
    for (app, _) in out.applications.iter_mut().zip(unmade).filter(|(_, is_left_out)| *is_left_out) {
        app.is_left_out = true;
    }
    let parents = out.applications.iter().filter(|app| !app.is_left_out).flat_map(|app| &app.parents);
    let makes: HashSet<usize> = parents.filter_map(|parent| if let Parent::Set(at) = parent { Some(*at) } else { None }).collect();
    let left: Vec<bool> = out.sets.iter().enumerate().map(|(at, set)| !touching.set(set, out) && !makes.contains(&at)).collect();
    for (set, is_left_out) in out.sets.iter_mut().zip(left) {
        set.is_left_out = is_left_out;
    }
}

fn build(checkout: &Home, folder: &str, is_chart: bool, settings: &Settings, renderer: &dyn crate::renderer::Renderer) -> Render {
    let name = if folder.is_empty() { "chart" } else { path::name(folder) };
    let helm = Helm { release: name.to_owned(), namespace: settings.namespace.clone(), ..Helm::default() };
    let kustomize = Kustomize { build_options: settings.build_options.clone(), ..Kustomize::default() };
    let tool = if is_chart { Tool::Helm(&helm) } else { Tool::Kustomize(&kustomize) };
    renderer.render(&SourceRequest { checkout, path: folder, application: name, tool })
}

/// Whether any generator of a set asks for clusters.
fn needs_clusters(set: &Value) -> bool {
    fn any(generators: &Value) -> bool {
        generators.as_list().unwrap_or_default().iter().any(|entry| {
            ["clusters", "clusterDecisionResource"].iter().any(|kind| entry.get(kind).is_some())
                || ["matrix", "merge"].iter().filter_map(|kind| entry.at(&[kind, "generators"])).any(any)
        })
    }
    set.at(&["spec", "generators"]).is_some_and(any)
}
