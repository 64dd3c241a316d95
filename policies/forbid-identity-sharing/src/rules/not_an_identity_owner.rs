//! Reports workloads that use a service account which the settings give to others.
//!
//! ## What it does
//! The setting `identityOwners` says which workloads may use a service account. Every other object whose pods run as it is an error, whatever
//! its kind. An object is called by its kind and name (`Deployment/orders`), or, where the API server makes up the name, by the
//! beginning that it has in `generateName`. Pods of a controller are judged with the controller.
//!
//! The rule needs to see nothing but the object itself: it holds in a cluster from the first moment on, in any order.
//!
//! ## Why it is bad
//! Whoever may create pods in a namespace may use any of its service accounts. Nothing in Kubernetes binds an identity to the
//! workload that it was made for.
//!
//! ## Example
//! ```yaml
//! # identityOwners: {shop/orders: [Deployment/orders]}
//! kind: Deployment
//! metadata:
//!   name: report
//!   namespace: shop
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: orders
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Deployment
//! metadata:
//!   name: report
//!   namespace: shop
//! spec:
//!   template:
//!     spec:
//!       serviceAccountName: report
//! ```
//!
//! ## Settings
//! `identityOwners`.
//!
//! ## References
//! Kubernetes, RBAC good practices (workload creation).

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;
use crate::sharing::{self, title};

const OTHER: Condition =
    Condition::error("not-an-owner", "an object that is not among the owners uses a service account of `identityOwners`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "not-an-identity-owner",
    summary: "a workload uses a service account that belongs to others",
    conditions: &[OTHER],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final || cx.settings.identity_owners.is_empty() {
        return;
    }
    let own = title(cx.object);
    for (pod, name) in sharing::by_account(cx) {
        let Some(owners) = sharing::owners(cx.settings, pod.namespace, name) else { continue };
        if !owners.iter().any(|owner| owner.matches(&own)) {
            let message = format!("the service account `{}/{name}` does not belong to `{own}`", pod.namespace);
            cx.report(
                Report::new(&OTHER, pod.account.node(), message)
                    .help("use a service account of its own, or have it added to the owners in the setting `identityOwners`"),
            );
        }
    }
}
