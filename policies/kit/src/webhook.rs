//! Azure's mutating webhook: which version the set holds, since its behaviour changed (rules.md §6.A).

use crate::context::Context;
use crate::index;
use crate::node::Node;
use crate::request::group_of;
use crate::text;
use crate::trust::GROUP;
use crate::value::Value;
use crate::workload;

/// `major.minor.patch`.
pub type Version = (u32, u32, u32);

/// The version from which on the pod label alone decides, and a refused pod is refused.
pub const POD_LABEL_ONLY: Version = (1, 0, 0);

/// The version of the webhook that the loaded objects deploy, and the node of its image. `None` where none is known.
pub fn version<'a>(context: &Context<'a>, anchor: Node<'a>) -> Option<(Version, Node<'a>)> {
    index::identity_webhooks(context, anchor)?.items.into_iter().find_map(image_version)
}

/// The version in a webhook Deployment's image.
fn image_version(deployment: Node<'_>) -> Option<(Version, Node<'_>)> {
    images(deployment).into_iter().find_map(|image| Some((version_of(image.peek_str()?)?, image)))
}

/// The images of an object's pods that are the webhook's.
pub fn images(object: Node<'_>) -> Vec<Node<'_>> {
    object
        .at(&["spec", "template", "spec", "containers"])
        .peek_items()
        .map(|container| container.peek("image"))
        .filter(|image| image.peek_str().is_some_and(is_webhook_image))
        .collect()
}

/// Whether an image is the webhook's: `…/workload-identity/webhook…`.
pub fn is_webhook_image(image: &str) -> bool {
    text::has(image, "/workload-identity/webhook")
}

/// The version in an image's tag: `…:v0.9.0`.
pub fn version_of(image: &str) -> Option<Version> {
    let tag = image.split('@').next()?.rsplit_once(':')?.1;
    let mut parts = tag.trim_start_matches('v').split(['.', '-', '+']).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

/// Whether an object deploys the webhook.
pub(crate) fn deploys_webhook(object: Node<'_>) -> bool {
    let kind = object.peek_text("kind").unwrap_or("");
    workload::is_known("apps", kind) && !images(object).is_empty()
}

/// Whether an object describes an AKS cluster with workload identity turned on, whose add-on is the webhook: Azure Service
/// Operator's `ManagedCluster`, Crossplane's `KubernetesCluster`, or a lifted ARM document.
pub(crate) fn is_identity_cluster(object: Node<'_>) -> bool {
    let spec = object.peek("spec");
    let on = |node: Node<'_>| node.value() == Some(&Value::Bool(true));
    match (group_of(object.peek_text("apiVersion").unwrap_or("")), object.peek_text("kind").unwrap_or("")) {
        (GROUP | "containerservice.azure.com", "ManagedCluster") => {
            on(spec.peek("securityProfile").peek("workloadIdentity").peek("enabled"))
        }
        (group, "KubernetesCluster") if group.starts_with("containerservice.azure.") && group.ends_with("upbound.io") => {
            on(spec.peek("forProvider").peek("workloadIdentityEnabled"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn reads_versions_from_tags() {
        assert_eq!(version_of("registry.example/oss/azure/workload-identity/webhook:v0.9.0"), Some((0, 9, 0)));
        assert_eq!(version_of("registry.example:5000/workload-identity/webhook:v1.5.1@sha256:00"), Some((1, 5, 1)));
        assert_eq!(version_of("registry.example:5000/workload-identity/webhook"), None);
        assert_eq!(version_of("x/workload-identity/webhook:latest"), None);
    }
}
