//! What objects are filed under.

use super::{
    ACCOUNT_USER, ARGOCD_TEMPLATE, AWS_TRUST, BINDING, CLIENT_ID_SUPPLIER, CREDENTIAL, FEDERATED_ACCOUNT, IDENTITY_ACCOUNT,
    IDENTITY_CLUSTER, IDENTITY_WEBHOOK, LABEL_MUTATOR, POD_IDENTITY, SUBSTITUTION, TOKEN_CONSUMER, WORKFLOW_CONTROLLER, WORKLOAD, exposure,
    issuer_selector, users,
};
use crate::context::{Context, Host};
use crate::identity::Provider;
use crate::node::Node;
use crate::request::group_of;
use crate::{iam, trust, workload};

/// One entry of the index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The index kind.
    pub kind: &'static str,
    /// The namespace; empty for kinds that are asked for in all namespaces.
    pub namespace: String,
    /// The field selector.
    pub selector: String,
}

impl Key {
    pub(super) fn new(kind: &'static str, namespace: &str, selector: String) -> Self {
        Key { kind, namespace: namespace.to_owned(), selector }
    }
}

/// A host that knows nothing: what an object says of itself.
struct Nobody;

impl Host for Nobody {
    fn kubernetes(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
        Err(crate::context::NOT_KNOWN.to_owned())
    }
}

/// What the engine files an object under.
///
/// A module asks each kind's own function below instead: it would pay for all of them with its size.
pub fn keys<'a>(object: Node<'a>, namespace: &'a str) -> Vec<Key> {
    let api_version = object.peek_text("apiVersion").unwrap_or("");
    let kind = object.peek_text("kind").unwrap_or("");
    if api_version == "v1" && kind == "ServiceAccount" {
        return account_keys(object, namespace);
    }
    for of in [credential_keys, pod_identity_keys, aws_trust_keys, eksctl_keys, binding_keys, exposure::service_keys, exposure::route_keys]
    {
        if let Some(found) = of(object, namespace) {
            return found;
        }
    }
    let mut found = Vec::new();
    for (other, name) in trust::token_consumer(object) {
        found.push(Key::new(TOKEN_CONSUMER, other.unwrap_or(namespace), format!("serviceAccount={name}")));
    }
    for (kind, applies) in [
        (IDENTITY_WEBHOOK, crate::webhook::deploys_webhook(object)),
        (WORKFLOW_CONTROLLER, workload::is_controller_config(object)),
        (CLIENT_ID_SUPPLIER, trust::supplies_client_id(object)),
        (IDENTITY_CLUSTER, crate::webhook::is_identity_cluster(object)),
        (SUBSTITUTION, group_of(api_version) == "kustomize.toolkit.fluxcd.io" && object.peek("spec").peek("postBuild").is_present()),
        (LABEL_MUTATOR, is_label_mutator(object, api_version, kind)),
        (ARGOCD_TEMPLATE, is_argocd_template(object, kind)),
    ] {
        if applies {
            found.push(Key::new(kind, "", String::new()));
        }
    }
    found.dedup();
    let workloads = workload_keys(object, namespace);
    if users::counts(object) {
        found.extend(workloads.iter().map(|key| Key { kind: ACCOUNT_USER, ..key.clone() }));
    }
    found.extend(workloads);
    found
}

pub(super) fn account_keys<'a>(object: Node<'a>, namespace: &str) -> Vec<Key> {
    let mut found = Vec::new();
    let account = crate::identity::ServiceAccount::of(object);
    if !account.marks().is_empty() {
        found.push(Key::new(FEDERATED_ACCOUNT, namespace, String::new()));
    }
    if let (Some(_), Some(name)) = (account.client_id(), object.peek("metadata").peek_text("name")) {
        found.push(Key::new(IDENTITY_ACCOUNT, "", format!("azureName={name}")));
    }
    for (annotation, field) in [
        (crate::identity::AZURE_CLIENT_ID, "clientId"),
        (crate::identity::AWS_ROLE_ARN, "roleArn"),
        (crate::identity::GCP_ACCOUNT, "gcpAccount"),
    ] {
        if let Some(value) = account.annotation(annotation).filled() {
            found.push(Key::new(IDENTITY_ACCOUNT, "", format!("{field}={value}")));
        }
    }
    found
}

pub(super) fn credential_keys(object: Node<'_>, namespace: &str) -> Option<Vec<Key>> {
    let credential = trust::Credential::of(object)?;
    let mut found = Vec::new();
    if let Some(subject) = credential.subject.peek_str() {
        found.push(Key::new(CREDENTIAL, "", format!("subject={subject}")));
        if let Some((namespace, _)) = trust::service_account(subject) {
            found.push(Key::new(CREDENTIAL, "", format!("subjectNamespace={namespace}")));
        }
    }
    if let Some(parent) = credential.parent_key(namespace) {
        found.push(Key::new(CREDENTIAL, "", format!("parent={parent}")));
    }
    Some(found)
}

pub(super) fn pod_identity_keys(object: Node<'_>, _: &str) -> Option<Vec<Key>> {
    let association = trust::PodIdentity::of(object)?;
    let mut found = Vec::new();
    if let (Some(namespace), Some(name)) = (association.namespace.peek_str(), association.service_account.peek_str()) {
        found.push(Key::new(POD_IDENTITY, "", format!("serviceAccount={namespace}/{name}")));
    }
    if let Some(role) = association.role_arn.peek_str() {
        found.push(Key::new(POD_IDENTITY, "", format!("roleArn={role}")));
    }
    Some(found)
}

pub(super) fn aws_trust_keys(object: Node<'_>, _: &str) -> Option<Vec<Key>> {
    let mut found: Vec<Key> = Vec::new();
    if let Some(policy) = iam::policy(object) {
        found.extend(iam::subjects(policy).iter().map(|subject| Key::new(AWS_TRUST, "", format!("subject={subject}"))));
        found.dedup();
        found.extend(iam::role_name(object).map(|name| Key::new(AWS_TRUST, "", format!("role={name}"))));
        return Some(found);
    }
    let (url, _) = iam::oidc_provider(object)?;
    found.extend(url.peek_str().map(|url| Key::new(AWS_TRUST, "", issuer_selector(url))));
    Some(found)
}

fn eksctl_keys(object: Node<'_>, _: &str) -> Option<Vec<Key>> {
    let accounts = trust::eksctl_accounts(object);
    let key = |(namespace, name, provider, _): &(&str, &str, Provider, Node<'_>)| match provider {
        Provider::AwsPodIdentity => Key::new(POD_IDENTITY, "", format!("serviceAccount={namespace}/{name}")),
        _ => Key::new(AWS_TRUST, "", format!("subject=system:serviceaccount:{namespace}:{name}")),
    };
    let mut found: Vec<Key> = accounts.iter().map(key).collect();
    // An account may be named again and again.
    found.sort_by(|one, other| (one.kind, &one.selector).cmp(&(other.kind, &other.selector)));
    found.dedup();
    (!found.is_empty()).then_some(found)
}

pub(super) fn binding_keys(object: Node<'_>, namespace: &str) -> Option<Vec<Key>> {
    let api_version = object.peek_text("apiVersion")?;
    let is_binding = matches!(object.peek_text("kind")?, "RoleBinding" | "ClusterRoleBinding");
    if group_of(api_version) != "rbac.authorization.k8s.io" || !is_binding {
        return None;
    }
    let mut keys = Vec::new();
    for subject in object.peek("subjects").peek_items() {
        let Some(name) = subject.peek_text("name") else { continue };
        let account = match subject.peek_text("kind") {
            Some("ServiceAccount") => Some((subject.peek_text("namespace").unwrap_or(namespace), name)),
            Some("User") => name.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':')),
            Some("Group") => {
                keys.push(Key::new(BINDING, "", format!("group={name}")));
                None
            }
            _ => None,
        };
        if let Some((namespace, name)) = account {
            keys.push(Key::new(BINDING, "", format!("subject={namespace}/{name}")));
            keys.push(Key::new(BINDING, "", format!("namespace={namespace}")));
        }
    }
    // A binding may name the same subject again and again.
    keys.sort_by(|one, other| one.selector.cmp(&other.selector));
    keys.dedup();
    Some(keys)
}

pub(super) fn workload_keys<'a>(object: Node<'a>, namespace: &'a str) -> Vec<Key> {
    // A context that knows nothing: references to other objects are followed when a rule asks, not here.
    let context = Context::new(object.session().bump().alloc(Nobody), object.session(), false);
    let pods = workload::pods(object, namespace, context);
    let mut found: Vec<Key> =
        pods.iter().filter_map(|pod| Some(Key::new(WORKLOAD, pod.namespace, format!("serviceAccount={}", pod.account.name()?)))).collect();
    found.dedup();
    found
}

fn is_argocd_template(object: Node<'_>, kind: &str) -> bool {
    let spec = object.peek("spec");
    let maker = match kind {
        "Secret" => object,
        "SealedSecret" => spec.peek("template"),
        "ExternalSecret" => spec.peek("target").peek("template"),
        _ => return false,
    };
    matches!(crate::secret::argocd_type(maker), "repo-creds" | "repo-write-creds")
}

fn is_label_mutator(object: Node<'_>, api_version: &str, kind: &str) -> bool {
    let group = group_of(api_version);
    let mutates = match group {
        "kyverno.io" | "policies.kyverno.io" => true,
        "mutations.gatekeeper.sh" => true,
        "policies.kubewarden.io" => object.peek("spec").peek("mutating").value() == Some(&crate::value::Value::Bool(true)),
        "admissionregistration.k8s.io" => kind == "MutatingAdmissionPolicy",
        _ => false,
    };
    mutates && mentions(object, crate::identity::AZURE_USE)
}

/// Whether a key or a string anywhere in the tree contains `text`.
pub fn mentions(node: Node<'_>, text: &str) -> bool {
    mentions_below(node, text, 0)
}

fn mentions_below(node: Node<'_>, text: &str, depth: usize) -> bool {
    depth < 64
        && (node.peek_str().is_some_and(|value| value.contains(text))
            || node.peek_entries().any(|(key, value)| key.contains(text) || mentions_below(value, text, depth + 1))
            || node.peek_items().any(|item| mentions_below(item, text, depth + 1)))
}

pub(super) fn has(keys: Vec<Key>, selector: &str) -> bool {
    keys.iter().any(|key| key.selector == selector)
}
