//! Inputs to objects: what each document is, and the reason where it is none.

use std::collections::HashSet;
use std::sync::Arc;

use fedward_manifest::{Document, Node, ProblemKind, Span};
use fedward_outcome::{Outcome, Skipped};

use crate::Options;
use crate::input;
use crate::lift::{self, Lifted};
use crate::load::{self, Input, Loaded, Object, Read, Role};
use crate::project::{self, Project};
use crate::resources::Kinds;
use crate::{review, set};

/// What the inputs hold.
pub(crate) struct Gathered {
    /// Every document, those made from trust documents last.
    pub(crate) loaded: Vec<Loaded>,
    /// Every object, in the order of the documents.
    pub(crate) objects: Vec<Object>,
    /// The kinds that were met.
    pub(crate) kinds: Kinds,
    /// Whether objects were left out because there were too many: then what is not there may exist all the same.
    pub(crate) truncated: bool,
    /// Documents of the form of `policies.yml`, by number.
    pub(crate) servers: Vec<usize>,
}

/// What is known of an input apart from its content.
#[derive(Clone, Copy)]
struct About {
    named: bool,
    role: Role,
}

/// Reads the inputs. What is wrong with them, and what is no manifest, goes to the outcome.
pub(crate) fn gather(inputs: Vec<Input>, options: &Options, outcome: &mut Outcome) -> Gathered {
    let about: Vec<About> = inputs.iter().map(|input| About { named: input.named, role: input.role }).collect();
    let Read { mut loaded, broken } = load::read(inputs, &options.limits);
    outcome.findings.extend(broken.iter().map(|broken| match broken {
        load::Broken::NotText(source, error) => input::not_text(source, error),
        load::Broken::File(source, problem) => input::problem(source, problem),
    }));
    let mut kinds = Kinds::default();
    for document in loaded.iter().filter_map(|loaded| loaded.document.as_ref()) {
        for node in load::objects(document).into_iter().filter(|node| load::text(*node, "kind") == Some("CustomResourceDefinition")) {
            kinds.define(node);
        }
    }
    let project = Project::of(&loaded, &options.templates);
    let mut gatherer =
        Gatherer { options, outcome, kinds, objects: Vec::new(), truncated: false, servers: Vec::new(), other_text: HashSet::new() };
    let mut lifted: Vec<Loaded> = Vec::new();
    let mut whole_file: Option<Arc<str>> = None;
    for (number, one) in loaded.iter().enumerate() {
        let about = about.get(one.input).copied().unwrap_or(About { named: true, role: Role::Judged });
        let path = one.source.name();
        // What is deployed is final, whatever its files look like.
        let is_deployed = matches!(about.role, Role::Deployed(_));
        if let Some(reason) = project.skips(path, about.role).filter(|_| !is_deployed) {
            if whole_file.as_ref() != Some(path) {
                whole_file = Some(Arc::clone(path));
                gatherer.outcome.skipped.push(Skipped { file: path.to_string(), line: None, reason });
            }
            continue;
        }
        match &one.document {
            None => gatherer.without_tree(one, about.named),
            Some(document) if document.is_empty() => {}
            Some(document) => lifted.extend(gatherer.document(number, one, document, about)),
        }
    }
    for one in lifted {
        if let Some(document) = &one.document {
            let role = about.get(one.input).map_or(Role::Judged, |about| about.role);
            gatherer.object(loaded.len(), &one, document.root(), role);
        }
        loaded.push(one);
    }
    let Gatherer { mut objects, kinds, truncated, servers, .. } = gatherer;
    for object in &mut objects {
        let name = loaded.get(object.document).map_or("", |one| one.source.name());
        object.judged = options.judges(object.role, name);
    }
    outcome.held = vec![0; about.len()];
    for held in objects.iter().map(|object| object.document).chain(servers.iter().copied()) {
        if let Some(count) = loaded.get(held).and_then(|one| outcome.held.get_mut(one.input)) {
            *count += 1;
        }
    }
    project.mark_drafts(&loaded, &mut objects);
    outcome.notes.extend(project::unrendered(&loaded, &objects, options.renders_applications));
    Gathered { loaded, objects, kinds, truncated, servers }
}

struct Gatherer<'a> {
    options: &'a Options,
    outcome: &'a mut Outcome,
    kinds: Kinds,
    objects: Vec<Object>,
    truncated: bool,
    servers: Vec<usize>,
    /// Inputs that were named and hold no manifests, by number.
    other_text: HashSet<usize>,
}

impl Gatherer<'_> {
    /// A document that does not parse is a finding if it was meant as a manifest; otherwise it is something else's business.
    fn without_tree(&mut self, one: &Loaded, named: bool) {
        if input::looks_like_manifest(one.source.slice(one.chunk.span)) {
            self.problems(one);
            return;
        }
        // Prose or code that was named by mistake: once is enough, however many documents it seems to have.
        if named && self.other_text.insert(one.input) {
            let worst = one.problems.iter().find(|problem| problem.kind.is_fatal()).or(one.problems.first());
            self.outcome.findings.extend(worst.map(|problem| input::other_text(&one.source, problem)));
            return;
        }
        let limit = one.problems.iter().find(|problem| matches!(problem.kind, ProblemKind::Limit(_)));
        let why = limit.map_or("does not parse", |problem| problem.message.as_str());
        self.skip(one, format!("{why}; does not look like a manifest"));
    }

    /// A document that parses: its objects, or what it is instead. Returns the documents that a trust document becomes.
    fn document(&mut self, number: usize, one: &Loaded, document: &Document, about: About) -> Vec<Loaded> {
        if self.options.raw && about.role == Role::Judged {
            self.problems(one);
            self.add(review::raw(number, document.root()), document.root(), one);
            return Vec::new();
        }
        if self.options.requests && about.role == Role::Judged {
            self.problems(one);
            let root = document.root();
            let found = review::of_document(root)
                .map_err(|why| (root, why))
                .and_then(|request| review::request_object(number, request, about.role));
            match found {
                Ok((object, node)) => self.add(object, node, one),
                Err((node, why)) => self.outcome.findings.push(input::no_request(&one.source, node.place(), &why)),
            }
            return Vec::new();
        }
        let found = load::objects(document);
        if !found.is_empty() {
            self.problems(one);
            let strangers = document.objects().objects.len() - found.len();
            if strangers > 0 {
                self.skip(one, format!("{strangers} of a list without `apiVersion` and `kind`"));
            }
            for node in found {
                self.object(number, one, node, about.role);
            }
            return Vec::new();
        }
        if about.role == Role::Policies && set::is_server(document.root(), one.source.name()) {
            self.problems(one);
            self.servers.push(number);
            return Vec::new();
        }
        if review::is_bare(document.root()) {
            match review::request_object(number, document.root(), about.role) {
                Ok((object, node)) => {
                    self.problems(one);
                    self.found(object, node, one);
                }
                Err((_, why)) => self.skip(one, format!("no Kubernetes manifest, and no admission request: {why}")),
            }
            return Vec::new();
        }
        match lift::lift(document, stem(one.source.name()), &self.options.limits) {
            Lifted::Objects(made) => {
                self.problems(one);
                for (span, reason) in made.left_out {
                    self.skip_at(one, span, reason);
                }
                let lifted = |document| Loaded {
                    source: Arc::clone(&one.source),
                    chunk: one.chunk,
                    document: Some(document),
                    problems: Vec::new(),
                    input: one.input,
                    generated: made.generated,
                };
                return made.documents.into_iter().map(lifted).collect();
            }
            Lifted::NotUnderstood(reason) => self.skip(one, reason),
            Lifted::No => {
                let root = document.root();
                let is_scalar = !root.is_map() && !root.is_seq();
                if is_scalar && input::looks_like_manifest(one.source.slice(one.chunk.span)) {
                    self.outcome.findings.push(input::not_a_map(&one.source, root.span()));
                } else {
                    self.skip(one, "not a Kubernetes manifest".to_owned());
                }
            }
        }
        Vec::new()
    }

    fn object(&mut self, number: usize, one: &Loaded, node: Node<'_>, role: Role) {
        let (object, node) = if review::is_review(node) {
            match review::object(number, node, role) {
                Ok(found) => found,
                Err((field, reason)) => return self.outcome.findings.push(input::no_request(&one.source, field.place(), &reason)),
            }
        } else {
            (load::object(number, node, &self.kinds, self.options.namespace(role), role), node)
        };
        self.found(object, node, one);
    }

    /// Takes an object, or a request, and says what is wrong with its text.
    fn found(&mut self, object: Object, node: Node<'_>, one: &Loaded) {
        let is_object = object.review != Some(node.id());
        if self.options.judges(object.role, one.source.name()) && is_object && self.objects.len() < self.options.max_objects {
            self.outcome.findings.extend(input::object(&one.source, &object, node, &self.options.limits));
        }
        self.add(object, node, one);
    }

    fn add(&mut self, object: Object, node: Node<'_>, one: &Loaded) {
        if self.objects.len() < self.options.max_objects {
            self.objects.push(object);
        } else if !self.truncated {
            self.truncated = true;
            self.outcome.findings.push(input::too_many(self.options.max_objects, node.place()).finding(&one.source, None));
        }
    }

    fn problems(&mut self, one: &Loaded) {
        self.outcome.findings.extend(one.problems.iter().map(|problem| input::problem(&one.source, problem)));
    }

    fn skip(&mut self, one: &Loaded, reason: String) {
        self.skip_at(one, one.chunk.span, reason);
    }

    fn skip_at(&mut self, one: &Loaded, span: Span, reason: String) {
        let line = Some(one.source.position(span.start).line);
        self.outcome.skipped.push(Skipped { file: one.source.name().to_string(), line, reason });
    }
}

/// The name of a file without folder and extension.
fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}
