//! Reports git generators whose `files` are passed over.
//!
//! ## What it does
//! A git generator that has both `directories` and `files` is reported, in a matrix or a merge, too.
//!
//! ## Why it is bad
//! Argo CD then looks at `directories` only. The parameters that the files hold are not there, and the Applications that they would make are
//! not made.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   generators:
//!   - git:
//!       repoURL: https://git.example/team/repo
//!       revision: HEAD
//!       directories: [{path: 'apps/*'}]
//!       files: [{path: 'apps/*/config.json'}]
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   generators:
//!   - git:
//!       repoURL: https://git.example/team/repo
//!       revision: HEAD
//!       files: [{path: 'apps/*/config.json'}]
//! ```
//!
//! ## References
//! Argo CD `applicationset/generators/repo_path_utils.go`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const IGNORED: Condition = Condition::warning("ignored", "a git generator has `directories`, so that its `files` do not count");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "ignored-git-files",
    summary: "a git generator with `files` that do not count",
    conditions: &[IGNORED],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for set in &check.discovery.sets {
        for generator in super::generators(&set.object, &["git", "oci"]) {
            let has = |key: &str| generator.list(key).next().is_some();
            if let Some(files) = generator.get("files").filter(|_| has("directories") && has("files")) {
                let message = "these `files` do not count: the generator has `directories`, too";
                reports.push(
                    Report::at(&IGNORED, &files.place, message).help("take a generator of its own for each, or leave one of them out"),
                );
            }
        }
    }
    reports
}
