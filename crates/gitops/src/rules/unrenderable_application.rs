//! Reports Applications that Argo CD would not render.
//!
//! ## What it does
//! Whatever keeps Argo CD from rendering an Application is reported where it is written: a field of another type than the API has, no source,
//! a destination with both a name and a server or with neither, a path that is absolute, missing, no folder or outside of the repository,
//! values files that are missing or lead out of it, `$ref` that names no source, several tools in one source, a manifest that cannot be read.
//! What charts and kustomizations themselves fail at is reported, too, with what the tool says, and in the template, the value or the resource
//! that it names. An Application of an ApplicationSet is reported at the template. What only cannot be known here is counted as deferred and is no finding.
//!
//! ## Why it is bad
//! Argo CD shows a condition on the Application and goes on showing what was synced before. Nothing that is committed from then on arrives.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   project: shop
//!   source: {repoURL: https://git.example/team/repo, path: /apps/shop}
//!   destination: {name: in-cluster, server: https://kubernetes.default.svc}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   project: shop
//!   source: {repoURL: https://git.example/team/repo, path: apps/shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## References
//! Argo CD `util/argo/argo.go`, `util/app/path/path.go`, `reposerver/repository/repository.go`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::application::State;

const FAILED: Condition = Condition::error("failed", "Argo CD would not render the Application");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unrenderable-application",
    summary: "an Application that Argo CD would not render",
    conditions: &[FAILED],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let failed = check.discovery.applications.iter().filter_map(|application| match &application.state {
        // One link that leads out of a repository fails all its Applications: it has a rule of its own.
        State::Failed(reason) if !super::stray_link::is_cause(reason) => Some((application, reason)),
        _ => None,
    });
    failed
        .map(|(application, reason)| {
            Report::at(&FAILED, reason.place.as_ref().unwrap_or(application.place()), reason.text.as_str()).leaves_unjudged()
        })
        .collect()
}
