//! Reports Applications whose project is not there, but one with almost its name is.
//!
//! ## What it does
//! The project of an Application is looked up among those of the repository. If it is none of them, and the name of one differs by a slip of
//! the keyboard, that is reported: a letter that is missing, doubled or swapped. Names that differ by digits, or in a part of one letter, as
//! `team-a` and `team-b`, are both meant. A project that is simply not here may be somewhere else: where the repository has others, a note says
//! so, and it is no finding; nor is `default`, which every Argo CD has.
//!
//! ## Why it is bad
//! Argo CD neither renders nor syncs an Application whose project does not exist.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: AppProject
//! metadata: {name: platform, namespace: argocd}
//! spec: {sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}]}
//! ---
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   project: plattform
//!   source: {repoURL: https://git.example/team/repo, path: shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: AppProject
//! metadata: {name: platform, namespace: argocd}
//! spec: {sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}]}
//! ---
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   project: platform
//!   source: {repoURL: https://git.example/team/repo, path: shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## References
//! Argo CD `util/argo/argo.go`, `ValidatePermissions`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_kit::suggest::is_slip;

use std::collections::BTreeSet;

use super::{Check, Report};

const MISSPELT: Condition = Condition::error("misspelt", "there is no such project, but one with almost this name");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "misspelt-project",
    summary: "an Application whose project has almost the name of one that is there",
    conditions: &[MISSPELT],
    supersedes: &[],
};

/// The project that every Argo CD has.
pub(crate) const DEFAULT: &str = "default";

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let known: BTreeSet<&str> = check.discovery.projects.iter().map(|project| project.name.as_str()).collect();
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        let Some(written) = application.object.at(&["spec", "project"]) else { continue };
        let name = application.project.as_str();
        if name == DEFAULT || known.contains(name) {
            continue;
        }
        let Some(meant) = meant(name, &known) else { continue };
        let message = format!("there is no project `{name}` here; is `{meant}` meant?");
        reports.push(Report::at(&MISSPELT, &written.place, message).help(format!("write `{meant}`, or add the project")));
    }
    reports
}

/// The project that a name which is none of `known` is a slip for.
pub(crate) fn meant<'p>(name: &str, known: &BTreeSet<&'p str>) -> Option<&'p str> {
    known.iter().copied().chain([DEFAULT]).find(|meant| is_slip(&name.to_lowercase(), meant))
}
