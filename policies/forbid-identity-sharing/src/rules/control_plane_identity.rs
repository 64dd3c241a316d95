//! Reports AKS clusters whose own identity is also that of a workload.
//!
//! ## What it does
//! The identities that a ManagedCluster of Azure Service Operator gives to its control plane (`identity`) and to its kubelets
//! (`identityProfile`) are looked up among the parents of federated credentials, by the object's name or the resource id; so are those of
//! clusters in ARM templates and in what Terraform prints.
//!
//! ## Why it is bad
//! The control plane's identity manages networks, disks and load balancers, and every node can use the kubelet's. A workload that signs in
//! with either has those rights, and the cluster has the workload's.
//!
//! ## Example
//! ```yaml
//! kind: ManagedCluster
//! spec:
//!   identity:
//!     type: UserAssigned
//!     userAssignedIdentities:
//!       - reference:
//!           group: managedidentity.azure.com
//!           kind: UserAssignedIdentity
//!           name: orders # the owner of a FederatedIdentityCredential
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ManagedCluster
//! spec:
//!   identity:
//!     type: UserAssigned
//!     userAssignedIdentities:
//!       - reference:
//!           group: managedidentity.azure.com
//!           kind: UserAssignedIdentity
//!           name: cluster
//! ```
//!
//! ## References
//! AKS, "Use a managed identity" (control plane, kubelet).

use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::{self, Credential};

use crate::settings::Settings;

const SHARED: Condition = Condition::warning("shared", "a cluster's own identity has a federated credential");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "control-plane-identity",
    summary: "a cluster's own identity is also that of a workload",
    conditions: &[SHARED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let is_cluster = cx.request.kind == "ManagedCluster" && matches!(cx.request.group, "containerservice.azure.com" | trust::GROUP);
    if !cx.request.is_final || !is_cluster {
        return;
    }
    let spec = cx.object.get("spec");
    let control_plane =
        spec.at(&["identity", "userAssignedIdentities"]).items().map(|identity| (identity.get("reference"), "control plane"));
    let kubelets = spec.get("identityProfile").entries().map(|(_, identity)| (identity.get("resourceReference"), "kubelets"));
    for (reference, of) in control_plane.chain(kubelets) {
        let Some((node, parent)) = named(reference, cx.request.namespace) else { continue };
        let list = index::credentials(cx.context, &format!("parent={parent}"), node);
        let Some(credential) = list.and_then(|list| list.items.into_iter().find_map(Credential::of)) else { continue };
        let message = format!("the identity of the cluster's {of} is also that of a federated credential");
        cx.report(
            Report::new(&SHARED, node, message)
                .help("give the workload an identity of its own")
                .related(credential.parent, "a credential of the same identity"),
        );
    }
}

/// What a reference names, as [`Credential::parent_key`] writes it.
fn named<'a>(reference: Node<'a>, namespace: &str) -> Option<(Node<'a>, String)> {
    let id = reference.get("armId");
    if let Some(text) = id.filled() {
        return Some((id, text.to_ascii_lowercase()));
    }
    let name = reference.get("name");
    name.filled().map(|text| (name, format!("{namespace}/{text}")))
}
