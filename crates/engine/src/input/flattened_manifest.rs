//! Reports manifests whose nesting was lost: what belongs inside a map stands beside it.
//!
//! ## What it does
//! Text copied from a web page often loses its indentation and still parses: `metadata` is empty, and `name` and `labels` stand beside
//! it. Reported where a map that every object has is empty or missing **and** fields that belong into it stand at the top. Empty maps
//! alone (`annotations:`, `emptyDir:`) are normal.
//!
//! ## Why it is bad
//! The API server refuses the object, or ignores the fields in the wrong place; the label or annotation that matters is not set.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//! name: api
//! namespace: shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   namespace: shop
//! ```
//!
//! ## References
//! Kubernetes API conventions: objects, their metadata, spec and status.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::Node;

use super::Report;
use crate::load::Object;

const FLATTENED: Condition =
    Condition::error("flattened", "a map that the object needs is empty or absent, and its fields stand beside it");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "flattened-manifest",
    summary: "the fields of a map stand beside it: the indentation was lost",
    conditions: &[FLATTENED],
    supersedes: &[],
};

/// A parent, and fields that stand at the object's top level only if they fell out of it.
const PARENTS: [(&str, &[&str]); 3] = [
    ("metadata", &["name", "namespace", "labels", "annotations", "generateName"]),
    (
        "spec",
        &[
            "replicas",
            "selector",
            "template",
            "containers",
            "serviceAccountName",
            "volumes",
            "strategy",
            "entrypoint",
            "templates",
            "triggers",
            "type",
            "ports",
        ],
    ),
    ("roleRef", &["apiGroup"]),
];

pub(super) fn check(object: &Object, root: Node<'_>) -> Vec<Report<'static>> {
    // Kinds that have these fields at the top by design.
    if matches!(object.kind.as_str(), "PodTemplate" | "ControllerRevision" | "Kustomization" | "Component") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (parent, fields) in PARENTS {
        let holder = root.get(parent);
        if holder.is_some_and(|holder| !(holder.is_null() || holder.is_map() && holder.is_empty())) {
            continue;
        }
        let beside: Vec<Node<'_>> = fields.iter().filter_map(|field| root.get(field)).collect();
        let Some(first) = beside.first() else { continue };
        // A `spec` that is not there at all is normal for many kinds; then several of its fields have to stand outside.
        if holder.is_none() && (parent != "metadata" || beside.len() < 2) {
            continue;
        }
        let place = holder.map_or_else(
            || first.key_span().unwrap_or_else(|| first.place()),
            |holder| holder.key_span().unwrap_or_else(|| holder.place()),
        );
        let names: Vec<String> = beside.iter().filter_map(|node| node.key()).map(|key| format!("`{key}`")).collect();
        let mut report = Report::new(
            &RULE,
            &FLATTENED,
            place,
            format!("`{parent}` is empty, and {} {} beside it", names.join(", "), if names.len() == 1 { "stands" } else { "stand" }),
        )
        .help(format!("indent what belongs into `{parent}`"));
        report.pointer = format!("/{parent}");
        report.related = beside
            .iter()
            .skip(usize::from(holder.is_none()))
            .take(5)
            .map(|node| (node.key_span().unwrap_or_else(|| node.place()), format!("belongs into `{parent}`")))
            .collect();
        found.push(report);
    }
    found
}
