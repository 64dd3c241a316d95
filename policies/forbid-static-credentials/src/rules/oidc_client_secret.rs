//! Reports client secrets with which Argo CD signs people in through Microsoft Entra.
//!
//! ## What it does
//! Reads `oidc.config` of the ConfigMap `argocd-cm`, and `oidcConfig` of the operator's `ArgoCD`. A `clientSecret` beside
//! `azure.useWorkloadIdentity: true` is an error. It is a warning if the issuer is Microsoft Entra and workload identity is off. A
//! reference such as `$oidc.azure.clientSecret` counts: the Secret that it names is what this is about.
//!
//! Nothing is said of other issuers, which know no such thing, of an empty secret, and of one that is still to be filled in.
//!
//! ## Why it is bad
//! A client secret of Entra lasts up to two years, and then nobody can sign in. With workload identity, Argo CD's server proves itself
//! with the token of its service account.
//!
//! ## Example
//! ```yaml
//! kind: ConfigMap
//! metadata:
//!   name: argocd-cm
//!   namespace: argocd
//! data:
//!   oidc.config: |
//!     name: Azure
//!     issuer: https://login.microsoftonline.com/5a4f6a0e-8c1d-4a7b-9a55-3c1e8d7b6f20/v2.0
//!     clientID: 0d6c1f7a-52b4-4c19-8f0e-7a9b3e2d4c68
//!     clientSecret: $oidc.azure.clientSecret
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ConfigMap
//! metadata:
//!   name: argocd-cm
//!   namespace: argocd
//! data:
//!   oidc.config: |
//!     name: Azure
//!     issuer: https://login.microsoftonline.com/5a4f6a0e-8c1d-4a7b-9a55-3c1e8d7b6f20/v2.0
//!     clientID: 0d6c1f7a-52b4-4c19-8f0e-7a9b3e2d4c68
//!     azure:
//!       useWorkloadIdentity: true
//! ```
//!
//! ## References
//! Argo CD: "Microsoft" (Entra ID app registration using OIDC, workload identity).

use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::value::Value;
use fedward_kit::{audience, url};

use crate::settings::Settings;
use crate::stored;

const BOTH: Condition = Condition::error("with-workload-identity", "a client secret stands beside `azure.useWorkloadIdentity: true`");
const ENTRA: Condition = Condition::warning("entra", "Argo CD signs people in through Microsoft Entra with a client secret");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "oidc-client-secret",
    summary: "Argo CD signs people in through Microsoft Entra with a client secret",
    conditions: &[BOTH, ENTRA],
    supersedes: &[],
    check,
};

fn check<'a>(cx: &Check<'a, Settings>) {
    let Some(text) = configuration(cx) else { return };
    let Ok(config) = text.open(Format::Yaml) else { return };
    let secret = config.peek("clientSecret");
    if !stored::is_plain(secret) {
        return;
    }
    let switch = config.peek("azure").peek("useWorkloadIdentity");
    let host = config.peek_text("issuer").and_then(url::split).map(|parts| parts.host.to_ascii_lowercase());
    let report = if switch.value() == Some(&Value::Bool(true)) {
        Report::new(&BOTH, secret, "`clientSecret` stands beside `azure.useWorkloadIdentity`, which needs none")
            .help("remove it, and delete the secret of the app registration")
            .related(switch, "what makes it needless")
    } else if host.is_some_and(|host| audience::is_authority(&host)) {
        Report::new(&ENTRA, secret, "Argo CD proves itself to Microsoft Entra with a client secret")
            .help("set `azure.useWorkloadIdentity: true`, and label the pods and annotate the service account of `argocd-server`")
    } else {
        return;
    };
    cx.report(report.on_key());
}

/// The text with the configuration.
fn configuration<'a>(cx: &Check<'a, Settings>) -> Option<Node<'a>> {
    let text = if cx.is("", "ConfigMap") && cx.request.name == "argocd-cm" {
        cx.object.get("data").get("oidc.config")
    } else if cx.is("argoproj.io", "ArgoCD") {
        cx.object.get("spec").get("oidcConfig")
    } else {
        return None;
    };
    text.filled().map(|_| text)
}
