//! Reports parts of ApplicationSets that Argo CD passes over.
//!
//! ## What it does
//! Two things are reported. The `template` of a generator inside of a matrix or a merge: only those of the outermost generators count. And a
//! namespace in the set's template that is another than the set's own, if the set says in which it is.
//!
//! ## Why it is bad
//! Applications are made without what the template says, and in the namespace of the set: with another project, name or destination than
//! somebody wrote down.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   generators:
//!   - matrix:
//!       generators:
//!       - list: {elements: [{name: north}], template: {metadata: {name: 'test-{{name}}'}, spec: {project: test}}}
//!       - list: {elements: [{tier: gold}]}
//!   template:
//!     metadata: {name: 'shop-{{name}}', namespace: team-shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: team-shop}
//! spec:
//!   generators:
//!   - matrix:
//!       template: {metadata: {name: 'test-{{name}}'}, spec: {project: test}}
//!       generators:
//!       - list: {elements: [{name: north}]}
//!       - list: {elements: [{tier: gold}]}
//!   template:
//!     metadata: {name: 'shop-{{name}}'}
//! ```
//!
//! ## References
//! Argo CD `applicationset/generators/matrix.go`, `applicationset/generators/merge.go`; `applicationset/controllers/template`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::value::{Data, Value};

const CHILD: Condition = Condition::warning("child-template", "the template of a generator in a matrix or a merge does not count");
const NAMESPACE: Condition = Condition::warning("namespace", "the template names another namespace than the set's, where Applications go");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "ignored-template-field",
    summary: "a template, or a namespace in it, that an ApplicationSet passes over",
    conditions: &[CHILD, NAMESPACE],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for set in &check.discovery.sets {
        for entry in super::generators(&set.object, &["matrix", "merge"]).into_iter().flat_map(|kind| kind.list("generators")) {
            let templates = entry.as_map().into_iter().flatten().filter_map(|(_, generator)| generator.get("template"));
            for template in templates.filter(|template| has_text(template)) {
                let message = "this template does not count: it is of a generator in a matrix or a merge";
                reports.push(
                    Report::at(&CHILD, &template.place, message)
                        .help("move it to the matrix or the merge itself, or to the template of the set"),
                );
            }
        }
        let Some(own) = set.object.at(&["metadata", "namespace"]).and_then(Value::as_str).filter(|own| !own.is_empty()) else { continue };
        for template in super::templates(&set.object) {
            let Some(namespace) = template.at(&["metadata", "namespace"]) else { continue };
            let text = namespace.as_str().unwrap_or_default();
            if !text.is_empty() && text != own {
                let message = format!("Applications go to the namespace of the set, `{own}`, and not to `{text}`");
                reports.push(Report::at(&NAMESPACE, &namespace.place, message).help("move the set, or leave the namespace out"));
            }
        }
    }
    reports
}

/// Whether a template says anything: empty fields are often written because the API once required them.
fn has_text(template: &Value) -> bool {
    match &template.data {
        Data::Null => false,
        Data::Bool(_) | Data::Number(_) => true,
        Data::String(text) => !text.is_empty(),
        Data::List(items) => items.iter().any(has_text),
        Data::Map(map) => map.values().any(has_text),
    }
}
