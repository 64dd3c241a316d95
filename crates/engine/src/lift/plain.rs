//! Credentials as Microsoft Graph and the Azure CLI write them, trust policies of IAM roles, configuration files of k3s and RKE2.

use fedward_manifest::{Builder, Document, Limits, Node};

use super::{Name, key_place, object};
use crate::load::text;

/// The objects that a document is; empty for a document that is none of these.
pub(super) fn lift(root: Node<'_>, stem: &str, limits: &Limits) -> Vec<Document> {
    if root.is_seq() {
        root.items().filter(|item| is_credential(*item)).filter_map(|item| credential(item, stem, limits)).collect()
    } else if is_credential(root) {
        credential(root, stem, limits).into_iter().collect()
    } else if is_trust_policy(root) {
        let name = Name { text: stem, place: root.place() };
        object(root, "AssumeRolePolicy", name, limits, |builder| {
            builder.key("document", root.place()).copy(root);
        })
        .into_iter()
        .collect()
    } else if let Some(arguments) = api_server_arguments(root) {
        let name = Name { text: stem, place: root.place() };
        object(root, "ApiServerArguments", name, limits, |builder| {
            builder.key("arguments", key_place(arguments)).copy(arguments);
        })
        .into_iter()
        .collect()
    } else {
        Vec::new()
    }
}

/// The API server's flags in a configuration file of k3s or RKE2; with `+` they add to those of another file.
fn api_server_arguments<'a>(root: Node<'a>) -> Option<Node<'a>> {
    let found = ["kube-apiserver-arg", "kube-apiserver-arg+"].into_iter().find_map(|key| root.get(key))?;
    (found.is_seq() || found.as_str().is_some()).then_some(found)
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

fn credential(node: Node<'_>, stem: &str, limits: &Limits) -> Option<Document> {
    let name = Name { text: text(node, "name").unwrap_or(stem), place: node.get("name").map_or_else(|| node.place(), Node::span) };
    object(node, "FederatedCredential", name, limits, |builder| {
        fields(builder, node, &["name", "issuer", "subject", "audiences", "description", "claimsMatchingExpression"]);
        // The Azure CLI gives the resource id, which holds the identity's.
        if let Some(id) = node.get("id")
            && let Some((parent, _)) = id.as_str().and_then(|id| split_ignoring_case(id, "/federatedIdentityCredentials/"))
        {
            builder.key("parent", key_place(id)).string(parent, id.span());
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
            builder.key(name, key_place(value)).copy(value);
        }
    }
}
