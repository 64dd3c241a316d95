//! Requests as input: AdmissionReviews, which a webhook was sent, and those of raw policies.

use fedward_manifest::Node;

use crate::load::{self, Object, Role, text};
use crate::resources::Kinds;

/// The request of an AdmissionReview, if the document is one.
pub(crate) fn request(node: Node<'_>) -> Option<Node<'_>> {
    let is_review = text(node, "kind") == Some("AdmissionReview")
        && text(node, "apiVersion").is_some_and(|version| version.starts_with("admission.k8s.io/"));
    node.get("request").filter(|request| is_review && request.is_map())
}

/// The object of a request, or the one before if there is none, with its node.
///
/// # Errors
/// Why there is none.
pub(crate) fn object<'d>(
    document: usize,
    review: Node<'d>,
    kinds: &Kinds,
    default_namespace: &str,
    role: Role,
) -> Result<(Object, Node<'d>), String> {
    let objects = ["object", "oldObject"].iter().filter_map(|field| review.get(field));
    let Some(node) = objects.into_iter().find(|node| node.is_map()) else {
        return Err("an AdmissionReview without an object".to_owned());
    };
    let mut object = load::object(document, node, kinds, default_namespace, role);
    let said = |path: [&str; 2]| review.get(path[0]).and_then(|kind| text(kind, path[1])).map(str::to_owned);
    // What the API server says of an object is more than what the object says itself.
    object.review = Some(review.id());
    if let Some(kind) = said(["kind", "kind"]) {
        object.kind = kind;
        object.group = said(["kind", "group"]).unwrap_or_default();
        object.version = said(["kind", "version"]).unwrap_or_default();
    }
    if let Some(resource) = said(["resource", "resource"]) {
        object.resource = resource;
    }
    object.namespace = text(review, "namespace").unwrap_or_default().to_owned();
    if let Some(name) = text(review, "name") {
        object.name = name.to_owned();
    }
    Ok((object, node))
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
        review: None,
        raw: true,
        draft: false,
    }
}
