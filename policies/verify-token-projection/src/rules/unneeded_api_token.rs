//! Reports pods that sign in to a cloud and carry a token for the API server that they have no use for.
//!
//! ## What it does
//! A pod that signs in to a cloud, by the Azure label or with a token that it projects, is noted if it also has its service account's
//! token for the API server: neither the pod nor the account says `automountServiceAccountToken`, and no binding gives the account, or all
//! accounts of its namespace, any right. What the bindings are has to be known: the checked set has one for another account of the
//! namespace, or is all there is (`--closed-world`).
//!
//! Only whole pod specifications are looked at: steps of Argo and Tekton need that token for their own work. In a cluster nothing is said,
//! since all bindings would have to be listed for a single pod.
//!
//! ## Why it is bad
//! Whoever breaks into the container finds a second credential. It may open little today, and more after the next binding for its group.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//!   automountServiceAccountToken: false
//! ```
//!
//! ## References
//! Kubernetes, "Configure service accounts for pods" (opt out of API credential automounting), RBAC good practices.

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{self, is_labelled};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;
use fedward_kit::{audience, index, projection};

use crate::pods::is_whole;
use crate::settings::Settings;

const UNNEEDED: Condition = Condition::info("no-binding", "no binding is known to give the service account a right");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unneeded-api-token",
    summary: "a pod that only signs in to a cloud carries a token for the API server as well",
    conditions: &[UNNEEDED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final {
        return;
    }
    for pod in cx.pods().iter().filter(|pod| is_whole(pod) && pod.spec.in_request()) {
        let mount = pod.spec.get("automountServiceAccountToken");
        if mount.is_present() || !signs_in(pod) || !is_unbound(cx, pod) {
            continue;
        }
        let message = "the pod also has this account's token for the API server, and no binding of the checked set gives it a right";
        cx.report(
            Report::new(&UNNEEDED, pod.account.node(), message)
                .help("set `automountServiceAccountToken: false` if the pod does not call the API server")
                .fix(PatchStep::set_value(mount, false.into())),
        );
    }
}

fn signs_in(pod: &Pod<'_>) -> bool {
    let is_clouds = |text: &str| audience::provider(text).is_some();
    is_labelled(pod) || projection::tokens(pod).iter().any(|token| token.audience.peek_str().is_some_and(is_clouds))
}

/// Whether the account is known, leaves the token to the pod, and has no rights.
fn is_unbound<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> bool {
    let (Some(name), Some(account)) = (pod.account.name(), identity::account_of(pod, cx.context).found()) else { return false };
    let field: Node<'a> = account.node.peek("automountServiceAccountToken");
    field.is_absent() && index::is_bound(cx.context, pod.namespace, name, pod.account.node()) == Some(false)
}
