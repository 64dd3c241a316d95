//! Reports sources that are there to be referred to, and that nothing refers to.
//!
//! ## What it does
//! A source with `ref` and with neither `path` nor `chart` renders nothing: it is there so that values files of other sources can be named
//! `$ref/…`. One that no text of the Application's sources names in this way is reported. Sources with plugins may use it as they like, and
//! keep this rule quiet.
//!
//! ## Why it is bad
//! A values file that was to come from there is looked for in the chart instead, where it is missing, or is another of the same name. With
//! `ignoreMissingValueFiles` nothing tells of it.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   sources:
//!   - repoURL: https://charts.example
//!     chart: shop
//!     targetRevision: 1.2.3
//!     helm: {valueFiles: [values/shop/prod.yaml]}
//!   - {repoURL: https://git.example/team/repo, targetRevision: main, ref: values}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   sources:
//!   - repoURL: https://charts.example
//!     chart: shop
//!     targetRevision: 1.2.3
//!     helm: {valueFiles: [$values/shop/prod.yaml]}
//!   - {repoURL: https://git.example/team/repo, targetRevision: main, ref: values}
//! ```
//!
//! ## References
//! Argo CD `docs/user-guide/multiple_sources.md`; `reposerver/repository/repository.go`, `getResolvedValueFiles`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const UNUSED: Condition = Condition::warning("unused", "nothing refers to a source that renders nothing itself");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unused-source-ref",
    summary: "a source with `ref` alone that nothing refers to",
    conditions: &[UNUSED],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        if application.sources.iter().any(|source| source.effective.get("plugin").is_some()) {
            continue;
        }
        for source in application.sources.iter().filter(|source| source.only_ref) {
            let Some(name) = source.spec.get("ref") else { continue };
            let reference = format!("${}", name.as_str().unwrap_or_default());
            let is_used = |text: &str| text.strip_prefix(reference.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if application.sources.iter().any(|other| other.effective.any_text(&mut |text: &str| is_used(text))) {
                continue;
            }
            let message = format!("no values file begins with `{reference}/`, so that this source is there for nothing");
            reports.push(
                Report::at(&UNUSED, &name.place, message).help(format!("write `{reference}/…` in `valueFiles`, or leave the source out")),
            );
        }
    }
    reports
}
