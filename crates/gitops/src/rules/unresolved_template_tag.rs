//! Reports Applications of ApplicationSets in which a template's `{{ … }}` is left.
//!
//! ## What it does
//! Without `goTemplate: true`, a name in braces that no generator gives stays in the text as it is. Names, projects, repositories, paths,
//! revisions, charts and destinations of generated Applications are looked at: nobody means braces there. Values of charts are not, which
//! may have templates of their own.
//!
//! ## Why it is bad
//! Argo CD makes an Application whose path or namespace is `{{ name }}`, which exists nowhere; or, in the name, one that the API server
//! refuses.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   generators:
//!   - list: {elements: [{name: north}]}
//!   template:
//!     metadata: {name: 'shop-{{nmae}}'}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   generators:
//!   - list: {elements: [{name: north}]}
//!   template:
//!     metadata: {name: 'shop-{{name}}'}
//! ```
//!
//! ## References
//! Argo CD `applicationset/utils/utils.go`, `Replace`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::discovery::Parent;
use crate::template::tags;
use crate::value::Value;

const LEFT: Condition = Condition::error("left", "no generator gives a parameter that a template names");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unresolved-template-tag",
    summary: "a generated Application in which `{{ … }}` is left",
    conditions: &[LEFT],
    supersedes: &["unrenderable-application"],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        let is_plain = application.parents.iter().any(|parent| match parent {
            Parent::Set(at) => {
                check.discovery.sets.get(*at).is_some_and(|set| !set.object.get("spec").is_some_and(|spec| spec.flag("goTemplate")))
            }
            _ => false,
        });
        for value in fields(&application.object).into_iter().filter(|_| is_plain) {
            let text = value.as_str().unwrap_or_default();
            for tag in tags(text).filter(|tag| !tag.is_empty()) {
                let message = format!("no generator gives `{tag}`, so that `{{{{{tag}}}}}` stays in the Application");
                let is_go = tag.starts_with(['.', '-']) || tag.contains([' ', '(', '"']);
                let help = if is_go {
                    "this looks like a Go template: set `goTemplate: true`"
                } else {
                    "correct the name, or let a generator give it"
                };
                reports.push(Report::at(&LEFT, &value.place, message).help(help));
            }
        }
    }
    reports
}

/// The fields in which nobody means braces.
pub(super) fn fields(application: &Value) -> Vec<&Value> {
    let mut fields: Vec<&Value> = application.at(&["metadata", "name"]).into_iter().collect();
    let Some(spec) = application.get("spec") else { return fields };
    fields.extend(spec.get("project"));
    fields.extend(["server", "name", "namespace"].iter().filter_map(|key| spec.at(&["destination", key])));
    for source in spec.get("source").into_iter().chain(spec.list("sources")) {
        fields.extend(["repoURL", "path", "targetRevision", "chart"].iter().filter_map(|key| source.get(key)));
    }
    fields
}
