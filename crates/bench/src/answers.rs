//! Answers to host calls where nothing is known of a cluster.

use std::sync::Arc;

use fedward_host::HostCalls;
use fedward_kit::context::NOT_KNOWN;

/// What `fedward check` answers about a cluster of which it has seen no object: a list is empty and incomplete, an object is not known.
/// The same question always has the same answer, which costs nothing to make, so that only the module is measured.
pub(crate) struct Unseen {
    list: Arc<[u8]>,
    nothing: Arc<[u8]>,
}

impl Default for Unseen {
    fn default() -> Self {
        let list = br#"{"apiVersion":"v1","kind":"List","metadata":{"continue":"not known"},"items":[]}"#;
        Unseen { list: Arc::from(&list[..]), nothing: Arc::from(&b""[..]) }
    }
}

impl HostCalls for Unseen {
    fn call(&mut self, binding: &str, namespace: &str, operation: &str, _payload: &[u8]) -> Result<Arc<[u8]>, String> {
        match (binding, namespace, operation) {
            ("kubewarden", "kubernetes", "list_resources_by_namespace" | "list_resources_all") => Ok(Arc::clone(&self.list)),
            ("kubewarden", "kubernetes", "get_resource") => Err(format!("{NOT_KNOWN}unseen")),
            ("kubewarden", "kubernetes", "can_i") => Err(format!("{NOT_KNOWN}no loaded object allows it")),
            ("kubewarden", "tracing", "log") => Ok(Arc::clone(&self.nothing)),
            ("kubewarden", "oci" | "net" | "crypto" | "cache", _) => {
                Err(format!("{NOT_KNOWN}{namespace}/{operation} is not answered offline"))
            }
            ("kubewarden", "kubernetes" | "tracing", _) => Err(format!("unknown operation: {operation}")),
            ("kubewarden", other, _) => Err(format!("unknown namespace: {other}")),
            (other, ..) => Err(format!("unknown binding: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn lists_are_empty_and_say_that_there_may_be_more() {
        let answer = Unseen::default().call("kubewarden", "kubernetes", "list_resources_all", b"{}").unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer.pointer("/items"), Some(&serde_json::json!([])));
        assert_eq!(answer.pointer("/metadata/continue"), Some(&"not known".into()));
    }

    #[test]
    fn what_nobody_has_seen_is_not_known_and_what_does_not_exist_is_an_error() {
        let ask = |binding, namespace, operation| Unseen::default().call(binding, namespace, operation, b"{}").unwrap_err();
        assert_eq!(ask("kubewarden", "kubernetes", "get_resource"), format!("{NOT_KNOWN}unseen"));
        assert!(ask("kubewarden", "oci", "v1/verify").starts_with(NOT_KNOWN));
        assert_eq!(ask("kubewarden", "kubernetes", "delete"), "unknown operation: delete");
        assert_eq!(ask("kubewarden", "files", "read"), "unknown namespace: files");
        assert_eq!(ask("other", "kubernetes", "get_resource"), "unknown binding: other");
    }
}
