//! Reports federated subjects that hold cluster-admin, or everything, in one namespace.
//!
//! ## What it does
//! A RoleBinding to `cluster-admin` (or another role of the setting `privilegedClusterRoles`), or to a role whose rules allow
//! everything, is a warning for every federated service account and every user of another system. For groups and e-mail addresses
//! it is recorded only, and so is `admin`.
//!
//! `edit`, and `admin` for a service account, are what RoleBindings are for. Protected namespaces are the business of
//! `federated-admin-in-protected-namespace`.
//!
//! ## Why it is bad
//! Everything in the namespace includes its roles, its quotas and every service account: the subject can act as each of them and
//! give away what it holds.
//!
//! ## Example
//! ```yaml
//! kind: RoleBinding
//! metadata:
//!   namespace: shop
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: cluster-admin
//! subjects:
//!   - kind: ServiceAccount
//!     name: deployer # annotated with a client id
//!     namespace: delivery
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: RoleBinding
//! metadata:
//!   namespace: shop
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: edit
//! subjects:
//!   - kind: ServiceAccount
//!     name: deployer
//!     namespace: delivery
//! ```
//!
//! ## Settings
//! `privilegedClusterRoles`, `detectEquivalent`, `protectedNamespaces`, `federatedUserPatterns`, `allowed`
//!
//! ## References
//! Kubernetes: user-facing roles (what `admin` and `edit` leave out), RBAC good practices.

use fedward_kit::rule::{Check, Condition, Rule};

use crate::binding::{Binding, Power, unless_draft};
use crate::settings::Settings;

const EVERYTHING: Condition = Condition::warning("cluster-admin", "a workload or a machine's user may do everything in a namespace");
const PEOPLE: Condition = Condition::info("people", "a group or an e-mail address holds `cluster-admin` or `admin` in a namespace");
const DRAFT: Condition = Condition::info("draft", "the same, in a base that a kustomization patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "federated-namespace-admin",
    summary: "a federated subject holds cluster-admin, or everything, in one namespace",
    conditions: &[EVERYTHING, PEOPLE, DRAFT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx).filter(|binding| !binding.is_cluster_wide() && !binding.is_protected(cx.settings)) else {
        return;
    };
    let power = binding.real_power(cx);
    if !matches!(power, Power::ClusterAdmin | Power::Admin) {
        return;
    }
    for subject in binding.federated(cx) {
        let condition = match (power, subject.is_human()) {
            (_, true) => &PEOPLE,
            (Power::ClusterAdmin, false) => unless_draft(cx, &EVERYTHING, &DRAFT),
            (_, false) => continue,
        };
        cx.report(
            subject
                .report(condition, format!("{} is bound to `{}` {}", subject.title(), binding.role_name(), binding.reach()))
                .help("bind `edit`, or a Role that lists what it needs"),
        );
    }
}
