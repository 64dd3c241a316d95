//! Trust objects: what tells a cloud to accept a cluster's tokens. Custom resources are read as they are; documents that are no
//! Kubernetes objects (Graph JSON, ARM, IAM trust policies …) reach modules as objects of `trust.fedward/v1`, which the engine makes.

use crate::context::Context;
use crate::finding::ObjectRef;
use crate::identity::Provider;
use crate::node::Node;
use crate::request::group_of;
use crate::text::{ByName, is_guid};

/// The group of trust documents that the engine lifted into objects. It exists only offline.
pub const GROUP: &str = "trust.fedward";

/// A federated identity credential of Microsoft Entra, in any of its forms.
///
/// Fields as in Azure Service Operator's `managedidentity.azure.com` (every version), Crossplane's `managedidentity.azure.upbound.io`
/// and `applications.azuread.upbound.io` (also their namespaced `.m.` groups), and the engine's `trust.fedward/v1`.
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    /// The object.
    pub object: Node<'a>,
    /// The name on Azure's side; absent where only the API server knows it (`generateName`).
    pub name: Node<'a>,
    /// `issuer`.
    pub issuer: Node<'a>,
    /// `subject`.
    pub subject: Node<'a>,
    /// The audiences: a list, or one string in Crossplane's flexible form. See [`Credential::audience_list`].
    pub audiences: Node<'a>,
    /// `claimsMatchingExpression`: a map with `value` and `languageVersion`, or the expression itself.
    pub claims: Node<'a>,
    /// What names the identity that the credential belongs to: a name, a resource id, or absent.
    pub parent: Node<'a>,
    /// Which form it has.
    pub form: Form,
    /// Where Azure Service Operator may take the issuer and the subject from instead: a name and a key of a ConfigMap.
    config: Option<(Node<'a>, Node<'a>)>,
    /// Crossplane's other ways to name the parent: a label selector.
    selector: Option<Node<'a>>,
    /// Whether Crossplane merely observes what somebody else made, so that nothing needs to be filled in.
    pub observed: bool,
}

/// The form of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Azure Service Operator's `FederatedIdentityCredential`.
    AzureServiceOperator,
    /// Crossplane's `FederatedIdentityCredential` of a managed identity.
    Crossplane,
    /// Crossplane's `FederatedIdentityCredential` or `FlexibleFederatedIdentityCredential` of an application.
    CrossplaneApplication,
    /// A document that the engine lifted: `trust.fedward/v1 FederatedCredential`.
    Document,
}

impl<'a> Credential<'a> {
    /// Reads an object that is a credential; `None` for any other.
    pub fn of(object: Node<'a>) -> Option<Self> {
        // Asked by many rules of every object: most answers are found here.
        let kind = object.peek_text("kind").filter(|kind| kind.ends_with("Credential"))?;
        match (group_of(object.peek_text("apiVersion")?), kind) {
            ("managedidentity.azure.com", "FederatedIdentityCredential") => Some(Self::of_operator(object)),
            ("managedidentity.azure.upbound.io" | "managedidentity.azure.m.upbound.io", "FederatedIdentityCredential") => {
                Some(Self::of_crossplane(object, Form::Crossplane))
            }
            (
                "applications.azuread.upbound.io" | "applications.azuread.m.upbound.io",
                "FederatedIdentityCredential" | "FlexibleFederatedIdentityCredential",
            ) => Some(Self::of_crossplane(object, Form::CrossplaneApplication)),
            (GROUP, "FederatedCredential") => {
                let spec = object.get("spec");
                Some(Credential {
                    object,
                    name: spec.get("name"),
                    issuer: spec.get("issuer"),
                    subject: spec.get("subject"),
                    audiences: spec.get("audiences"),
                    claims: spec.peek("claimsMatchingExpression"),
                    parent: spec.get("parent"),
                    form: Form::Document,
                    config: None,
                    selector: None,
                    observed: false,
                })
            }
            _ => None,
        }
    }

    fn of_operator(object: Node<'a>) -> Self {
        let spec = object.get("spec");
        let owner = spec.get("owner");
        Credential {
            object,
            name: filled_or(spec.get("azureName"), object.get("metadata").get("name")),
            issuer: spec.get("issuer"),
            subject: spec.get("subject"),
            audiences: spec.get("audiences"),
            claims: spec.peek("claimsMatchingExpression"),
            parent: filled_or(owner.get("armId"), owner.get("name")),
            form: Form::AzureServiceOperator,
            config: Some((spec.get("issuerFromConfig"), spec.get("subjectFromConfig"))),
            selector: None,
            observed: false,
        }
    }

    fn of_crossplane(object: Node<'a>, form: Form) -> Self {
        let spec = object.get("spec");
        // `initProvider` holds what is set at creation only; it is merged into `forProvider`.
        let parameter = |name: &'static str| {
            let (own, initial) = (spec.get("forProvider").peek(name), spec.get("initProvider").peek(name));
            if own.is_absent() && initial.is_present() { initial } else { own }
        };
        let metadata = object.get("metadata");
        let (name, audiences, parents, selector) = if form == Form::Crossplane {
            let external = metadata.get("annotations").get("crossplane.io/external-name");
            let reference = parameter("parentIdRef").get("name");
            let parents = [parameter("parentId"), reference, reference];
            (filled_or(external, metadata.get("name")), parameter("audience"), parents, parameter("parentIdSelector"))
        } else {
            let several = parameter("audiences");
            let audiences = if several.is_present() { several } else { parameter("audience") };
            let (object_id, id) = (parameter("applicationObjectId"), parameter("applicationId"));
            let reference = filled_or(parameter("applicationObjectIdRef").get("name"), parameter("applicationIdRef").get("name"));
            let by_object = parameter("applicationObjectIdSelector");
            let selector = if by_object.is_present() { by_object } else { parameter("applicationIdSelector") };
            (parameter("displayName"), audiences, [id, object_id, reference], selector)
        };
        let policies = spec.get("managementPolicies");
        Credential {
            object,
            name,
            issuer: parameter("issuer"),
            subject: parameter("subject"),
            audiences,
            claims: parameter("claimsMatchingExpression"),
            parent: parents.into_iter().find(|parent| parent.is_present()).unwrap_or(parameter("parentId")),
            form,
            config: None,
            selector: Some(selector),
            observed: policies.is_present() && !policies.items().any(|policy| matches!(policy.str(), Some("*" | "Create" | "Update"))),
        }
    }

    /// The audiences one by one, whether they are a list or a string.
    pub fn audience_list(&self) -> Vec<Node<'a>> {
        if self.audiences.peek_str().is_some() { vec![self.audiences] } else { self.audiences.items().collect() }
    }

    /// The issuer, read from its ConfigMap where the object names one; `None` where that is not known.
    pub fn issuer_in(&self, context: &Context<'a>, namespace: &str) -> Option<Node<'a>> {
        follow(self.issuer, self.config.map(|(issuer, _)| issuer), context, namespace)
    }

    /// The subject, read from its ConfigMap where the object names one; `None` where that is not known.
    pub fn subject_in(&self, context: &Context<'a>, namespace: &str) -> Option<Node<'a>> {
        follow(self.subject, self.config.map(|(_, subject)| subject), context, namespace)
    }

    /// Whether the object leaves the subject to a ConfigMap.
    pub fn has_subject_elsewhere(&self) -> bool {
        self.config.is_some_and(|(_, subject)| subject.is_present())
    }

    /// Whether anything says to which identity the credential belongs.
    pub fn has_parent(&self) -> bool {
        self.parent.filled().is_some() || self.selector.is_some_and(Node::is_present)
    }

    /// One text by which credentials of the same identity are grouped: a GUID or a resource id in lower case, a name with its namespace,
    /// or a selector's labels.
    pub fn parent_key(&self, namespace: &str) -> Option<String> {
        if let Some(parent) = self.parent.peek_str().filter(|parent| !parent.is_empty()) {
            let lower = parent.to_ascii_lowercase();
            // Terraform writes an application's object id as `/applications/<id>`.
            let id = lower.strip_prefix("/applications/").unwrap_or(&lower);
            return Some(if is_guid(id) {
                id.to_owned()
            } else if parent.starts_with('/') {
                lower
            } else {
                format!("{namespace}/{parent}")
            });
        }
        let mut labels = ByName::new();
        for (key, value) in self.selector?.peek("matchLabels").peek_entries() {
            labels.insert(format!("{key}={}", value.peek_str().unwrap_or("")).into(), 0);
        }
        // Joining texts of another type would be more code in every module.
        let labels: Vec<String> = labels.keys().map(|label| label.to_string()).collect();
        (!labels.is_empty()).then(|| format!("{namespace}/{}", labels.join(",")))
    }
}

fn filled_or<'a>(first: Node<'a>, second: Node<'a>) -> Node<'a> {
    if first.filled().is_some() { first } else { second }
}

fn follow<'a>(value: Node<'a>, reference: Option<Node<'a>>, context: &Context<'a>, namespace: &str) -> Option<Node<'a>> {
    let Some(reference) = reference.filter(|reference| value.is_absent() && reference.is_present()) else { return Some(value) };
    let (name, key) = (reference.get("name").filled()?, reference.get("key").filled()?);
    let map = context.get(ObjectRef { api_version: "v1", kind: "ConfigMap", namespace, name }, reference).found()?;
    Some(map.get("data").get(key)).filter(|value| value.is_present())
}

/// The namespace and name of `system:serviceaccount:<namespace>:<name>`.
pub fn service_account(subject: &str) -> Option<(&str, &str)> {
    let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

/// An EKS Pod Identity association: a service account and the role that its pods get.
#[derive(Clone, Copy)]
pub struct PodIdentity<'a> {
    /// The account's namespace, which is not the object's.
    pub namespace: Node<'a>,
    /// The account's name.
    pub service_account: Node<'a>,
    /// The role's ARN.
    pub role_arn: Node<'a>,
}

impl<'a> PodIdentity<'a> {
    /// Reads an object that is an association (ACK's, Crossplane's, or one that the engine lifted); `None` for any other.
    pub fn of(object: Node<'a>) -> Option<Self> {
        if object.peek_text("kind")? != "PodIdentityAssociation" {
            return None;
        }
        let spec = object.peek("spec");
        let (fields, role_arn) = match group_of(object.peek_text("apiVersion")?) {
            "eks.services.k8s.aws" | GROUP => (spec, "roleARN"),
            "eks.aws.upbound.io" | "eks.aws.m.upbound.io" => (spec.peek("forProvider"), "roleArn"),
            _ => return None,
        };
        let at = |field| fields.peek(field);
        Some(PodIdentity { namespace: at("namespace"), service_account: at("serviceAccount"), role_arn: at(role_arn) })
    }
}

/// The service accounts that eksctl's `ClusterConfig` gives roles to: for each the namespace, the name, the provider, and the node that
/// names it. Empty for every other object.
pub fn eksctl_accounts(object: Node<'_>) -> Vec<(&str, &str, Provider, Node<'_>)> {
    if object.peek_text("kind") != Some("ClusterConfig") || group_of(object.peek_text("apiVersion").unwrap_or("")) != "eksctl.io" {
        return Vec::new();
    }
    let iam = object.peek("iam");
    let roles = iam.peek("serviceAccounts").peek_items().map(|entry| entry.peek("metadata"));
    let roles = roles.map(|metadata| (metadata.peek("namespace"), metadata.peek("name"), Provider::AwsIrsa));
    let associations = iam.peek("podIdentityAssociations").peek_items();
    let associations = associations.map(|entry| (entry.peek("namespace"), entry.peek("serviceAccountName"), Provider::AwsPodIdentity));
    // Where eksctl makes the account, it does so in `default` if nothing else is said.
    roles
        .chain(associations)
        .filter_map(|(namespace, name, provider)| Some((namespace.peek_str().unwrap_or("default"), name.peek_str()?, provider, name)))
        .collect()
}

/// Who lets a service account sign in, of an object that does so: the provider, and the object, or the entry in it that names the account.
pub fn grant<'a>(object: Node<'a>, namespace: &str, name: &str) -> (Provider, Node<'a>) {
    let entry = eksctl_accounts(object).into_iter().find(|(in_namespace, account, ..)| (*in_namespace, *account) == (namespace, name));
    entry.map_or((provider(object), object), |(_, _, provider, node)| (provider, node))
}

/// The provider that a trust object belongs to.
pub fn provider(object: Node<'_>) -> Provider {
    let group = group_of(object.peek_text("apiVersion").unwrap_or(""));
    match object.peek_text("kind").unwrap_or("") {
        "FederatedIdentityCredential" | "FlexibleFederatedIdentityCredential" | "FederatedCredential" => Provider::Azure,
        "PodIdentityAssociation" => Provider::AwsPodIdentity,
        "Role" | "AssumeRolePolicy" => Provider::AwsIrsa,
        _ if group.contains("cnrm.cloud.google.com") => Provider::Gcp,
        _ => Provider::Other,
    }
}

/// The service accounts, each with its namespace where it is not the object's own, whose tokens an object has issued to itself,
/// without any pod: External Secrets stores, Flux objects and the ConfigMaps that they sign in to clusters with (rules.md §6.0,
/// "TokenRequest consumers").
pub fn token_consumer(object: Node<'_>) -> Vec<(Option<&str>, &str)> {
    let spec = object.peek("spec");
    let mut found = Vec::new();
    let is_cloud = |node: Node<'_>| matches!(node.peek_str(), Some("azure" | "aws" | "gcp"));
    match (group_of(object.peek_text("apiVersion").unwrap_or("")), object.peek_text("kind").unwrap_or("")) {
        ("external-secrets.io", kind @ ("SecretStore" | "ClusterSecretStore")) => {
            let provider = spec.peek("provider");
            for reference in [
                provider.peek("azurekv").peek("serviceAccountRef"),
                provider.peek("aws").peek("auth").peek("jwt").peek("serviceAccountRef"),
                provider.peek("gcpsm").peek("auth").peek("workloadIdentity").peek("serviceAccountRef"),
            ] {
                // A store of a namespace cannot reach into another.
                let namespace = reference.peek_text("namespace").filter(|_| kind == "ClusterSecretStore");
                found.extend(reference.peek_text("name").map(|name| (namespace, name)));
            }
        }
        (group, _) if group.ends_with("toolkit.fluxcd.io") => {
            let account = spec.peek_text("serviceAccountName").filter(|_| is_cloud(spec.peek("provider")));
            let decryption = spec.peek("decryption").peek_text("serviceAccountName");
            found.extend([account, decryption].into_iter().flatten().map(|name| (None, name)));
        }
        ("", "ConfigMap") => {
            let data = object.peek("data");
            let account = data.peek_text("serviceAccountName").filter(|_| is_cloud(data.peek("provider")));
            found.extend(account.map(|name| (None, name)));
        }
        _ => {}
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

/// Whether an object tells its controller a client id to sign in to Azure with, so that the controller's service account needs none:
/// cert-manager's Azure DNS solver, External Secrets stores, KEDA's trigger authentication, Cluster API's identity.
pub fn supplies_client_id(object: Node<'_>) -> bool {
    let spec = object.peek("spec");
    let filled = |node: Node<'_>| node.peek_str().is_some_and(|text| !text.is_empty());
    match (group_of(object.peek_text("apiVersion").unwrap_or("")), object.peek_text("kind").unwrap_or("")) {
        ("cert-manager.io", "Issuer" | "ClusterIssuer") => spec
            .peek("acme")
            .peek("solvers")
            .peek_items()
            .any(|solver| filled(solver.peek("dns01").peek("azureDNS").peek("managedIdentity").peek("clientID"))),
        ("external-secrets.io", "SecretStore" | "ClusterSecretStore") => filled(spec.peek("provider").peek("azurekv").peek("identityId")),
        ("keda.sh", "TriggerAuthentication" | "ClusterTriggerAuthentication") => filled(spec.peek("podIdentity").peek("identityId")),
        ("infrastructure.cluster.x-k8s.io", "AzureClusterIdentity") => {
            spec.peek_text("type") == Some("WorkloadIdentity") && filled(spec.peek("clientID"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use bumpalo::Bump;

    use super::Credential;
    use crate::node::{Origin, Session};
    use crate::value::Value;

    #[test]
    fn reads_every_form_of_a_credential() {
        let guid = "8F2D1C4B-3a5e-4f60-9b7c-1d2e3f4a5b6c";
        let operator = serde_json::json!({ "azureName": "n", "owner": { "name": "p" }, "audiences": ["a"], "issuer": "i", "subject": "s" });
        let crossplane =
            serde_json::json!({ "forProvider": { "parentIdRef": { "name": "p" }, "audience": ["a"], "issuer": "i", "subject": "s" } });
        let application = serde_json::json!({
            "forProvider": { "applicationId": format!("/applications/{guid}"), "displayName": "n", "audience": "a", "subject": "s" },
            "initProvider": { "issuer": "i" },
        });
        let selected = serde_json::json!({ "forProvider": { "parentIdSelector": { "matchLabels": { "b": "2", "a": "1" } }, "audience": ["a"], "issuer": "i", "subject": "s" } });
        let document = serde_json::json!({ "name": "n", "parent": guid, "audiences": ["a"], "issuer": "i", "subject": "s" });
        let lower = guid.to_lowercase();
        for (version, kind, spec, key) in [
            ("managedidentity.azure.com/v1api20230131", "FederatedIdentityCredential", operator, "ns/p"),
            ("managedidentity.azure.upbound.io/v1beta1", "FederatedIdentityCredential", crossplane, "ns/p"),
            ("managedidentity.azure.m.upbound.io/v1beta1", "FederatedIdentityCredential", selected, "ns/a=1,b=2"),
            ("applications.azuread.upbound.io/v1beta1", "FlexibleFederatedIdentityCredential", application, lower.as_str()),
            ("trust.fedward/v1", "FederatedCredential", document, lower.as_str()),
        ] {
            let bump = Bump::new();
            let json = serde_json::json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "n" }, "spec": spec }).to_string();
            let object = Session::new(&bump).root(Value::from_json(json.as_bytes(), &bump).unwrap(), Origin::Aside);
            let credential = Credential::of(object).unwrap();
            let texts = [credential.name, credential.issuer, credential.subject].map(|node| node.peek_str().unwrap());
            assert_eq!(texts, ["n", "i", "s"], "{version}");
            assert_eq!(credential.audience_list().iter().map(|item| item.peek_str().unwrap()).collect::<Vec<_>>(), ["a"], "{version}");
            assert_eq!(credential.parent_key("ns").as_deref(), Some(key), "{version}");
            assert!(credential.has_parent() && !credential.observed, "{version}");
        }
    }
}
