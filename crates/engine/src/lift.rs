//! Trust documents that are no Kubernetes objects, lifted into objects of `trust.fedward/v1` with their places kept, so that modules
//! judge them like the custom resources that mean the same.
//!
//! | recognised by | becomes |
//! |---|---|
//! | `issuer`, `subject` (or `claimsMatchingExpression`) and `audiences` in one map: Graph JSON, `az identity federated-credential list` | `FederatedCredential` |
//! | `$schema` of an ARM deployment template: resources of the types below, nested ones and nested deployments included | one object each |
//! | `Statement` with an `sts:AssumeRole…` action: an IAM trust policy | `AssumeRolePolicy` |
//! | `kube-apiserver-arg`: a configuration file of k3s or RKE2, of which nothing else is taken | `ApiServerArguments` |
//!
//! What looks like one of these but is not understood is said as the reason why the document is skipped.

use fedward_manifest::{Builder, Document, Limits, Node};

use crate::load::text;

/// The API version of lifted objects.
pub(crate) const API_VERSION: &str = "trust.fedward/v1";

/// ARM resource types (lower case), what they become, and the fields that the object takes from `properties`.
const ARM: [(&str, &str); 4] = [
    ("microsoft.managedidentity/userassignedidentities/federatedidentitycredentials", "FederatedCredential"),
    ("microsoft.authorization/roleassignments", "RoleAssignment"),
    ("microsoft.containerservice/managedclusters", "ManagedCluster"),
    ("microsoft.kubernetesconfiguration/extensions", "ClusterExtension"),
];

/// How deep resources may hold resources.
const MAX_DEPTH: usize = 8;

/// What a document is.
pub(crate) enum Lifted {
    /// Objects.
    Objects(Vec<Document>),
    /// It looks like a trust document, but this is why it is not understood.
    NotUnderstood(String),
    /// Something else.
    No,
}

/// Lifts what a document holds. `stem` names objects that have no name of their own.
pub(crate) fn lift(document: &Document, stem: &str, limits: &Limits) -> Lifted {
    let root = document.root();
    let mut found = Vec::new();
    if is_arm(root) {
        resources(root, &mut Arm { limits, stem, found: &mut found }, 0);
        return if found.is_empty() {
            Lifted::NotUnderstood("an ARM template without federated credentials, role assignments, clusters or extensions".to_owned())
        } else {
            Lifted::Objects(found)
        };
    }
    if root.is_seq() {
        for item in root.items() {
            if is_credential(item) {
                found.extend(credential(item, stem, limits));
            }
        }
        return if found.is_empty() { Lifted::No } else { Lifted::Objects(found) };
    }
    if is_credential(root) {
        found.extend(credential(root, stem, limits));
    } else if is_trust_policy(root) {
        found.extend(object(root, "AssumeRolePolicy", stem, limits, |builder| {
            builder.key("document", root.place()).copy(root);
        }));
    } else if let Some(arguments) = api_server_arguments(root) {
        found.extend(object(root, "ApiServerArguments", stem, limits, |builder| {
            builder.key("arguments", arguments.key_span().unwrap_or_else(|| arguments.place())).copy(arguments);
        }));
    } else {
        return Lifted::No;
    }
    Lifted::Objects(found)
}

fn is_arm(root: Node<'_>) -> bool {
    text(root, "$schema").is_some_and(|schema| schema.to_ascii_lowercase().contains("deploymenttemplate.json"))
        && root.get("resources").is_some()
}

fn is_credential(node: Node<'_>) -> bool {
    let string = |key| node.get(key).is_some_and(|value| value.as_str().is_some());
    node.is_map()
        && string("issuer")
        && (string("subject") || node.get("claimsMatchingExpression").is_some())
        && node.get("audiences").is_some()
        && node.get("kind").is_none()
}

fn is_trust_policy(node: Node<'_>) -> bool {
    let Some(statements) = node.get("Statement").filter(|_| node.get("apiVersion").is_none()) else { return false };
    let assumes = |statement: Node<'_>| {
        let Some(action) = statement.get("Action") else { return false };
        let is_assume = |action: &str| action.to_ascii_lowercase().starts_with("sts:assumerole");
        action.as_str().is_some_and(is_assume) || action.items().any(|action| action.as_str().is_some_and(is_assume))
    };
    if statements.is_map() { assumes(statements) } else { statements.items().any(assumes) }
}

/// The API server's flags in a configuration file of k3s or RKE2; with `+` they add to those of another file.
fn api_server_arguments<'a>(root: Node<'a>) -> Option<Node<'a>> {
    let found = ["kube-apiserver-arg", "kube-apiserver-arg+"].into_iter().find_map(|key| root.get(key))?;
    (found.is_seq() || found.as_str().is_some()).then_some(found)
}

fn object(from: Node<'_>, kind: &str, name: &str, limits: &Limits, spec: impl FnOnce(&mut Builder<'_>)) -> Option<Document> {
    let place = from.place();
    let name_place = from.get("name").map_or(place, Node::span);
    let mut builder = Builder::new(from.document().source(), limits);
    builder.map(from.span());
    builder.key("apiVersion", place).string(API_VERSION, place);
    builder.key("kind", place).string(kind, place);
    builder.key("metadata", place).map(place).key("name", name_place).string(name, name_place).end();
    builder.key("spec", place).map(from.span());
    spec(&mut builder);
    builder.end().end();
    builder.finish().ok()?.document
}

fn credential(node: Node<'_>, stem: &str, limits: &Limits) -> Option<Document> {
    let name = text(node, "name").unwrap_or(stem);
    object(node, "FederatedCredential", name, limits, |builder| {
        fields(builder, node, &["name", "issuer", "subject", "audiences", "description", "claimsMatchingExpression"]);
        // The Azure CLI gives the resource id, which holds the identity's.
        if let Some(id) = node.get("id")
            && let Some((parent, _)) = id.as_str().and_then(|id| split_ignoring_case(id, "/federatedIdentityCredentials/"))
        {
            builder.key("parent", id.key_span().unwrap_or_else(|| id.place())).string(parent, id.span());
        }
    })
}

fn split_ignoring_case<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let at = text.to_ascii_lowercase().find(&separator.to_ascii_lowercase())?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

/// Copies fields with the places of their keys.
fn fields(builder: &mut Builder<'_>, node: Node<'_>, names: &[&str]) {
    for name in names {
        if let Some(value) = node.get(name) {
            builder.key(name, value.key_span().unwrap_or_else(|| value.place())).copy(value);
        }
    }
}

struct Arm<'a> {
    limits: &'a Limits,
    stem: &'a str,
    found: &'a mut Vec<Document>,
}

/// Walks the resources of a template, of a resource, or of a nested deployment.
fn resources(holder: Node<'_>, arm: &mut Arm<'_>, depth: usize) {
    let Some(list) = holder.get("resources").filter(|_| depth < MAX_DEPTH) else { return };
    // Bicep's symbolic names make a map of what is otherwise a list.
    let all: Vec<Node<'_>> = if list.is_map() { list.entries().map(|entry| entry.value).collect() } else { list.items().collect() };
    for resource in all {
        let kind = text(resource, "type").unwrap_or_default().to_ascii_lowercase();
        let properties = resource.get("properties");
        if let Some((_, becomes)) = ARM.iter().find(|(known, _)| *known == kind) {
            arm.found.extend(arm_object(resource, properties, becomes, arm.stem, arm.limits));
        }
        resources(resource, arm, depth + 1);
        if let Some(template) = properties.and_then(|properties| properties.get("template")) {
            resources(template, arm, depth + 1);
        }
    }
}

fn arm_object(resource: Node<'_>, properties: Option<Node<'_>>, kind: &str, stem: &str, limits: &Limits) -> Option<Document> {
    let full = text(resource, "name").unwrap_or(stem);
    let is_expression = full.starts_with('[');
    let (parent, own) =
        if is_expression { (None, full) } else { full.rsplit_once('/').map_or((None, full), |(parent, own)| (Some(parent), own)) };
    let place = resource.get("name").map_or_else(|| resource.place(), Node::span);
    object(resource, kind, own, limits, |builder| {
        builder.key("name", place).string(own, place);
        if let Some(parent) = parent.filter(|_| kind == "FederatedCredential") {
            builder.key("parent", place).string(parent, place);
        }
        fields(builder, resource, &["scope", "extensionType", "identity", "dependsOn"]);
        if let Some(properties) = properties {
            for entry in properties.entries().filter(|entry| {
                entry.key != "name" && entry.key != "parent" && resource.get(entry.key).is_none_or(|_| entry.key != "scope")
            }) {
                builder.key(entry.key, entry.value.key_span().unwrap_or_else(|| entry.value.place())).copy(entry.value);
            }
        }
    })
}
