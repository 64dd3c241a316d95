//! Reports credentials with which Argo CD signs in to clusters.
//!
//! ## What it does
//! Looks into the `config` of Argo CD's cluster Secrets for `bearerToken`, `password`, `tlsClientConfig.keyData`, and, in
//! `execProviderConfig.env`, for `AZURE_CLIENT_SECRET`, `AAD_SERVICE_PRINCIPAL_CLIENT_SECRET`, `AAD_USER_PRINCIPAL_PASSWORD`,
//! certificates with their passwords, and AWS' keys. An `AAD_LOGIN_METHOD` of `spn` or `ropc` is reported if none of these stands beside
//! it: the secret then comes from the controller's environment.
//!
//! It is an error if the cluster is one of AKS (`*.azmk8s.io` and the national clouds' names), or if the same Secret has a way to sign in
//! with an identity: `awsAuthConfig`, or an `execProviderConfig` that runs `argocd-k8s-auth`. Else it is a warning. A configuration that
//! cannot be read, and values that are not known or still to be filled in, are none of this rule's.
//!
//! ## Why it is bad
//! The Secret is the key to another cluster, mostly with all rights, for everybody who can read Argo CD's namespace, and it works from
//! anywhere. Argo CD's own pods can sign in with their workload identity.
//!
//! ## Example
//! ```yaml
//! kind: Secret
//! metadata:
//!   name: blue
//!   namespace: argocd
//!   labels:
//!     argocd.argoproj.io/secret-type: cluster
//! stringData:
//!   name: blue
//!   server: https://blue-4x7q.hcp.westeurope.azmk8s.io
//!   config: |
//!     {"bearerToken": "…"}
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Secret
//! metadata:
//!   name: blue
//!   namespace: argocd
//!   labels:
//!     argocd.argoproj.io/secret-type: cluster
//! stringData:
//!   name: blue
//!   server: https://blue-4x7q.hcp.westeurope.azmk8s.io
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "env": {"AAD_LOGIN_METHOD": "workloadidentity"}, "apiVersion": "client.authentication.k8s.io/v1beta1"}}
//! ```
//!
//! ## Settings
//! `allowedSecretNames`
//!
//! ## References
//! Argo CD: "Declarative Setup" (clusters); kubelogin: login modes.

use fedward_kit::audience;
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::secret;

use crate::settings::Settings;
use crate::stored;

const IDENTITY: Condition =
    Condition::error("identity-possible", "the cluster is one of AKS, or the Secret also has a way to sign in with an identity");
const STORED: Condition = Condition::warning("stored", "any other cluster");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "static-cluster-credential",
    summary: "Argo CD signs in to a cluster with a stored credential",
    conditions: &[IDENTITY, STORED],
    supersedes: &[],
    check,
};

/// Variables of the program that Argo CD runs to sign in.
const VARIABLES: [&str; 8] = [
    "AZURE_CLIENT_SECRET",
    "AAD_SERVICE_PRINCIPAL_CLIENT_SECRET",
    "AAD_USER_PRINCIPAL_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AAD_SERVICE_PRINCIPAL_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

fn check<'a>(cx: &Check<'a, Settings>) {
    let Some(secret) = stored::secret_under(cx).filter(|secret| secret::argocd_type(*secret) == "cluster") else { return };
    let text = secret::value(secret, "config");
    if text.peek_str().is_none() {
        return;
    }
    let Ok(config) = text.open(Format::Json) else { return };
    let found = credentials(config);
    let server = secret::value(secret, "server").peek_str().unwrap_or("");
    let is_of_azure = audience::Cloud::of_server(server).is_some();
    let exec = config.peek("execProviderConfig");
    let has_identity =
        config.peek("awsAuthConfig").is_present() || exec.peek_text("command").is_some_and(|command| command.ends_with("argocd-k8s-auth"));
    for (node, what) in found {
        let condition = if is_of_azure || has_identity { &IDENTITY } else { &STORED };
        let help = "let Argo CD's pods sign in with their workload identity: `argocd-k8s-auth`, or `awsAuthConfig`";
        // What the program itself is given is no other way to sign in.
        let is_beside = has_identity && node.parent().is_none_or(|parent| parent.key() != "env");
        let (why, help) = match (is_of_azure, is_beside) {
            (true, false) => (", for a cluster of AKS", help),
            (_, true) => (", beside a way to sign in with an identity", "take it out, and leave the identity alone"),
            (false, false) => ("", help),
        };
        cx.report(Report::new(condition, node, format!("the cluster's Secret has {what}{why}")).help(help).on_key());
    }
}

fn credentials<'a>(config: Node<'a>) -> Vec<(Node<'a>, String)> {
    let fields = [config.peek("bearerToken"), config.peek("password"), config.peek("tlsClientConfig").peek("keyData")];
    let environment = config.peek("execProviderConfig").peek("env");
    let variables = VARIABLES.map(|name| environment.peek(name));
    let stored = fields.into_iter().chain(variables).filter(|node| stored::is_plain(*node));
    let mut found: Vec<_> = stored.map(|node| (node, format!("a stored `{}`", node.key()))).collect();
    let method = environment.peek("AAD_LOGIN_METHOD");
    let is_static = method.peek_str().is_some_and(|method| matches!(method, "spn" | "ropc"));
    if is_static && variables.into_iter().all(Node::is_absent) {
        found.push((method, format!("`AAD_LOGIN_METHOD` `{}`, which needs a stored secret", method.peek_str().unwrap_or(""))));
    }
    found
}
