//! Reports service accounts with two AWS roles: an annotation and an EKS Pod Identity association.
//!
//! ## What it does
//! A service account that carries `eks.amazonaws.com/role-arn` and that a `PodIdentityAssociation` of the checked set names gets its
//! credentials from the association. If both give the same role it is only recorded: that is how a migration looks.
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

use fedward_kit::identity::{AWS_ROLE_ARN, ServiceAccount};
use fedward_kit::index;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::PodIdentity;

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
    let associations: Vec<PodIdentity<'_>> = found.into_iter().filter_map(PodIdentity::of).collect();
    if associations.is_empty() {
        return;
    }
    let is_same = associations.iter().all(|association| association.role_arn.peek_str() == Some(role));
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
    for association in associations {
        let place = if association.role_arn.is_present() { association.role_arn } else { association.service_account };
        report = report.related(place, "the association");
    }
    cx.report(report);
}
