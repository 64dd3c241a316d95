//! Reports role bindings that let others act as a federated service account of the namespace.
//!
//! ## What it does
//! In a namespace with federated service accounts, a RoleBinding whose role may run pods (or Argo workflows) there is recorded: whoever
//! runs a pod chooses its service account. A role that may have tokens of service accounts issued, or may impersonate them, is a
//! warning. Kubernetes' `edit` and `admin` run pods.
//!
//! Bindings whose only subject is the federated service account itself, and bindings of Kubernetes' own components, are not reported.
//!
//! ## Why it is bad
//! The cloud trusts the service account, not the people who may use it. Everybody who may create a pod in the namespace holds the cloud
//! identity, and no binding says so.
//!
//! ## Example
//! ```yaml
//! kind: RoleBinding
//! metadata:
//!   namespace: delivery # in which a service account is annotated with a client id
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: edit
//! subjects:
//!   - apiGroup: rbac.authorization.k8s.io
//!     kind: Group
//!     name: developers
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: RoleBinding
//! metadata:
//!   namespace: delivery-playground # without a cloud identity
//! roleRef:
//!   apiGroup: rbac.authorization.k8s.io
//!   kind: ClusterRole
//!   name: edit
//! subjects:
//!   - apiGroup: rbac.authorization.k8s.io
//!     kind: Group
//!     name: developers
//! ```
//!
//! ## Settings
//! `allowed`, `privilegedClusterRoles`
//!
//! ## References
//! Kubernetes: RBAC good practices, "Workload creation" and "Token request".

use fedward_kit::finding::Severity;
use fedward_kit::identity::ServiceAccount;
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::binding::{Binding, Power, Role, unless_draft};
use crate::rights::{self, ACT_AS, EVERYTHING, TOKENS, WORKLOADS};
use crate::settings::Settings;
use crate::subject::{Subject, Who};

const TOKEN: Condition = Condition::warning("token", "a role may issue tokens of federated service accounts, or impersonate them");
const WORKLOAD: Condition = Condition::info("workload", "a role may run pods as federated service accounts");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "indirect-identity-use",
    summary: "a role binding lets others act as a federated service account",
    conditions: &[TOKEN, WORKLOAD],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx).filter(|binding| !binding.is_cluster_wide()) else { return };
    let Some((condition, what, rule)) = right(cx, &binding) else { return };
    let accounts = index::federated_accounts(cx.context, binding.namespace, binding.role).map(|list| list.items).unwrap_or_default();
    // By cloud: whom people act as through Argo's single sign-on is meant to be used by them.
    let mut accounts: Vec<Node<'_>> = accounts.into_iter().filter(|account| is_in_cloud(*account)).collect();
    let strangers: Vec<Subject<'_>> = binding.subjects(cx.settings).filter(|subject| is_stranger(subject, &binding, &accounts)).collect();
    let Some(first) = strangers.first() else { return };
    if strangers.len() == 1 {
        accounts.retain(|account| !is_account(first, &binding, *account));
    }
    let Some(account) = accounts.first() else { return };
    let report = Report::new(
        unless_draft(cx, condition, &WORKLOAD),
        binding.role,
        format!(
            "{}{} may {what} {}, and so act as the federated service account `{}`{}",
            first.title(),
            and_more(strangers.len()),
            binding.reach(),
            name(*account).peek_str().unwrap_or(""),
            and_more(accounts.len())
        ),
    )
    .help("keep federated service accounts in a namespace of their own, or let the role list other things");
    let report = match rule {
        Some(rule) => report.related(rule, format!("may {what}")),
        None => report,
    };
    cx.report(accounts.iter().fold(report, |report, account| report.related(name(*account), "a federated service account")));
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
}

fn name(object: Node<'_>) -> Node<'_> {
    object.get("metadata").get("name")
}

/// The right that leads to other accounts, and the rule that grants it.
fn right<'a>(cx: &Check<'a, Settings>, binding: &Binding<'a>) -> Option<(&'static Condition, &'static str, Option<Node<'a>>)> {
    if binding.power(cx.settings) != Power::Other {
        return Some((&WORKLOAD, WORKLOADS, None));
    }
    let Role::Known(role) = binding.resolve(cx) else { return None };
    let dangers = rights::dangers(role.get("rules"), false);
    let find = |what| dangers.iter().find(|danger| danger.what == what);
    [TOKENS, ACT_AS]
        .into_iter()
        .filter_map(find)
        // On named accounts only: meant for those.
        .find(|danger| danger.level > Severity::Info)
        .map(|danger| (&TOKEN, danger.what, danger.rule))
        .or_else(|| [WORKLOADS, EVERYTHING].into_iter().find_map(find).map(|danger| (&WORKLOAD, danger.what, danger.rule)))
}

fn is_in_cloud(account: Node<'_>) -> bool {
    ServiceAccount::of(account).marks().iter().any(|(provider, _)| *provider != fedward_kit::identity::Provider::ArgoSso)
}

fn is_account<'a>(subject: &Subject<'a>, binding: &Binding<'a>, account: Node<'a>) -> bool {
    matches!(subject.who, Who::Account { namespace, name: own } if namespace == binding.namespace && name(account).peek_str() == Some(own))
}

/// Whether a subject is not one of Kubernetes' own, and not the only one of the federated accounts.
fn is_stranger<'a>(subject: &Subject<'a>, binding: &Binding<'a>, accounts: &[Node<'a>]) -> bool {
    match subject.who {
        Who::Masters | Who::Account { namespace: "kube-system", .. } => false,
        Who::Other => subject.name.peek_str().is_some_and(|name| !name.is_empty() && !name.starts_with("system:")),
        _ => accounts.iter().any(|account| !is_account(subject, binding, *account)),
    }
}
