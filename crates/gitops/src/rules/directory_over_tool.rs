//! Reports sources that take a chart or a kustomization for a folder of plain manifests.
//!
//! ## What it does
//! A source with `directory` (or just with names of files in it) whose folder has a `Chart.yaml` or a kustomization is reported. Tools that
//! are turned off in `argocd-cm` do not count.
//!
//! ## Why it is bad
//! What a source says wins over what its files are. Of a chart, Argo CD then reads `values.yaml` and passes it over, and fails at the first
//! template; of a kustomization it applies the resources without anything that the kustomization changes in them.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   source:
//!     repoURL: https://git.example/team/repo
//!     path: overlays/prod
//!     directory: {recurse: true}
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
//!     path: overlays/prod
//! ```
//!
//! ## References
//! Argo CD `reposerver/repository/repository.go`, `GetAppSourceType`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::source::{SourceType, discovered};

const TOOL: Condition = Condition::warning("tool", "the folder of a `directory` source is a chart or a kustomization");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "directory-over-tool",
    summary: "a chart or a kustomization that is read as plain manifests",
    conditions: &[TOOL],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let settings = &check.discovery.settings;
    let is_on = |kind| match kind {
        SourceType::Helm => settings.helm,
        SourceType::Kustomize => settings.kustomize,
        _ => true,
    };
    let mut reports = Vec::new();
    for source in check.discovery.applications.iter().flat_map(|application| &application.sources) {
        let (Some(directory), Some((checkout, folder))) = (source.effective.get("directory"), &source.place) else { continue };
        if source.kind != Some(SourceType::Directory) {
            continue;
        }
        let what = match discovered(checkout, folder, is_on) {
            SourceType::Helm => "a chart",
            SourceType::Kustomize => "a kustomization",
            _ => continue,
        };
        let message = format!("`{}` is {what}, and `directory` has it read as plain manifests", checkout.shown(folder));
        reports.push(Report::at(&TOOL, &directory.place, message).help("leave `directory` out, or point `path` to plain manifests"));
    }
    reports
}
