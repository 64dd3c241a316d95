//! Reports policy manifests that a cluster would refuse, or run otherwise than they are written.
//!
//! ## What it does
//! A `ClusterAdmissionPolicy`, an `AdmissionPolicy`, a policy group or an entry of `policies.yml` has a field that cannot be, settings
//! that its module refuses, or a condition or expression that does not compile. A field that does not exist is a warning: the API
//! server drops it. So are two manifests of one kind and name that say different things: a cluster has the one that was applied last. Each
//! mistake is reported where it stands. What cannot be used does not run; of two with one name both do.
//!
//! ## Why it is bad
//! The API server refuses the manifest, or the policy server does not start, or a policy does less than it seems to.
//!
//! ## Example
//! ```yaml
//! apiVersion: policies.kubewarden.io/v1
//! kind: ClusterAdmissionPolicy
//! metadata: {name: identity-labels}
//! spec:
//!   module: require-identity-labels
//!   mutating: false
//!   rules: [{apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE]}]
//!   settings: {onUpdate: sometimes}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: policies.kubewarden.io/v1
//! kind: ClusterAdmissionPolicy
//! metadata: {name: identity-labels}
//! spec:
//!   module: require-identity-labels
//!   mutating: false
//!   rules: [{apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE]}]
//!   settings: {onUpdate: rejectNew}
//! ```
//!
//! ## References
//! Kubewarden, "Custom resource definitions", and `docs/kubewarden-parity.md`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::Span;

use super::Report;

const INVALID: Condition = Condition::error("invalid", "a field cannot be as it is");
const SETTINGS: Condition = Condition::error("settings", "the module refuses the settings");
const EXPRESSION: Condition = Condition::error("expression", "a condition or an expression does not compile");
const SAME_NAME: Condition = Condition::warning("same-name", "another manifest has the kind and the name, and says something else");
const UNKNOWN: Condition = Condition::warning("ignored-field", "a field does not exist and is dropped, or can never match");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unusable-policy",
    summary: "a policy manifest that the cluster refuses, or that does less than it says",
    conditions: &[INVALID, SETTINGS, EXPRESSION, SAME_NAME, UNKNOWN],
    supersedes: &[],
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A field that cannot be.
    Field,
    /// A field that is dropped.
    Ignored,
    /// Settings.
    Settings,
    /// A condition or an expression.
    Expression,
    /// Its name, which another has.
    Name,
}

/// A mistake on its place.
pub(crate) fn report(wrong: Wrong, span: Span, message: impl Into<String>) -> Report<'static> {
    let condition = match wrong {
        Wrong::Field => &INVALID,
        Wrong::Ignored => &UNKNOWN,
        Wrong::Settings => &SETTINGS,
        Wrong::Expression => &EXPRESSION,
        Wrong::Name => &SAME_NAME,
    };
    Report::new(&RULE, condition, span, message)
}
