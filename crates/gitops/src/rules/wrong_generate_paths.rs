//! Reports paths for which Argo CD is to render anew, but which miss what it renders.
//!
//! ## What it does
//! The annotation `argocd.argoproj.io/manifest-generate-paths` of an Application has paths, separated by `;`: with a slash before them from
//! the root of the repository, otherwise from the folder of each source. A path at which there is nothing is reported, and so is a list none of
//! whose paths holds the folder of a source. Sources in repositories that are not here are not looked at, and lists with patterns hold
//! whatever they may.
//!
//! ## Why it is bad
//! A commit that changes nothing at these paths does not make Argo CD render: what is committed elsewhere arrives with some later commit, or
//! when somebody refreshes by hand. Of all that an Application reads, its own folder is the first thing to be among them.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata:
//!   name: shop
//!   namespace: argocd
//!   annotations: {argocd.argoproj.io/manifest-generate-paths: /base/shop}
//! spec:
//!   project: default
//!   source: {repoURL: https://git.example/team/repo, path: overlays/prod}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata:
//!   name: shop
//!   namespace: argocd
//!   annotations: {argocd.argoproj.io/manifest-generate-paths: .;/base/shop}
//! spec:
//!   project: default
//!   source: {repoURL: https://git.example/team/repo, path: overlays/prod}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## References
//! Argo CD `util/app/path/path.go`, `GetAppRefreshPaths` and `AppFilesHaveChanged`; `docs/operator-manual/high_availability.md`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::checkout::Checkout;
use crate::path;
use crate::source::Source;
use crate::touched::GENERATE_PATHS;

const MISSING: Condition = Condition::warning("missing", "there is nothing at a path");
const SOURCE: Condition = Condition::warning("source", "no path holds the folder of a source");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "wrong-generate-paths",
    summary: "`manifest-generate-paths` that miss what an Application is rendered from",
    conditions: &[MISSING, SOURCE],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        let Some(written) = application.object.at(&["metadata", "annotations", GENERATE_PATHS]) else { continue };
        let items: Vec<&str> = written.as_str().unwrap_or_default().split(';').filter(|item| !item.is_empty()).collect();
        let sources: Vec<&Source> = application.sources.iter().filter(|source| !source.only_ref).collect();
        let places: Vec<(&Checkout, &str)> = sources
            .iter()
            .filter_map(|source| source.place.as_ref())
            .map(|(checkout, folder)| (checkout.as_ref(), folder.as_str()))
            .collect();
        if items.is_empty() || places.is_empty() {
            continue;
        }
        // A path may be meant for a source that is not here.
        if places.len() == application.sources.len() {
            for item in items.iter().filter(|item| !has_pattern(item)) {
                if places.iter().all(|(checkout, folder)| resolved(folder, item).is_none_or(|path| !is_there(checkout, &path))) {
                    let message = format!("there is nothing at `{item}`, for whose changes Argo CD is to render anew");
                    reports.push(Report::at(&MISSING, &written.place, message).help(help(item)));
                }
            }
        }
        if items.iter().any(|item| has_pattern(item)) {
            continue;
        }
        for (checkout, folder) in &places {
            let holds = |item: &&str| {
                resolved(folder, item).is_some_and(|path| path::below(&path, folder).is_some() || path::below(folder, &path).is_some())
            };
            if !items.iter().any(holds) {
                let message = format!(
                    "none of these paths holds `{}`, the folder of a source: a commit there does not make Argo CD render it",
                    checkout.shown(path::shown(folder))
                );
                reports.push(Report::at(&SOURCE, &written.place, message).help("add `.`, which is the folder of the source"));
            }
        }
    }
    reports
}

fn help(item: &str) -> &'static str {
    if item.trim() != item {
        "spaces count: leave them out"
    } else {
        "a slash begins at the repository's root, anything else at the source's `path`"
    }
}

/// Argo CD compares with `filepath.Match`, too.
fn has_pattern(item: &str) -> bool {
    item.contains(['*', '?', '[', '\\'])
}

/// The path that an item means; `None` if it leads out of the repository.
fn resolved(folder: &str, item: &str) -> Option<String> {
    match item.strip_prefix('/') {
        Some(rest) => path::clean(rest),
        None => path::join(folder, item),
    }
}

fn is_there(checkout: &Checkout, path: &str) -> bool {
    checkout.entry(path).is_some()
}
