//! What a rule says: findings with places, and their form inside Kubewarden's protocol.

use serde::{Deserialize, Serialize};

use crate::node::Node;

/// How much a finding matters. The order is that of growing weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Recorded only.
    Info,
    /// Admitted with a warning.
    Warning,
    /// Rejected.
    Error,
}

impl Severity {
    /// The name in settings and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Which object, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectRef<'a> {
    /// `v1`, `apps/v1` …
    pub api_version: &'a str,
    /// `ServiceAccount` …
    pub kind: &'a str,
    /// Empty for cluster-scoped objects.
    pub namespace: &'a str,
    /// `metadata.name`.
    pub name: &'a str,
}

impl ObjectRef<'_> {
    /// The owned form.
    pub fn to_owned(self) -> ObjectId {
        ObjectId {
            api_version: self.api_version.to_owned(),
            kind: self.kind.to_owned(),
            namespace: self.namespace.to_owned(),
            name: self.name.to_owned(),
        }
    }
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// `v1`, `apps/v1` …
    pub api_version: String,
    /// `ServiceAccount` …
    pub kind: String,
    /// Empty for cluster-scoped objects.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// A place in an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The object; `None` for the one under admission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// JSON Pointer into the object.
    pub path: String,
    /// For documents in strings: the JSON Pointer in each, from the outermost inwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedded: Vec<String>,
    /// For a text that cannot be read: the byte offset in the innermost text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// Whether the key is meant, not the value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
}

impl Place {
    /// A place without embedded documents.
    pub fn new(object: Option<ObjectId>, path: String) -> Self {
        Place { object, path, embedded: Vec::new(), offset: None, key: false }
    }
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is there.
    pub message: String,
}

/// One step of a JSON Patch (RFC 6902).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum PatchStep {
    /// Adds a member or an element.
    Add {
        /// JSON Pointer.
        path: String,
        /// The new value.
        value: serde_json::Value,
    },
    /// Replaces what is there.
    Replace {
        /// JSON Pointer.
        path: String,
        /// The new value.
        value: serde_json::Value,
    },
    /// Removes what is there.
    Remove {
        /// JSON Pointer.
        path: String,
    },
}

impl PatchStep {
    /// Sets a field or element to a string, making the maps on the way that are missing.
    pub fn set(node: Node<'_>, value: &str) -> Vec<PatchStep> {
        Self::set_value(node, value.into())
    }

    /// Like [`PatchStep::set`], for any value.
    pub fn set_value(node: Node<'_>, value: serde_json::Value) -> Vec<PatchStep> {
        if node.value().is_some() {
            return vec![PatchStep::Replace { path: node.pointer(), value }];
        }
        // Climb to the nearest parent that is there; everything below it is added in one step.
        let mut value = value;
        let mut node = node;
        while let Some(parent) = node.parent() {
            if parent.is_present() {
                break;
            }
            value = serde_json::json!({ node.key(): value });
            node = parent;
        }
        vec![PatchStep::Add { path: node.pointer(), value }]
    }

    /// Removes a field or an element.
    pub fn remove(node: Node<'_>) -> Vec<PatchStep> {
        vec![PatchStep::Remove { path: node.pointer() }]
    }
}

/// What a rule found, as it travels in `audit_annotations.findings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// Which of the rule's conditions.
    pub condition: String,
    /// The severity in force: the condition's own, or the one that the settings give the rule.
    pub severity: Severity,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The rule's page, relative to the project.
    pub docs: String,
    /// Other places that belong to it, at most [`MAX_RELATED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// How many more related places there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub related_more: usize,
    /// A JSON Patch on the object under admission that mends it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<PatchStep>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How many related places a finding carries.
pub const MAX_RELATED: usize = 10;
