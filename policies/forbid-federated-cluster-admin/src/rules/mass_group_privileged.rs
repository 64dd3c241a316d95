//! Reports privileged roles that are bound to everybody, to every service account, or to `system:masters`.
//!
//! ## What it does
//! A privileged role is `cluster-admin` (or another role of the setting `privilegedClusterRoles`), `admin`, `edit`, or a role whose
//! rules come to more than they seem to (see `cluster-admin-equivalent`). It is reported where it is bound to
//! `system:authenticated`, `system:unauthenticated`, `system:anonymous` or `system:serviceaccounts`, and to
//! `system:serviceaccounts:<namespace>` if a federated service account lives in that namespace.
//!
//! A binding that names `system:masters` is reported whatever its role. So is none of the objects that the API server makes itself
//! (label `kubernetes.io/bootstrapping`), nor a harmless role for everybody such as `system:basic-user`.
//!
//! ## Why it is bad
//! These groups contain every federated service account, and everybody whom the cluster's OIDC issuers let in. Members of
//! `system:masters` pass authorization before any policy is asked.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRoleBinding
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: edit
//! subjects:
//!   - apiGroup: rbac.authorization.k8s.io
//!     kind: Group
//!     name: system:serviceaccounts
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
//!   - kind: ServiceAccount
//!     name: deployer
//!     namespace: shop
//! ```
//!
//! ## Settings
//! `privilegedClusterRoles`, `detectEquivalent`, `protectedNamespaces`, `allowed`
//!
//! ## References
//! Kubernetes: RBAC good practices ("avoid adding users to the `system:masters` group"), default roles and role bindings.

use fedward_kit::finding::Severity;
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, Power, is_bootstrapped};
use crate::rights::Danger;
use crate::settings::Settings;
use crate::subject::{Subject, Who};

const PRIVILEGED: Condition = Condition::error("privileged", "a privileged role is bound to a group that contains everybody");
const DANGEROUS: Condition =
    Condition::warning("dangerous", "the role lets everybody do more than it seems to, or counts in one namespace only");
const MASTERS: Condition = Condition::error("masters", "a binding names `system:masters`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "mass-group-privileged",
    summary: "a privileged role is bound to everybody, to every service account, or to `system:masters`",
    conditions: &[PRIVILEGED, DANGEROUS, MASTERS],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx).filter(|_| !is_bootstrapped(cx.object)) else { return };
    for subject in binding.subjects(cx.settings) {
        match subject.who {
            Who::Masters => cx.report(
                Report::new(&MASTERS, subject.name, "group `system:masters` needs no binding: its members may do everything, unasked")
                    .help("bind a group of your own, and give nobody `system:masters`"),
            ),
            Who::Everyone => report(cx, &binding, subject, None),
            Who::AccountsOf(namespace) => {
                let accounts = index::federated_accounts(cx.context, namespace, subject.name).map(|list| list.items).unwrap_or_default();
                if let Some(account) = accounts.first() {
                    report(cx, &binding, subject, Some(*account));
                }
            }
            _ => {}
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, binding: &Binding<'a>, subject: Subject<'a>, account: Option<Node<'a>>) {
    let Some((condition, danger)) = judge(cx, binding, account.is_some()) else { return };
    let why = if account.is_some() { ", in whose namespace a federated service account lives," } else { "" };
    let right = danger.map_or_else(String::new, |danger| format!(", and may {}", danger.what));
    let mut report = Report::new(
        condition,
        subject.name,
        format!("{}{why} is bound to `{}` {}{right}", subject.title(), binding.role_name(), binding.reach()),
    )
    .help("bind the few subjects that need it, each by name");
    if let Some(account) = account {
        report = report.related(account.get("metadata").get("name"), "a federated service account of the group");
    }
    if let Some(rule) = danger.and_then(|danger| danger.rule) {
        report = report.related(rule, "what allows it");
    }
    cx.report(report);
}

/// How bad the role is in such hands, and why, where its name does not say it.
fn judge<'a>(cx: &Check<'a, Settings>, binding: &Binding<'a>, one_namespace: bool) -> Option<(&'a Condition, Option<Danger<'a>>)> {
    let power = binding.real_power(cx);
    if power != Power::Other {
        // The accounts of one namespace that may do much in one namespace are what role bindings are for.
        let condition = match power {
            _ if binding.is_cluster_wide() || !one_namespace => &PRIVILEGED,
            Power::ClusterAdmin | Power::Admin if binding.is_protected(cx.settings) => &PRIVILEGED,
            Power::ClusterAdmin => &DANGEROUS,
            _ => return None,
        };
        return Some((condition, None));
    }
    let worst = binding.dangers(cx).0.into_iter().next()?;
    let condition = match (worst.level, binding.is_cluster_wide()) {
        (Severity::Error | Severity::Warning, true) => &PRIVILEGED,
        (_, false) if one_namespace => return None,
        _ => &DANGEROUS,
    };
    Some((condition, Some(worst)))
}
