//! Reports ApplicationSets whose projects depend on parameters.
//!
//! ## What it does
//! An ApplicationSet whose template has `{{ … }}` in `spec.project` is reported. With a list generator alone, all projects are written in the
//! set itself: that is no finding.
//!
//! ## Why it is bad
//! Whoever can write what the generator reads (a folder in a repository, a label of a cluster, a pull request) chooses the project, and with
//! it what the Application may deploy, and where. Argo CD's own documentation asks that only administrators can.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: teams, namespace: argocd}
//! spec:
//!   generators:
//!   - git:
//!       repoURL: https://git.example/teams/apps
//!       revision: HEAD
//!       directories: [{path: '*'}]
//!   template:
//!     metadata: {name: '{{path.basename}}'}
//!     spec: {project: '{{path.basename}}'}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: teams, namespace: argocd}
//! spec:
//!   generators:
//!   - git:
//!       repoURL: https://git.example/teams/apps
//!       revision: HEAD
//!       directories: [{path: '*'}]
//!   template:
//!     metadata: {name: '{{path.basename}}'}
//!     spec: {project: teams}
//! ```
//!
//! ## References
//! Argo CD `docs/operator-manual/applicationset/Security.md`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const TEMPLATED: Condition = Condition::warning("templated", "`spec.project` of the template depends on parameters from elsewhere");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "templated-project",
    summary: "an ApplicationSet that lets its generators choose the project",
    conditions: &[TEMPLATED],
    supersedes: &[],
};

/// Generators whose parameters are written outside of the set.
const ELSEWHERE: &[&str] = &["clusters", "git", "oci", "scmProvider", "clusterDecisionResource", "pullRequest", "plugin"];

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for set in &check.discovery.sets {
        let is_from_elsewhere = !super::generators(&set.object, ELSEWHERE).is_empty();
        for project in super::templates(&set.object).filter_map(|template| template.at(&["spec", "project"])).filter(|_| is_from_elsewhere)
        {
            if project.as_str().is_some_and(|text| text.contains("{{")) {
                let message = format!("project `{}` depends on what the generators find", project.as_str().unwrap_or_default());
                let help = "write the project, or let only administrators write what the generators read";
                reports.push(Report::at(&TEMPLATED, &project.place, message).help(help));
            }
        }
    }
    reports
}
