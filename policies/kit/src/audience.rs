//! Token audiences: which ones clouds and well-known systems expect (rules.md §2.6 and §6.C).

use crate::identity::Provider;

/// The audience of token exchange in the public Azure cloud.
pub const AZURE_PUBLIC: &str = "api://AzureADTokenExchange";

/// Audiences of Azure, with the cloud they belong to.
pub const AZURE: [(&str, Cloud); 6] = [
    (AZURE_PUBLIC, Cloud::Public),
    ("api://AzureADTokenExchangeUSGov", Cloud::UsGov),
    ("api://AzureADTokenExchangeChina", Cloud::China),
    ("api://AzureADTokenExchangeUSNat", Cloud::UsNat),
    ("api://AzureADTokenExchangeUSSec", Cloud::UsSec),
    // AKS identity bindings, in every cloud.
    ("api://AKSIdentityBinding", Cloud::Any),
];

/// Audiences of AWS STS and EKS Pod Identity.
pub const AWS: [&str; 4] = ["sts.amazonaws.com", "sts.amazonaws.com.cn", "amazonaws.com", "pods.eks.amazonaws.com"];

/// Audiences of systems that are no cloud, so that nobody is told off for them. `*` stands for any text.
pub const OTHERS: [&str; 18] = [
    "openshift",
    "sts.aliyuncs.com",
    "istio-ca",
    "identity.l5d.io",
    "dapr.io/sentry",
    "spire-server",
    "sigstore",
    "vault",
    "vault.*",
    "vault://*",
    "conjur",
    "pipelines.kubeflow.org",
    "aio-internal",
    "aio-mq",
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
    "kubernetes",
    "api",
];

/// An Azure cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// The public cloud.
    Public,
    /// US Government.
    UsGov,
    /// China.
    China,
    /// The US national cloud.
    UsNat,
    /// The US secret cloud.
    UsSec,
    /// No particular one.
    Any,
}

/// The provider whose audience this is.
pub fn provider(audience: &str) -> Option<Provider> {
    if AZURE.iter().any(|(known, _)| *known == audience) {
        Some(Provider::Azure)
    } else if audience == "pods.eks.amazonaws.com" {
        Some(Provider::AwsPodIdentity)
    } else if AWS.contains(&audience) {
        Some(Provider::AwsIrsa)
    } else if audience.starts_with("//iam.googleapis.com/")
        || audience.starts_with("https://iam.googleapis.com/")
        || audience.ends_with(".svc.id.goog")
    {
        Some(Provider::Gcp)
    } else {
        None
    }
}

/// Whether a token with this audience signs in to Azure.
pub fn is_azure(audience: &str) -> bool {
    provider(audience) == Some(Provider::Azure)
}
