//! Rendering until nothing new turns up.

mod roots;
mod taken;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fedward_outcome::few;
use rayon::prelude::*;

use super::ending::{leave_out_sets, missing_projects, some};
use super::found::{self, Found, Role, role};
use super::{Application, ApplicationSet, Discovery, Home, Options, Parent};
use crate::application::{self, State};
use crate::appset::{self, Surroundings};
use crate::manifest::Manifest;
use crate::place::Place;
use crate::reason::Reason;
use crate::source::Around;
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
                    self.out.notes.push(format!("there are several ConfigMaps `{name}`, so none is used: {}", few(&places)));
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
        self.out.notes.extend(some(self.unsaid, "Application"));
        leave_out_sets(&mut self.out, self.touching.as_ref());
        let missing = missing_projects(&self.out);
        self.out.notes.extend(missing);
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
            Wanted::Touched { .. } => self.touching.as_ref().is_some_and(|touching| touching.is_sure(app, &self.out)),
        };
        if is_wanted {
            return (with(around), Some(Touch::Said));
        }
        let plain = with(Around { renderer: &NotNow, ..around });
        let touch = self.touching.as_ref().and_then(|touching| touching.touch(app, &plain));
        let may_bring = || plain.sources.iter().any(|source| self.bringing.may_bring(source));
        (if touch.is_some() || may_bring() { with(around) } else { plain }, touch)
    }
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
