//! Requests as input: AdmissionReviews, which a webhook was sent, and those of raw policies.

use fedward_manifest::{Kind, Node};

use crate::load::{self, Object, Role, text};
use crate::resources::{Resource, Scope};

/// Whether a document is an AdmissionReview.
pub(crate) fn is_review(node: Node<'_>) -> bool {
    text(node, "kind") == Some("AdmissionReview")
        && text(node, "apiVersion").is_some_and(|version| version.starts_with("admission.k8s.io/"))
}

/// The object of a review's request, or the one before if there is none, with its node. A request without any (`CONNECT`, the deletion
/// of a collection) stands for itself.
///
/// # Errors
/// Why it is no request, and the field that says so.
pub(crate) fn object<'d>(document: usize, review: Node<'d>, role: Role) -> Result<(Object, Node<'d>), (Node<'d>, String)> {
    let Some(request) = review.get("request").filter(|request| request.is_map()) else {
        return Err((review.get("request").unwrap_or(review), "an AdmissionReview without a request".to_owned()));
    };
    request_object(document, request, role)
}

/// The same of a request without the review around it.
///
/// # Errors
/// Why it is none, and the field that says so.
pub(crate) fn request_object<'d>(document: usize, review: Node<'d>, role: Role) -> Result<(Object, Node<'d>), (Node<'d>, String)> {
    check(review)?;
    let node = ["object", "oldObject"].iter().filter_map(|field| review.get(field)).find(|node| node.is_map()).unwrap_or(review);
    let said = |field: &str, of: &str| review.get(field).and_then(|kind| text(kind, of)).map(str::to_owned).unwrap_or_default();
    // What the API server says of an object is more than what the object says itself, and leaves nothing to guess.
    let resource = Resource { plural: said("resource", "resource"), scope: Scope::Cluster };
    let mut object = load::object_of(document, node, resource, "", role);
    object.review = Some(review.id());
    object.kind = said("kind", "kind");
    object.group = said("kind", "group");
    object.version = said("kind", "version");
    object.namespace = text(review, "namespace").unwrap_or_default().to_owned();
    if let Some(name) = text(review, "name") {
        object.name = name.to_owned();
    }
    Ok((object, node))
}

/// Whether a document is beyond doubt an AdmissionRequest without the review around it, as policy servers take it too: no object has a map
/// as its `kind`.
pub(crate) fn is_bare(root: Node<'_>) -> bool {
    let texts = |kind: Node<'_>| {
        kind.is_map() && ["group", "version", "kind"].iter().all(|name| kind.get(name).is_some_and(|text| text.as_str().is_some()))
    };
    root.is_map()
        && root.get("apiVersion").is_none()
        && root.get("uid").is_some_and(|uid| uid.as_str().is_some())
        && root.get("kind").is_some_and(texts)
        && text(root, "operation").is_some()
}

/// What a document is that stands where a recorded request is expected: the AdmissionRequest in it.
///
/// # Errors
/// What else it is.
pub(crate) fn of_document(root: Node<'_>) -> Result<Node<'_>, String> {
    const EXPECTED: &str = "an AdmissionReview, or the AdmissionRequest in one, is required";
    if root.is_seq() {
        return Err(format!("a list is no request: {EXPECTED}"));
    }
    if !root.is_map() {
        return Err(format!("no request: {EXPECTED}"));
    }
    match root.get("request") {
        Some(_) if root.get("settings").is_some() => {
            Err(format!("`request` beside `settings` is what a module is sent: {EXPECTED}; settings stand in the case"))
        }
        Some(request) if is_review(root) && request.is_map() => Ok(request),
        Some(_) if is_review(root) => Err("an AdmissionReview without a request".to_owned()),
        Some(_) => Err(format!("no `apiVersion: admission.k8s.io/v1` and `kind: AdmissionReview` beside `request`: {EXPECTED}")),
        None if is_review(root) => Err("an AdmissionReview without a request".to_owned()),
        None if root.get("metadata").is_some() => Err(format!("an object is no request: {EXPECTED}")),
        None => Ok(root),
    }
}

/// The operations that requests are for.
const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/// The types of a request's fields, as Kubewarden reads them (policy-evaluator, `src/admission_request.rs`). `null` is left out.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Flag,
    Map,
    /// A map of strings with these names.
    Names(&'static [&'static str]),
    User,
}

const KIND: Type = Type::Names(&["group", "version", "kind"]);
const RESOURCE: Type = Type::Names(&["group", "version", "resource"]);

const TYPES: [(&str, Type); 15] = [
    ("uid", Type::Text),
    ("kind", KIND),
    ("resource", RESOURCE),
    ("subResource", Type::Text),
    ("requestKind", KIND),
    ("requestResource", RESOURCE),
    ("requestSubResource", Type::Text),
    ("name", Type::Text),
    ("namespace", Type::Text),
    ("operation", Type::Text),
    ("userInfo", Type::User),
    ("object", Type::Map),
    ("oldObject", Type::Map),
    ("dryRun", Type::Flag),
    ("options", Type::Map),
];

/// Whether a request is one that could have been sent.
fn check(request: Node<'_>) -> Result<(), (Node<'_>, String)> {
    let missing = |field: &&str| request.get(field).is_none_or(|value| value.is_null());
    if let Some(field) = ["kind", "resource", "operation"].iter().find(|field| missing(field)) {
        return Err((request, format!("an admission request without `{field}`, which every request that was sent has")));
    }
    for (field, wanted) in TYPES {
        if let Some(value) = request.get(field).filter(|value| !value.is_null()) {
            check_type(value, field, wanted)?;
        }
    }
    let operation = text(request, "operation").unwrap_or_default();
    if !OPERATIONS.contains(&operation) {
        let node = request.get("operation").unwrap_or(request);
        return Err((node, format!("an admission request with the operation `{operation}`, which does not exist")));
    }
    Ok(())
}

fn check_type<'d>(value: Node<'d>, field: &str, wanted: Type) -> Result<(), (Node<'d>, String)> {
    let not = |node: Node<'d>, field: &str, what: &str| Err((node, format!("`{field}` of a request is {what}")));
    let texts = |names: &[&str]| {
        let strange = names.iter().filter_map(|name| Some((name, value.get(name)?))).find(|(_, one)| one.as_str().is_none());
        strange.map_or(Ok(()), |(name, one)| not(one, &format!("{field}.{name}"), "a string: quote it"))
    };
    match wanted {
        Type::Text if value.as_str().is_none() => not(value, field, "a string: quote it"),
        Type::Flag if !matches!(value.kind(), Kind::Bool(_)) => not(value, field, "true or false"),
        Type::Map | Type::Names(_) | Type::User if !value.is_map() => not(value, field, "a map"),
        Type::Names(names) => texts(names),
        Type::User => {
            texts(&["username", "uid"])?;
            match value.get("groups").filter(|groups| !groups.is_null()) {
                Some(groups) if !groups.is_seq() => not(groups, "userInfo.groups", "a list"),
                Some(groups) => match groups.items().find(|group| group.as_str().is_none()) {
                    Some(group) => not(group, "userInfo.groups", "a list of strings: quote it"),
                    None => Ok(()),
                },
                None => Ok(()),
            }
        }
        Type::Text | Type::Flag | Type::Map => Ok(()),
    }
}

/// A document that is a request for raw policies: any JSON (policy-server, `/validate_raw`).
pub(crate) fn raw(document: usize, root: Node<'_>) -> Object {
    Object {
        document,
        node: root.id(),
        group: String::new(),
        version: String::new(),
        kind: "Request".to_owned(),
        name: text(root, "uid").unwrap_or_default().to_owned(),
        namespace: String::new(),
        resource: String::new(),
        role: Role::Judged,
        judged: true,
        review: None,
        raw: true,
        draft: false,
    }
}
