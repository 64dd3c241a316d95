//! Reports labels and annotations that are no strings.
//!
//! ## What it does
//! Every entry of `metadata.labels` and `metadata.annotations` of rendered objects must be a string: `true`, `1` and `null` without quotes
//! are none. A label that is `null` is not reported, since it is an empty string to the API server.
//!
//! ## Why it is bad
//! Argo CD writes an annotation of its own into every object, and cannot if one of those that are there is no string: it renders nothing of the
//! whole Application. In a custom resource definition, and among labels, the API server refuses the object. A template that leaves quotes
//! out works until a value looks like a number.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Service
//! metadata:
//!   name: web
//!   annotations: {prometheus.io/scrape: true}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: Service
//! metadata:
//!   name: web
//!   annotations: {prometheus.io/scrape: 'true'}
//! ```
//!
//! ## References
//! Argo CD `util/argo/resource_tracking.go`, `SetAppInstance`; `util/kube/kube.go`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::Node;

use super::{Check, Report};
use crate::application::Resource;
use crate::place::Place;
use crate::value::Value;

const ANNOTATION: Condition = Condition::error("annotation", "an annotation is no string, so that Argo CD renders nothing");
const REFUSED: Condition = Condition::error("refused", "the API server refuses a label, or an annotation, that is no string");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "non-string-metadata",
    summary: "a label or an annotation that is no string",
    conditions: &[ANNOTATION, REFUSED],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        for resource in application.resources.iter().chain(&application.repeated) {
            for (field, what) in [("labels", "label"), ("annotations", "annotation")] {
                let entries = resource.manifest.node().find(&format!("/metadata/{field}")).into_iter().flat_map(Node::entries);
                for entry in entries.filter(|entry| entry.value.as_str().is_none()) {
                    reports.extend(report(resource, &application.name, what, entry.key, entry.value));
                }
            }
        }
    }
    reports
}

fn report(resource: &Resource, application: &str, what: &str, key: &str, value: Node<'_>) -> Option<Report> {
    let (group, kind) = resource.manifest.kind();
    // Argo CD leaves definitions without a mark of its own.
    let is_marked = (group, kind) != ("apiextensions.k8s.io", "CustomResourceDefinition");
    let (condition, fate) = match what {
        "annotation" if is_marked => (&ANNOTATION, format!("Argo CD renders nothing of Application `{application}`")),
        _ if value.is_null() => return None,
        _ => (&REFUSED, "the API server refuses the object".to_owned()),
    };
    let is = Value::read(resource.manifest.place.document(), value).kind();
    let name = resource.manifest.text("/metadata/name");
    let message = format!("{what} `{key}` of {kind} `{name}` is {is} and must be a string: {fate}");
    let place = Place::new(resource.manifest.place.document(), value);
    Some(Report::at(condition, &place, message).help("put it in quotes"))
}
