//! Reports ApplicationSets of which Argo CD would make nothing, or not what they say.
//!
//! ## What it does
//! A mistake in a generator, in a template or in the patch is reported where it is written: a list without `goTemplate` that has other values
//! than strings, a matrix that has not two generators, two git generators whose paths clash, merge keys that two sets of parameters share, a
//! selector with an unknown operator, a patch that is no YAML once it is filled in. So is an entry of `generators` that is none.
//!
//! ## Why it is bad
//! One generator that fails keeps Argo CD from changing any Application of the set. One that it does not know is passed over with no more
//! than a line in a log.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   generators:
//!   - list:
//!       elements:
//!       - {name: north, replicas: 3}
//!   template:
//!     metadata: {name: 'shop-{{name}}'}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   generators:
//!   - list:
//!       elements:
//!       - {name: north, replicas: "3"}
//!   template:
//!     metadata: {name: 'shop-{{name}}'}
//! ```
//!
//! ## References
//! Argo CD `applicationset/generators`, `applicationset/controllers/template`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::appset::SetState;

const FAILED: Condition = Condition::error("failed", "Argo CD would change no Application of the set");
const UNKNOWN: Condition = Condition::warning("unknown-generator", "an entry of `generators` is no generator");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unusable-application-set",
    summary: "an ApplicationSet of which Argo CD makes nothing, or not all",
    conditions: &[FAILED, UNKNOWN],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for set in &check.discovery.sets {
        let report = |condition, reason: &crate::reason::Reason| {
            Report::at(condition, reason.place.as_ref().unwrap_or(&set.object.place), reason.text.as_str())
        };
        if let SetState::Failed(reason) = &set.state {
            reports.push(report(&FAILED, reason).leaves_unjudged());
        }
        reports.extend(set.notes.iter().map(|note| report(&UNKNOWN, note)));
    }
    reports
}
