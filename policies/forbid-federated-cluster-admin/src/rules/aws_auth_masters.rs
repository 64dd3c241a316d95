//! Reports AWS roles and users that the ConfigMap `aws-auth` puts into `system:masters`.
//!
//! ## What it does
//! In `kube-system/aws-auth` every entry of `mapRoles` and `mapUsers` whose groups contain `system:masters` is a warning, and so is one
//! of `iamIdentityMappings` in the `ClusterConfig` of eksctl, which writes that ConfigMap. It is an error if the role is one that a service account (`eks.amazonaws.com/role-arn`) or an EKS Pod Identity association uses: then a
//! workload owns the cluster.
//!
//! ## Why it is bad
//! Members of `system:masters` pass authorization before RBAC, and no binding shows them. Everybody who may assume the AWS role is
//! one. EKS has replaced the ConfigMap by access entries, which are visible and can be scoped.
//!
//! ## Example
//! ```yaml
//! kind: ConfigMap
//! metadata:
//!   name: aws-auth
//!   namespace: kube-system
//! data:
//!   mapRoles: |
//!     - rolearn: arn:aws:iam::111122223333:role/deployer
//!       username: deployer:{{SessionName}}
//!       groups:
//!         - system:masters
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ConfigMap
//! metadata:
//!   name: aws-auth
//!   namespace: kube-system
//! data:
//!   mapRoles: |
//!     - rolearn: arn:aws:iam::111122223333:role/deployer
//!       username: deployer:{{SessionName}}
//!       groups:
//!         - deployers # bound to a role that lists what they deploy
//! ```
//!
//! ## References
//! EKS user guide: "Grant IAM users access to Kubernetes with a ConfigMap" (deprecated), "access entries"; eksctl: "Manage IAM users and
//! roles"; Kubernetes: RBAC good practices. A text that cannot be read is the business of `unparsable-embedded-document`.

use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::aws;
use crate::settings::Settings;

const MASTERS: Condition = Condition::warning("masters", "an AWS role or user is put into `system:masters`");
const WORKLOAD: Condition = Condition::error("workload", "the role is one that a service account uses");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "aws-auth-masters",
    summary: "the ConfigMap `aws-auth` puts an AWS role or user into `system:masters`",
    conditions: &[MASTERS, WORKLOAD],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if cx.is("eksctl.io", "ClusterConfig") {
        return entries(cx, cx.object.get("iamIdentityMappings"), "arn");
    }
    if !cx.is("", "ConfigMap") || cx.request.name != "aws-auth" || cx.request.namespace != "kube-system" {
        return;
    }
    let data = cx.object.get("data");
    for (list, arn) in [("mapRoles", "rolearn"), ("mapUsers", "userarn")] {
        if let Ok(mapped) = data.get(list).open(Format::Yaml) {
            entries(cx, mapped, arn);
        }
    }
}

fn entries<'a>(cx: &Check<'a, Settings>, mapped: Node<'a>, arn: &'a str) {
    for entry in mapped.items() {
        if let Some(group) = entry.get("groups").items().find(|group| group.str() == Some("system:masters")) {
            report(cx, entry.get(arn), group);
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, arn: Node<'a>, group: Node<'a>) {
    let name = arn.str().unwrap_or("");
    let user = aws::user_of(cx, name, arn);
    let (condition, why) = if user.is_some() { (&WORKLOAD, ", and a service account signs in as it") } else { (&MASTERS, "") };
    let report = Report::new(condition, group, format!("`{name}` is put into `system:masters`{why}"))
        .help("map it to a group of your own and bind that to a role that lists what it needs, or use an EKS access entry");
    cx.report(match user {
        Some(user) => report.related(user, "who uses the role"),
        None => report,
    });
}
