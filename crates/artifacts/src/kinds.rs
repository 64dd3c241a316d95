//! The kinds of the resources that policies judge: rules name resources by their plurals, registries show kinds.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use crate::metadata::Matching;

/// Every kind that rules name. A rule on another kind says what is missing here.
const KINDS: &[&str] = &[
    "ACRAccessToken",
    "AWSClusterStaticIdentity",
    "AccessEntry",
    "AccessPolicyAssociation",
    "Alertmanager",
    "AnalysisTemplate",
    "AppProject",
    "Application",
    "ApplicationSet",
    "ArgoCD",
    "AuthBackendRole",
    "AutoscalingRunnerSet",
    "AzureAssignedIdentity",
    "AzureClusterIdentity",
    "AzureIdentity",
    "AzureIdentityBinding",
    "AzurePodIdentityException",
    "Bucket",
    "CSIDriver",
    "Cluster",
    "ClusterAnalysisTemplate",
    "ClusterIssuer",
    "ClusterProviderConfig",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "ClusterTriggerAuthentication",
    "ClusterWorkflowTemplate",
    "ConfigMap",
    "Configuration",
    "ControllerConfig",
    "CronJob",
    "CronWorkflow",
    "DaemonSet",
    "Deployment",
    "DeploymentRuntimeConfig",
    "ECRAuthorizationToken",
    "EventBus",
    "EventSource",
    "Experiment",
    "ExternalSecret",
    "FederatedIdentityCredential",
    "FlexibleFederatedIdentityCredential",
    "GCRAccessToken",
    "GitRepository",
    "HelmRepository",
    "IAMPartialPolicy",
    "IAMPolicy",
    "IAMPolicyMember",
    "IAMWorkloadIdentityPoolProvider",
    "ImageRepository",
    "Issuer",
    "Job",
    "JobSet",
    "KubeadmControlPlane",
    "KubernetesAuthEngineRole",
    "ManagedCluster",
    "MutatingWebhookConfiguration",
    "Namespace",
    "OCIRepository",
    "OpenIDConnectProvider",
    "PipelineRun",
    "Pod",
    "PodIdentityAssociation",
    "PodTemplate",
    "Prometheus",
    "PrometheusAgent",
    "ProviderConfig",
    "ProwJob",
    "ReplicaSet",
    "ReplicationController",
    "Role",
    "RoleAssignment",
    "RoleBinding",
    "Rollout",
    "ScaledJob",
    "ScheduledSparkApplication",
    "SealedSecret",
    "Secret",
    "SecretProviderClass",
    "SecretStore",
    "Sensor",
    "Service",
    "ServiceAccount",
    "SparkApplication",
    "StatefulSet",
    "TaskRun",
    "ThanosRuler",
    "TriggerAuthentication",
    "VaultAuth",
    "Workflow",
    "WorkflowEventBinding",
    "WorkflowTemplate",
    "WorkloadIdentityPoolProvider",
];

/// The resource name of a kind, by the rule that Kubernetes' own tools guess by.
pub fn plural(kind: &str) -> String {
    let name = kind.to_ascii_lowercase();
    match name.strip_suffix('y') {
        // Argo's, which is its own plural.
        None if name == "eventbus" => name,
        Some(stem) => format!("{stem}ies"),
        None if name.ends_with('s') => format!("{name}es"),
        None => format!("{name}s"),
    }
}

/// The kinds that rules are about, in the order of the alphabet.
///
/// # Errors
/// A resource whose kind is not known.
pub fn judged(rules: &[Matching]) -> Result<BTreeSet<&'static str>> {
    let resources = rules.iter().flat_map(|rule| &rule.resources).map(|name| name.split_once('/').map_or(name.as_str(), |(name, _)| name));
    resources
        .map(|name| {
            let kind = KINDS.iter().find(|kind| plural(kind) == name);
            kind.copied().with_context(|| format!("which kind `{name}` are is not known: add it in crates/artifacts/src/kinds.rs"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals() {
        assert_eq!(plural("ServiceAccount"), "serviceaccounts");
        assert_eq!(plural("SecretProviderClass"), "secretproviderclasses");
        assert_eq!(plural("Policy"), "policies");
        assert_eq!(plural("EventBus"), "eventbus");
    }

    #[test]
    fn kinds_are_known_and_none_is_superfluous() {
        let metadata = |builtin: &fedward_kit::policy::Builtin| crate::metadata::Metadata::parse(builtin.metadata);
        let rules: Vec<Matching> =
            fedward_modules::ALL.iter().filter_map(|builtin| metadata(builtin).ok()).flat_map(|metadata| metadata.rules).collect();
        assert_eq!(judged(&rules).ok(), Some(KINDS.iter().copied().collect()));
        let unknown = Matching { resources: vec!["gadgets".to_owned()], ..rules.first().cloned().unwrap_or_else(|| unreachable!()) };
        assert!(judged(&[unknown]).is_err());
    }
}
