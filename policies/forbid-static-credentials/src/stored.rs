//! Values that are credentials, and Secrets that hold them.

use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::{secret, text};

use crate::settings::Settings;

/// Whether a field holds a value to be judged: not one that is empty, still to be filled in, or known to another system only.
pub(crate) fn is_plain(node: Node<'_>) -> bool {
    node.peek_str().is_some_and(|value| !value.trim().is_empty() && text::classify(value) == text::Value::Plain)
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
    if object.peek("kind").peek_str() == Some("ConfigMap") { object.get("data").get(key) } else { secret::value(object, key) }
}
