//! What Argo CD would deploy from a checkout: Applications that are written there, that ApplicationSets make, and that other Applications
//! render to, until there are no more.

mod ending;
mod found;
mod run;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::application::{Destination, Rendered, Resource, Scopes, State, name_of};
use crate::appset::SetState;
use crate::checkout::Checkout;
use crate::clusters::Clusters;
use crate::fixtures::Fixtures;
use crate::limits::Limits;
use crate::place::Place;
use crate::reason::Reason;
use crate::renderer::Renderer;
use crate::repositories::Repositories;
use crate::settings::Settings;
use crate::source::Source;
use crate::value::Value;
use crate::wanted::Wanted;

pub(crate) use found::makes_applications;

/// What to discover with.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The repository, and where others are.
    pub repositories: &'a Repositories,
    /// What builds charts, kustomizations and Jsonnet, and fills in Go templates.
    pub renderer: &'a dyn Renderer,
    /// Whether a kind, by group and name, has namespaces, if that is known.
    pub scopes: Scopes<'a>,
    /// The clusters, where a person lists them.
    pub clusters: Option<&'a Clusters>,
    /// What services would say.
    pub fixtures: &'a Fixtures,
    /// How Argo CD is set up, if not as its ConfigMaps in the repository say.
    pub settings: Option<&'a Settings>,
    /// Whether a file of the repository is looked at for Applications, by its path.
    pub takes: &'a (dyn Fn(&str) -> bool + Sync),
    /// Which Applications are rendered.
    pub wanted: Wanted<'a>,
    /// Bounds.
    pub limits: &'a Limits,
}

/// Where an Application or ApplicationSet comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parent {
    /// It is written in a file, and nothing here renders that.
    File,
    /// The objects of an Application, by its number.
    Application(usize),
    /// An ApplicationSet, by its number.
    Set(usize),
    /// A chart or a kustomization that nothing here deploys, by its number in [`Discovery::roots`]: a person applies it.
    Root(usize),
    /// It is a resource of a chart or a kustomization that could not be built, by its number in [`Discovery::roots`] or the Application's:
    /// so it is taken as it is written.
    AsWritten,
}

/// An Application.
#[derive(Debug)]
pub struct Application {
    /// As it is, or as it was made.
    pub object: Value,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its project.
    pub project: String,
    /// Where it goes.
    pub destination: Destination,
    /// Where it comes from, all ways.
    pub parents: Vec<Parent>,
    /// How many others it comes from, one from another.
    pub depth: usize,
    /// The files that generators of its ApplicationSet read for it, as outputs name them.
    pub(crate) made_of: BTreeSet<String>,
    /// What became of it.
    pub state: State,
    /// Whether it is not among those that are [`Options::wanted`]: it is rendered only as far as Applications may come of it.
    pub is_left_out: bool,
    /// Its sources.
    pub sources: Vec<Source>,
    /// Its objects.
    pub resources: Vec<Resource>,
    /// Objects of which another takes the place.
    pub repeated: Vec<Resource>,
    /// What is worth saying.
    pub notes: Vec<Reason>,
}

/// An ApplicationSet.
#[derive(Debug)]
pub struct ApplicationSet {
    /// As it is.
    pub object: Value,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Where it comes from, all ways.
    pub parents: Vec<Parent>,
    /// How many others it comes from, one from another.
    pub depth: usize,
    /// What became of it.
    pub state: SetState,
    /// Whether neither it nor any of its Applications is [`Options::wanted`].
    pub is_left_out: bool,
    /// How many Applications it makes.
    pub applications: usize,
    /// Generators that nobody knows.
    pub notes: Vec<Reason>,
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// As it is.
    pub object: Value,
    /// Its name.
    pub name: String,
}

/// A chart or a kustomization with Applications in it that nothing here deploys.
#[derive(Debug)]
pub struct Root {
    /// Its folder.
    pub folder: String,
    /// Whether it is a chart.
    pub is_chart: bool,
    /// Why it is not built, if it is not.
    pub stopped: Option<State>,
}

/// How many Applications there are of each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rendered.
    pub rendered: usize,
    /// Partial.
    pub partial: usize,
    /// Deferred.
    pub deferred: usize,
    /// Failed.
    pub failed: usize,
}

/// What was discovered. All lists are in an order that depends on nothing but the files.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The Applications.
    pub applications: Vec<Application>,
    /// The ApplicationSets.
    pub sets: Vec<ApplicationSet>,
    /// The projects.
    pub projects: Vec<Project>,
    /// The clusters that are known.
    pub clusters: Clusters,
    /// How Argo CD is set up.
    pub settings: Settings,
    /// What is built only to look for Applications in it.
    pub roots: Vec<Root>,
    /// What is worth saying.
    pub notes: Vec<String>,
    /// Files in which nothing could be looked for, and why.
    pub unread: Vec<(String, String)>,
}

impl Discovery {
    /// Whether Argo CD leaves an object of an Application out because of its kind.
    #[must_use]
    pub fn is_excluded(&self, application: &Application, resource: &Resource) -> bool {
        let (group, kind) = resource.manifest.kind();
        let cluster = self.clusters.target(&application.destination);
        self.settings.exclusions.as_ref().is_some_and(|exclusions| exclusions.hit(group, kind, cluster.server.as_deref()))
    }

    /// How many Applications there are of each state.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for application in &self.applications {
            match application.state {
                State::Rendered => summary.rendered += 1,
                State::Partial(_) => summary.partial += 1,
                State::Deferred(_) => summary.deferred += 1,
                State::Failed(_) => summary.failed += 1,
            }
        }
        summary
    }
}

/// Discovers what Argo CD would deploy.
#[must_use]
pub fn discover(options: Options<'_>) -> Discovery {
    run::Run::new(options).finish()
}

impl Application {
    fn new(object: Value, namespace: &str, parent: Parent, depth: usize) -> Self {
        Application {
            name: name_of(&object).0.to_owned(),
            namespace: namespace.to_owned(),
            project: crate::application::project(&object).to_owned(),
            destination: crate::application::destination(&object),
            parents: vec![parent],
            depth,
            made_of: BTreeSet::new(),
            state: State::Deferred(Vec::new()),
            is_left_out: false,
            sources: Vec::new(),
            resources: Vec::new(),
            repeated: Vec::new(),
            notes: Vec::new(),
            object,
        }
    }

    fn take(&mut self, rendered: Rendered) {
        self.state = rendered.state;
        self.sources = rendered.sources;
        self.resources = rendered.resources;
        self.repeated = rendered.repeated;
    }

    /// Where it is written: its own file, or the template that makes it.
    #[must_use]
    pub fn place(&self) -> &Place {
        name_of(&self.object).1
    }
}

/// Where an object is found: in a file, with the file's checkout.
type Home = Arc<Checkout>;
