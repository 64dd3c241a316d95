//! Trust objects: what tells a cloud to accept a cluster's tokens. Custom resources are read as they are; documents that are no
//! Kubernetes objects (Graph JSON, ARM, IAM trust policies …) reach modules as objects of `trust.fedward/v1`, which the engine makes.

use crate::identity::Provider;
use crate::node::Node;
use crate::request::group_of;

/// The group of trust documents that the engine lifted into objects. It exists only offline.
pub const GROUP: &str = "trust.fedward";

/// A federated identity credential of Microsoft Entra, in any of its forms.
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    /// The object.
    pub object: Node<'a>,
    /// The name on Azure's side.
    pub name: Node<'a>,
    /// `issuer`.
    pub issuer: Node<'a>,
    /// `subject`.
    pub subject: Node<'a>,
    /// The list of audiences.
    pub audiences: Node<'a>,
    /// What names the identity that the credential belongs to: a name, a resource id, or absent.
    pub parent: Node<'a>,
    /// Which form it has.
    pub form: Form,
}

/// The form of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Azure Service Operator's `FederatedIdentityCredential`.
    AzureServiceOperator,
    /// Crossplane's `FederatedIdentityCredential`.
    Crossplane,
    /// A document that the engine lifted: `trust.fedward/v1 FederatedCredential`.
    Document,
}

impl<'a> Credential<'a> {
    /// Reads an object that is a credential; `None` for any other.
    pub fn of(object: Node<'a>) -> Option<Self> {
        let spec = object.peek("spec");
        let metadata_name = object.peek("metadata").peek("name");
        match (group_of(object.peek("apiVersion").peek_str()?), object.peek("kind").peek_str()?) {
            ("managedidentity.azure.com", "FederatedIdentityCredential") => {
                let azure_name = spec.get("azureName");
                let owner = spec.get("owner");
                let arm_id = owner.get("armId");
                Some(Credential {
                    object,
                    name: if azure_name.filled().is_some() { azure_name } else { metadata_name },
                    issuer: spec.get("issuer"),
                    subject: spec.get("subject"),
                    audiences: spec.get("audiences"),
                    parent: if arm_id.filled().is_some() { arm_id } else { owner.get("name") },
                    form: Form::AzureServiceOperator,
                })
            }
            (group, "FederatedIdentityCredential") if group.starts_with("managedidentity.azure.") && group.ends_with("upbound.io") => {
                let parameters = spec.get("forProvider");
                Some(Credential {
                    object,
                    name: metadata_name,
                    issuer: parameters.get("issuer"),
                    subject: parameters.get("subject"),
                    audiences: parameters.get("audience"),
                    parent: parameters.get("parentId"),
                    form: Form::Crossplane,
                })
            }
            (GROUP, "FederatedCredential") => Some(Credential {
                object,
                name: metadata_name,
                issuer: spec.get("issuer"),
                subject: spec.get("subject"),
                audiences: spec.get("audiences"),
                parent: spec.get("parent"),
                form: Form::Document,
            }),
            _ => None,
        }
    }

    /// One text by which credentials of the same identity are grouped: a resource id in lower case, or a name with its namespace.
    pub fn parent_key(&self, namespace: &str) -> Option<String> {
        let parent = self.parent.peek_str().filter(|parent| !parent.is_empty())?;
        Some(if parent.starts_with('/') { parent.to_ascii_lowercase() } else { format!("{namespace}/{parent}") })
    }
}

/// The namespace and name of `system:serviceaccount:<namespace>:<name>`.
pub fn service_account(subject: &str) -> Option<(&str, &str)> {
    let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

/// The provider that a trust object belongs to.
pub fn provider(object: Node<'_>) -> Provider {
    let group = group_of(object.peek("apiVersion").peek_str().unwrap_or(""));
    match object.peek("kind").peek_str().unwrap_or("") {
        "FederatedIdentityCredential" | "FederatedCredential" => Provider::Azure,
        "PodIdentityAssociation" => Provider::AwsPodIdentity,
        "Role" | "AssumeRolePolicy" => Provider::AwsIrsa,
        _ if group.contains("cnrm.cloud.google.com") => Provider::Gcp,
        _ => Provider::Other,
    }
}

/// The service accounts (of the object's own namespace) whose tokens an object has issued to itself, without any pod: External
/// Secrets stores, Flux objects, KEDA (rules.md §6.0, "TokenRequest consumers").
pub fn token_consumer(object: Node<'_>) -> Vec<&str> {
    let spec = object.peek("spec");
    let mut found = Vec::new();
    match (group_of(object.peek("apiVersion").peek_str().unwrap_or("")), object.peek("kind").peek_str().unwrap_or("")) {
        ("external-secrets.io", "SecretStore" | "ClusterSecretStore") => {
            let provider = spec.peek("provider");
            for reference in [
                provider.peek("azurekv").peek("serviceAccountRef"),
                provider.peek("aws").peek("auth").peek("jwt").peek("serviceAccountRef"),
                provider.peek("gcpsm").peek("auth").peek("workloadIdentity").peek("serviceAccountRef"),
            ] {
                found.extend(reference.peek("name").peek_str());
            }
        }
        (group, _) if group.ends_with("toolkit.fluxcd.io") => {
            if matches!(spec.peek("provider").peek_str(), Some("azure" | "aws" | "gcp")) {
                found.extend(spec.peek("serviceAccountName").peek_str());
            }
            found.extend(spec.peek("decryption").peek("serviceAccountName").peek_str());
        }
        _ => {}
    }
    found.retain(|name| !name.is_empty());
    found
}
