//! Reports audiences that nobody is known to expect.
//!
//! ## What it does
//! Looks at the audiences of projected tokens, of a CSI driver's `tokenRequests`, of kubelet credential providers, and of federated
//! credentials. Known are the clouds' audiences, those of common systems (Vault, SPIRE, Istio, Linkerd, Dapr, sigstore, Conjur, Kubeflow …),
//! the ones that the setting `allowedAudiences` names, and, for a token, any that a federated credential or role of its service account
//! accepts in the checked set.
//!
//! An unknown audience is only recorded, since applications may choose their own. It is an error with `strictAudiences`. On a federated
//! credential it is a warning, unless a pod of the service account projects a token with it: the webhook's tokens never carry it.
//!
//! Slips of a cloud's audience are `misspelt-audience`'s matter.
//!
//! ## Why it is bad
//! A token is good at everybody who accepts its audience. One that no one has reviewed may be accepted by a stranger, or by no one.
//!
//! ## Example
//! ```yaml
//! serviceAccountToken:
//!   path: token
//!   audience: api://my-app
//! ```
//!
//! ## Use instead
//! ```yaml
//! serviceAccountToken:
//!   path: token
//!   audience: api://AzureADTokenExchange
//! ```
//! or name `api://my-app` in `allowedAudiences`.
//!
//! ## Settings
//! `allowedAudiences`, `strictAudiences`
//!
//! ## References
//! Kubernetes, "Configure service accounts for pods" (token volume projection); Microsoft Entra, workload identity federation (the
//! recommended audience).

use fedward_kit::audience;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::any_matches;
use fedward_kit::trust::Credential;

use crate::accepted;
use crate::fields::{self, Holds};
use crate::settings::Settings;
use crate::trusted::plain;

const UNKNOWN: Condition = Condition::info("unknown", "a token has an audience that nobody is known to expect");
const CREDENTIAL: Condition = Condition::warning("credential", "a federated credential has an audience that no known token carries");
const STRICT: Condition = Condition::error("strict", "either of them, with `strictAudiences`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unexpected-token-audience",
    summary: "an audience is one that nobody is known to expect",
    conditions: &[UNKNOWN, CREDENTIAL, STRICT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if let Some(credential) = Credential::of(cx.object) {
        return check_credential(cx, &credential);
    }
    let is_token_source = cx.is("storage.k8s.io", "CSIDriver") || cx.is("kubelet.config.k8s.io", "CredentialProviderConfig");
    if is_token_source {
        for field in fields::all(cx) {
            if field.holds == Holds::Audience && is_unexpected(cx, field.node) {
                report(cx, &UNKNOWN, field.node, field.text);
            }
        }
    }
    for projected in cx.projected() {
        let node = projected.token.audience;
        let text = node.peek_str().unwrap_or("");
        if is_unexpected(cx, node) && !accepted::by_anyone(cx, &projected.pod, text, node) {
            report(cx, &UNKNOWN, node, text);
        }
    }
}

fn check_credential<'a>(cx: &Check<'a, Settings>, credential: &Credential<'a>) {
    for node in credential.audience_list() {
        let Some(text) = plain(node) else { continue };
        let is_expected = audience::is_azure(text)
            || text == "openshift"
            || any_matches(&cx.settings.allowed_audiences, text)
            || audience::slip(text).is_some();
        if !is_expected && !accepted::is_projected(cx, credential, text) {
            report(cx, &CREDENTIAL, node, text);
        }
    }
}

fn is_unexpected(cx: &Check<'_, Settings>, node: Node<'_>) -> bool {
    plain(node).is_some_and(|text| {
        !audience::is_known(text) && !any_matches(&cx.settings.allowed_audiences, text) && audience::slip(text).is_none()
    })
}

fn report<'a>(cx: &Check<'a, Settings>, condition: &'static Condition, node: Node<'a>, text: &str) {
    let is_credential = condition.name == CREDENTIAL.name;
    let what = if is_credential { "no known token carries" } else { "nobody is known to expect" };
    let condition = if cx.settings.strict_audiences { &STRICT } else { condition };
    let help = if is_credential {
        "write `api://AzureADTokenExchange`, which the webhook's tokens carry, or name the audience in the setting `allowedAudiences`"
    } else {
        "if it is right, name it in the setting `allowedAudiences`"
    };
    cx.report(Report::new(condition, node, format!("the audience `{text}` is one that {what}")).help(help));
}
