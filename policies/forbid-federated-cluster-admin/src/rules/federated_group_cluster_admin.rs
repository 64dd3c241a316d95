//! Reports groups of another system that are bound to cluster-admin.
//!
//! ## What it does
//! A ClusterRoleBinding to `cluster-admin` (or another role of the setting `privilegedClusterRoles`) is reported for every group that
//! comes from outside the cluster, named or by object id. It is a warning: many clusters have one such group of people on purpose.
//! With the setting `forbidAdminGroups` it is an error.
//!
//! Kubernetes' own groups (`system:…`, `kubeadm:cluster-admins`) are not reported.
//!
//! ## Why it is bad
//! Whoever can change the group in the other system is administrator here, and workload identities can be members of it too. Nobody
//! sees that in the cluster.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRoleBinding
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: cluster-admin
//! subjects:
//!   - apiGroup: rbac.authorization.k8s.io
//!     kind: Group
//!     name: 2b9c7e1a-51f4-4c7a-8b1e-7d2f0a6c9e33
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
//!   - apiGroup: rbac.authorization.k8s.io
//!     kind: Group
//!     name: 2b9c7e1a-51f4-4c7a-8b1e-7d2f0a6c9e33
//! ```
//!
//! ## Settings
//! `forbidAdminGroups`, `privilegedClusterRoles`, `allowed`
//!
//! ## References
//! Kubernetes: RBAC good practices. AKS: Entra integration (groups are object ids). kubeadm: `kubeadm:cluster-admins`.

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, Power};
use crate::settings::Settings;
use crate::subject::Who;

const GROUP: Condition = Condition::warning("group", "a group of another system is bound to cluster-admin");
const FORBIDDEN: Condition = Condition::error("forbidden", "the same, with the setting `forbidAdminGroups`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "federated-group-cluster-admin",
    summary: "a group of another system is bound to cluster-admin",
    conditions: &[GROUP, FORBIDDEN],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx).filter(|binding| binding.is_cluster_wide() && binding.power(cx.settings) == Power::ClusterAdmin)
    else {
        return;
    };
    let condition = if cx.settings.forbid_admin_groups { &FORBIDDEN } else { &GROUP };
    for subject in binding.subjects(cx.settings).filter(|subject| subject.who == Who::Group) {
        cx.report(
            Report::new(
                condition,
                subject.name,
                format!("{} of another system is bound to `{}` in the whole cluster", subject.title(), binding.role_name()),
            )
            .help("bind it in the namespaces that its members work in, or to a ClusterRole that lists what they need"),
        );
    }
}
