//! Policies and objects to findings with places.

mod access;
mod answers;
mod context;
mod edits;
mod evaluate;
mod gates;
mod gather;
mod ignores;
mod input;
mod judge;
mod lift;
mod load;
mod locate;
mod mask;
mod metadata;
mod modules;
mod payload;
mod policies;
mod project;
mod request;
mod resources;
mod review;
mod secrets;
mod selector;
mod set;
mod severities;
mod suite;
mod survey;
mod target;
mod unselected;
mod verdicts;
mod views;
mod world;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::AtomicUsize;

use bumpalo::Bump;
use fedward_kit::finding::Severity;
use fedward_kit::index;
use fedward_kit::node::{Origin, Session};
use fedward_kit::value::Value;
use fedward_manifest::Limits;
use fedward_outcome::{Native, Outcome};
use rayon::prelude::*;

pub use context::Context;
pub use evaluate::{Cost, Runtime};
pub use ignores::{Ignore, Inlines, Rules};
pub use input::{INPUT_POLICY, INPUT_RULES};
pub use load::{Deployment, Input, Role};
pub use mask::{CHANGED as HIDDEN_CHANGED, HIDDEN, hide as hide_secrets};
pub use policies::{Code, Policy, from_yaml};
pub use project::{BUILD, RENDER, RENDER_POLICIES};
pub use request::{Operation, User};

pub use modules::{Codes, Found, Modules};
pub use resources::is_namespaced;
pub use set::Sets;
pub use suite::{Part, SUITE};
pub use survey::{Asker, Survey, Surveyed, Written};
pub use target::{Met, Target};

use evaluate::Plan;
use gather::{Gathered, gather};
use load::{Loaded, Object};
use request::Form;
use resources::Kinds;
use world::{Tables, World};

/// Why nothing could be run at all.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A policy cannot be used.
    #[error("policy `{policy}`: {message}")]
    Policy {
        /// Its id.
        policy: String,
        /// Why.
        message: String,
    },
    /// The settings of a policy are wrong.
    #[error("policy `{policy}`: {message}")]
    Settings {
        /// Its id.
        policy: String,
        /// Every mistake, a line each.
        message: String,
    },
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The namespace of namespaced objects that name none.
    pub namespace: String,
    /// What nothing is known of does not exist.
    pub closed_world: bool,
    /// How many threads read and evaluate; 0 counts as 1, and more than [`max_threads`] as that.
    pub threads: usize,
    /// See [`Runtime`].
    pub runtime: Runtime,
    /// Whether modules may ask the index. Off, they see what they would see in a cluster.
    pub indexed: bool,
    /// Bounds on reading.
    pub limits: Limits,
    /// Objects that are taken at most.
    pub max_objects: usize,
    /// Ignore entries of the configuration.
    pub ignores: Vec<Ignore>,
    /// The paths of inputs as the paths of [`Options::ignores`] mean them, by their names; those that are not here go by their names.
    pub ignore_names: HashMap<String, String>,
    /// Inputs that are templates of Helm charts, by name, with the folder of the chart; for charts whose `Chart.yaml` is no input.
    pub templates: HashMap<String, String>,
    /// What inputs are deployed by; see [`Role::Deployed`].
    pub deployments: Vec<Deployment>,
    /// Inputs whose objects others see as they see those that are judged, but which are not judged themselves, by name.
    pub unjudged: HashSet<String>,
    /// Whether what Applications of Argo CD deploy is among the inputs, so that nothing need be said of it.
    pub renders_applications: bool,
    /// Whether ignore entries, those in comments included, count.
    pub use_ignores: bool,
    /// Every rule that the program knows, whether or not its policy runs.
    pub known_rules: Vec<String>,
    /// Today, `YYYY-MM-DD`: whether an entry has expired.
    pub today: String,
    /// What happens to the objects. With an old state among the inputs ([`Role::Old`]), each object's own comparison decides.
    pub operation: Operation,
    /// Every document is a request for raw policies, and none an object.
    pub raw: bool,
    /// Every judged document is a recorded request: an AdmissionReview, or the AdmissionRequest in one.
    pub requests: bool,
    /// Changed objects ([`Outcome::mutations`]) keep the values that no output may show: whoever compares them hides them afterwards.
    pub keeps_secrets: bool,
    /// Who asks.
    pub user: User,
    /// Severities of [`INPUT_RULES`] and of the rules of [`Options::native`], by rule; `None` is off.
    pub input_severities: BTreeMap<String, Option<Severity>>,
    /// What native rules of others found in the inputs. Severities and ignore entries count for it as they do for [`INPUT_RULES`].
    pub native: Native,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            namespace: "default".to_owned(),
            closed_world: false,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            runtime: Runtime::Module,
            indexed: true,
            limits: Limits::default(),
            max_objects: 1_000_000,
            ignores: Vec::new(),
            ignore_names: HashMap::new(),
            templates: HashMap::new(),
            deployments: Vec::new(),
            unjudged: HashSet::new(),
            renders_applications: false,
            use_ignores: true,
            known_rules: Vec::new(),
            today: String::new(),
            operation: Operation::Create,
            raw: false,
            requests: false,
            keeps_secrets: false,
            user: User::default(),
            input_severities: BTreeMap::new(),
            native: Native::default(),
        }
    }
}

impl Options {
    /// Whether the objects of an input are judged.
    fn judges(&self, role: Role, name: &str) -> bool {
        match role {
            Role::Judged => !self.unjudged.contains(name),
            Role::Deployed(number) => self.deployments.get(number).is_none_or(|deployment| deployment.is_judged),
            _ => false,
        }
    }

    /// Whether some of what could be judged is not.
    fn is_narrowed(&self) -> bool {
        !self.unjudged.is_empty() || self.deployments.iter().any(|deployment| !deployment.is_judged)
    }

    /// The namespace of objects that name none.
    fn namespace(&self, role: Role) -> &str {
        let deployment = if let Role::Deployed(number) = role { self.deployments.get(number) } else { None };
        deployment.map(|deployment| deployment.namespace.as_str()).filter(|name| !name.is_empty()).unwrap_or(&self.namespace)
    }
}

/// The most threads that a run takes: more of them cost memory and time, and nothing is done sooner.
pub fn max_threads() -> usize {
    4 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// Reads the inputs and runs the policies on every object. Policy manifests are objects like any others.
///
/// `progress` counts the objects that are done.
pub fn run(inputs: Vec<Input>, policies: &[Policy], options: &Options, progress: &AtomicUsize) -> (Outcome, Cost) {
    run_with(inputs, Policies::Given(policies), options, progress)
}

/// Reads the inputs and runs the policies that they hold, and built-in ones, as `sets` says.
///
/// `progress` counts the objects that are done.
pub fn run_sets(inputs: Vec<Input>, builtin: Vec<Policy>, sets: Sets<'_>, options: &Options, progress: &AtomicUsize) -> (Outcome, Cost) {
    run_with(inputs, Policies::Read(builtin, sets), options, progress)
}

/// Which policies run.
enum Policies<'p> {
    Given(&'p [Policy]),
    Read(Vec<Policy>, Sets<'p>),
}

fn run_with(inputs: Vec<Input>, policies: Policies<'_>, options: &Options, progress: &AtomicUsize) -> (Outcome, Cost) {
    let mut outcome = Outcome { files: inputs.len(), ..Outcome::default() };
    let order = order(&inputs);
    // Reading takes as many threads as evaluating. A machine that gives no threads has the one that runs already.
    let threads = options.threads.clamp(1, max_threads());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok();
    let mut options = options.clone();
    options.threads = if pool.is_some() { threads } else { 1 };
    let options = &options;
    // A policy with its host cannot move into the pool, and need not: only reading and looking for secrets happen there.
    let in_pool = |work: &mut (dyn FnMut() + Send)| match &pool {
        Some(pool) => pool.install(work),
        None => work(),
    };
    let mut read = None;
    let mut inputs = Some(inputs);
    in_pool(&mut || read = Some(read_all(inputs.take().unwrap_or_default(), options, &mut outcome)));
    let Some((Gathered { loaded, objects, kinds, truncated, servers }, keys)) = read else { return (outcome, Cost::default()) };
    let set;
    let mut cel = None;
    let mut tables = None;
    let file = || tables = Some(Tables::of(&loaded, &objects, keys, &options.deployments));
    // Loading the modules of policies takes about as long as filing many objects.
    let beside = pool.as_ref().filter(|_| threads > 1);
    let policies = match policies {
        Policies::Given(policies) => {
            meanwhile(beside, file, || ());
            policies
        }
        Policies::Read(mut builtin, sets) => {
            let mut found = meanwhile(beside, file, || set::read(&loaded, &objects, &servers, sets, &mut outcome));
            if sets.only_given {
                builtin.clear();
            }
            outcome.policies = found.met;
            builtin.retain_mut(|policy| policy.leave_out(&found.named));
            found.policies.splice(0..0, builtin);
            cel = found.cel.map(|module| (module, sets.host.limits().clone()));
            set = found.policies;
            &set
        }
    };
    let Some(tables) = tables else { return (outcome, Cost::default()) };
    let world = World::of(loaded, objects, tables, kinds, options.closed_world && !truncated);
    let requests = request::requests(&world, options.operation);
    outcome.objects = requests.len();
    let plan = Plan {
        policies,
        requests: &requests,
        form: Form { user: &options.user, is_full: policies.iter().any(Policy::is_told_all) },
        cel: cel.as_ref().map(|(module, limits)| (module, limits)),
        threads: options.threads,
        runtime: options.runtime,
        indexed: options.indexed,
        progress,
    };
    let evaluated = evaluate::run(&world, &plan);
    outcome.evaluated = evaluated.seen.iter().filter(|seen| **seen).count();
    let is_application =
        |object: &Object| object.group == "argoproj.io" && ["Application", "ApplicationSet", "AppProject"].contains(&&*object.kind);
    let seen = world.objects.iter().zip(&evaluated.seen).filter(|(_, seen)| **seen);
    outcome.evaluated_applications = seen.filter(|(object, _)| is_application(object)).count();
    in_pool(&mut || verdicts::report(&world, policies, &evaluated.verdicts, &mut outcome));
    verdicts::mutations(&world, policies, &evaluated.mutations, options.keeps_secrets, &mut outcome);
    let notes = verdicts::notes(policies, &evaluated, &outcome);
    outcome.notes.extend(notes);
    // What could not be judged, and policies that cannot be used, are the reason then.
    if outcome.evaluated == 0 && outcome.not_evaluated.is_empty() {
        outcome.notes.extend(unselected::notes(&world, policies, &requests, &evaluated));
    }
    let rules: Vec<&str> = policies.iter().flat_map(Policy::rules).collect();
    settle(&mut outcome, &world, options, &rules, &order);
    in_pool(&mut || secrets::hide(&world.loaded, &mut outcome, !options.deployments.is_empty()));
    outcome.notes.extend(world.kinds.note());
    if let Some(pool) = &pool {
        // Nobody has to wait until thousands of documents are taken down.
        pool.spawn(move || drop(world));
    }
    (outcome, evaluated.cost)
}

/// Does something in the pool while this thread does what cannot move there; without a pool first the one, then the other.
fn meanwhile<R>(pool: Option<&rayon::ThreadPool>, there: impl FnOnce() + Send, here: impl FnOnce() -> R) -> R {
    match pool {
        Some(pool) => pool.in_place_scope(|scope| {
            scope.spawn(|_| there());
            here()
        }),
        None => {
            there();
            here()
        }
    }
}

/// The places of inputs in their order, by name.
fn order(inputs: &[Input]) -> HashMap<String, usize> {
    inputs.iter().enumerate().map(|(index, input)| (input.name.clone(), index)).collect()
}

/// The objects of inputs, and what each of them is filed under.
fn read_all(inputs: Vec<Input>, options: &Options, outcome: &mut Outcome) -> (Gathered, Vec<Vec<index::Key>>) {
    let gathered = gather(inputs, options, outcome);
    let keys = gathered.objects.par_iter().map(|object| keys(&gathered.loaded, object)).collect();
    (gathered, keys)
}

/// Applies ignore entries and severities of the reader's own rules, and orders findings. `runs` are the rules that ran besides.
fn settle(outcome: &mut Outcome, world: &World, options: &Options, runs: &[&str], order: &HashMap<String, usize>) {
    let leaving = severities::add(outcome, &options.native);
    if options.use_ignores {
        let own = INPUT_RULES.iter().map(|rule| rule.id);
        let all = own.chain(options.native.rules.iter().copied()).chain(runs.iter().copied());
        let rules: Vec<String> = all.map(str::to_owned).collect();
        ignores::apply(
            outcome,
            &world.loaded,
            options,
            &Rules { runs: &rules, known: &options.known_rules, is_narrowed: options.is_narrowed() },
        );
        outcome.rules = rules;
    }
    severities::set(outcome, &leaving, options);
    // What is wrong with the text of what is not judged is not told either.
    outcome.findings.retain(|finding| !options.unjudged.contains(&**finding.location.source.name()));
    outcome.findings.sort_by_cached_key(|finding| {
        let span = finding.location.span;
        (order.get(&**finding.location.source.name()).copied(), span.start, span.end, finding.rule.clone(), finding.message.clone())
    });
}

/// The objects of a text as JSON values, with what they are. For tests and tools that change objects.
pub fn objects(text: &str, namespace: &str) -> Vec<(serde_json::Value, fedward_kit::finding::ObjectId)> {
    let input = Input { name: String::new(), bytes: text.as_bytes().to_vec(), named: true, role: Role::Judged };
    let loaded = load::read(vec![input], &Limits::default()).loaded;
    let kinds = Kinds::default();
    let mut found = Vec::new();
    for document in loaded.iter().filter_map(|loaded| loaded.document.as_ref()) {
        for node in load::objects(document) {
            let mut json = Vec::new();
            node.write_json(&mut json);
            let object = load::object(0, node, &kinds, namespace, Role::Judged);
            found.extend(serde_json::from_slice(&json).ok().map(|value| (value, payload::id(&object))));
        }
    }
    found
}

/// The payloads of `validate` for the objects of a text, as the engine sends them, without an index. For tests and benches of modules.
pub fn payloads(text: &str, settings: &serde_json::Value) -> Vec<Vec<u8>> {
    let input = Input { name: String::new(), bytes: text.as_bytes().to_vec(), named: true, role: Role::Judged };
    let loaded = load::read(vec![input], &Limits::default()).loaded;
    let kinds = Kinds::default();
    let mut found = Vec::new();
    for document in loaded.iter().filter_map(|loaded| loaded.document.as_ref()) {
        for node in load::objects(document) {
            let mut payload = format!("{{\"settings\":{settings},").into_bytes();
            let object = load::object(0, node, &kinds, "default", Role::Judged);
            payload.extend_from_slice(format!("\"request\":{{\"uid\":\"{}\",", found.len()).as_bytes());
            payload::write_facts(&object, Operation::Create, &Form { user: &User::default(), is_full: false }, &mut payload);
            payload.extend_from_slice(b",\"object\":");
            payload::write_object(document, &object, &mut payload);
            payload.extend_from_slice(b"}}");
            found.push(payload);
        }
    }
    found
}

/// What an object is filed under in the index.
fn keys(loaded: &[Loaded], object: &Object) -> Vec<index::Key> {
    let Some(document) = loaded.get(object.document).and_then(|loaded| loaded.document.as_ref()) else { return Vec::new() };
    let Some(node) = document.node(object.node) else { return Vec::new() };
    let bump = Bump::new();
    let session = Session::new(&bump);
    let root = session.root(Value::from_node(node, &bump), Origin::Aside);
    index::keys(root, bump.alloc_str(&object.namespace))
}
