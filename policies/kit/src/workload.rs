//! Every place where a pod template hides (rules.md §4 of the design; the table is rendered in `docs/workloads.md`).
//!
//! A row of the table says where a kind keeps its pods' metadata, service account, containers and volumes. Kinds that need more than
//! a path (Argo Workflows, Sensors) have a file of their own.

mod argo;
mod events;
mod fallback;
mod rows;
mod tekton;
#[cfg(test)]
mod tests;

use crate::context::Context;
use crate::node::Node;
use crate::request::group_of;
use crate::text;

pub use argo::controller_setting;
pub(crate) use argo::{CONTROLLER_CONFIG, is_controller_config};
pub use events::{Triggered, triggered};
pub use rows::{ROWS, Row, Shape};

/// A pod that an object makes, or will make.
#[derive(Clone)]
pub struct Pod<'a> {
    /// Which row of the table found it: `apps/Deployment`, `argoproj.io/Workflow` …
    pub row: &'static str,
    /// The template: the map that holds its metadata and spec, or what comes closest.
    pub node: Node<'a>,
    /// How messages call it: `pod template`, ``template `build` `` …
    pub title: String,
    /// The namespace that it runs in.
    pub namespace: &'a str,
    /// Where its labels and annotations come from; an earlier layer wins over a later one.
    pub layers: Vec<Layer<'a>>,
    /// The layer that a missing label belongs into.
    pub home: Layer<'a>,
    /// Its service account.
    pub account: Account<'a>,
    /// The map with the pod-level fields (`hostNetwork`, `imagePullSecrets` …).
    pub spec: Node<'a>,
    /// Its containers, init containers first.
    pub containers: Vec<Container<'a>>,
    /// Its volumes.
    pub volumes: Vec<Node<'a>>,
    /// Where the kind defines its service account itself, the metadata that the account gets.
    pub account_metadata: Option<Node<'a>>,
    /// Whether the place is known to be a pod template. The generic fallback only guesses; its findings are informational.
    pub certain: bool,
    /// For Argo Workflows, the workflow spec that runs the template.
    pub workflow: Option<Node<'a>>,
}

/// One source of labels and annotations.
#[derive(Clone, Copy)]
pub struct Layer<'a> {
    /// The map of labels.
    pub labels: Node<'a>,
    /// The map of annotations.
    pub annotations: Node<'a>,
}

impl<'a> Layer<'a> {
    /// The labels and annotations of a metadata map.
    pub fn of(metadata: Node<'a>) -> Self {
        Layer { labels: metadata.get("labels"), annotations: metadata.get("annotations") }
    }
}

/// The service account of a pod.
#[derive(Clone, Copy)]
pub enum Account<'a> {
    /// Named by a field.
    Named {
        /// The name.
        name: &'a str,
        /// The field.
        node: Node<'a>,
    },
    /// Not set: the namespace's `default`. The node is the absent field.
    Default(Node<'a>),
    /// Decided by whoever runs the template (a WorkflowTemplate without a service account). The node is the absent field.
    Caller(Node<'a>),
    /// A template expression or something else that cannot be known.
    NotKnown(Node<'a>),
}

impl<'a> Account<'a> {
    /// Reads `serviceAccountName`, or its deprecated alias `serviceAccount`, of a pod spec.
    pub fn of(spec: Node<'a>) -> Self {
        let name = spec.get("serviceAccountName");
        let alias = spec.peek("serviceAccount");
        if name.filled().is_none() && alias.peek_str().is_some_and(|text| !text.is_empty()) { Self::at(alias) } else { Self::at(name) }
    }

    /// Reads a field that holds the name.
    pub fn at(node: Node<'a>) -> Self {
        match node.str() {
            None | Some("") => Account::Default(node),
            Some(name) if text::classify(name) == text::Value::NotKnown => Account::NotKnown(node),
            Some(name) => Account::Named { name, node },
        }
    }

    /// The name, `default` where none is set; `None` where it cannot be known.
    pub fn name(self) -> Option<&'a str> {
        match self {
            Account::Named { name, .. } => Some(name),
            Account::Default(_) => Some("default"),
            Account::Caller(_) | Account::NotKnown(_) => None,
        }
    }

    /// The field that names it, present or not.
    pub fn node(self) -> Node<'a> {
        match self {
            Account::Named { node, .. } | Account::Default(node) | Account::Caller(node) | Account::NotKnown(node) => node,
        }
    }

    /// Whether a field names it.
    pub fn is_set(self) -> bool {
        matches!(self, Account::Named { .. } | Account::NotKnown(_))
    }
}

/// A container of a pod.
#[derive(Clone, Copy)]
pub struct Container<'a> {
    /// The container's map.
    pub node: Node<'a>,
    /// Its name; for an Argo template, the name that Argo gives it.
    pub name: &'a str,
    /// Whether it is an init container.
    pub init: bool,
}

impl<'a> Container<'a> {
    /// The environment entry of that name; the last one wins, as in the kubelet. Absent if there is none.
    pub fn env(self, name: &str) -> Option<Node<'a>> {
        self.node.get("env").last_with("name", name)
    }

    /// Whether `envFrom` may set variables that are not visible here.
    pub fn has_env_from(self) -> bool {
        self.node.get("envFrom").items().next().is_some()
    }
}

impl<'a> Pod<'a> {
    /// The label as it will be on the pod; if there is none, the absent node where it belongs.
    pub fn label(&self, key: &'a str) -> Node<'a> {
        self.lookup(key, |layer| layer.labels)
    }

    /// The annotation as it will be on the pod; if there is none, the absent node where it belongs.
    pub fn annotation(&self, key: &'a str) -> Node<'a> {
        self.lookup(key, |layer| layer.annotations)
    }

    /// Whether the object itself decides the pod's template or its service account. A Workflow that only names a WorkflowTemplate
    /// which holds both decides neither.
    pub fn is_of(&self, object: Node<'a>) -> bool {
        self.node.shares_object(object) || self.account.node().shares_object(object)
    }

    fn lookup(&self, key: &'a str, part: fn(&Layer<'a>) -> Node<'a>) -> Node<'a> {
        self.layers.iter().map(|layer| part(layer).get(key)).find(|node| node.is_present()).unwrap_or_else(|| part(&self.home).get(key))
    }

    fn bare(row: &'static str, object: Node<'a>, metadata: Node<'a>, spec: Node<'a>, namespace: &'a str) -> Self {
        Pod {
            row,
            node: object,
            title: "pod template".to_owned(),
            namespace,
            layers: vec![Layer::of(metadata)],
            home: Layer::of(metadata),
            account: Account::of(spec),
            spec,
            containers: containers(spec),
            volumes: spec.get("volumes").items().collect(),
            account_metadata: None,
            certain: true,
            workflow: None,
        }
    }

    fn template(row: &'static str, template: Node<'a>, namespace: &'a str) -> Self {
        Pod::bare(row, template, template.get("metadata"), template.get("spec"), namespace)
    }
}

fn containers(spec: Node<'_>) -> Vec<Container<'_>> {
    let list = |field, init| spec.get(field).items().map(move |node| container(node, init));
    list("initContainers", true).chain(list("containers", false)).chain(list("ephemeralContainers", false)).collect()
}

fn container(node: Node<'_>, init: bool) -> Container<'_> {
    Container { node, name: node.text("name").unwrap_or(""), init }
}

/// How deep objects may hold objects (a Sensor that submits a Workflow that applies a manifest …).
const MAX_NESTING: usize = 6;

/// Every pod of an object, those of objects inside it included, in the order of its text.
pub fn pods<'a>(object: Node<'a>, namespace: &'a str, context: &Context<'a>) -> Vec<Pod<'a>> {
    let mut found = Vec::new();
    collect(object, namespace, context, 0, &mut found);
    found
}

/// Adds the pods of an object that is nested `depth` levels deep.
fn collect<'a>(object: Node<'a>, namespace: &'a str, context: &Context<'a>, depth: usize, found: &mut Vec<Pod<'a>>) {
    if depth > MAX_NESTING {
        return;
    }
    let api_version = object.peek_text("apiVersion").unwrap_or("");
    let kind = object.peek_text("kind").unwrap_or("");
    // An empty namespace is none.
    let own = || object.peek("metadata").peek_text("namespace").filter(|own| !own.is_empty());
    let namespace = if depth == 0 { namespace } else { own().unwrap_or(namespace) };
    match ROWS.iter().find(|row| row.group == group_of(api_version) && row.kinds.contains(&kind)) {
        Some(row) => rows::collect(row, object, namespace, context, depth, found),
        None if kind.ends_with("List") && object.peek("items").is_present() => {
            for item in object.peek("items").peek_items() {
                collect(item, namespace, context, depth + 1, found);
            }
        }
        None => fallback::collect(object, api_version, kind, namespace, found),
    }
}

/// Whether an object's kind has a row of its own, see [`is_known`].
pub(crate) fn is_known_object(object: Node<'_>) -> bool {
    let api_version = object.peek_text("apiVersion").unwrap_or("");
    is_known(group_of(api_version), object.peek_text("kind").unwrap_or(""))
}

/// Whether a kind has a row of its own, so that its pods are found for certain.
pub fn is_known(group: &str, kind: &str) -> bool {
    ROWS.iter().any(|row| row.group == group && row.kinds.contains(&kind))
}
