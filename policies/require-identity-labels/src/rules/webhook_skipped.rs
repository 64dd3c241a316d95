//! Reports pods with an AWS role that tell the EKS webhook to skip them.
//!
//! ## What it does
//! A pod with the label `eks.amazonaws.com/skip-pod-identity-webhook`, whatever its value, whose service account carries
//! `eks.amazonaws.com/role-arn` is reported, unless it projects a token for AWS itself.
//!
//! ## Why it is bad
//! The webhook's selector leaves the pod out by the presence of the key, `"false"` included. Nothing is injected, and the SDK falls
//! back to the role of the node.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   annotations:
//!     eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/api
//! ---
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     eks.amazonaws.com/skip-pod-identity-webhook: "false"
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   annotations:
//!     eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/api
//! ---
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## References
//! aws/amazon-eks-pod-identity-webhook: `deploy/mutatingwebhook.yaml` (`objectSelector`, `DoesNotExist`).

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{self, AWS_ROLE_ARN, Provider};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;
use fedward_kit::{audience, projection};

use crate::pods::owners;
use crate::settings::Settings;

const SKIPPED: Condition = Condition::warning("skipped", "the service account names a role and the pod has the label");
const DRAFT: Condition = Condition::info("draft", "the same, on a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "webhook-skipped",
    summary: "a pod with an AWS role tells the EKS webhook to skip it",
    conditions: &[SKIPPED, DRAFT],
    supersedes: &[],
    check,
};

const SKIP: &str = "eks.amazonaws.com/skip-pod-identity-webhook";

fn check(cx: &Check<'_, Settings>) {
    for owner in owners(cx) {
        for pod in &owner.pods {
            let label = pod.label(SKIP);
            if label.is_absent() || projects_aws_token(pod) {
                continue;
            }
            let Some(account) = identity::account_of(pod, cx.context).found() else { continue };
            let Some(role) = account.role_arn() else { continue };
            let condition = if cx.request.is_final { &SKIPPED } else { &DRAFT };
            let message = format!("`{SKIP}` keeps the webhook from injecting the role `{role}`, whatever its value");
            let report = Report::new(condition, label, message).on_key().help("remove the label");
            let report = report.related(account.annotation(AWS_ROLE_ARN), "the role of the pod's service account");
            let is_selected = owner.node.get("spec").peek("selector").peek("matchLabels").peek(SKIP).is_present();
            cx.report(if is_selected { report } else { report.fix(PatchStep::remove(label)) });
        }
    }
}

fn projects_aws_token(pod: &Pod<'_>) -> bool {
    let is_aws = |name: &str| matches!(audience::provider(name), Some(Provider::AwsIrsa | Provider::AwsPodIdentity));
    projection::tokens(pod).iter().any(|token| token.audience.str().is_some_and(is_aws))
}
