//! Reports `ignoreMissingValueFiles` where none of the values files is there.
//!
//! ## What it does
//! A Helm source that passes over missing values files is reported if it names some and all of them are missing. Files in repositories that are
//! not here are not known, and then nothing is reported.
//!
//! ## Why it is bad
//! A wrong folder or a file that was renamed looks like an environment without values of its own: the chart is deployed with its defaults.
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
//!       ignoreMissingValueFiles: true
//!       valueFiles: [values/prd.yaml]
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
//!       valueFiles: [values/prod.yaml]
//! ```
//!
//! ## References
//! Argo CD `reposerver/repository/repository.go`, `getResolvedValueFiles`; issue 21739 of Argo CD.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const ALL: Condition = Condition::warning("all", "all values files are missing, and that is passed over");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "missing-values-files",
    summary: "values files that are all missing, which is passed over",
    conditions: &[ALL],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for source in check.discovery.applications.iter().flat_map(|application| &application.sources) {
        let Some(helm) = source.effective.get("helm").filter(|helm| helm.flag("ignoreMissingValueFiles")) else { continue };
        let Some(files) = helm.get("valueFiles").filter(|files| files.as_list().is_some_and(|files| !files.is_empty())) else { continue };
        if source.values_files == Some(0) {
            let names: Vec<String> = helm.texts("valueFiles").map(|name| format!("`{name}`")).collect();
            let message = format!("none of the values files is there ({}), and the chart is deployed with its defaults", names.join(", "));
            reports.push(Report::at(&ALL, &files.place, message).help("correct the paths, or leave `valueFiles` out"));
        }
    }
    reports
}
