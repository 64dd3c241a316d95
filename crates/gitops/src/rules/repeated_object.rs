//! Reports objects that one Application has twice.
//!
//! ## What it does
//! Objects of one group, kind, namespace and name are one object to Argo CD, after namespaces are filled in. All but the last are reported.
//!
//! ## Why it is bad
//! Only the last one is applied, whichever that is: the order of files decides. What stands in the others is not deployed, which is no more
//! than a warning on the Application.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ConfigMap
//! metadata: {name: settings}
//! data: {tier: gold}
//! ---
//! apiVersion: v1
//! kind: ConfigMap
//! metadata: {name: settings}
//! data: {colour: blue}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ConfigMap
//! metadata: {name: settings}
//! data: {tier: gold, colour: blue}
//! ```
//!
//! ## References
//! Argo CD `controller/state.go`, `NormalizeTargetObjects`: RepeatedResourceWarning.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const REPEATED: Condition = Condition::warning("repeated", "another object of the Application has this kind, namespace and name");

pub(super) const RULE: RuleDescriptor =
    RuleDescriptor { id: "repeated-object", summary: "an object that one Application has twice", conditions: &[REPEATED], supersedes: &[] };

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        for repeated in &application.repeated {
            let name = repeated.manifest.text("/metadata/name");
            let is_same = |other: &&crate::application::Resource| {
                other.manifest.kind() == repeated.manifest.kind()
                    && other.namespace == repeated.namespace
                    && other.manifest.text("/metadata/name") == name
            };
            let (_, kind) = repeated.manifest.kind();
            let whole = if repeated.namespace.is_empty() { name.to_owned() } else { format!("{}/{name}", repeated.namespace) };
            let message = format!("this {kind} `{whole}` does not count: Application `{}` has another after it", application.name);
            let report = Report::at(&REPEATED, &repeated.manifest.place, message);
            reports.push(match application.resources.iter().find(is_same) {
                Some(last) => report.related(&last.manifest.place, "what counts"),
                None => report,
            });
        }
    }
    reports
}
