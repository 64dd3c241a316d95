//! Reports service accounts that sign in to a cloud and are bound to cluster-admin.
//!
//! ## What it does
//! A ClusterRoleBinding to `cluster-admin` (or another role of the setting `privilegedClusterRoles`) is reported for every subject
//! that is a federated service account: annotated for Azure, AWS or Google Cloud, named by a federated credential or an EKS Pod
//! Identity association, used by an object that has its tokens issued, or listed in `federatedServiceAccounts`. A user called
//! `system:serviceaccount:<namespace>:<name>` is that account.
//!
//! The stock set-ups of Velero, Flux and Argo CD document such a binding: under their usual names and labels it is a warning.
//!
//! In a cluster the rule also looks at a service account that becomes federated while such a binding exists.
//!
//! ## Why it is bad
//! Whoever gets hold of one token of the account owns the cluster *and* the cloud identity. A workload that talks to the outside world
//! is the one whose tokens travel most, and cluster-admin also lets it federate, impersonate or replace every other identity.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRoleBinding
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
//!   kind: Role
//!   name: deployer # lists what it deploys
//! subjects:
//!   - kind: ServiceAccount
//!     name: deployer
//!     namespace: delivery
//! ```
//!
//! ## Settings
//! `privilegedClusterRoles`, `allowed`, `federatedServiceAccounts`
//!
//! ## References
//! Kubernetes: RBAC good practices ("Least privilege"); Velero: `velero install` and its chart; Flux: `cluster-reconciler`.

use fedward_kit::identity::ServiceAccount;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, Power, admin_bindings_of, unless_draft};
use crate::preset;
use crate::settings::Settings;
use crate::subject::{Class, Federated, Who};

const ADMIN: Condition = Condition::error("cluster-admin", "a federated service account is bound to cluster-admin");
const DOCUMENTED: Condition =
    Condition::warning("documented", "the same, in the stock set-up of Velero, Flux or Argo CD, which documents it");
const DRAFT: Condition = Condition::info("draft", "the same, in a base that a kustomization patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "federated-account-cluster-admin",
    summary: "a service account that signs in to a cloud is bound to cluster-admin",
    conditions: &[ADMIN, DOCUMENTED, DRAFT],
    // An account that is federated in both ways is reported once.
    supersedes: &["sso-mapped-cluster-admin"],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if let Some(binding) = Binding::under(cx)
        && binding.is_cluster_wide()
        && binding.power(cx.settings) == Power::ClusterAdmin
    {
        for subject in binding.federated(cx) {
            if let (Class::Machine, Who::Account { name, .. }) = (subject.class, subject.subject.who) {
                report(cx, &binding, &subject, name);
            }
        }
    }
    becomes_federated(cx);
}

fn report<'a>(cx: &Check<'a, Settings>, binding: &Binding<'a>, subject: &Federated<'a>, name: &str) {
    let role = binding.role_name();
    let (condition, why) = match preset::of(role, name, &[binding.object]) {
        Some(title) => (&DOCUMENTED, format!(", as the stock set-up of {title} has it")),
        None => (&ADMIN, String::new()),
    };
    cx.report(
        subject
            .report(unless_draft(cx, condition, &DRAFT), format!("{} is bound to `{role}` {}{why}", subject.title(), binding.reach()))
            .help("bind it to a Role in the namespaces that it works in, or to a ClusterRole that lists what it needs"),
    );
}

/// The account itself is under admission, and a binding was there before.
fn becomes_federated(cx: &Check<'_, Settings>) {
    for (binding, subject) in admin_bindings_of(cx) {
        let marks = ServiceAccount::of(cx.object).marks();
        let Some(mark) = marks.first().map(|(_, node)| *node) else { continue };
        let Some(federated) = Federated::account(subject, marks).filter(|federated| federated.class == Class::Machine) else { continue };
        cx.report(
            Report::new(&ADMIN, mark, format!("{} is bound to `{}` in the whole cluster", federated.title(), binding.role_name()))
                .help("remove the binding first, or federate another service account")
                .related(subject.name, "what binds it"),
        );
    }
}
