//! Reports workloads of a cloud identity that hold `edit` or `admin` in the whole cluster.
//!
//! ## What it does
//! A ClusterRoleBinding to Kubernetes' own `edit` or `admin` is reported for every federated service account and every machine's
//! user of another system. In a RoleBinding these roles are fine, outside protected namespaces.
//!
//! People and their groups are not reported.
//!
//! ## Why it is bad
//! `edit` reads every secret, runs pods as every service account and issues their tokens. In one namespace that is its purpose; in
//! `kube-system` it is the cluster.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRoleBinding
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: edit
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
//! `federatedServiceAccounts`, `federatedUserPatterns`, `allowed`
//!
//! ## References
//! Kubernetes: user-facing roles, RBAC good practices ("Workload creation").

use fedward_kit::rule::{Check, Condition, Rule};

use crate::binding::{Binding, Power, unless_draft};
use crate::settings::Settings;
use crate::subject::Class;

const WIDE: Condition = Condition::warning("cluster-wide", "a workload or a machine's user holds `edit` or `admin` in every namespace");
const DRAFT: Condition = Condition::info("draft", "the same, in a base that a kustomization patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "cluster-wide-edit",
    summary: "a federated workload holds `edit` or `admin` in the whole cluster",
    conditions: &[WIDE, DRAFT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx).filter(Binding::is_cluster_wide) else { return };
    if !matches!(binding.power(cx.settings), Power::Edit | Power::Admin) {
        return;
    }
    for subject in binding.federated(cx).into_iter().filter(|subject| matches!(subject.class, Class::Machine | Class::Sso)) {
        cx.report(
            subject
                .report(
                    unless_draft(cx, &WIDE, &DRAFT),
                    format!("{} is bound to `{}` {}", subject.title(), binding.role_name(), binding.reach()),
                )
                .help("bind the role with a RoleBinding in each namespace that it works in"),
        );
    }
}
