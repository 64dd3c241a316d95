//! Reports an Azure webhook of your own beside the one that AKS runs.
//!
//! ## What it does
//! A Deployment of the webhook outside `kube-system` is noted if the set also shows AKS' add-on: its Deployment in `kube-system`, or a
//! cluster description with workload identity turned on.
//!
//! ## Why it is bad
//! Both act on the same pods. Which environment and which token path a pod gets depends on their order and versions.
//!
//! ## Example
//! ```yaml
//! apiVersion: containerservice.azure.com/v1api20240901
//! kind: ManagedCluster
//! metadata:
//!   name: shop
//! spec:
//!   securityProfile:
//!     workloadIdentity:
//!       enabled: true
//! ---
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata:
//!   name: azure-wi-webhook-controller-manager
//!   namespace: azure-workload-identity-system
//! spec:
//!   template:
//!     spec:
//!       containers:
//!         - name: manager
//!           image: registry.example/oss/azure/workload-identity/webhook:v1.5.1
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: containerservice.azure.com/v1api20240901
//! kind: ManagedCluster
//! metadata:
//!   name: shop
//! spec:
//!   securityProfile:
//!     workloadIdentity:
//!       enabled: true
//! ```
//!
//! ## References
//! AKS: deploy and configure workload identity; Azure/azure-workload-identity: installation.

use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::{index, webhook};

use crate::settings::Settings;

const BOTH: Condition = Condition::info("both", "a webhook of your own and AKS' add-on are in the same set");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "two-identity-webhooks",
    summary: "an Azure webhook of your own runs beside the one of AKS",
    conditions: &[BOTH],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.is("apps", "Deployment") || cx.request.namespace == "kube-system" {
        return;
    }
    let Some(image) = webhook::images(cx.object).into_iter().next() else { return };
    let add_on = index::identity_webhooks(cx.context, image)
        .and_then(|list| list.items.into_iter().find(|webhook| webhook.foreign().is_some_and(|object| object.namespace == "kube-system")));
    let add_on = add_on.or_else(|| index::identity_clusters(cx.context, image).and_then(|list| list.items.into_iter().next()));
    if let Some(add_on) = add_on {
        let name: Node<'_> = add_on.get("metadata").get("name");
        cx.report(
            Report::new(&BOTH, image, "AKS runs this webhook itself when workload identity is turned on, so pods meet two of them")
                .help("remove this Deployment and its webhook configuration, or turn the add-on off")
                .related(name, "what shows that AKS runs the webhook"),
        );
    }
}
