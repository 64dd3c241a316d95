//! Reports objects that two Applications deploy to one cluster.
//!
//! ## What it does
//! Objects of one group, kind, namespace and name are compared over all Applications that go to the same cluster and come from the same place
//! (files, or one chart or kustomization that a person applies): Applications of different environments may well belong to different Argo
//! CDs.
//!
//! ## Why it is bad
//! Both Applications sync it, each to its own state, and each has the other's as a difference. Whichever is deleted takes the object with it.
//! Argo CD only tells of it once both are deployed.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   source: {repoURL: https://git.example/team/repo, path: shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ---
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop-copy, namespace: argocd}
//! spec:
//!   source: {repoURL: https://git.example/team/repo, path: shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   source: {repoURL: https://git.example/team/repo, path: shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## References
//! Argo CD `controller/state.go`: SharedResourceWarning.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use std::collections::HashMap;

use super::{Check, Report};
use crate::application::Resource;
use crate::clusters::Target;
use crate::discovery::{Application, Parent};

const SHARED: Condition = Condition::warning("shared", "two Applications deploy one object to one cluster");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "object-of-two-applications",
    summary: "an object that two Applications deploy",
    conditions: &[SHARED],
    supersedes: &[],
};

const HELP: &str = "let one of the two deploy it: take it out of the other's source, or give the other a namespace or names of its own";

/// What makes an object one: origin of the Applications, cluster, group, kind, namespace, name.
type Key<'a> = (Option<usize>, &'a str, (&'a str, &'a str), &'a str, &'a str);

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    let clusters: Vec<Target> = check.discovery.applications.iter().map(|one| check.discovery.clusters.target(&one.destination)).collect();
    let mut owners: HashMap<Key<'_>, (usize, &Resource)> = HashMap::new();
    for (number, (application, cluster)) in check.discovery.applications.iter().zip(&clusters).enumerate() {
        for resource in &application.resources {
            let name = resource.manifest.text("/metadata/name");
            if name.is_empty() {
                continue;
            }
            let key = (origin(check, number), cluster.id(), resource.manifest.kind(), resource.namespace.as_str(), name);
            let (first, other) = *owners.entry(key).or_insert((number, resource));
            // One name is one Application: two of it are versions of one another.
            let is_other =
                |owner: &&Application| first != number && (&owner.namespace, &owner.name) != (&application.namespace, &application.name);
            let Some(owner) = check.discovery.applications.get(first).filter(is_other) else { continue };
            let (_, kind) = resource.manifest.kind();
            let whole = if resource.namespace.is_empty() { name.to_owned() } else { format!("{}/{name}", resource.namespace) };
            let message = format!("Applications `{}` and `{}` both deploy {kind} `{whole}` to one cluster", owner.name, application.name);
            let report = Report::at(&SHARED, &resource.manifest.place, message).help(HELP);
            // Two may well deploy the same file.
            let is_same = resource.manifest.place == other.manifest.place;
            reports.push(if is_same { report } else { report.related(&other.manifest.place, "the other one") });
        }
    }
    reports
}

/// The root that an Application comes from in the end; none for files.
fn origin(check: &Check<'_>, number: usize) -> Option<usize> {
    let mut at = check.discovery.applications.get(number)?;
    // No longer than there are Applications.
    for _ in &check.discovery.applications {
        match first_parent(check, at)? {
            Step::Root(root) => return Some(root),
            Step::Application(above) => at = above,
        }
    }
    None
}

enum Step<'a> {
    Root(usize),
    Application(&'a Application),
}

fn first_parent<'a>(check: &Check<'a>, application: &Application) -> Option<Step<'a>> {
    let of = |parents: &[Parent]| match parents.first()? {
        Parent::Root(root) => Some(Step::Root(*root)),
        Parent::Application(above) => check.discovery.applications.get(*above).map(Step::Application),
        _ => None,
    };
    match application.parents.first()? {
        Parent::Set(set) => of(&check.discovery.sets.get(*set)?.parents),
        _ => of(&application.parents),
    }
}
