//! Trust documents that are no Kubernetes objects, lifted into objects of `trust.fedward/v1` with their places kept, so that modules
//! judge them like the custom resources that mean the same.
//!
//! | recognised by | becomes |
//! |---|---|
//! | `issuer`, `subject` (or `claimsMatchingExpression`) and `audiences` in one map: Graph JSON, `az identity federated-credential list` | `FederatedCredential` |
//! | `Statement` with an `sts:AssumeRole…` action: an IAM trust policy | `AssumeRolePolicy` |
//! | `kube-apiserver-arg`: a configuration file of k3s or RKE2, of which nothing else is taken | `ApiServerArguments` |
//! | `$schema` of an ARM deployment template, compiled from Bicep or written by hand: [`arm`] | one object for each resource of a type that is read |
//! | `format_version` and `values` or `planned_values`, what `terraform show -json` prints: [`terraform`] | one object for each instance of a resource of a type that is read |
//!
//! What looks like one of these but is not understood is said as the reason why the document is skipped.

mod arm;
mod plain;
pub(crate) mod terraform;

use fedward_manifest::{Builder, Document, Limits, Node, Span};

/// The API version of lifted objects.
pub(crate) const API_VERSION: &str = "trust.fedward/v1";

/// What stands for a value that only the tool's next run makes; as the tool itself prints it, and as the policies know it.
const NOT_KNOWN: &str = "(known after apply)";
/// What stands for a value that is secret.
const SECRET: &str = "(sensitive value)";

/// What a document is.
pub(crate) enum Lifted {
    /// Objects.
    Objects(Made),
    /// It looks like a trust document, but this is why it is not understood.
    NotUnderstood(String),
    /// Something else.
    No,
}

/// What a trust document becomes.
#[derive(Default)]
pub(crate) struct Made {
    /// An object each.
    pub(crate) documents: Vec<Document>,
    /// Whether a tool wrote the document, so that nobody mends it by hand.
    pub(crate) generated: bool,
    /// What is left out, and why.
    pub(crate) left_out: Vec<(Span, String)>,
}

/// Lifts what a document holds. `stem` names objects that have no name of their own.
pub(crate) fn lift(document: &Document, stem: &str, limits: &Limits) -> Lifted {
    let root = document.root();
    if arm::is_template(root) {
        return arm::lift(root, stem, limits);
    }
    if terraform::looks_like(root) {
        return terraform::lift(root, limits);
    }
    let documents = plain::lift(root, stem, limits);
    if documents.is_empty() { Lifted::No } else { Lifted::Objects(Made { documents, ..Made::default() }) }
}

/// The name of a lifted object, with its place.
#[derive(Clone, Copy)]
struct Name<'t> {
    text: &'t str,
    place: Span,
}

/// An object that is made from a node. `spec` writes the entries of its `spec`.
fn object(from: Node<'_>, kind: &str, name: Name<'_>, limits: &Limits, spec: impl FnOnce(&mut Builder<'_>)) -> Option<Document> {
    let place = from.place();
    let mut builder = Builder::new(from.document().source(), limits);
    builder.map(from.span());
    builder.key("apiVersion", place).string(API_VERSION, place);
    builder.key("kind", place).string(kind, place);
    builder.key("metadata", place).map(place).key("name", name.place).string(name.text, name.place).end();
    builder.key("spec", place).map(from.span());
    spec(&mut builder);
    builder.end().end();
    builder.finish().ok()?.document
}

/// Where the key of a value stands.
fn key_place(value: Node<'_>) -> Span {
    value.key_span().unwrap_or_else(|| value.place())
}

/// A field by its name in any letter case.
fn get_ignoring_case<'d>(node: Node<'d>, key: &str) -> Option<Node<'d>> {
    node.entries().find(|entry| entry.key.eq_ignore_ascii_case(key)).map(|entry| entry.value)
}

#[cfg(test)]
mod tests;
