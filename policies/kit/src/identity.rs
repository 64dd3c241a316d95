//! Who signs in to which cloud: the marks that make a service account federated and a pod an identity user (rules.md §0).

use crate::context::{Context, Lookup};
use crate::finding::ObjectRef;
use crate::node::Node;
use crate::settings::Common;
use crate::text::any_matches;
use crate::workload::{Account, Container, Pod};
use crate::{index, trust};

/// Pod label that Azure's webhook selects on; the exact value `true` is required.
pub const AZURE_USE: &str = "azure.workload.identity/use";
/// Service account annotation: the client id of the identity.
pub const AZURE_CLIENT_ID: &str = "azure.workload.identity/client-id";
/// Service account annotation: the tenant id.
pub const AZURE_TENANT_ID: &str = "azure.workload.identity/tenant-id";
/// Annotation of pods and service accounts: seconds, 3600 to 86400.
pub const AZURE_EXPIRATION: &str = "azure.workload.identity/service-account-token-expiration";
/// Pod annotation: container names, split by `;`.
pub const AZURE_SKIP: &str = "azure.workload.identity/skip-containers";
/// Pod annotation of the EKS webhook: container names, split by `,` as in CSV.
pub const AWS_SKIP: &str = "eks.amazonaws.com/skip-containers";
/// Pod annotation whose presence alone injects the proxy.
pub const AZURE_PROXY: &str = "azure.workload.identity/inject-proxy-sidecar";
/// Pod annotation: the proxy's port.
pub const AZURE_PROXY_PORT: &str = "azure.workload.identity/proxy-sidecar-port";
/// Pod annotation of AKS identity bindings.
pub const AZURE_BINDING: &str = "azure.workload.identity/use-identity-binding";
/// Service account annotation: the role of IRSA. The prefix is a webhook flag.
pub const AWS_ROLE_ARN: &str = "eks.amazonaws.com/role-arn";
/// Service account annotation: the Google service account to act as.
pub const GCP_ACCOUNT: &str = "iam.gke.io/gcp-service-account";
/// Service account annotation of direct federation.
pub const GCP_DIRECT: &str = "iam.gke.io/return-principal-id-as-email";
/// Service account annotation by which Argo's SSO maps people to the account.
pub const ARGO_SSO_RULE: &str = "workflows.argoproj.io/rbac-rule";

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Azure workload identity.
    Azure,
    /// AWS IAM roles for service accounts.
    AwsIrsa,
    /// EKS Pod Identity.
    AwsPodIdentity,
    /// Google Cloud.
    Gcp,
    /// People who sign in to Argo and act as the account.
    ArgoSso,
    /// Named by the settings, or by a trust object of no certain provider.
    Other,
}

impl Provider {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Azure => "Azure",
            Provider::AwsIrsa => "AWS (IRSA)",
            Provider::AwsPodIdentity => "EKS Pod Identity",
            Provider::Gcp => "Google Cloud",
            Provider::ArgoSso => "Argo SSO",
            Provider::Other => "federation",
        }
    }
}

/// A service account object.
#[derive(Clone, Copy)]
pub struct ServiceAccount<'a> {
    /// The whole object, or, where a kind makes its own account, the map with its metadata.
    pub node: Node<'a>,
    annotations: Node<'a>,
    labels: Node<'a>,
}

impl<'a> ServiceAccount<'a> {
    /// Reads the object.
    pub fn of(node: Node<'a>) -> Self {
        Self::with_metadata(node, node.get("metadata"))
    }

    fn with_metadata(node: Node<'a>, metadata: Node<'a>) -> Self {
        ServiceAccount { node, annotations: metadata.get("annotations"), labels: metadata.get("labels") }
    }

    /// An annotation, present or not.
    pub fn annotation(&self, key: &'a str) -> Node<'a> {
        self.annotations.get(key)
    }

    /// A label, present or not.
    pub fn label(&self, key: &'a str) -> Node<'a> {
        self.labels.get(key)
    }

    /// The client id that Azure's webhook injects. Empty values are as good as none.
    pub fn client_id(&self) -> Option<&'a str> {
        self.annotation(AZURE_CLIENT_ID).filled()
    }

    /// The AWS role.
    pub fn role_arn(&self) -> Option<&'a str> {
        self.annotation(AWS_ROLE_ARN).filled()
    }

    /// The annotations that make the account federated, with their providers.
    pub fn marks(&self) -> Vec<(Provider, Node<'a>)> {
        [
            (Provider::Azure, AZURE_CLIENT_ID),
            (Provider::AwsIrsa, AWS_ROLE_ARN),
            (Provider::Gcp, GCP_ACCOUNT),
            (Provider::Gcp, GCP_DIRECT),
            (Provider::ArgoSso, ARGO_SSO_RULE),
        ]
        .into_iter()
        .map(|(provider, key)| (provider, self.annotation(key)))
        .filter(|(_, node)| node.filled().is_some())
        .collect()
    }
}

/// Whether Azure's webhook will see the pod.
pub fn is_labelled(pod: &Pod<'_>) -> bool {
    pod.label(AZURE_USE).peek_str() == Some("true")
}

/// Whether an annotation ([`AZURE_SKIP`], [`AWS_SKIP`]) tells a webhook to leave the container alone.
pub fn is_skipped(pod: &Pod<'_>, annotation: &'static str, container: Container<'_>) -> bool {
    // A container that its kind gives no name cannot be named, and an absent annotation names nobody.
    let Some(list) = pod.annotation(annotation).peek_str().filter(|_| !container.name.is_empty()) else { return false };
    if annotation == AZURE_SKIP {
        list.split(';').any(|name| name.trim() == container.name)
    } else {
        // CSV: a space after the comma belongs to the name.
        list.split(',').any(|name| name == container.name)
    }
}

/// The service account of a pod, as far as it is known. The anchor of other objects is the field that names the account.
pub fn account_of<'a>(pod: &Pod<'a>, context: &Context<'a>) -> Lookup<ServiceAccount<'a>> {
    if let (Some(metadata), false) = (pod.account_metadata, matches!(pod.account, Account::NotKnown(_))) {
        return Lookup::Found(ServiceAccount::with_metadata(metadata, metadata));
    }
    match pod.account.name() {
        Some(name) => account(context, pod.namespace, name, pod.account.node()),
        None => Lookup::NotKnown(crate::context::Unknown::Other),
    }
}

/// A service account by name.
pub fn account<'a>(context: &Context<'a>, namespace: &str, name: &str, anchor: Node<'a>) -> Lookup<ServiceAccount<'a>> {
    context.get(ObjectRef { api_version: "v1", kind: "ServiceAccount", namespace, name }, anchor).map(ServiceAccount::of)
}

/// Why a service account counts as federated: the provider, and the node that says so (absent where the settings do).
pub fn federation<'a>(
    context: &Context<'a>,
    common: &Common,
    namespace: &'a str,
    name: &'a str,
    anchor: Node<'a>,
) -> Vec<(Provider, Node<'a>)> {
    let mut found = account(context, namespace, name, anchor).found().map(|account| account.marks()).unwrap_or_default();
    let asks_aws = !found.iter().any(|(provider, _)| *provider == Provider::AwsIrsa);
    found.extend(federation_by_others(context, common, namespace, name, anchor, asks_aws));
    found
}

/// The same, as far as the account's object does not say it itself; `asks_aws` is whether roles of AWS are looked for, too, which let it in.
pub fn federation_by_others<'a>(
    context: &Context<'a>,
    common: &Common,
    namespace: &'a str,
    name: &'a str,
    anchor: Node<'a>,
    asks_aws: bool,
) -> Vec<(Provider, Node<'a>)> {
    let mut found = Vec::new();
    let credentials = index::credentials_for(context, namespace, name, anchor);
    let associations = index::pod_identities(context, &format!("serviceAccount={namespace}/{name}"), anchor);
    let roles = if asks_aws { index::roles_granting(context, namespace, name, anchor) } else { None };
    for object in [credentials, associations, roles].into_iter().flatten().flat_map(|list| list.items) {
        found.push(trust::grant(object, namespace, name));
    }
    for consumer in index::token_consumers(context, namespace, name, anchor).map(|list| list.items).unwrap_or_default() {
        found.push((Provider::Other, consumer));
    }
    if any_matches(&common.federated_service_accounts, &format!("{namespace}/{name}")) {
        found.push((Provider::Other, anchor));
    }
    found
}
