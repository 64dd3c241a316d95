//! Reports clusters of Argo CD whose API server is not checked, or cannot be.
//!
//! ## What it does
//! Looks at `tlsClientConfig` of cluster Secrets:
//!
//! * `insecure: true` is an error.
//! * So is `insecure: true` beside `caData`, which Kubernetes' client refuses outright.
//! * `caData` has to be a certificate in PEM form, encoded in base64. Anything else is an error.
//! * No `caData` is a warning: few API servers have a certificate of a public authority. It is a note for Google's Connect gateway, which
//!   has one.
//!
//! The cluster that Argo CD runs in is not judged, nor are values that are not known.
//!
//! ## Why it is bad
//! Argo CD sends a token of its identity with every request. Whoever answers in the server's place has it, and with it the cluster.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   config: |
//!     {"tlsClientConfig": {"insecure": true}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   config: |
//!     {"tlsClientConfig": {"insecure": false, "caData": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t…"}}
//! ```
//!
//! ## References
//! Argo CD: "Declarative Setup" (clusters); client-go: `transport/transport.go` (`TLSConfigFor`).

use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::url;
use fedward_kit::value::Value;

use crate::cluster::Cluster;
use crate::registered::{Known, known};
use crate::settings::Settings;

const UNCHECKED: Condition = Condition::error("insecure", "the certificate is not checked");
const REFUSED: Condition = Condition::error("insecure-with-ca", "the same beside `caData`, which Kubernetes' client refuses");
const NO_CERTIFICATE: Condition = Condition::error("no-certificate", "`caData` is no certificate in base64");
const NO_CA: Condition = Condition::warning("no-ca", "there is no `caData`");
const PUBLIC: Condition = Condition::info("no-ca-for-a-gateway", "there is none for Google's Connect gateway, which needs none");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "cluster-without-tls",
    summary: "the API server of a cluster is not checked, or cannot be",
    conditions: &[UNCHECKED, REFUSED, NO_CERTIFICATE, NO_CA, PUBLIC],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(cluster) = Cluster::under(cx).filter(|cluster| !cluster.is_local()) else { return };
    // A server without TLS has another rule.
    let host = match cluster.server.text().and_then(url::split) {
        Some(parts) if parts.scheme.eq_ignore_ascii_case("https") => parts.host,
        Some(_) => return,
        None => "",
    };
    let Some(config) = cluster.config() else { return };
    let tls = config.peek("tlsClientConfig");
    let (insecure, ca) = (tls.peek("insecure"), tls.peek("caData"));
    let is_insecure = insecure.value() == Some(&Value::Bool(true));
    match known(ca) {
        Known::No => {}
        Known::Text(text) if !text.is_empty() && is_insecure => {
            let message = "`insecure` is true beside `caData`: Kubernetes' client refuses both together";
            return cx.report(Report::new(&REFUSED, insecure, message).help("remove `insecure`").related(ca, "the certificate").on_key());
        }
        Known::Text(text) if !text.is_empty() => return check_certificate(cx, tls),
        Known::Text(_) | Known::Absent if !is_insecure => return check_missing(cx, ca, host),
        Known::Text(_) | Known::Absent => {}
    }
    if is_insecure {
        let message = "the certificate of the API server is not checked: whoever answers in its place gets Argo CD's token";
        cx.report(
            Report::new(&UNCHECKED, insecure, message).help("give the cluster's authority as `caData`, and remove `insecure`").on_key(),
        );
    }
}

fn check_missing<'a>(cx: &Check<'a, Settings>, ca: Node<'a>, host: &str) {
    if !cx.request.is_final || host.is_empty() {
        return;
    }
    let condition = if host.ends_with("connectgateway.googleapis.com") { &PUBLIC } else { &NO_CA };
    let message = "there is no `caData`: the API server needs a certificate of a public authority";
    cx.report(
        Report::new(condition, ca, message).help("write the cluster's authority, in base64, unless the server has such a certificate"),
    );
}

fn check_certificate<'a>(cx: &Check<'a, Settings>, tls: Node<'a>) {
    let ca = tls.peek("caData");
    let message = match tls.decoded("caData").peek_str() {
        Some(text) if text.contains("-----BEGIN CERTIFICATE-----") => return,
        None if ca.peek_str().is_some_and(|text| text.contains("-----BEGIN")) => "`caData` is a certificate that is not encoded in base64",
        _ => "`caData` is no certificate in PEM form, encoded in base64",
    };
    cx.report(Report::new(&NO_CERTIFICATE, ca, message).help("take `certificate-authority-data` of the kubeconfig as it is"));
}
