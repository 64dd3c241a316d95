//! Reports service accounts as which people act through Argo's single sign-on, and that are bound to cluster-admin.
//!
//! ## What it does
//! Argo Server maps people to the service account whose annotation `workflows.argoproj.io/rbac-rule` fits their claims. A
//! ClusterRoleBinding of such an account to `cluster-admin` (or another role of the setting `privilegedClusterRoles`) is reported.
//!
//! An account that also signs in to a cloud is reported by `federated-account-cluster-admin` instead. In a cluster the rule also looks
//! at an account that gets the annotation while such a binding exists.
//!
//! ## Why it is bad
//! The rule is an expression over groups of the identity provider. Whoever can get into such a group, or finds an expression that is
//! wider than meant, is administrator of the cluster without having an account in it.
//!
//! ## Example
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: argo-admin
//!   namespace: argo
//!   annotations:
//!     workflows.argoproj.io/rbac-rule: "'platform' in groups"
//! ---
//! kind: ClusterRoleBinding
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: cluster-admin
//! subjects:
//!   - kind: ServiceAccount
//!     name: argo-admin
//!     namespace: argo
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ClusterRoleBinding
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: argo-admin # workflows and their templates, nothing else
//! subjects:
//!   - kind: ServiceAccount
//!     name: argo-admin
//!     namespace: argo
//! ```
//!
//! ## Settings
//! `privilegedClusterRoles`, `allowed`
//!
//! ## References
//! Argo Workflows: `docs/argo-server-sso.md` ("SSO RBAC").

use fedward_kit::identity::{ARGO_SSO_RULE, ServiceAccount};
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, Power, admin_bindings_of, unless_draft};
use crate::settings::Settings;
use crate::subject::Federated;

const ADMIN: Condition = Condition::error("cluster-admin", "people act as an account that is bound to cluster-admin");
const DRAFT: Condition = Condition::info("draft", "the same, in a base that a kustomization patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "sso-mapped-cluster-admin",
    summary: "people act through Argo's single sign-on as an account that is bound to cluster-admin",
    conditions: &[ADMIN, DRAFT],
    supersedes: &[],
    check,
};

const HELP: &str = "bind a role that lists what these people do in Argo";

fn check(cx: &Check<'_, Settings>) {
    if let Some(binding) = Binding::under(cx)
        && binding.is_cluster_wide()
        && binding.power(cx.settings) == Power::ClusterAdmin
    {
        for subject in binding.federated(cx).iter().filter_map(Federated::as_sso) {
            cx.report(
                subject
                    .report(
                        unless_draft(cx, &ADMIN, &DRAFT),
                        format!("{} is bound to `{}` {}", subject.title(), binding.role_name(), binding.reach()),
                    )
                    .help(HELP),
            );
        }
    }
    for (binding, subject) in admin_bindings_of(cx) {
        let rule = ServiceAccount::of(cx.object).annotation(ARGO_SSO_RULE);
        if rule.filled().is_some() {
            let message = format!(
                "{}, as which people act through Argo's single sign-on, is bound to `{}` in the whole cluster",
                subject.title(),
                binding.role_name()
            );
            cx.report(Report::new(&ADMIN, rule, message).help(HELP).related(subject.name, "what binds it"));
        }
    }
}
