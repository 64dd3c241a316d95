//! Policies and objects to findings with places.

mod answers;
mod evaluate;
mod ignores;
mod input;
mod lift;
mod load;
mod locate;
mod payload;
mod policies;
mod project;
mod resources;
mod secrets;
mod selector;
mod world;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bumpalo::Bump;
use fedward_kit::finding::Severity;
use fedward_kit::index;
use fedward_kit::node::{Origin, Session};
use fedward_kit::policy::settle;
use fedward_kit::value::Value;
use fedward_manifest::{Limits, Source};
use fedward_outcome::{NotEvaluated, Outcome, Skipped};
use rayon::prelude::*;

pub use evaluate::{Cost, Runtime};
pub use ignores::Ignore;
pub use input::{INPUT_POLICY, INPUT_RULES};
pub use load::Input;
pub use policies::{Policy, from_yaml};

use evaluate::Plan;
use lift::Lifted;
use load::{Loaded, Object, Read};
use project::Project;
use resources::Kinds;
use world::World;

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
    /// How many threads evaluate.
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
    /// Whether ignore entries, those in comments included, count.
    pub use_ignores: bool,
    /// Every rule that the program knows, whether or not its policy runs.
    pub known_rules: Vec<String>,
    /// Today, `YYYY-MM-DD`: whether an entry has expired.
    pub today: String,
    /// Severities of [`INPUT_RULES`], by rule; `None` is off.
    pub input_severities: BTreeMap<String, Option<Severity>>,
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
            use_ignores: true,
            known_rules: Vec::new(),
            today: String::new(),
            input_severities: BTreeMap::new(),
        }
    }
}

/// What is known of an input apart from its content.
struct About {
    name: String,
    named: bool,
    judged: bool,
}

/// The name of a file without folder and extension.
fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}

/// Reads the inputs and runs the policies on every object.
///
/// `progress` counts the objects that are done.
pub fn run(inputs: Vec<Input>, policies: &[Policy], options: &Options, progress: &AtomicUsize) -> (Outcome, Cost) {
    // Reading takes as many threads as evaluating. A machine that gives no threads has the one that runs already.
    match rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build() {
        Ok(pool) => pool.install(|| run_here(inputs, policies, options, progress)),
        Err(_) => run_here(inputs, policies, &Options { threads: 1, ..options.clone() }, progress),
    }
}

fn run_here(inputs: Vec<Input>, policies: &[Policy], options: &Options, progress: &AtomicUsize) -> (Outcome, Cost) {
    let mut outcome = Outcome { files: inputs.len(), ..Outcome::default() };
    let about: Vec<About> =
        inputs.iter().map(|input| About { name: input.name.clone(), named: input.named, judged: input.judged }).collect();
    let Read { mut loaded, not_text, problems } = load::read(inputs, &options.limits);
    for file in not_text {
        let name = about.get(file.input).map_or("", |about| about.name.as_str());
        if let Ok(source) = Source::from_text(name, String::new()) {
            outcome.findings.push(input::not_text(&Arc::new(source), &file.error));
        }
    }
    outcome.findings.extend(problems.iter().map(|(source, problem)| input::problem(source, problem)));
    let project = Project::of(&loaded);
    let mut kinds = Kinds::default();
    for document in loaded.iter().filter_map(|loaded| loaded.document.as_ref()) {
        for node in load::objects(document).into_iter().filter(|node| load::text(*node, "kind") == Some("CustomResourceDefinition")) {
            kinds.define(node);
        }
    }
    let mut objects: Vec<Object> = Vec::new();
    let mut lifted: Vec<Loaded> = Vec::new();
    let mut whole_file: Option<String> = None;
    for (number, one) in loaded.iter().enumerate() {
        let about = about.get(one.input);
        let judged = about.is_none_or(|about| about.judged);
        let path = one.source.name();
        if let Some(reason) = project.skips(path) {
            if whole_file.as_deref() != Some(path) {
                whole_file = Some(path.to_string());
                outcome.skipped.push(Skipped { file: path.to_string(), line: None, reason });
            }
            continue;
        }
        let line = Some(one.source.position(one.chunk.span.start).line);
        let mut skip = |reason: &str| outcome.skipped.push(Skipped { file: path.to_string(), line, reason: reason.to_owned() });
        let meant = |text: &str| about.is_some_and(|about| about.named) || input::looks_like_manifest(text);
        let Some(document) = &one.document else {
            if meant(one.source.slice(one.chunk.span)) {
                outcome.findings.extend(one.problems.iter().map(|problem| input::problem(&one.source, problem)));
            } else {
                skip("does not parse, and does not look like a manifest");
            }
            continue;
        };
        if document.is_empty() {
            continue;
        }
        let found = load::objects(document);
        if found.is_empty() {
            match lift::lift(document, stem(path), &options.limits) {
                Lifted::Objects(documents) => {
                    outcome.findings.extend(one.problems.iter().map(|problem| input::problem(&one.source, problem)));
                    lifted.extend(documents.into_iter().map(|document| Loaded {
                        source: Arc::clone(&one.source),
                        chunk: one.chunk,
                        document: Some(document),
                        problems: Vec::new(),
                        input: one.input,
                    }));
                }
                Lifted::NotUnderstood(reason) => skip(&reason),
                Lifted::No => skip("not a Kubernetes manifest"),
            }
            continue;
        }
        outcome.findings.extend(one.problems.iter().map(|problem| input::problem(&one.source, problem)));
        for node in found {
            if objects.len() >= options.max_objects {
                outcome.findings.push(input::too_many(options.max_objects, node.place()).finding(&one.source, None));
                break;
            }
            let object = load::object(number, node, &kinds, &options.namespace, judged);
            if judged {
                outcome.findings.extend(input::object(&one.source, &object, node, &options.limits));
            }
            objects.push(object);
        }
    }
    for one in lifted {
        let number = loaded.len();
        let judged = about.get(one.input).is_none_or(|about| about.judged);
        if let Some(document) = &one.document {
            objects.push(load::object(number, document.root(), &kinds, &options.namespace, judged));
        }
        loaded.push(one);
    }
    project.mark_drafts(&loaded, &mut objects);
    outcome.secrets = secrets::spans(&loaded, &objects);
    outcome.objects = objects.iter().filter(|object| object.judged).count();
    let keys = objects.par_iter().map(|object| keys(&loaded, object)).collect();
    let world = World::new(loaded, objects, keys, options.closed_world);
    let plan = Plan { policies, threads: options.threads.max(1), runtime: options.runtime, indexed: options.indexed, progress };
    let (verdicts, seen, cost) = evaluate::run(&world, &plan);
    outcome.evaluated = seen.iter().filter(|seen| **seen).count();
    // One object's findings of all policies are settled together: the same mistake seen by two policies is one finding.
    let mut at = 0;
    while let Some(first) = verdicts.get(at) {
        let end = at + verdicts.get(at..).unwrap_or_default().partition_point(|verdict| verdict.object == first.object);
        let group = verdicts.get(at..end).unwrap_or_default();
        let mut findings = Vec::new();
        for verdict in group {
            let policy = policies.get(verdict.policy).map_or("", |policy| policy.id.as_str());
            match &verdict.result {
                Ok(found) => findings.extend(found.iter().cloned()),
                Err(reason) => {
                    let location = locate::object(&world, verdict.object);
                    let object = world.objects.get(verdict.object).map(payload::id);
                    outcome.not_evaluated.push(NotEvaluated { location, object, policy: policy.to_owned(), reason: reason.clone() });
                }
            }
        }
        let given: Vec<usize> = group.iter().flat_map(|verdict| verdict.given.iter().copied()).collect();
        for finding in settle(findings, |rule| policies::supersedes(policies, rule)) {
            let policy = policies
                .iter()
                .find(|policy| policy.descriptor.rules.iter().any(|rule| rule.id == finding.rule))
                .map_or("", |policy| policy.id.as_str());
            outcome.findings.push(locate::finding(&world, first.object, &given, policy, finding));
        }
        at = end;
    }
    if options.use_ignores {
        let runs = |rule: &str| {
            INPUT_RULES.iter().any(|known| known.id == rule)
                || policies.iter().any(|policy| policy.descriptor.rules.iter().any(|known| known.id == rule))
        };
        let known = |rule: &str| runs(rule) || options.known_rules.iter().any(|known| known == rule);
        ignores::apply(&mut outcome, &world.loaded, &options.ignores, &options.today, &ignores::Rules { runs: &runs, known: &known });
    }
    outcome.findings.retain_mut(|finding| {
        if finding.policy != INPUT_POLICY {
            return true;
        }
        let severity = input::severity(&options.input_severities, finding);
        finding.severity = severity.unwrap_or(finding.severity);
        severity.is_some()
    });
    let order: HashMap<&str, usize> = about.iter().enumerate().map(|(index, about)| (about.name.as_str(), index)).collect();
    outcome.findings.sort_by_cached_key(|finding| {
        let span = finding.location.span;
        (order.get(&**finding.location.source.name()).copied(), span.start, span.end, finding.rule.clone(), finding.message.clone())
    });
    let guessed = kinds.guessed();
    if !guessed.is_empty() {
        outcome.notes.push(format!(
            "nothing in the input defines these kinds, so their resource names and scopes are guessed: {}",
            guessed.join(", ")
        ));
    }
    (outcome, cost)
}

/// The objects of a text as JSON values, with what they are. For tests and tools that change objects.
pub fn objects(text: &str, namespace: &str) -> Vec<(serde_json::Value, fedward_kit::finding::ObjectId)> {
    let input = Input { name: String::new(), bytes: text.as_bytes().to_vec(), named: true, judged: true };
    let loaded = load::read(vec![input], &Limits::default()).loaded;
    let kinds = Kinds::default();
    let mut found = Vec::new();
    for document in loaded.iter().filter_map(|loaded| loaded.document.as_ref()) {
        for node in load::objects(document) {
            let mut json = Vec::new();
            node.write_json(&mut json);
            let object = load::object(0, node, &kinds, namespace, true);
            found.extend(serde_json::from_slice(&json).ok().map(|value| (value, payload::id(&object))));
        }
    }
    found
}

/// The payloads of `validate` for the objects of a text, as the engine sends them, without an index. For tests and benches of modules.
pub fn payloads(text: &str, settings: &serde_json::Value) -> Vec<Vec<u8>> {
    let input = Input { name: String::new(), bytes: text.as_bytes().to_vec(), named: true, judged: true };
    let loaded = load::read(vec![input], &Limits::default()).loaded;
    let kinds = Kinds::default();
    let mut found = Vec::new();
    for document in loaded.iter().filter_map(|loaded| loaded.document.as_ref()) {
        for node in load::objects(document) {
            let mut payload = format!("{{\"settings\":{settings},").into_bytes();
            payload::write_request(document, &load::object(0, node, &kinds, "default", true), found.len(), &mut payload);
            payload.push(b'}');
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
