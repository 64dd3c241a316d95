//! What a rule says: findings with places, and their form inside Kubewarden's protocol.

use serde::{Deserialize, Serialize};

use crate::json;
use crate::node::Node;
use crate::splice;

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
            value = serde_json::Value::Object(std::iter::once((node.key(), value)).collect());
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
    /// Whether the policy applies the fix itself, if nothing else is wrong. No other program is told.
    #[serde(skip)]
    pub mends: bool,
}

impl Finding {
    /// Writes what the derived `Serialize` writes: a module pays three times as much for that. A test holds one to the other.
    pub fn write(&self, out: &mut String) {
        for (before, text) in [("{\"rule\":", &*self.rule), (",\"condition\":", &self.condition), (",\"severity\":", self.severity.name())]
        {
            out.push_str(before);
            json::write_string(text, out);
        }
        self.place.write(out);
        write_member("message", &self.message, out);
        if !self.help.is_empty() {
            write_member("help", &self.help, out);
        }
        write_member("docs", &self.docs, out);
        if !self.related.is_empty() {
            out.push_str(",\"related\":");
            json::write_list(&self.related, out, |related, out| {
                let from = out.len();
                related.place.write(out);
                // The place begins with a comma, for its other user.
                out.replace_range(from..=from, "{");
                write_member("message", &related.message, out);
                out.push('}');
            });
        }
        if self.related_more > 0 {
            write_number("related_more", self.related_more, out);
        }
        if !self.fix.is_empty() {
            out.push_str(",\"fix\":");
            json::write_list(&self.fix, out, PatchStep::write);
        }
        out.push('}');
    }
}

impl Place {
    /// Writes the members, each behind a comma.
    fn write(&self, out: &mut String) {
        if let Some(object) = &self.object {
            out.push_str(",\"object\":{\"apiVersion\":");
            json::write_string(&object.api_version, out);
            write_member("kind", &object.kind, out);
            if !object.namespace.is_empty() {
                write_member("namespace", &object.namespace, out);
            }
            write_member("name", &object.name, out);
            out.push('}');
        }
        write_member("path", &self.path, out);
        if !self.embedded.is_empty() {
            out.push_str(",\"embedded\":");
            json::write_list(&self.embedded, out, |pointer, out| json::write_string(pointer, out));
        }
        if let Some(offset) = self.offset {
            write_number("offset", offset, out);
        }
        if self.key {
            out.push_str(",\"key\":true");
        }
    }
}

impl PatchStep {
    /// The text of JSON with a string or a map set as the step says, and nothing else changed. `None` where the step is none of this text.
    pub fn set_in(&self, text: &str) -> Option<String> {
        let (PatchStep::Add { path, value } | PatchStep::Replace { path, value }) = self else { return None };
        let keys: Vec<String> = path.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut written = String::new();
        write_value(value, &mut written);
        splice::set(text, &keys, &written)
    }

    fn write(&self, out: &mut String) {
        let (op, path, value) = match self {
            PatchStep::Add { path, value } => ("add", path, Some(value)),
            PatchStep::Replace { path, value } => ("replace", path, Some(value)),
            PatchStep::Remove { path } => ("remove", path, None),
        };
        out.push_str("{\"op\":");
        json::write_string(op, out);
        write_member("path", path, out);
        if let Some(value) = value {
            out.push_str(",\"value\":");
            write_value(value, out);
        }
        out.push('}');
    }
}

fn write_value(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        serde_json::Value::String(text) => json::write_string(text, out),
        serde_json::Value::Array(items) => json::write_list(items, out, write_value),
        serde_json::Value::Object(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json::write_string(key, out);
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
        // No fix writes a number that is not whole: a module would pay for printing floats.
        serde_json::Value::Null | serde_json::Value::Number(_) => match value.as_i64() {
            Some(value) => out.push_str(&value.to_string()),
            None => out.push_str("null"),
        },
    }
}

/// A member that is not the first.
fn write_member(name: &str, text: &str, out: &mut String) {
    begin_member(name, out);
    json::write_string(text, out);
}

fn write_number(name: &str, number: usize, out: &mut String) {
    begin_member(name, out);
    out.push_str(&number.to_string());
}

fn begin_member(name: &str, out: &mut String) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How many related places a finding carries.
pub const MAX_RELATED: usize = 10;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_step_is_done_in_text() {
        let text = r#"{"metadata":{"labels":{"a/b":"1.0"}},"n":1.0}"#;
        let add = |path: &str, value: serde_json::Value| PatchStep::Add { path: path.to_owned(), value }.set_in(text);
        let labels = r#"{"metadata":{"labels":{"a/b":"1.0","c~/d":"true"}},"n":1.0}"#;
        assert_eq!(add("/metadata/labels/c~0~1d", "true".into()).as_deref(), Some(labels));
        let map = r#"{"metadata":{"labels":{"a/b":"1.0"},"annotations":{"e":"f"}},"n":1.0}"#;
        assert_eq!(add("/metadata/annotations", serde_json::json!({"e": "f"})).as_deref(), Some(map));
        let replace = PatchStep::Replace { path: "/metadata/labels/a~1b".to_owned(), value: "2".into() };
        assert_eq!(replace.set_in(text), Some(text.replace("1.0\"", "2\"")));
        assert_eq!((add("/n/labels", "x".into()), PatchStep::Remove { path: "/n".to_owned() }.set_in(text)), (None, None));
    }

    #[test]
    fn findings_are_written_as_serde_writes_them() {
        let object = ObjectId { api_version: "v1".into(), kind: "Pod".into(), namespace: String::new(), name: "a\"b".into() };
        let far = ObjectId { namespace: "shop".into(), ..object.clone() };
        let plain = Place::new(None, "/spec".into());
        let full =
            Place { object: Some(far), path: "/a~1b".into(), embedded: vec!["/c".into(), "/d\n".into()], offset: Some(7), key: true };
        let small = Finding {
            rule: "some-rule".into(),
            condition: "some".into(),
            severity: Severity::Info,
            place: plain.clone(),
            message: "a\tmessage".into(),
            help: String::new(),
            docs: "docs/rules/some-rule.md".into(),
            related: Vec::new(),
            related_more: 0,
            fix: Vec::new(),
            mends: false,
        };
        let value = serde_json::json!({ "a": [1, -2, "x", true, false, null, {}], "b": { "c": "\u{1}" } });
        let large = Finding {
            place: full.clone(),
            severity: Severity::Error,
            help: "help".into(),
            related: vec![
                Related { place: plain, message: "one".into() },
                Related { place: Place { object: Some(object), ..full }, message: "two".into() },
            ],
            related_more: 3,
            fix: vec![
                PatchStep::Add { path: "/a".into(), value: value.clone() },
                PatchStep::Replace { path: "/b".into(), value },
                PatchStep::Remove { path: "/c".into() },
            ],
            mends: true,
            ..small.clone()
        };
        for finding in [small, large] {
            let mut out = String::new();
            finding.write(&mut out);
            assert_eq!(out, serde_json::to_string(&finding).unwrap());
        }
    }
}
