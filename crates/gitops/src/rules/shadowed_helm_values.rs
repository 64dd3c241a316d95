//! Reports values of charts that do not count.
//!
//! ## What it does
//! A Helm source that has both `values` and `valuesObject` is reported, also where one of them comes from a file `.argocd-source.yaml`.
//!
//! ## Why it is bad
//! Argo CD then does not look at `values` at all: it does not merge them. Whoever changes `values` changes nothing.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   source:
//!     repoURL: https://git.example/team/repo
//!     path: charts/shop
//!     helm:
//!       values: |
//!         replicas: 3
//!       valuesObject: {image: {tag: v2}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   source:
//!     repoURL: https://git.example/team/repo
//!     path: charts/shop
//!     helm:
//!       valuesObject: {image: {tag: v2}, replicas: 3}
//! ```
//!
//! ## References
//! Argo CD `pkg/apis/application/v1alpha1/values.go`, `ValuesYAML`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const SHADOWED: Condition = Condition::warning("shadowed", "`values` do not count beside `valuesObject`");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "shadowed-helm-values",
    summary: "`values` of a chart that do not count beside `valuesObject`",
    conditions: &[SHADOWED],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for source in check.discovery.applications.iter().flat_map(|application| &application.sources) {
        let Some(helm) = source.effective.get("helm") else { continue };
        let values = helm.get("values").filter(|values| values.as_str().is_some_and(|text| !text.trim().is_empty()));
        if let (Some(values), Some(object)) = (values, helm.get("valuesObject")) {
            let report = Report::at(&SHADOWED, &values.place, "these `values` do not count: Argo CD takes `valuesObject` instead of them");
            reports.push(report.related(&object.place, "what counts").help("move them to `valuesObject`"));
        }
    }
    reports
}
