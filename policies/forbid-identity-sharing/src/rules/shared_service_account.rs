//! Reports workloads that share a federated service account.
//!
//! ## What it does
//! A service account that signs in to a cloud (it names an identity, a federated credential names it, or the settings do) should serve one
//! workload. Each of those that share it is reported, with the others. What counts is the object that somebody writes: a Deployment, not
//! its ReplicaSets and Pods.
//!
//! Not counted are hooks of Argo CD and Helm, which belong to their release. Argo CD's server, repo-server and both its controllers count as
//! one: they are documented with one identity. Accounts of the setting `identityOwners` are left to `not-an-identity-owner`: their
//! owners share on purpose. Bases that a kustomization patches are judged as they are rendered.
//!
//! It is a warning, and an error with the setting `strict`. In a cluster only what is already there is seen: of two workloads that are
//! created in the same moment neither may see the other. The audit scanner reports both.
//!
//! ## Why it is bad
//! The cloud cannot tell the workloads apart. Each has all rights of all the others, whoever breaks into one has them too, and no log
//! says which of them it was.
//!
//! ## Example
//! ```yaml
//! kind: Deployment
//! metadata:
//!   name: frontend
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: shop
//! ---
//! kind: Deployment
//! metadata:
//!   name: backend
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Deployment
//! metadata:
//!   name: frontend
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: frontend
//! ---
//! kind: Deployment
//! metadata:
//!   name: backend
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: backend
//! ```
//!
//! ## Settings
//! `maxWorkloads`, `strict`, `identityOwners`.
//!
//! ## References
//! Kubernetes, RBAC good practices (least privilege); Microsoft Entra, "Workload identity federation"; Amazon EKS, "IAM roles for service
//! accounts" (credential isolation).

use fedward_kit::index;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;
use crate::sharing::{self, title};

const SHARED: Condition = Condition::warning("shared", "more workloads than `maxWorkloads` run as a federated service account");
const STRICT: Condition = Condition::error("shared-strictly", "the same with `strict`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "shared-service-account",
    summary: "several workloads run as one federated service account",
    conditions: &[SHARED, STRICT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final || index::is_hook(cx.object) {
        return;
    }
    for (pod, name) in sharing::by_account(cx) {
        if sharing::owners(cx.settings, pod.namespace, name).is_some() {
            continue;
        }
        let Some((provider, others)) = sharing::shared(cx, pod, name) else { continue };
        let message = format!("the service account `{name}` has an identity ({}) and also serves {}", provider.name(), others.names(title));
        let mut report = Report::new(if cx.settings.strict { &STRICT } else { &SHARED }, pod.account.node(), message)
            .help("give each workload a service account and an identity of its own, or name those that share it in `identityOwners`")
            .more(others.more);
        for other in &others.known {
            report = report.related(other.peek("metadata").peek("name"), "runs as the same service account");
        }
        cx.report(report);
    }
}
