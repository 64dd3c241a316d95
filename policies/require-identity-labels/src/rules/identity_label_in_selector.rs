//! Reports the Azure pod label in a workload's selector.
//!
//! ## What it does
//! `azure.workload.identity/use` in `spec.selector` of a Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job or
//! Rollout is reported. There is no automatic fix: a selector cannot be changed.
//!
//! ## Why it is bad
//! The selector of a workload is immutable. The day the pods no longer need the label, the workload has to be deleted and made anew.
//! Tools that add labels everywhere (`commonLabels` of Kustomize) put it there unasked.
//!
//! ## Example
//! ```yaml
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata:
//!   name: api
//! spec:
//!   selector:
//!     matchLabels:
//!       app: api
//!       azure.workload.identity/use: "true"
//!   template:
//!     metadata:
//!       labels:
//!         app: api
//!         azure.workload.identity/use: "true"
//!     spec:
//!       serviceAccountName: api
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata:
//!   name: api
//! spec:
//!   selector:
//!     matchLabels:
//!       app: api
//!   template:
//!     metadata:
//!       labels:
//!         app: api
//!         azure.workload.identity/use: "true"
//!     spec:
//!       serviceAccountName: api
//! ```
//!
//! ## References
//! Kubernetes: Deployments, "label selector updates"; Kustomize: `labels` with `includeSelectors: false`.

use fedward_kit::identity::AZURE_USE;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::pods::owners;
use crate::settings::Settings;

const SELECTOR: Condition = Condition::warning("in-selector", "the label is part of an immutable selector");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-label-in-selector",
    summary: "the Azure pod label is part of a workload's immutable selector",
    conditions: &[SELECTOR],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for owner in owners(cx) {
        let selector = match (owner.group, owner.kind) {
            _ if !owner.node.in_request() => continue,
            ("apps", _) | ("batch", "Job") | ("argoproj.io", "Rollout") => owner.node.get("spec").get("selector"),
            ("", "ReplicationController") => owner.node.get("spec"),
            _ => continue,
        };
        let labels = if owner.kind == "ReplicationController" { selector.get("selector") } else { selector.get("matchLabels") };
        let label = labels.get(AZURE_USE);
        let message = format!("`{AZURE_USE}` is part of the selector, which cannot be changed later");
        if label.is_present() {
            cx.report(Report::new(&SELECTOR, label, message.as_str()).on_key().help(HELP));
        }
        let expressions = selector.peek("matchExpressions").peek_items().map(|expression| expression.get("key"));
        for key in expressions.filter(|key| key.str() == Some(AZURE_USE)) {
            cx.report(Report::new(&SELECTOR, key, message.as_str()).help(HELP));
        }
    }
}

const HELP: &str = "select the pods by other labels; an existing workload has to be made anew for that";
