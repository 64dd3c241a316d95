//! Reports bindings of federated subjects whose role is not known.
//!
//! ## What it does
//! A binding of a federated subject is judged by its role. Where the role is neither one of Kubernetes' own nor among the objects that
//! are loaded (or in the cluster), that is recorded as information, so that nobody takes silence for a verdict.
//!
//! ## Why it is bad
//! A binding may wait for a role that somebody else makes, and then allows whatever that one lists.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRoleBinding
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: deployer # in another repository
//! subjects:
//!   - kind: ServiceAccount
//!     name: deployer # annotated with a client id
//!     namespace: delivery
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ClusterRole
//! metadata:
//!   name: deployer # beside its binding, or loaded with --context
//! rules:
//!   - apiGroups: [apps]
//!     resources: [deployments]
//!     verbs: [get, list, watch, update, patch]
//! ```
//!
//! ## Settings
//! `privilegedClusterRoles`, `federatedUserPatterns`, `allowed`, `detectEquivalent` (without it roles are judged by name alone)
//!
//! ## References
//! Kubernetes: RBAC, "RoleBinding and ClusterRoleBinding" (a binding to a role that does not exist is legal).

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, Power, Role};
use crate::settings::Settings;

const UNKNOWN: Condition = Condition::info("unknown", "a federated subject is bound to a role that is not known");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unresolved-role",
    summary: "a federated subject is bound to a role that is not known",
    conditions: &[UNKNOWN],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx) else { return };
    if !cx.settings.detect_equivalent || binding.power(cx.settings) != Power::Other || !matches!(binding.resolve(cx), Role::Unknown) {
        return;
    }
    let subjects = binding.federated(cx);
    let Some(first) = subjects.first() else { return };
    let others = if subjects.len() > 1 { format!(" and {} more", subjects.len() - 1) } else { String::new() };
    let report = Report::new(
        &UNKNOWN,
        binding.role,
        format!(
            "{} `{}` is not known, so what {}{others} may do cannot be judged",
            binding.role_kind,
            binding.role_name(),
            first.subject.title()
        ),
    )
    .help("load the role with the binding, or name the binding in the setting `allowed`");
    cx.report(subjects.iter().fold(report, |report, subject| report.related(subject.subject.name, "a federated subject")));
}
