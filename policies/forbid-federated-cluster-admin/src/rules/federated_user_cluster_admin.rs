//! Reports users of another system (managed identities, cloud roles, people) that are bound to cluster-admin.
//!
//! ## What it does
//! A ClusterRoleBinding to `cluster-admin` (or another role of the setting `privilegedClusterRoles`) is reported for every user whose
//! name has a form that only another system's identities have: the object id of an Entra identity, an OIDC issuer with a subject, an
//! AWS ARN, a Google service account, a SPIFFE id, a service account of another cluster, or a name that `federatedUserPatterns`
//! matches. E-mail addresses and UPNs, which belong to people, are a warning.
//!
//! Names without such a form say nothing about where they come from and are not reported, nor are Kubernetes' own users.
//!
//! ## Why it is bad
//! AKS knows a managed identity as the user with its object id. Everything that can act as that identity, in whatever cluster or
//! pipeline it is federated with, is administrator of this cluster. A role that lists what the identity deploys limits what a stolen
//! token is worth.
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
//!     kind: User
//!     name: 8a1f5c20-6f0e-4f0b-9d53-2f6f3c1f7a10 # object id of a managed identity
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: RoleBinding
//! metadata:
//!   namespace: shop
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: Role
//!   name: deployer
//! subjects:
//!   - apiGroup: rbac.authorization.k8s.io
//!     kind: User
//!     name: 8a1f5c20-6f0e-4f0b-9d53-2f6f3c1f7a10
//! ```
//!
//! ## Settings
//! `privilegedClusterRoles`, `federatedUserPatterns`, `allowed`
//!
//! ## References
//! Kubernetes: RBAC good practices; authentication ("OpenID Connect Tokens": user names are `<issuer>#<subject>` without a prefix).
//! AKS: Entra integration ("object id" of users and service principals). A GUID can also be a guest, whom AKS knows by object id too.

use fedward_kit::rule::{Check, Condition, Rule};

use crate::binding::{Binding, Power};
use crate::settings::Settings;
use crate::subject::{Class, Who};

const MACHINE: Condition = Condition::error("machine", "the user is a machine's identity in another system");
const PERSON: Condition = Condition::warning("person", "the user is an e-mail address or UPN");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "federated-user-cluster-admin",
    summary: "a user of another system is bound to cluster-admin",
    conditions: &[MACHINE, PERSON],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx).filter(|binding| binding.is_cluster_wide() && binding.power(cx.settings) == Power::ClusterAdmin)
    else {
        return;
    };
    for subject in binding.federated(cx) {
        let (condition, help) = match (subject.subject.who, subject.class) {
            (Who::Machine(_), _) => {
                (&MACHINE, "bind it to a Role in the namespaces that it works in, or to a ClusterRole that lists what it needs")
            }
            (_, Class::Person) => (&PERSON, "bind a group whose membership expires, or a role that lists what the person needs"),
            _ => continue,
        };
        cx.report(
            subject.report(condition, format!("{} is bound to `{}` in the whole cluster", subject.title(), binding.role_name())).help(help),
        );
    }
}
