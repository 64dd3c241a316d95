//! Reports subjects and role references of bindings that the API server refuses, or that bind somebody else than meant.
//!
//! ## What it does
//! Errors, which the API server refuses: a service account without a namespace in a ClusterRoleBinding; an `apiGroup` on a service
//! account, or another one than `rbac.authorization.k8s.io` on a user, group or role; a subject of no known kind; a ClusterRoleBinding
//! to a Role.
//!
//! A warning: a user that is the client id of an identity in the loaded objects. AKS knows identities by their object id.
//!
//! Recorded only: a user called `system:serviceaccount:<namespace>:<name>`. It works, and all rules treat it as the service account.
//!
//! In a RoleBinding a service account without a namespace is the one of the binding's own namespace, and is not reported.
//!
//! ## Why it is bad
//! A binding that is refused fails at deployment. A binding to a client id binds nobody, and the next person widens it until it works.
//!
//! ## Example
//! ```yaml
//! kind: ClusterRoleBinding
//! subjects:
//!   - kind: ServiceAccount
//!     name: deployer
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ClusterRoleBinding
//! subjects:
//!   - kind: ServiceAccount
//!     name: deployer
//!     namespace: delivery
//! ```
//!
//! ## References
//! Kubernetes: `pkg/apis/rbac/validation` (subjects and role references); AKS: Entra integration (object ids of users and service
//! principals).

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{AZURE_CLIENT_ID, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::{index, suggest, text, trust};

use crate::binding::{Binding, GROUP};
use crate::settings::Settings;

const NO_NAMESPACE: Condition = Condition::error("no-namespace", "a service account without a namespace in a ClusterRoleBinding");
const DRAFT: Condition = Condition::info("draft", "the same, in a base that a kustomization patches");
const WRONG_GROUP: Condition = Condition::error("wrong-group", "a subject or role reference has the wrong `apiGroup`");
const WRONG_KIND: Condition = Condition::error("wrong-kind", "a subject is of no known kind, or a ClusterRoleBinding refers to a Role");
const CLIENT_ID: Condition = Condition::warning("client-id", "a user is the client id of an identity, whose object id is needed");
const SPELT_AS_USER: Condition = Condition::info("spelt-as-user", "a service account is spelt as the user that it authenticates as");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "broken-binding-subject",
    summary: "a binding's subject or role reference is refused, or means somebody else",
    conditions: &[NO_NAMESPACE, DRAFT, WRONG_GROUP, WRONG_KIND, CLIENT_ID, SPELT_AS_USER],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(binding) = Binding::under(cx) else { return };
    role_reference(cx, &binding);
    for subject in cx.object.get("subjects").items() {
        let kind = subject.get("kind");
        let group = subject.get("apiGroup");
        match kind.str() {
            Some("ServiceAccount") => {
                if let Some(wrong) = group.filled() {
                    let message = format!("the `apiGroup` of a service account is empty, not `{wrong}`");
                    cx.report(Report::new(&WRONG_GROUP, group, message).help("remove `apiGroup`").fix(PatchStep::remove(group)));
                }
                if binding.is_cluster_wide() {
                    namespace(cx, subject);
                }
            }
            Some("User") => {
                user(cx, subject);
                rbac_group(cx, group, "a user");
            }
            Some("Group") => rbac_group(cx, group, "a group"),
            found => wrong_kind(cx, kind, found),
        }
    }
}

fn wrong_kind<'a>(cx: &Check<'a, Settings>, kind: Node<'a>, found: Option<&'a str>) {
    // A missing kind is refused as any other; one of another type is a finding of its own.
    if found.is_none() && kind.is_present() {
        return;
    }
    let message = match found {
        Some(found) => format!("a subject is a `ServiceAccount`, a `User` or a `Group`, not `{found}`"),
        None => "a subject needs a `kind`: `ServiceAccount`, `User` or `Group`".to_owned(),
    };
    let report = Report::new(&WRONG_KIND, kind, message);
    cx.report(match suggest::nearest(found.unwrap_or(""), ["ServiceAccount", "User", "Group"]) {
        Some(near) => report.help(format!("did you mean `{near}`?")).fix(PatchStep::set(kind, near)),
        None => report.help("name the kind of the subject"),
    });
}

fn role_reference<'a>(cx: &Check<'a, Settings>, binding: &Binding<'a>) {
    rbac_group(cx, cx.object.get("roleRef").get("apiGroup"), "a role");
    let kind = cx.object.get("roleRef").get("kind");
    if binding.is_cluster_wide() && kind.str() == Some("Role") {
        cx.report(
            Report::new(&WRONG_KIND, kind, "a ClusterRoleBinding refers to a ClusterRole, not to a `Role`")
                .help("use a RoleBinding in the namespace of the role, or a ClusterRole"),
        );
    }
}

/// An empty group is filled in by the API server.
fn rbac_group<'a>(cx: &Check<'a, Settings>, group: Node<'a>, what: &str) {
    if let Some(wrong) = group.filled().filter(|group| *group != GROUP) {
        cx.report(
            Report::new(&WRONG_GROUP, group, format!("the `apiGroup` of {what} is `{GROUP}`, not `{wrong}`"))
                .help(format!("set `apiGroup: {GROUP}`"))
                .fix(PatchStep::set(group, GROUP)),
        );
    }
}

fn namespace<'a>(cx: &Check<'a, Settings>, subject: Node<'a>) {
    let namespace = subject.get("namespace");
    if namespace.str().is_none_or(str::is_empty) && (namespace.is_absent() || namespace.peek_str().is_some()) {
        let condition = if cx.request.is_final { &NO_NAMESPACE } else { &DRAFT };
        let name = subject.text("name").unwrap_or("");
        cx.report(
            Report::new(condition, namespace, format!("service account `{name}` has no namespace, which a ClusterRoleBinding requires"))
                .help("name the namespace in which the service account lives"),
        );
    }
}

fn user<'a>(cx: &Check<'a, Settings>, subject: Node<'a>) {
    let node = subject.get("name");
    let Some(name) = node.filled() else { return };
    if let Some((namespace, account)) = trust::service_account(name) {
        let mut fix = PatchStep::set(subject.get("kind"), "ServiceAccount");
        fix.extend(PatchStep::set(subject.get("namespace"), namespace));
        fix.extend(PatchStep::set(node, account));
        if subject.get("apiGroup").value().is_some() {
            fix.extend(PatchStep::remove(subject.get("apiGroup")));
        }
        cx.report(
            Report::new(&SPELT_AS_USER, node, format!("user `{name}` is a service account"))
                .help(format!("write `kind: ServiceAccount`, `namespace: {namespace}`, `name: {account}`"))
                .fix(fix),
        );
    } else if text::is_guid(name)
        && !text::is_zero_guid(name)
        && let Some(account) =
            index::accounts_with_identity(cx.context, &format!("clientId={name}"), node).and_then(|list| list.items.into_iter().next())
    {
        cx.report(
            Report::new(&CLIENT_ID, node, format!("user `{name}` is the client id of an identity; AKS knows it by its object id"))
                .help("use the identity's object id (principal id)")
                .related(ServiceAccount::of(account).annotation(AZURE_CLIENT_ID), "the client id of a service account"),
        );
    }
}
