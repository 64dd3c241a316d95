//! Reports service accounts with two AWS roles: an annotation and an EKS Pod Identity association.
//!
//! ## What it does
//! A service account that carries `eks.amazonaws.com/role-arn` and that a `PodIdentityAssociation` of the checked set names, or an entry of
//! `iam.podIdentityAssociations` in the `ClusterConfig` of eksctl, gets its credentials from the association. If both give the same role it is only recorded: that is how a migration looks.
//!
//! ## Why it is bad
//! EKS Pod Identity wins. The annotation looks as if it decided what the pods may do, and its role stays assumable by tokens of the
//! account. On nodes without the Pod Identity agent it is the other way round.
//!
//! ## Example
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: reports
//!   namespace: shop
//!   annotations:
//!     eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/reports-old
//! ---
//! kind: PodIdentityAssociation
//! spec:
//!   namespace: shop
//!   serviceAccount: reports
//!   roleARN: arn:aws:iam::123456789012:role/reports
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: reports
//!   namespace: shop
//! ---
//! kind: PodIdentityAssociation
//! spec:
//!   namespace: shop
//!   serviceAccount: reports
//!   roleARN: arn:aws:iam::123456789012:role/reports
//! ```
//!
//! ## References
//! EKS user guide, "Learn how EKS Pod Identity grants pods access to AWS services" (an association takes precedence over an annotation).

use fedward_kit::identity::{AWS_ROLE_ARN, Provider, ServiceAccount};
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::{self, PodIdentity};

use crate::settings::Settings;

const TWO: Condition = Condition::warning("two-roles", "the annotation and the association give different roles");
const SAME: Condition = Condition::info("same-role", "both give the same role, or the object is a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "two-aws-identities",
    summary: "a service account has a role annotation and an EKS Pod Identity association",
    conditions: &[TWO, SAME],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.is("", "ServiceAccount") {
        return;
    }
    let node = ServiceAccount::of(cx.object).annotation(AWS_ROLE_ARN);
    let Some(role) = node.filled() else { return };
    let (namespace, name) = (cx.request.namespace, cx.request.name);
    let selector = format!("serviceAccount={namespace}/{name}");
    let found = index::pod_identities(cx.context, &selector, node).map(|list| list.items).unwrap_or_default();
    let associations: Vec<(Node<'_>, Node<'_>)> = found.into_iter().flat_map(|object| of(object, namespace, name)).collect();
    if associations.is_empty() {
        return;
    }
    let is_same = associations.iter().all(|(given, _)| given.peek_str() == Some(role));
    let (condition, help) = if is_same {
        (&SAME, "remove the annotation when all nodes run the Pod Identity agent")
    } else {
        (&TWO, "remove the annotation, or the association")
    };
    let condition = if cx.request.is_final { condition } else { &SAME };
    let mut report = Report::new(
        condition,
        node,
        format!("`{namespace}/{name}` also has an EKS Pod Identity association, which takes precedence over this annotation"),
    )
    .help(help);
    for (given, account) in associations {
        report = report.related(if given.is_present() { given } else { account }, "the association");
    }
    cx.report(report);
}

/// The associations of an account that an object makes: of each the role, and the name of the account.
fn of<'a>(object: Node<'a>, namespace: &str, name: &str) -> Vec<(Node<'a>, Node<'a>)> {
    if let Some(association) = PodIdentity::of(object) {
        return vec![(association.role_arn, association.service_account)];
    }
    let is_it = |(in_namespace, account, provider, _): &(&str, &str, Provider, Node<'_>)| {
        *provider == Provider::AwsPodIdentity && (*in_namespace, *account) == (namespace, name)
    };
    if !trust::eksctl_accounts(object).iter().any(is_it) {
        return Vec::new();
    }
    let entries = object.get("iam").get("podIdentityAssociations").items();
    let is_own = |entry: &Node<'_>| {
        let field = |field: &'static str| entry.peek(field).peek_str();
        (field("namespace").unwrap_or("default"), field("serviceAccountName")) == (namespace, Some(name))
    };
    entries.filter(is_own).map(|entry| (entry.get("roleARN"), entry.get("serviceAccountName"))).collect()
}
