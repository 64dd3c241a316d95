//! The admission requests of a run: what is asked of every policy.

use std::borrow::Cow;
use std::collections::HashMap;

use fedward_manifest::{Document, Node};
use fedward_policyset::{AsksForLabels, Attributes, Labels};
use serde_json::Value;

use crate::load::{Object, Role};
use crate::payload;
use crate::world::World;

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operation {
    /// It is new.
    #[default]
    Create,
    /// It replaces one that is there.
    Update,
    /// It goes.
    Delete,
}

impl Operation {
    /// As in an admission request.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The user's name; empty for `fedward`.
    pub name: String,
    /// The user's groups. Left out, they are `system:authenticated`, which every user is in who has signed in.
    pub groups: Option<Vec<String>>,
}

/// What all requests of a run have in common.
pub(crate) struct Form<'u> {
    pub(crate) user: &'u User,
    /// With all that an API server sends. Our own modules, alone, need less, and less costs less.
    pub(crate) is_full: bool,
}

/// One request. Objects are numbers in the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// The object that findings are on: the new one, or the one that goes.
    pub(crate) subject: usize,
    pub(crate) object: Option<usize>,
    pub(crate) old: Option<usize>,
    pub(crate) operation: Operation,
}

/// The requests of a run: each judged object in the order of the world, then what only the old state has.
pub(crate) fn requests(world: &World, operation: Operation) -> Vec<Request> {
    let mut before: HashMap<[&str; 4], Vec<usize>> = HashMap::new();
    for (number, object) in world.objects.iter().enumerate().filter(|(_, object)| object.role == Role::Old && object.review.is_none()) {
        before.entry(key(object)).or_default().push(number);
    }
    let compares = !before.is_empty();
    let mut requests = Vec::new();
    for (number, object) in world.objects.iter().enumerate().filter(|(_, object)| object.is_judged()) {
        let own = |object, old, operation| Request { subject: number, object, old, operation };
        let request = if object.review.is_some() || object.raw {
            own(Some(number), None, Operation::Create)
        } else if compares {
            let old = before.get_mut(&key(object)).and_then(|copies| take(world, number, copies));
            own(Some(number), old, if old.is_some() { Operation::Update } else { Operation::Create })
        } else {
            match operation {
                Operation::Create => own(Some(number), None, operation),
                Operation::Update => own(Some(number), Some(number), operation),
                Operation::Delete => own(None, Some(number), operation),
            }
        };
        requests.push(request);
    }
    if !compares {
        return requests;
    }
    // The last copies of what is not among the objects any more; a copy more or less of one that is there is no deletion.
    let names: std::collections::HashSet<[&str; 4]> = world.objects.iter().filter(|object| object.is_judged()).map(key).collect();
    let mut gone: Vec<usize> = before.into_iter().filter(|(key, _)| !names.contains(key)).flat_map(|(_, copies)| copies).collect();
    gone.sort_unstable();
    requests.extend(gone.into_iter().map(|old| Request { subject: old, object: None, old: Some(old), operation: Operation::Delete }));
    requests
}

fn key(object: &Object) -> [&str; 4] {
    [&object.group, &object.kind, &object.namespace, &object.name]
}

/// Takes the copy whose path ends most like that of the object: the same place in another checkout.
fn take(world: &World, number: usize, copies: &mut Vec<usize>) -> Option<usize> {
    let path = world.path(number);
    let alike = |other: &usize| path.bytes().rev().zip(world.path(*other).bytes().rev()).take_while(|(one, other)| one == other).count();
    let (index, _) = copies.iter().enumerate().max_by_key(|(index, other)| (alike(other), std::cmp::Reverse(*index)))?;
    Some(copies.remove(index))
}

/// The fields of an AdmissionRequest that Kubewarden knows, apart from `uid` and the two objects
/// (policy-evaluator, `src/admission_request.rs`). The type checker of conditions has the same list.
const FIELDS: [&str; 12] = [
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "dryRun",
    "options",
];

/// Writes all fields of a request but `uid`, `object` and `oldObject`, without braces.
pub(crate) fn write_facts(world: &World, request: &Request, form: &Form<'_>, out: &mut Vec<u8>) {
    let Some(object) = world.objects.get(request.subject) else { return };
    match review(world, object) {
        Some(review) => write_review(review, out),
        None => payload::write_facts(object, request.operation, form, out),
    }
}

fn write_review(review: Node<'_>, out: &mut Vec<u8>) {
    let present = FIELDS.iter().filter_map(|field| Some((field, review.get(field).filter(|value| !value.is_null())?)));
    for (index, (field, value)) in present.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        payload::write_string(field, out);
        out.push(b':');
        value.write_json(out);
    }
}

/// Writes the whole request after its facts: `"request":{…}`. `object` replaces the object of the manifest.
pub(crate) fn write(world: &World, request: &Request, facts: &[u8], object: Option<&[u8]>, out: &mut Vec<u8>) {
    if world.objects.get(request.subject).is_some_and(|object| object.raw) {
        out.extend_from_slice(b"\"request\":");
        return match object {
            Some(text) => out.extend_from_slice(text),
            None => write_object(world, request, out),
        };
    }
    out.extend_from_slice(b"\"request\":{\"uid\":");
    let review = world.objects.get(request.subject).and_then(|object| review(world, object));
    match review.and_then(|review| review.get("uid")?.as_str()) {
        Some(uid) => payload::write_string(uid, out),
        None => payload::write_string(&request.subject.to_string(), out),
    }
    if !facts.is_empty() {
        out.push(b',');
        out.extend_from_slice(facts);
    }
    out.extend_from_slice(b",\"object\":");
    match object {
        Some(text) => out.extend_from_slice(text),
        None => write_object(world, request, out),
    }
    if has_old(world, request) {
        out.extend_from_slice(b",\"oldObject\":");
        write_old(world, request, out);
    }
    out.push(b'}');
}

/// Writes the object, or `null`.
pub(crate) fn write_object(world: &World, request: &Request, out: &mut Vec<u8>) {
    let subject = world.objects.get(request.subject);
    if let Some(review) = subject.and_then(|object| review(world, object)) {
        return write_field(review, "object", out);
    }
    write_number(world, request.object, out);
}

/// Writes what of the object conditions look at (`None` for everything), or `null`. `now` replaces the object of the manifest.
pub(crate) fn write_mentioned(
    world: &World,
    request: &Request,
    now: Option<&Value>,
    masks: Option<&payload::Masks<'_>>,
    out: &mut Vec<u8>,
) {
    let subject = world.objects.get(request.subject);
    let is_review = subject.is_some_and(|object| object.review.is_some());
    match (now, masks) {
        (Some(now), _) => out.extend_from_slice(now.to_string().as_bytes()),
        (None, Some(masks)) if !is_review => {
            let object = request.object.and_then(|number| world.objects.get(number));
            match object.and_then(|object| Some((document(world, object)?, object))) {
                Some((document, object)) => payload::write_masked(document, object, masks, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        (None, _) => write_object(world, request, out),
    }
}

/// Whether the object before is part of the request.
fn has_old(world: &World, request: &Request) -> bool {
    let subject = world.objects.get(request.subject);
    request.old.is_some() || subject.and_then(|object| review(world, object)).is_some_and(|review| review.get("oldObject").is_some())
}

/// Writes the object before, or `null`.
pub(crate) fn write_old(world: &World, request: &Request, out: &mut Vec<u8>) {
    let subject = world.objects.get(request.subject);
    if let Some(review) = subject.and_then(|object| review(world, object)) {
        return write_field(review, "oldObject", out);
    }
    write_number(world, request.old, out);
}

fn write_number(world: &World, number: Option<usize>, out: &mut Vec<u8>) {
    let object = number.and_then(|number| world.objects.get(number));
    match object.and_then(|object| Some((document(world, object)?, object))) {
        Some((document, object)) => payload::write_asked(document, object, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_field(review: Node<'_>, field: &str, out: &mut Vec<u8>) {
    match review.get(field) {
        Some(value) => value.write_json(out),
        None => out.extend_from_slice(b"null"),
    }
}

fn document<'w>(world: &'w World, object: &Object) -> Option<&'w Document> {
    world.loaded.get(object.document)?.document.as_ref()
}

fn review<'w>(world: &'w World, object: &Object) -> Option<Node<'w>> {
    document(world, object)?.node(object.review?)
}

/// What of a request decides which policies it reaches.
pub(crate) struct Facts<'w> {
    object: &'w Object,
    review: Option<Node<'w>>,
    operation: &'static str,
    versions: Option<Cow<'w, [&'w str]>>,
    labels: Option<Labels>,
    old_labels: Option<Labels>,
    namespace_labels: Option<Labels>,
}

impl<'w> Facts<'w> {
    /// Those of a request; labels only where they are asked for.
    pub(crate) fn new(world: &'w World, request: &Request, asked: AsksForLabels) -> Option<Self> {
        let object = world.objects.get(request.subject)?;
        let review = review(world, object);
        let mut facts = Facts {
            object,
            review,
            operation: request.operation.name(),
            versions: None,
            labels: None,
            old_labels: None,
            namespace_labels: None,
        };
        let Attributes { group, resource, .. } = facts.attributes();
        facts.versions = world.kinds.versions(group, resource);
        if asked.of_object {
            let node = |number: Option<usize>| {
                let object = world.objects.get(number?)?;
                document(world, object)?.node(object.node)
            };
            let [new, old] = match review {
                Some(review) => [review.get("object"), review.get("oldObject")],
                None => [node(request.object), node(request.old)],
            };
            facts.labels = new.filter(|node| node.is_map()).map(labels);
            facts.old_labels = old.filter(|node| node.is_map()).map(labels);
        }
        if asked.of_namespace {
            facts.namespace_labels = world.namespace_labels(request.subject, facts.attributes().namespace);
        }
        Some(facts)
    }

    /// Takes the labels of the object as a policy changed it.
    pub(crate) fn relabel(&mut self, object: &serde_json::Value) {
        let labels = object.pointer("/metadata/labels").and_then(serde_json::Value::as_object).into_iter().flatten();
        let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        if let Some(known) = &mut self.labels {
            *known = labels.collect();
        }
    }

    /// Whether it is one for raw policies.
    pub(crate) fn is_raw(&self) -> bool {
        self.object.raw
    }

    /// As the matcher wants them. What an AdmissionReview says wins over what the object is.
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        let said = |path: &[&str]| {
            let review = self.review?;
            path.iter().try_fold(review, |node, key| node.get(key))?.as_str()
        };
        let object = self.object;
        let is_namespace = object.group.is_empty() && object.kind == "Namespace";
        let own_namespace = if is_namespace { &object.name } else { &object.namespace };
        Attributes {
            group: said(&["resource", "group"]).unwrap_or(&object.group),
            version: said(&["resource", "version"]).unwrap_or(&object.version),
            versions: self.versions.as_deref(),
            resource: said(&["resource", "resource"]).unwrap_or(&object.resource),
            subresource: said(&["subResource"]).unwrap_or(""),
            namespace: said(&["namespace"]).unwrap_or(own_namespace),
            operation: said(&["operation"]).unwrap_or(self.operation),
            labels: self.labels.as_ref(),
            old_labels: self.old_labels.as_ref(),
            namespace_labels: self.namespace_labels.as_ref(),
        }
    }
}

/// The labels of an object. What is no string is not there: the API server refuses it.
pub(crate) fn labels(object: Node<'_>) -> Labels {
    let entries = object.get("metadata").and_then(|metadata| metadata.get("labels")).into_iter().flat_map(|labels| labels.entries());
    entries.filter_map(|entry| Some((entry.key.to_string(), entry.value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::FIELDS;

    #[test]
    fn conditions_know_the_fields_that_requests_have() {
        let source = include_str!("../../cel/src/check.rs");
        let (_, list) = source.split_once("const REQUEST: [&str; ").unwrap();
        let (_, list) = list.split_once("= [").unwrap();
        let (list, _) = list.split_once("];").unwrap();
        let names: Vec<&str> = list.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty()).collect();
        assert_eq!(names, FIELDS);
    }
}
