//! Reports addresses of clusters at which Argo CD does not reach what was meant.
//!
//! ## What it does
//! The key `server` of a cluster Secret is the address of the API server. `http://` is an error where Argo CD signs in, since the token
//! goes in the clear, and a warning otherwise. A text that is no URL is a warning. Only `https://kubernetes.default.svc` stands for the
//! cluster that Argo CD runs in: other names for it (`kubernetes.default`, with a port, with the cluster's domain) are a warning.
//!
//! A path and a trailing slash are fine. A placeholder is reported by `placeholder-value`.
//!
//! ## Why it is bad
//! Applications name a cluster by its address. One by another name is another cluster for Argo CD, so that it deploys the same twice, and
//! does not sign in as it does at home.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   server: https://kubernetes.default.svc:443
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   server: https://kubernetes.default.svc
//! ```
//!
//! ## References
//! Argo CD: "Declarative Setup" (clusters); `pkg/apis/application/v1alpha1/application_defaults.go`
//! (`KubernetesInternalAPIServerAddr`).

use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::url;

use crate::cluster::{Cluster, IN_CLUSTER};
use crate::settings::Settings;

const CLEAR: Condition = Condition::error("token-in-the-clear", "`http://`, and Argo CD signs in");
const HTTP: Condition = Condition::warning("http", "`http://` otherwise");
const NO_URL: Condition = Condition::warning("no-url", "it is no URL");
const OTHER_NAME: Condition = Condition::warning("another-name", "it is the cluster that Argo CD runs in, by another name");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-cluster-server",
    summary: "the address of a cluster is not what was meant, or goes without TLS",
    conditions: &[CLEAR, HTTP, NO_URL, OTHER_NAME],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(cluster) = Cluster::under(cx) else { return };
    let Some(server) = cluster.server.text().map(str::trim).filter(|server| !server.is_empty()) else { return };
    let node = cluster.secret.field("server");
    let https = "let it begin with `https://`";
    let report = match url::split(server) {
        Some(parts) if parts.scheme.eq_ignore_ascii_case("http") => match signs_in(&cluster) {
            true => Report::new(&CLEAR, node, "Argo CD sends its token to the API server without TLS").help(https),
            false => Report::new(&HTTP, node, "the API server is reached without TLS").help(https),
        },
        Some(parts) if parts.scheme.eq_ignore_ascii_case("https") => {
            if cluster.is_local() || !is_local_name(parts.host) {
                return;
            }
            Report::new(&OTHER_NAME, node, format!("only `{IN_CLUSTER}` stands for the cluster that Argo CD runs in"))
                .help(format!("write `{IN_CLUSTER}`, without port and domain"))
        }
        _ => Report::new(&NO_URL, node, "`server` is no URL of an API server").help("write the address from the kubeconfig: `https://…`"),
    };
    cx.report(report);
}

fn signs_in(cluster: &Cluster<'_>) -> bool {
    let Some(config) = cluster.config() else { return false };
    ["bearerToken", "password", "execProviderConfig", "awsAuthConfig"].iter().any(|field| config.peek(field).is_present())
}

fn is_local_name(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    matches!(host.as_str(), "kubernetes" | "kubernetes.default")
        || host == "kubernetes.default.svc"
        || host.starts_with("kubernetes.default.svc.")
}
