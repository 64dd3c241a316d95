//! Reports names that no release of Helm can have.
//!
//! ## What it does
//! The name of a Helm source's release is `releaseName`, or the Application's own. One that is longer than 53 characters or has others than
//! small letters, digits, `-` and `.` is reported.
//!
//! ## Why it is bad
//! Helm refuses it, and Argo CD renders nothing. Names of Applications may be longer, so that a chart that worked in one environment fails in
//! one with a longer name.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: customer-facing-web-shop-frontend-in-production-europe-west, namespace: argocd}
//! spec:
//!   source: {repoURL: https://git.example/team/repo, path: charts/shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: customer-facing-web-shop-frontend-in-production-europe-west, namespace: argocd}
//! spec:
//!   source:
//!     repoURL: https://git.example/team/repo
//!     path: charts/shop
//!     helm: {releaseName: shop}
//! ```
//!
//! ## References
//! Helm `pkg/chartutil/validate_name.go`; Argo CD `reposerver/repository/repository.go`, `helmTemplate`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::source::SourceType;

const NAME: Condition = Condition::error("name", "the release's name is one that Helm refuses");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "bad-release-name",
    summary: "a name that no release of Helm can have",
    conditions: &[NAME],
    supersedes: &["unrenderable-application"],
};

const MAX: usize = 53;

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        for source in application.sources.iter().filter(|source| source.kind == Some(SourceType::Helm)) {
            let own = source.effective.at(&["helm", "releaseName"]).filter(|name| name.as_str() != Some(""));
            let (name, place) = match own {
                Some(own) => (own.as_str().unwrap_or_default(), &own.place),
                None => (application.name.as_str(), application.place()),
            };
            let wrong = if name.len() > MAX {
                format!("has {} characters, and Helm takes {MAX} at most", name.len())
            } else if is_name(name) {
                continue;
            } else {
                "has other characters than small letters, digits, `-` and `.`, or begins or ends with one of the latter".to_owned()
            };
            let message = format!("`{name}`, the name of the release, {wrong}");
            reports.push(Report::at(&NAME, place, message).help("set `helm.releaseName`"));
        }
    }
    reports
}

/// A DNS subdomain.
fn is_name(name: &str) -> bool {
    name.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}
