//! The versions of built-in resources, today's and those of older Kubernetes: objects and rules of policies have both.

/// The versions of a resource of Kubernetes, by its group and plural; `None` for one of anybody else.
pub(crate) fn of(group: &str, plural: &str) -> Option<&'static [&'static str]> {
    let versions: &[&str] = match (group, plural) {
        ("", _) => &["v1"],
        ("apps", "daemonsets" | "replicasets") => &["v1", "v1beta2"],
        ("apps", _) => &["v1", "v1beta2", "v1beta1"],
        ("autoscaling", _) => &["v2", "v2beta2", "v2beta1", "v1"],
        ("batch", "cronjobs") => &["v1", "v1beta1", "v2alpha1"],
        ("batch", _) => &["v1"],
        ("networking.k8s.io", "networkpolicies") => &["v1"],
        ("networking.k8s.io", "ingresses" | "ingressclasses") => &["v1", "v1beta1"],
        ("storage.k8s.io", "storageclasses" | "csidrivers" | "csinodes") => &["v1", "v1beta1"],
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations" | "validatingwebhookconfigurations") => &["v1", "v1beta1"],
        ("certificates.k8s.io", "certificatesigningrequests") => &["v1", "v1beta1"],
        ("certificates.k8s.io", _) | ("storagemigration.k8s.io", _) => &["v1beta1", "v1alpha1"],
        ("coordination.k8s.io", "leases") => &["v1", "v1beta1"],
        ("coordination.k8s.io", _) => &["v1beta1", "v1alpha2", "v1alpha1"],
        ("flowcontrol.apiserver.k8s.io", _) => &["v1", "v1beta3", "v1beta2", "v1beta1", "v1alpha1"],
        ("resource.k8s.io", "devicetaintrules") => &["v1beta2", "v1alpha3"],
        ("resource.k8s.io", _) => &["v1", "v1beta2", "v1beta1", "v1alpha3"],
        ("scheduling.k8s.io", "podgroups" | "workloads") => &["v1alpha2", "v1alpha1"],
        ("authentication.k8s.io", "tokenreviews") => &["v1", "v1beta1"],
        (
            "policy" | "apiextensions.k8s.io" | "apiregistration.k8s.io" | "discovery.k8s.io" | "events.k8s.io" | "authorization.k8s.io",
            _,
        ) => &["v1", "v1beta1"],
        (
            "rbac.authorization.k8s.io"
            | "networking.k8s.io"
            | "storage.k8s.io"
            | "admissionregistration.k8s.io"
            | "node.k8s.io"
            | "scheduling.k8s.io"
            | "authentication.k8s.io",
            _,
        ) => &["v1", "v1beta1", "v1alpha1"],
        _ => return None,
    };
    Some(versions)
}
