//! Requests as input: AdmissionReviews, which a webhook was sent, and those of raw policies.

use fedward_manifest::Node;

use crate::load::{self, Object, Role, text};
use crate::resources::Kinds;

/// Whether a document is an AdmissionReview.
pub(crate) fn is_review(node: Node<'_>) -> bool {
    text(node, "kind") == Some("AdmissionReview")
        && text(node, "apiVersion").is_some_and(|version| version.starts_with("admission.k8s.io/"))
}

/// The object of a review's request, or the one before if there is none, with its node. A request without any (`CONNECT`, the deletion
/// of a collection) stands for itself.
///
/// # Errors
/// Why it is no request.
pub(crate) fn object<'d>(
    document: usize,
    review: Node<'d>,
    kinds: &Kinds,
    default_namespace: &str,
    role: Role,
) -> Result<(Object, Node<'d>), String> {
    let Some(review) = review.get("request").filter(|request| request.is_map()) else {
        return Err("an AdmissionReview without a request".to_owned());
    };
    let missing = |field: &&str| review.get(field).is_none_or(|value| value.is_null());
    if let Some(field) = ["kind", "resource", "operation"].iter().find(|field| missing(field)) {
        return Err(format!("the request of an AdmissionReview without `{field}`, which every request that was sent has"));
    }
    let operation = text(review, "operation").unwrap_or_default();
    if !["CREATE", "UPDATE", "DELETE", "CONNECT"].contains(&operation) {
        return Err(format!("the request of an AdmissionReview with the operation `{operation}`, which does not exist"));
    }
    let node = ["object", "oldObject"].iter().filter_map(|field| review.get(field)).find(|node| node.is_map()).unwrap_or(review);
    let mut object = load::object(document, node, kinds, default_namespace, role);
    let said = |field: &str, of: &str| review.get(field).and_then(|kind| text(kind, of)).map(str::to_owned).unwrap_or_default();
    // What the API server says of an object is more than what the object says itself.
    object.review = Some(review.id());
    object.kind = said("kind", "kind");
    object.group = said("kind", "group");
    object.version = said("kind", "version");
    object.resource = said("resource", "resource");
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
