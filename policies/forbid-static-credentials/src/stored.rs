//! Values that are credentials, and Secrets that hold them.

use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::{secret, text};

use crate::settings::Settings;

/// Whether a field holds a value to be judged: not one that is empty, still to be filled in, or known to another system only.
pub(crate) fn is_plain(node: Node<'_>) -> bool {
    node.peek_str().is_some_and(|value| !value.trim().is_empty() && text::classify(value) == text::Value::Plain && !is_no_secret(value))
}

/// Whether a value is the name of a secret that something puts in its place, or the well-known account of Azure Storage's emulator.
pub(crate) fn is_no_secret(value: &str) -> bool {
    let value = value.trim();
    names_secret(value) || is_emulator(value)
}

/// References of Bank-Vaults (`vault:secret/data/shop#key`), akv2k8s (`name@azurekeyvault`, perhaps with a query) and vals
/// (`ref+awsssm://shop/key`).
fn names_secret(value: &str) -> bool {
    let is_full = |parts: (&str, &str)| !parts.0.is_empty() && !parts.1.is_empty();
    if let Some(path) = value.strip_prefix("vault:") {
        return path.split_once('#').is_some_and(is_full);
    }
    if let Some(reference) = value.strip_prefix("ref+").or_else(|| value.strip_prefix("secretref+")) {
        // `echo` gives back what is written there.
        return reference.split_once("://").is_some_and(|parts| is_full(parts) && parts.0 != "echo");
    }
    let name = value.split_once('@').filter(|(_, vault)| *vault == "azurekeyvault" || vault.starts_with("azurekeyvault?"));
    name.is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

/// Whether a connection string leads to the emulator and has nothing else in it.
fn is_emulator(value: &str) -> bool {
    let mut is_used = false;
    for part in value.split(';').filter(|part| !part.trim().is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if key.trim().eq_ignore_ascii_case("UseDevelopmentStorage") && value.trim().eq_ignore_ascii_case("true") {
            is_used = true;
        } else if !key.trim().eq_ignore_ascii_case("DevelopmentStorageProxyUri") {
            return false;
        }
    }
    is_used
}

/// The Secret under admission, unless the settings accept it.
pub(crate) fn secret_under<'a>(cx: &Check<'a, Settings>) -> Option<Node<'a>> {
    (cx.is("", "Secret") && !cx.settings.allows_secret(cx.request.namespace, cx.request.name)).then_some(cx.object)
}

/// The keys of a Secret, in its text's order; one in both maps comes twice.
pub(crate) fn keys<'a>(secret: Node<'a>) -> impl Iterator<Item = &'a str> {
    ["stringData", "data"].into_iter().flat_map(move |field| secret.peek(field).peek_entries().map(|(key, _)| key))
}

/// A Secret by name. Offline only: a policy server that reads Secrets would be one more place to steal all of them from.
pub(crate) fn secret<'a>(cx: &Check<'a, Settings>, namespace: &str, name: &str, anchor: Node<'a>) -> Option<Node<'a>> {
    if !cx.context.indexed {
        return None;
    }
    cx.context.get(ObjectRef { api_version: "v1", kind: "Secret", namespace, name }, anchor).found()
}

/// The value of a key of a Secret, or of a ConfigMap, whose values are no base64.
pub(crate) fn value<'a>(object: Node<'a>, key: &'a str) -> Node<'a> {
    if object.peek_text("kind") == Some("ConfigMap") { object.get("data").get(key) } else { secret::value(object, key) }
}

#[cfg(test)]
mod tests {
    use super::is_no_secret;

    #[test]
    fn references_and_the_emulator_are_told_from_what_looks_like_them() {
        for value in [
            "vault:secret/data/shop#key",
            "vault:secret/data/shop#${.key}",
            "shop-key@azurekeyvault",
            "shop-key@azurekeyvault?password",
            "ref+awsssm://shop/key",
            "secretref+vault://shop/key#password",
            "UseDevelopmentStorage=true",
            "usedevelopmentstorage=True;DevelopmentStorageProxyUri=http://azurite.example;",
        ] {
            assert!(is_no_secret(value), "{value}");
        }
        for value in [
            "",
            "vault",
            "vault:",
            "vault:secret/data/shop",
            "vault:#key",
            "vault:secret/data/shop#",
            "xvault:secret/data/shop#key",
            "@azurekeyvault",
            "shop@azurekeyvaults",
            "sh/op@azurekeyvault",
            "ref+awsssm",
            "ref+://shop",
            "ref+echo://shop",
            "DevelopmentStorageProxyUri=http://azurite.example",
            "UseDevelopmentStorage=false;AccountKey=aHVudGVyMg==",
            "UseDevelopmentStorage=true;AccountKey=aHVudGVyMg==",
            "UseDevelopmentStorage=false",
        ] {
            assert!(!is_no_secret(value), "{value}");
        }
    }
}
