//! Resource plurals and scopes: of the built-in kinds, of the custom resource definitions in the input, and otherwise a guess.

mod versions;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use fedward_manifest::Node;

use crate::load::text;

/// Whether a kind lives in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Namespaced,
    Cluster,
}

/// What the API server calls a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) plural: String,
    pub(crate) scope: Scope,
}

/// The kinds that are known.
#[derive(Default)]
pub(crate) struct Kinds {
    defined: HashMap<(String, String), Resource>,
    /// The versions that definitions have, by group and plural.
    versions: HashMap<String, HashMap<String, Vec<String>>>,
    guessed: Mutex<BTreeSet<String>>,
}

impl Kinds {
    /// Takes a CustomResourceDefinition of the input.
    pub(crate) fn define(&mut self, definition: Node<'_>) {
        let Some(spec) = definition.get("spec") else { return };
        let Some(names) = spec.get("names") else { return };
        if let (Some(group), Some(kind), Some(plural)) = (text(spec, "group"), text(names, "kind"), text(names, "plural")) {
            let scope = if text(spec, "scope") == Some("Cluster") { Scope::Cluster } else { Scope::Namespaced };
            self.defined.insert((group.to_owned(), kind.to_owned()), Resource { plural: plural.to_owned(), scope });
            let is_served = |version: &Node<'_>| version.get("served").is_none_or(|served| served.as_bool() != Some(false));
            let versions = spec.get("versions").into_iter().flat_map(|versions| versions.items()).filter(is_served);
            let versions: Vec<String> = versions.filter_map(|version| Some(text(version, "name")?.to_owned())).collect();
            if !versions.is_empty() {
                self.versions.entry(group.to_owned()).or_default().insert(plural.to_owned(), versions);
            }
        }
    }

    /// The versions that a resource has, by its group and plural; `None` if nobody knows.
    pub(crate) fn versions(&self, group: &str, plural: &str) -> Option<Cow<'_, [&str]>> {
        match self.versions.get(group).and_then(|resources| resources.get(plural)) {
            Some(defined) => Some(defined.iter().map(String::as_str).collect()),
            None => versions::of(group, plural).map(Cow::Borrowed),
        }
    }

    /// The resource of a kind. One that is neither built in nor defined is guessed: namespaced, unless its name begins with `Cluster`,
    /// and the plural that Kubernetes' own tools would guess (`meta.UnsafeGuessKindToResource`).
    pub(crate) fn resource(&self, group: &str, kind: &str) -> Resource {
        if let Some(known) = self.defined.get(&(group.to_owned(), kind.to_owned())) {
            return known.clone();
        }
        if let Some((_, _, plural, scope)) =
            TABLE.iter().find(|(known_group, known_kind, _, _)| *known_group == group && *known_kind == kind)
        {
            return Resource { plural: (*plural).to_owned(), scope: *scope };
        }
        if let Ok(mut guessed) = self.guessed.lock()
            && !group.ends_with(".fedward")
            && !kind.is_empty()
        {
            guessed.insert(if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") });
        }
        Resource {
            plural: guess(kind),
            scope: if kind.starts_with("Cluster") && kind != "Cluster" { Scope::Cluster } else { Scope::Namespaced },
        }
    }

    /// Which kinds' resources were guessed, in words.
    pub(crate) fn note(&self) -> Option<String> {
        let guessed: Vec<String> = self.guessed.lock().map(|guessed| guessed.iter().cloned().collect()).unwrap_or_default();
        let kinds = fedward_outcome::few(&guessed);
        let note = format!("nothing in the input defines these kinds, so their resource names and scopes are guessed: {kinds}");
        (!guessed.is_empty()).then_some(note)
    }
}

/// Whether a kind, by group and name, has namespaces, if it is one that every cluster has or that is well known.
pub fn is_namespaced(group: &str, kind: &str) -> Option<bool> {
    let known = TABLE.iter().find(|(known_group, known_kind, _, _)| *known_group == group && *known_kind == kind);
    known.map(|(_, _, _, scope)| *scope == Scope::Namespaced)
}

fn guess(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.as_bytes().last() {
        Some(b's') => format!("{lower}es"),
        Some(b'y') => format!("{}ies", lower.strip_suffix('y').unwrap_or(&lower)),
        _ => format!("{lower}s"),
    }
}

use Scope::{Cluster, Namespaced};

/// Built-in kinds, held to k8s-openapi by a test; then well-known custom resources that fedward's rules read.
pub(crate) const TABLE: &[(&str, &str, &str, Scope)] = &[
    ("", "Pod", "pods", Namespaced),
    ("", "PodTemplate", "podtemplates", Namespaced),
    ("", "ReplicationController", "replicationcontrollers", Namespaced),
    ("", "ServiceAccount", "serviceaccounts", Namespaced),
    ("", "ConfigMap", "configmaps", Namespaced),
    ("", "Secret", "secrets", Namespaced),
    ("", "Service", "services", Namespaced),
    ("", "Endpoints", "endpoints", Namespaced),
    ("", "Event", "events", Namespaced),
    ("", "LimitRange", "limitranges", Namespaced),
    ("", "ResourceQuota", "resourcequotas", Namespaced),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims", Namespaced),
    ("", "Binding", "bindings", Namespaced),
    ("", "Namespace", "namespaces", Cluster),
    ("", "Node", "nodes", Cluster),
    ("", "PersistentVolume", "persistentvolumes", Cluster),
    ("", "ComponentStatus", "componentstatuses", Cluster),
    ("apps", "Deployment", "deployments", Namespaced),
    ("apps", "StatefulSet", "statefulsets", Namespaced),
    ("apps", "DaemonSet", "daemonsets", Namespaced),
    ("apps", "ReplicaSet", "replicasets", Namespaced),
    ("apps", "ControllerRevision", "controllerrevisions", Namespaced),
    ("batch", "Job", "jobs", Namespaced),
    ("batch", "CronJob", "cronjobs", Namespaced),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", Namespaced),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", Namespaced),
    ("rbac.authorization.k8s.io", "Role", "roles", Namespaced),
    ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", Namespaced),
    ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", Cluster),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", Cluster),
    ("networking.k8s.io", "Ingress", "ingresses", Namespaced),
    ("networking.k8s.io", "IngressClass", "ingressclasses", Cluster),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", Namespaced),
    ("networking.k8s.io", "IPAddress", "ipaddresses", Cluster),
    ("networking.k8s.io", "ServiceCIDR", "servicecidrs", Cluster),
    ("storage.k8s.io", "StorageClass", "storageclasses", Cluster),
    ("storage.k8s.io", "CSIDriver", "csidrivers", Cluster),
    ("storage.k8s.io", "CSINode", "csinodes", Cluster),
    ("storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", Namespaced),
    ("storage.k8s.io", "VolumeAttachment", "volumeattachments", Cluster),
    ("storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses", Cluster),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", Cluster),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", Cluster),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", Cluster),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", Cluster),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", Cluster),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", Cluster),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", Cluster),
    ("apiregistration.k8s.io", "APIService", "apiservices", Cluster),
    ("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", Cluster),
    ("coordination.k8s.io", "Lease", "leases", Namespaced),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices", Namespaced),
    ("events.k8s.io", "Event", "events", Namespaced),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", Cluster),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations", Cluster),
    ("node.k8s.io", "RuntimeClass", "runtimeclasses", Cluster),
    ("scheduling.k8s.io", "PriorityClass", "priorityclasses", Cluster),
    ("resource.k8s.io", "DeviceClass", "deviceclasses", Cluster),
    ("resource.k8s.io", "DeviceTaintRule", "devicetaintrules", Cluster),
    ("resource.k8s.io", "ResourceClaim", "resourceclaims", Namespaced),
    ("resource.k8s.io", "ResourceClaimTemplate", "resourceclaimtemplates", Namespaced),
    ("resource.k8s.io", "ResourceSlice", "resourceslices", Cluster),
    ("certificates.k8s.io", "ClusterTrustBundle", "clustertrustbundles", Cluster),
    ("certificates.k8s.io", "PodCertificateRequest", "podcertificaterequests", Namespaced),
    ("coordination.k8s.io", "LeaseCandidate", "leasecandidates", Namespaced),
    ("scheduling.k8s.io", "PodGroup", "podgroups", Namespaced),
    ("scheduling.k8s.io", "Workload", "workloads", Namespaced),
    ("storagemigration.k8s.io", "StorageVersionMigration", "storageversionmigrations", Cluster),
    ("authentication.k8s.io", "TokenReview", "tokenreviews", Cluster),
    ("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", Cluster),
    ("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", Namespaced),
    ("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", Cluster),
    ("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", Cluster),
    ("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", Cluster),
    // Custom resources that the rules read.
    ("policies.kubewarden.io", "AdmissionPolicy", "admissionpolicies", Namespaced),
    ("policies.kubewarden.io", "AdmissionPolicyGroup", "admissionpolicygroups", Namespaced),
    ("policies.kubewarden.io", "ClusterAdmissionPolicy", "clusteradmissionpolicies", Cluster),
    ("policies.kubewarden.io", "ClusterAdmissionPolicyGroup", "clusteradmissionpolicygroups", Cluster),
    ("policies.kubewarden.io", "PolicyServer", "policyservers", Cluster),
    ("argoproj.io", "Application", "applications", Namespaced),
    ("argoproj.io", "ApplicationSet", "applicationsets", Namespaced),
    ("argoproj.io", "AppProject", "appprojects", Namespaced),
    ("argoproj.io", "Workflow", "workflows", Namespaced),
    ("argoproj.io", "WorkflowTemplate", "workflowtemplates", Namespaced),
    ("argoproj.io", "ClusterWorkflowTemplate", "clusterworkflowtemplates", Cluster),
    ("argoproj.io", "CronWorkflow", "cronworkflows", Namespaced),
    ("argoproj.io", "WorkflowEventBinding", "workfloweventbindings", Namespaced),
    ("argoproj.io", "Sensor", "sensors", Namespaced),
    ("argoproj.io", "EventSource", "eventsources", Namespaced),
    ("argoproj.io", "EventBus", "eventbus", Namespaced),
    ("argoproj.io", "Rollout", "rollouts", Namespaced),
    ("argoproj.io", "Experiment", "experiments", Namespaced),
    ("argoproj.io", "AnalysisTemplate", "analysistemplates", Namespaced),
    ("argoproj.io", "ClusterAnalysisTemplate", "clusteranalysistemplates", Cluster),
    ("argoproj.io", "AnalysisRun", "analysisruns", Namespaced),
    ("aadpodidentity.k8s.io", "AzureIdentity", "azureidentities", Namespaced),
    ("aadpodidentity.k8s.io", "AzureIdentityBinding", "azureidentitybindings", Namespaced),
    ("managedidentity.azure.com", "FederatedIdentityCredential", "federatedidentitycredentials", Namespaced),
    ("managedidentity.azure.com", "UserAssignedIdentity", "userassignedidentities", Namespaced),
    ("authorization.azure.com", "RoleAssignment", "roleassignments", Namespaced),
    ("containerservice.azure.com", "ManagedCluster", "managedclusters", Namespaced),
    ("eks.services.k8s.aws", "PodIdentityAssociation", "podidentityassociations", Namespaced),
    ("eks.services.k8s.aws", "AccessEntry", "accessentries", Namespaced),
    ("eks.aws.upbound.io", "AccessPolicyAssociation", "accesspolicyassociations", Cluster),
    // No cluster serves it.
    ("eksctl.io", "ClusterConfig", "clusterconfigs", Cluster),
    ("iam.services.k8s.aws", "Role", "roles", Namespaced),
    ("iam.services.k8s.aws", "OpenIDConnectProvider", "openidconnectproviders", Namespaced),
    ("kustomize.config.k8s.io", "Kustomization", "kustomizations", Namespaced),
    ("external-secrets.io", "SecretStore", "secretstores", Namespaced),
    ("external-secrets.io", "ClusterSecretStore", "clustersecretstores", Cluster),
    ("pkg.crossplane.io", "DeploymentRuntimeConfig", "deploymentruntimeconfigs", Cluster),
    ("pkg.crossplane.io", "ControllerConfig", "controllerconfigs", Cluster),
    ("apiextensions.crossplane.io", "Composition", "compositions", Cluster),
    ("kubernetes.crossplane.io", "Object", "objects", Cluster),
    ("managedidentity.azure.upbound.io", "FederatedIdentityCredential", "federatedidentitycredentials", Cluster),
    ("managedidentity.azure.upbound.io", "UserAssignedIdentity", "userassignedidentities", Cluster),
    ("authorization.azure.upbound.io", "RoleAssignment", "roleassignments", Cluster),
    ("trust.fedward", "FederatedCredential", "federatedcredentials", Cluster),
    ("trust.fedward", "RoleAssignment", "roleassignments", Cluster),
    ("trust.fedward", "ManagedCluster", "managedclusters", Cluster),
    ("trust.fedward", "ClusterExtension", "clusterextensions", Cluster),
    ("trust.fedward", "AssumeRolePolicy", "assumerolepolicies", Cluster),
    ("trust.fedward", "OpenIDConnectProvider", "openidconnectproviders", Cluster),
    ("trust.fedward", "PodIdentityAssociation", "podidentityassociations", Cluster),
    ("trust.fedward", "AccessEntry", "accessentries", Cluster),
    ("trust.fedward", "IAMPolicyMember", "iampolicymembers", Cluster),
    ("trust.fedward", "IAMPolicy", "iampolicies", Cluster),
    ("trust.fedward", "IAMWorkloadIdentityPoolProvider", "iamworkloadidentitypoolproviders", Cluster),
    ("trust.fedward", "ApiServerArguments", "apiserverarguments", Cluster),
];

#[cfg(test)]
mod tests {
    use super::{Kinds, Scope, TABLE, guess};

    /// Group, kind, plural and whether it is cluster-scoped of types of k8s-openapi.
    macro_rules! builtin {
        ($($module:ident :: $version:ident: $($kind:ident)*;)*) => {
            vec![$($(row::<k8s_openapi::api::$module::$version::$kind>()),*),*]
        };
    }

    fn row<T: k8s_openapi::Resource>() -> (&'static str, &'static str, &'static str, Scope)
    where
        T::Scope: 'static,
    {
        let is_cluster = std::any::TypeId::of::<T::Scope>() == std::any::TypeId::of::<k8s_openapi::ClusterResourceScope>();
        (T::GROUP, T::KIND, T::URL_PATH_SEGMENT, if is_cluster { Scope::Cluster } else { Scope::Namespaced })
    }

    /// Groups of custom resources; all others are Kubernetes' own.
    fn is_custom(group: &str) -> bool {
        matches!(group, "aadpodidentity.k8s.io" | "kustomize.config.k8s.io") || group.contains('.') && !group.ends_with(".k8s.io")
    }

    #[test]
    fn the_table_is_that_of_kubernetes() {
        use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
        use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
        let mut known = builtin![
            core::v1: Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod
                PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount;
            admissionregistration::v1: MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration
                ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration;
            apps::v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet;
            authentication::v1: SelfSubjectReview TokenReview;
            authorization::v1: LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview;
            autoscaling::v2: HorizontalPodAutoscaler;
            batch::v1: CronJob Job;
            certificates::v1: CertificateSigningRequest;
            certificates::v1beta1: ClusterTrustBundle PodCertificateRequest;
            coordination::v1: Lease;
            coordination::v1beta1: LeaseCandidate;
            discovery::v1: EndpointSlice;
            events::v1: Event;
            flowcontrol::v1: FlowSchema PriorityLevelConfiguration;
            networking::v1: Ingress IngressClass IPAddress NetworkPolicy ServiceCIDR;
            node::v1: RuntimeClass;
            policy::v1: PodDisruptionBudget;
            rbac::v1: ClusterRole ClusterRoleBinding Role RoleBinding;
            resource::v1: DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice;
            resource::v1beta2: DeviceTaintRule;
            scheduling::v1: PriorityClass;
            scheduling::v1alpha2: PodGroup Workload;
            storage::v1: CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass;
            storagemigration::v1beta1: StorageVersionMigration;
        ];
        known.extend([row::<CustomResourceDefinition>(), row::<APIService>()]);
        let mut table: Vec<_> = TABLE.iter().filter(|(group, ..)| !is_custom(group)).copied().collect();
        let key = |row: &(&'static str, &'static str, &'static str, Scope)| (row.0, row.1);
        known.sort_by_key(key);
        table.sort_by_key(key);
        assert_eq!(table, known);
    }

    #[test]
    fn versions_of_kubernetes_are_known() {
        macro_rules! version {
            ($($module:ident :: $version:ident: $($kind:ident)*;)*) => {
                vec![$($(version_of::<k8s_openapi::api::$module::$version::$kind>()),*),*]
            };
        }
        fn version_of<T: k8s_openapi::Resource>() -> [&'static str; 3] {
            [T::GROUP, T::VERSION, T::URL_PATH_SEGMENT]
        }
        let kinds = Kinds::default();
        let known = version![
            core::v1: Pod Secret;
            admissionregistration::v1: MutatingAdmissionPolicy ValidatingAdmissionPolicy ValidatingWebhookConfiguration;
            admissionregistration::v1beta1: MutatingAdmissionPolicy MutatingAdmissionPolicyBinding;
            apps::v1: DaemonSet Deployment;
            authentication::v1: SelfSubjectReview TokenReview;
            authorization::v1: SubjectAccessReview;
            autoscaling::v1: HorizontalPodAutoscaler;
            autoscaling::v2: HorizontalPodAutoscaler;
            batch::v1: CronJob Job;
            certificates::v1: CertificateSigningRequest;
            certificates::v1alpha1: ClusterTrustBundle;
            certificates::v1beta1: ClusterTrustBundle PodCertificateRequest;
            coordination::v1: Lease;
            coordination::v1alpha2: LeaseCandidate;
            coordination::v1beta1: LeaseCandidate;
            discovery::v1: EndpointSlice;
            events::v1: Event;
            flowcontrol::v1: FlowSchema;
            networking::v1: Ingress IngressClass IPAddress NetworkPolicy ServiceCIDR;
            networking::v1beta1: IPAddress ServiceCIDR;
            node::v1: RuntimeClass;
            policy::v1: PodDisruptionBudget;
            rbac::v1: ClusterRole Role;
            resource::v1: DeviceClass ResourceClaim;
            resource::v1beta1: ResourceClaim ResourceSlice;
            resource::v1beta2: DeviceTaintRule ResourceClaim;
            scheduling::v1: PriorityClass;
            scheduling::v1alpha2: PodGroup Workload;
            storage::v1: CSIDriver StorageClass VolumeAttributesClass;
            storage::v1beta1: VolumeAttributesClass;
            storagemigration::v1beta1: StorageVersionMigration;
        ];
        for [group, version, plural] in known {
            assert!(kinds.versions(group, plural).is_some_and(|versions| versions.contains(&version)), "{group}/{version} {plural}");
        }
        for (group, kind, plural, _) in TABLE {
            assert_eq!(kinds.versions(group, plural).is_none(), is_custom(group), "{group} {kind}");
        }
    }

    #[test]
    fn guesses_as_kubernetes_tools_do() {
        assert_eq!(guess("Policy"), "policies");
        assert_eq!(guess("Gateway"), "gatewaies");
        assert_eq!(guess("Class"), "classes");
        assert_eq!(guess("Widget"), "widgets");
    }

    #[test]
    fn a_guess_is_reported_and_knowledge_is_not() {
        let kinds = Kinds::default();
        assert_eq!(kinds.resource("apps", "Deployment").plural, "deployments");
        assert_eq!(kinds.resource("example.com", "ClusterThing").scope, Scope::Cluster);
        assert!(kinds.note().is_some_and(|note| note.ends_with(" guessed: ClusterThing.example.com")));
    }
}
