//! Which of several objects carries a finding about all of them.

use fedward_kit::node::Node;

/// What tells an object from others, in the order that decides which of them carries the finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id<'a> {
    /// Empty for cluster-scoped objects.
    pub namespace: &'a str,
    name: &'a str,
    kind: &'a str,
    api_version: &'a str,
}

/// The object's namespace, name, kind and version.
pub(crate) fn id(object: Node<'_>) -> Id<'_> {
    let metadata = object.peek("metadata");
    Id {
        namespace: metadata.peek_text("namespace").unwrap_or(""),
        name: metadata.peek_text("name").unwrap_or(""),
        kind: object.peek_text("kind").unwrap_or(""),
        api_version: object.peek_text("apiVersion").unwrap_or(""),
    }
}
