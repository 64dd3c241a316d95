//! The admission request, as far as policies read it.

use crate::node::{Node, Origin, Session};
use crate::value::{NotJson, Value};

/// What is asked of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The object is new.
    Create,
    /// The object changes; `oldObject` is the one before.
    Update,
    /// The object goes.
    Delete,
    /// A connection to a sub-resource.
    Connect,
}

/// A Kubernetes admission request (`AdmissionRequest` of `admission.k8s.io/v1`, as Kubewarden hands it on).
pub struct Request<'a> {
    /// The API group of the object, empty for the core group.
    pub group: &'a str,
    /// The API version.
    pub version: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// Empty for the object itself.
    pub sub_resource: &'a str,
    /// What is asked.
    pub operation: Operation,
    /// The object's name; empty where the server makes it up.
    pub name: &'a str,
    /// The object's namespace; empty for cluster-scoped kinds.
    pub namespace: &'a str,
    /// The object; `null` for DELETE.
    pub object: Node<'a>,
    /// The object before; `null` for CREATE.
    pub old_object: Node<'a>,
    /// Whether the object is what will be applied. Offline, the base of a kustomization that something patches is not: what it lacks
    /// may come from the patch.
    pub is_final: bool,
}

/// The payload of a `validate` call.
pub struct Payload<'a> {
    /// The request.
    pub request: Request<'a>,
    /// The policy's settings, `null` or a map.
    pub settings: Node<'a>,
    /// Whether fedward's own engine asks, which takes answers of any length.
    pub offline: bool,
    /// Whether the host is fedward's own engine, which answers questions to the index (see [`crate::index`]). No policy server sends this.
    pub indexed: bool,
}

impl<'a> Payload<'a> {
    /// Reads `{"request": …, "settings": …}`.
    ///
    /// # Errors
    /// Text that is not JSON.
    pub fn parse(text: &'a [u8], session: &'a Session<'a>) -> Result<Self, NotJson> {
        let root = session.root(Value::from_json(text, session.bump())?, Origin::Aside);
        let request = root.get("request");
        let kind = request.get("kind");
        let part = |name: &'static str, origin| match request.get(name).value() {
            Some(value) => session.root(*value, origin),
            None => session.root(Value::Null, origin),
        };
        let object = part("object", Origin::Request);
        let metadata = object.peek("metadata");
        let or =
            |first: Option<&'a str>, second: Node<'a>| first.filter(|text| !text.is_empty()).or_else(|| second.peek_str()).unwrap_or("");
        Ok(Payload {
            request: Request {
                group: kind.text("group").unwrap_or(""),
                version: kind.text("version").unwrap_or(""),
                kind: kind.text("kind").unwrap_or(""),
                sub_resource: request.text("subResource").unwrap_or(""),
                operation: match request.text("operation") {
                    Some("UPDATE") => Operation::Update,
                    Some("DELETE") => Operation::Delete,
                    Some("CONNECT") => Operation::Connect,
                    _ => Operation::Create,
                },
                name: or(request.text("name"), metadata.peek("name")),
                namespace: or(request.text("namespace"), metadata.peek("namespace")),
                object,
                old_object: part("oldObject", Origin::Request),
                is_final: root.at(&["fedward", "draft"]).bool() != Some(true),
            },
            settings: root.get("settings"),
            offline: root.peek("fedward").is_present(),
            indexed: root.at(&["fedward", "indexed"]).bool() == Some(true),
        })
    }
}

/// The group of an `apiVersion`: `apps/v1` gives `apps`, `v1` gives the empty core group.
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}
