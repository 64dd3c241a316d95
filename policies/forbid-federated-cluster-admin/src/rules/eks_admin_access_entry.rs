//! Reports access entries of EKS that make an AWS role or user administrator of the cluster.
//!
//! ## What it does
//! Reads the policies of access entries: `accessConfig.accessEntries` in the `ClusterConfig` of eksctl, `AccessEntry` of AWS Controllers
//! for Kubernetes, `AccessPolicyAssociation` of Crossplane, `aws_eks_access_policy_association` in what Terraform prints.
//!
//! `AmazonEKSClusterAdminPolicy` for the whole cluster is a warning, and so is `AmazonEKSAdminPolicy`. The first for some namespaces is
//! recorded only, also where the scope is not known. Policies are recognised in every partition of AWS.
//!
//! Groups of access entries are not looked at: EKS refuses `system:masters`, as every group that begins with `system:`, and what other
//! groups may do is in the cluster's bindings.
//!
//! ## Why it is bad
//! The policy is `cluster-admin` beside the cluster's own RBAC: no binding shows it. Everybody who may assume the role is one, and a
//! role that a service account uses makes the workload one.
//!
//! ## Example
//! ```yaml
//! apiVersion: eks.services.k8s.aws/v1alpha1
//! kind: AccessEntry
//! spec:
//!   clusterName: blue
//!   principalARN: arn:aws:iam::111122223333:role/deployer
//!   accessPolicies:
//!     - policyARN: arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy
//!       accessScope: {type: cluster}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: eks.services.k8s.aws/v1alpha1
//! kind: AccessEntry
//! spec:
//!   clusterName: blue
//!   principalARN: arn:aws:iam::111122223333:role/deployer
//!   accessPolicies:
//!     - policyARN: arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy
//!       accessScope: {type: namespace, namespaces: [shop]}
//! ```
//!
//! ## References
//! EKS user guide: "Grant IAM users access to Kubernetes with EKS access entries", "Review access policy permissions"; eksctl: "EKS access
//! entries"; AWS Controllers for Kubernetes: `AccessEntry`; provider-upjet-aws: `AccessPolicyAssociation`.

use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust;

use crate::aws;
use crate::settings::Settings;

const CLUSTER_ADMIN: Condition = Condition::warning("cluster-admin", "`AmazonEKSClusterAdminPolicy` for the whole cluster");
const ADMIN: Condition = Condition::warning("admin", "`AmazonEKSAdminPolicy` for the whole cluster");
const NAMESPACES: Condition =
    Condition::info("in-namespaces", "`AmazonEKSClusterAdminPolicy` for some namespaces, or for a scope that is not known");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "eks-admin-access-entry",
    summary: "an access entry of EKS makes an AWS role or user administrator of the cluster",
    conditions: &[CLUSTER_ADMIN, ADMIN, NAMESPACES],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let spec = cx.object.peek("spec");
    match (cx.request.group, cx.request.kind) {
        ("eksctl.io", "ClusterConfig") => {
            for entry in cx.object.peek("accessConfig").peek("accessEntries").peek_items() {
                policies(cx, entry);
            }
        }
        ("eks.services.k8s.aws" | trust::GROUP, "AccessEntry") => policies(cx, spec),
        ("eks.aws.upbound.io" | "eks.aws.m.upbound.io", "AccessPolicyAssociation") => {
            let fields = spec.peek("forProvider");
            let scope = fields.peek("accessScope");
            // A list of one in the first version of the kind.
            let scope = scope.peek_items().next().unwrap_or(scope);
            judge(cx, fields.peek("principalArn"), fields.get("policyArn"), scope);
        }
        _ => {}
    }
}

fn policies<'a>(cx: &Check<'a, Settings>, entry: Node<'a>) {
    for policy in entry.get("accessPolicies").items() {
        judge(cx, entry.peek("principalARN"), policy.get("policyARN"), policy.peek("accessScope"));
    }
}

fn judge<'a>(cx: &Check<'a, Settings>, principal: Node<'a>, policy: Node<'a>, scope: Node<'a>) {
    let Some((_, name)) = policy.str().and_then(|arn| arn.split_once(":cluster-access-policy/")) else { return };
    let is_whole = scope.peek_text("type") == Some("cluster");
    let (condition, what) = match name {
        "AmazonEKSClusterAdminPolicy" if is_whole => (&CLUSTER_ADMIN, "administrator of the whole cluster"),
        "AmazonEKSClusterAdminPolicy" => (&NAMESPACES, "administrator of all that is in its scope"),
        "AmazonEKSAdminPolicy" if is_whole => (&ADMIN, "administrator of every namespace"),
        _ => return,
    };
    let arn = principal.peek_str().filter(|arn| arn.starts_with("arn:"));
    let who = arn.map_or_else(|| "an AWS identity".to_owned(), |arn| format!("`{arn}`"));
    let report = Report::new(condition, policy, format!("`{name}` makes {who} {what}"))
        .help("give the policy that its task needs, in the namespaces that it works in, or a group that a role of the cluster is bound to");
    cx.report(match arn.and_then(|arn| aws::user_of(cx, arn, principal)) {
        Some(user) => report.related(user, "a service account signs in as it"),
        None => report,
    });
}
