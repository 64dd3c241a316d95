//! What Argo CD deploys from a repository, judged.
//!
//! ```text
//! crates/gitops: Applications ──sources──> Sandbox (crates/render) ──pieces──> Worlds: inputs of crates/engine, one deployment each
//!                                                                                              │
//!                    Origins: findings on the lines that a person edits, folded <── findings ──┘
//! ```
//!
//! This crate reads no file itself but through a checkout of `crates/gitops`, and knows no rule.

mod account;
mod failures;
mod fold;
mod hidden;
mod inline;
mod loose;
mod origins;
mod pieces;
mod plugin;
mod printed;
mod requests;
mod sandbox;
mod supplied;
mod touched;
mod tracked;
mod unmatched;
mod worlds;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fedward_gitops::{Changed, Clusters, Discovery, Fixtures, Limits, Mapping, Options, Repositories, Wanted, discover, rules};
use fedward_kit::finding::ObjectId;
use fedward_manifest::Source;
use fedward_outcome::{Deployed as Entry, Location, Native, NativeFinding, Outcome};
use fedward_render::Cache;
use std::sync::Arc;

pub use inline::Ignoring;
pub use plugin::PluginCommand;
pub use worlds::Worlds;

use loose::Loose;
use plugin::Plugins;
use sandbox::Sandbox;

/// Which repository, and what is known beside it.
pub struct Request<'a> {
    /// The root of the repository.
    pub root: &'a Path,
    /// How outputs name that folder; empty for the working directory.
    pub shown: &'a str,
    /// Where other repositories are.
    pub mappings: &'a [Mapping],
    /// A folder with charts of Helm repositories, and how outputs name it.
    pub charts: Option<(&'a Path, &'a str)>,
    /// Further names of the revision that is checked out.
    pub revisions: &'a [String],
    /// All clusters that there are, where a person says so.
    pub clusters: Option<&'a Clusters>,
    /// What services would say.
    pub fixtures: &'a Fixtures,
    /// What a person has stand for config management plugins: these programs are run.
    pub plugins: &'a [PluginCommand],
    /// Whether a file is looked at for Applications, by its path from the root.
    pub takes: &'a (dyn Fn(&str) -> bool + Sync),
    /// Which Applications are rendered.
    pub wanted: Wanted<'a>,
    /// Charts and kustomizations that are rendered by themselves, by their folders from the root.
    pub folders: Vec<String>,
    /// The namespace that charts of these go to.
    pub namespace: &'a str,
    /// What inputs are called that the repository calls otherwise.
    pub names: HashMap<String, String>,
    /// What was rendered before, and is not rendered again.
    pub cache: Option<Arc<Cache>>,
}

/// What Argo CD deploys.
pub struct Deployed {
    repositories: Arc<Repositories>,
    discovery: Discovery,
    sandbox: Sandbox,
    loose: Vec<Loose>,
    names: HashMap<String, String>,
    /// What is worth saying of what a person said, and nothing took up.
    unmatched: Vec<String>,
}

impl Deployed {
    /// Finds what Argo CD deploys from a repository, and renders it.
    ///
    /// # Errors
    /// A folder cannot be opened, or what was rendered before is of a repository itself.
    pub fn find(request: Request<'_>) -> Result<Self, String> {
        let plugins = Plugins::new(request.plugins);
        Self::find_with(request, plugins)
    }

    fn find_with(request: Request<'_>, plugins: Plugins) -> Result<Self, String> {
        let limits = Limits::default();
        let mut repositories = Repositories::open(request.root, request.shown, request.mappings, request.revisions, &limits)?;
        if let Some((folder, shown)) = request.charts {
            repositories.keep_charts(folder, shown, &limits)?;
        }
        let repositories = Arc::new(repositories);
        // Its own authors could then say what is rendered of it.
        let places = request.cache.as_ref().map(|cache| cache.places());
        if let Some(place) =
            places.into_iter().flatten().find(|place| repositories.checkouts().iter().any(|checkout| checkout.holds(place)))
        {
            return Err(format!(
                "the cache `{}` is in the repository that is checked: name a folder outside of it, or one that Git does not track",
                place.display()
            ));
        }
        let sandbox = Sandbox::new(Arc::clone(&repositories), plugins, request.cache);
        let discovery = discover(Options {
            repositories: &repositories,
            renderer: &sandbox,
            scopes: &fedward_engine::is_namespaced,
            clusters: request.clusters,
            fixtures: request.fixtures,
            settings: None,
            takes: request.takes,
            wanted: request.wanted,
            limits: &limits,
        });
        let main = repositories.main().cloned();
        let loose = main.iter().flat_map(|main| request.folders.iter().map(move |folder| (main, folder)));
        let loose = loose.filter_map(|(main, folder)| Loose::render(&sandbox, main, folder, request.namespace)).collect();
        // Of what was not wanted, nobody knows all that it would have used.
        let is_all = matches!(request.wanted, Wanted::All);
        let unmatched = if is_all { unmatched::notes(&repositories, request.fixtures, &sandbox, &discovery) } else { Vec::new() };
        Ok(Deployed { repositories, discovery, sandbox, loose, names: request.names, unmatched })
    }

    /// Whether there is nothing that deploys.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.is_empty() && self.loose.is_empty()
    }

    /// Whether the repository has a file, by its path from the root. What Git does not track Argo CD does not see.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.repositories.main().is_some_and(|main| main.is_file(path))
    }

    /// The files that were read to find and render it, without links: no output may replace them.
    #[must_use]
    pub fn read(&self) -> Vec<PathBuf> {
        self.repositories.checkouts().iter().chain(self.repositories.kept_charts()).flat_map(|checkout| checkout.read()).collect()
    }

    /// Whether nothing of Argo CD was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Discovery { applications, sets, projects, .. } = &self.discovery;
        applications.is_empty() && sets.is_empty() && projects.is_empty()
    }

    /// How many objects of Argo CD the rules about the repository look at.
    #[must_use]
    pub fn objects(&self) -> usize {
        let Discovery { applications, sets, projects, .. } = &self.discovery;
        let applications = applications.iter().filter(|application| !application.is_left_out).count();
        applications + sets.iter().filter(|set| !set.is_left_out).count() + projects.len()
    }

    /// What is wrong with the repository itself, in the files as inputs name them; `on` says which rules are not turned off. Of what a change
    /// does not touch, nothing is told.
    #[must_use]
    pub fn native(&self, on: &dyn Fn(&str) -> bool, changed: Option<&Changed>) -> Native {
        let mut native = rules::native(&self.discovery, &self.repositories, on);
        if let Some(changed) = changed {
            let touched = touched::Touched::new(self, changed);
            native.findings.retain(|native| touched.finding(&native.finding));
        }
        failures::place(self, &mut native.findings);
        let mut renamed = HashMap::new();
        for NativeFinding { finding, .. } in &mut native.findings {
            self.rename(&mut finding.location, &mut renamed);
            finding.related.iter_mut().for_each(|related| self.rename(&mut related.location, &mut renamed));
        }
        native
    }

    /// Where places in what is deployed are written, for tools that look at objects themselves.
    pub fn written(&self) -> impl Fn(&Location, &ObjectId) -> Option<(Location, bool)> + '_ {
        let origins = RefCell::new(origins::Origins::new(self));
        move |location, object| {
            let placed = origins.try_borrow_mut().ok()?.place(location, Some(object))?;
            Some((placed.location, placed.exact))
        }
    }

    /// The Applications and the ApplicationSets, with what became of each.
    #[must_use]
    pub fn account(&self) -> (Vec<Entry>, Vec<Entry>) {
        let entries = account::account(self, &mut origins::Origins::new(self));
        entries.into_iter().partition(|entry| entry.kind == "Application")
    }

    /// What Argo CD would apply of an Application, by its number in [`Deployed::account`], as a stream of YAML. `name` says what a file is
    /// called that outputs name otherwise.
    #[must_use]
    pub fn text(&self, number: usize, name: &dyn Fn(&str) -> String) -> String {
        self.discovery.applications.get(number).map(|application| printed::text(application, &self.discovery, name)).unwrap_or_default()
    }

    /// What is worth saying of how the repository was read.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.discovery.notes.clone();
        notes.extend(self.sandbox.notes());
        notes.extend(self.unmatched.iter().cloned());
        notes
    }

    /// What is judged.
    #[must_use]
    pub fn worlds(&self) -> Worlds {
        Worlds::new(self)
    }

    /// Puts what was found in what is deployed on the lines that a person edits, and says what became of each Application.
    ///
    /// `order`: the names of the inputs, in whose order findings are told; `ignoring`: unless no ignore entries count.
    pub fn finish(&self, order: &[String], ignoring: Option<&Ignoring<'_>>, outcome: &mut Outcome) {
        let mut origins = origins::Origins::new(self);
        fold::fold(self, &mut origins, ignoring, outcome);
        let order: HashMap<&str, usize> = order.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
        outcome.findings.sort_by_cached_key(|finding| {
            let (name, span) = (Arc::clone(finding.location.source.name()), finding.location.span);
            let place = (order.get(&*name).copied().unwrap_or(usize::MAX), name, span.start, span.end);
            (place, finding.rule.clone(), finding.message.clone())
        });
        account::explain(self, &mut outcome.skipped);
        outcome.deployed = account::account(self, &mut origins);
        outcome.notes.extend(self.notes());
        let unread = |(file, why): &(String, String)| format!("`{}` could not be looked at for Applications: {why}", self.name(file));
        outcome.notes.extend(self.discovery.unread.iter().map(unread));
    }

    /// What outputs call what deploys something, by number: the Applications, and then the folders that are rendered by themselves.
    fn title(&self, number: usize) -> Option<String> {
        let applications = &self.discovery.applications;
        if let Some(application) = applications.get(number) {
            return Some(format!("Application {}", worlds::title(application)));
        }
        self.loose.get(number - applications.len()).map(|loose| format!("{} {}", loose.kind, loose.name()))
    }

    /// The name that outputs give to a file.
    fn name(&self, shown: &str) -> String {
        self.names.get(shown).cloned().unwrap_or_else(|| shown.to_owned())
    }

    /// A place in the file as inputs name it.
    fn rename(&self, location: &mut Location, renamed: &mut HashMap<Arc<str>, Arc<Source>>) {
        let Some(name) = self.names.get(&**location.source.name()) else { return };
        let old = Arc::clone(location.source.name());
        if let Some(known) = renamed.get(&old) {
            location.source = Arc::clone(known);
        } else if let Ok(source) = Source::from_text(name.as_str(), location.source.text().to_owned()) {
            location.source = Arc::clone(renamed.entry(old).or_insert(Arc::new(source)));
        }
    }
}
