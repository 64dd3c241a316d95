//! Reports sign-ins to Vault with service account tokens that are not meant for Vault alone.
//!
//! ## What it does
//! Looks at what signs in to Vault's Kubernetes auth method, and at the roles of that method:
//! * `VaultAuth` of the Vault Secrets Operator, unless a `VaultAuthGlobal` may say the rest;
//! * `SecretStore` and `ClusterSecretStore` of External Secrets that name a service account;
//! * `SecretProviderClass` of Vault's provider for the CSI driver;
//! * pods with the Vault Agent's annotations: the agent reads the pod's ordinary token, unless
//!   `vault.hashicorp.com/agent-service-account-token-volume-name` names a volume with another one. Agents with a configuration of
//!   their own, or another way to sign in, are left alone;
//! * roles: `KubernetesAuthEngineRole` of the Vault Config Operator and Crossplane's `AuthBackendRole`.
//!
//! ## Why it is bad
//! Without an audience the token is one for the API server. Whoever reads it on its way, or in Vault, can use it there as the service
//! account; and a role that asks for no audience takes every token of the account, whatever it was issued for. Vault warns of such roles
//! since 1.20.
//!
//! ## Example
//! ```yaml
//! apiVersion: secrets.hashicorp.com/v1beta1
//! kind: VaultAuth
//! metadata:
//!   name: shop
//! spec:
//!   method: kubernetes
//!   mount: kubernetes
//!   kubernetes:
//!     role: shop
//!     serviceAccount: shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: secrets.hashicorp.com/v1beta1
//! kind: VaultAuth
//! metadata:
//!   name: shop
//! spec:
//!   method: kubernetes
//!   mount: kubernetes
//!   kubernetes:
//!     role: shop
//!     serviceAccount: shop
//!     audiences: [vault]
//! ```
//!
//! ## References
//! Vault, "Kubernetes auth method" (`audience` of a role), "Vault Agent Injector annotations"; Vault Secrets Operator, API reference
//! (`VaultAuthConfigKubernetes`); External Secrets, "HashiCorp Vault".

use fedward_kit::node::Node;
use fedward_kit::projection;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;

use crate::settings::Settings;

const TOKEN: Condition = Condition::info("token", "the token for Vault has the audience of the API server");
const ROLE: Condition = Condition::info("role", "a role takes tokens of any audience");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "missing-vault-audience",
    summary: "a service account signs in to Vault with a token that is not meant for Vault alone",
    conditions: &[TOKEN, ROLE],
    supersedes: &[],
    check,
};

/// Group, kind, the map that has to be there, and its field for the audience.
const ROWS: [(&str, &str, &[&str], &str); 7] = [
    ("secrets.hashicorp.com", "VaultAuth", &["kubernetes"], "audiences"),
    ("external-secrets.io", "SecretStore", &["provider", "vault", "auth", "kubernetes", "serviceAccountRef"], "audiences"),
    ("external-secrets.io", "ClusterSecretStore", &["provider", "vault", "auth", "kubernetes", "serviceAccountRef"], "audiences"),
    ("secrets-store.csi.x-k8s.io", "SecretProviderClass", &["parameters"], "audience"),
    ("redhatcop.redhat.io", "KubernetesAuthEngineRole", &[], "audience"),
    ("kubernetes.vault.upbound.io", "AuthBackendRole", &["forProvider"], "audience"),
    ("kubernetes.vault.m.upbound.io", "AuthBackendRole", &["forProvider"], "audience"),
];

fn check(cx: &Check<'_, Settings>) {
    let spec = cx.object.peek("spec");
    if let Some((_, kind, path, field)) = ROWS.iter().find(|(group, kind, ..)| cx.is(group, kind)) {
        let holder = spec.at(path);
        let elsewhere =
            spec.peek("vaultAuthGlobalRef").is_present() || *kind == "SecretProviderClass" && spec.peek_text("provider") != Some("vault");
        if holder.is_present() && !elsewhere && is_empty(holder.peek(field)) {
            report(cx, holder.peek(field), kind.ends_with("Role"));
        }
        return;
    }
    for pod in cx.pods() {
        if let Some(node) = agent(pod) {
            report(cx, node, false);
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, node: Node<'a>, is_role: bool) {
    let (condition, message, help) = if is_role {
        (&ROLE, "the role takes tokens of any audience", "set `audience` to that of the tokens that clients sign in with, such as `vault`")
    } else {
        (
            &TOKEN,
            "the token that signs in to Vault has the audience of the API server, which takes it, too",
            "have a token issued for an audience such as `vault`, and set the same `audience` in the Vault role",
        )
    };
    cx.report(Report::new(condition, node, message).help(help));
}

/// Absent, an empty text or an empty list.
fn is_empty(node: Node<'_>) -> bool {
    node.peek_str().map_or_else(|| node.peek_items().next().is_none(), str::is_empty)
}

/// The annotation that makes the Vault Agent sign in with a token without an audience of its own.
fn agent<'a>(pod: &Pod<'a>) -> Option<Node<'a>> {
    let inject = pod.annotation("vault.hashicorp.com/agent-inject");
    let method = pod.annotation("vault.hashicorp.com/auth-type").peek_str();
    // A configuration of one's own may read any token.
    let is_own = ["vault.hashicorp.com/agent-configmap", "vault.hashicorp.com/auth-config-token-path"]
        .iter()
        .any(|key| pod.annotation(key).is_present());
    if inject.peek_str() != Some("true") || !matches!(method, None | Some("" | "kubernetes")) || is_own {
        return None;
    }
    let volume = pod.annotation("vault.hashicorp.com/agent-service-account-token-volume-name");
    let Some(name) = volume.peek_str() else { return Some(inject) };
    let is_for_api = |token: &projection::Token<'_>| token.volume_name == name && is_empty(token.audience);
    projection::tokens(pod).iter().any(is_for_api).then_some(volume)
}
