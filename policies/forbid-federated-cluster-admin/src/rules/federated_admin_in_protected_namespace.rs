//! Reports federated subjects that administer a namespace from which the cluster can be taken over.
//!
//! ## What it does
//! In a namespace of the setting `protectedNamespaces` a RoleBinding to `cluster-admin`, `admin`, or a role whose rules allow
//! everything is reported for every federated service account and every user of another system. For `edit`, and for groups and
//! e-mail addresses, it is a warning.
//!
//! Other roles are judged by `cluster-admin-equivalent`.
//!
//! ## Why it is bad
//! Whoever may run pods or read secrets in `kube-system` or beside Argo CD can act as the service accounts that live there, among
//! them ones that hold the whole cluster, and can read the credentials of every cluster that Argo CD manages.
//!
//! ## Example
//! ```yaml
//! kind: RoleBinding
//! metadata:
//!   namespace: kube-system
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: admin
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
//!   namespace: kube-system
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: Role
//!   name: read-cluster-info # get on one ConfigMap
//! subjects:
//!   - kind: ServiceAccount
//!     name: deployer
//!     namespace: delivery
//! ```
//!
//! ## Settings
//! `protectedNamespaces`, `privilegedClusterRoles`, `detectEquivalent`, `federatedUserPatterns`, `allowed`
//!
//! ## References
//! Kubernetes: RBAC good practices ("Workload creation", "Listing secrets"), user-facing roles. That people's groups and e-mail
//! addresses are no worse than a warning here follows `federated-group-cluster-admin`: they are a warning in the whole cluster too.

use fedward_kit::rule::{Check, Condition, Rule};

use crate::binding::{Binding, Power, unless_draft};
use crate::settings::Settings;

const ADMIN: Condition = Condition::error("admin", "a workload or a machine's user administers a protected namespace");
const EDIT: Condition = Condition::warning("edit", "it may edit a protected namespace");
const PEOPLE: Condition = Condition::warning("people", "a group or an e-mail address administers a protected namespace");
const DRAFT: Condition = Condition::info("draft", "the same, in a base that a kustomization patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "federated-admin-in-protected-namespace",
    summary: "a federated subject administers a namespace from which the cluster can be taken over",
    conditions: &[ADMIN, EDIT, PEOPLE, DRAFT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx).filter(|binding| binding.is_protected(cx.settings)) else { return };
    let power = binding.real_power(cx);
    if power == Power::Other {
        return;
    }
    for subject in binding.federated(cx) {
        let condition = match (power, subject.is_human()) {
            (Power::Edit, true) => continue,
            (_, true) => &PEOPLE,
            (Power::Edit, false) => &EDIT,
            (_, false) => &ADMIN,
        };
        cx.report(
            subject
                .report(
                    unless_draft(cx, condition, &DRAFT),
                    format!(
                        "{} is bound to `{}` {}, which leads to the whole cluster",
                        subject.title(),
                        binding.role_name(),
                        binding.reach()
                    ),
                )
                .help("bind a Role that lists the few things that it needs here"),
        );
    }
}
