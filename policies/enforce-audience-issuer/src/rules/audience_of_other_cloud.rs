//! Reports audiences, sign-in hosts, environment names and issuers that belong to different Azure clouds.
//!
//! ## What it does
//! In the US Government and China clouds everything has another name: the audience of token exchange, the sign-in host, the
//! environment's name, the host of AKS issuers and API servers. The rule compares
//! * the audience of a projected token with `AZURE_AUTHORITY_HOST` of the container that reads it,
//! * the audience of a federated credential with the host of its AKS issuer,
//! * `AAD_ENVIRONMENT_NAME` (or its absence, which means the public cloud), `AZURE_AUTHORITY_HOST` and the server of Argo CD's cluster
//!   Secrets, and the same variables of a container.
//!
//! Values that disagree are a warning. With the setting `cloud`, every value of another cloud is an error.
//!
//! ## Why it is bad
//! The clouds do not know each other's tenants and tokens: the sign-in is refused, or the token goes to the wrong cloud.
//!
//! ## Example
//! ```yaml
//! env:
//!   - name: AZURE_AUTHORITY_HOST
//!     value: https://login.microsoftonline.us/
//! # and the volume
//! serviceAccountToken:
//!   audience: api://AzureADTokenExchange
//! ```
//!
//! ## Use instead
//! ```yaml
//! env:
//!   - name: AZURE_AUTHORITY_HOST
//!     value: https://login.microsoftonline.us/
//! # and the volume
//! serviceAccountToken:
//!   audience: api://AzureADTokenExchangeUSGov
//! ```
//!
//! ## Settings
//! `cloud`
//!
//! ## References
//! Microsoft Entra, "Configure an application to trust a managed identity" (audiences by cloud); Azure/azure-workload-identity:
//! `pkg/webhook/webhook.go` (`getAzureAuthorityHost`); argo-cd: `cmd/argocd-k8s-auth/commands/azure_cgo.go` (the default environment);
//! Azure/go-autorest: names of environments.

use fedward_kit::audience::Cloud;
use fedward_kit::identity::Provider;
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::Credential;
use fedward_kit::{secret, text, token_use};

use crate::fields::{self, Field, Holds};
use crate::settings::Settings;
use crate::trusted::plain;

const DISAGREE: Condition = Condition::warning("clouds-disagree", "two values that belong together belong to different clouds");
const WRONG: Condition = Condition::error("wrong-cloud", "a value belongs to another cloud than the setting `cloud`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "audience-of-other-cloud",
    summary: "an audience, sign-in host, environment or issuer belongs to another Azure cloud",
    conditions: &[DISAGREE, WRONG],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if cx.settings.cloud != Cloud::Any {
        return check_setting(cx);
    }
    if let Some(credential) = Credential::of(cx.object) {
        check_credential(cx, &credential);
    } else if secret::is_secret(cx.object) {
        check_cluster(cx);
    }
    for projected in cx.projected() {
        let audience = projected.token.audience;
        for using in projected.uses.iter().filter(|using| using.provider == Provider::Azure) {
            let Some((node, host)) = token_use::literal(using.container, "AZURE_AUTHORITY_HOST") else { continue };
            let (Some(cloud), Some(other)) = (plain(audience).and_then(Cloud::of_audience), Cloud::of_authority_url(host)) else {
                continue;
            };
            if cloud != other {
                disagree(cx, audience, "the token's audience belongs to", cloud, node, "the container signs in to", other);
                break;
            }
        }
    }
    for pod in cx.pods() {
        for container in &pod.containers {
            let Some((node, name)) = token_use::literal(*container, "AAD_ENVIRONMENT_NAME") else { continue };
            let Some((host, url)) = token_use::literal(*container, "AZURE_AUTHORITY_HOST") else { continue };
            compare(cx, (node, Cloud::of_environment(name)), (host, Cloud::of_authority_url(url)));
        }
    }
}

/// With the setting, every value is judged by itself.
fn check_setting(cx: &Check<'_, Settings>) {
    let wanted = cx.settings.cloud;
    let report = |node, what: &str, found: Option<Cloud>| {
        if let Some(found) = found.filter(|found| *found != wanted) {
            let message = format!("{what} {}, but the setting `cloud` says {}", found.name(), wanted.name());
            let help = match wanted.marks() {
                Some(marks) => format!(
                    "in {}: audience `{}`, sign-in host `https://{}/`, environment `{}`",
                    marks.name,
                    wanted.audience().unwrap_or("-"),
                    marks.authorities.first().unwrap_or(&"-"),
                    marks.environments.first().unwrap_or(&"-"),
                ),
                None => String::new(),
            };
            cx.report(Report::new(&WRONG, node, message).help(help));
        }
    };
    for &Field { node, text, holds, name, .. } in fields::all(cx) {
        if text::classify(text) != text::Value::Plain {
            continue;
        }
        match holds {
            Holds::Audience => report(node, "the audience belongs to", Cloud::of_audience(text)),
            Holds::Authority => report(node, &format!("`{name}` signs in to"), Cloud::of_authority_url(text)),
            Holds::Environment => report(node, &format!("`{name}` means"), Cloud::of_environment(text)),
            _ => {}
        }
    }
    if let Some(issuer) = Credential::of(cx.object).map(|credential| credential.issuer) {
        report(issuer, "the issuer is a cluster of", plain(issuer).and_then(Cloud::of_issuer));
    }
}

fn check_credential<'a>(cx: &Check<'a, Settings>, credential: &Credential<'a>) {
    let Some(issuer) = credential.issuer_in(cx.context, cx.request.namespace) else { return };
    let Some(other) = plain(issuer).and_then(Cloud::of_issuer) else { return };
    for audience in credential.audience_list() {
        if let Some(cloud) = plain(audience).and_then(Cloud::of_audience).filter(|cloud| *cloud != other) {
            disagree(cx, audience, "the credential's audience belongs to", cloud, issuer, "the issuer is a cluster of", other);
        }
    }
}

/// An Argo CD cluster Secret: the environment's name against the host that signs in, else against the server.
fn check_cluster(cx: &Check<'_, Settings>) {
    if secret::argocd_type(cx.object) != "cluster" {
        return;
    }
    let Ok(config) = secret::value(cx.object, "config").open(Format::Json) else { return };
    let exec = config.peek("execProviderConfig");
    if !exec.peek("args").peek_items().any(|argument| argument.peek_str() == Some("azure")) {
        return;
    }
    let env = exec.peek("env");
    let (name, host) = (env.peek("AAD_ENVIRONMENT_NAME"), env.peek("AZURE_AUTHORITY_HOST"));
    let name = (name, if name.is_absent() { Some(Cloud::Public) } else { plain(name).and_then(Cloud::of_environment) });
    let host = (host, plain(host).and_then(Cloud::of_authority_url));
    let server = secret::value(cx.object, "server");
    let server_cloud = plain(server).and_then(Cloud::of_server);
    if let (Some(cloud), Some(other)) = (name.1, server_cloud)
        && cloud != other
    {
        let what = if name.0.is_absent() { "`AAD_ENVIRONMENT_NAME` is absent, which means" } else { "`AAD_ENVIRONMENT_NAME` means" };
        disagree(cx, name.0, what, cloud, server, "the cluster's server is one of", other);
    } else {
        compare(cx, name, host);
    }
}

/// The environment's name against the host that signs in.
fn compare<'a>(cx: &Check<'a, Settings>, name: (Node<'a>, Option<Cloud>), host: (Node<'a>, Option<Cloud>)) {
    if let (Some(cloud), Some(other)) = (host.1, name.1)
        && cloud != other
    {
        disagree(cx, host.0, "`AZURE_AUTHORITY_HOST` signs in to", cloud, name.0, "`AAD_ENVIRONMENT_NAME` means", other);
    }
}

fn disagree<'a>(cx: &Check<'a, Settings>, node: Node<'a>, what: &str, cloud: Cloud, other_node: Node<'a>, other_what: &str, other: Cloud) {
    let message = format!("{what} {}, but {other_what} {}", cloud.name(), other.name());
    cx.report(
        Report::new(&DISAGREE, node, message)
            .help("audience, sign-in host, environment name and issuer change together from cloud to cloud")
            .related(other_node, "the other value"),
    );
}
