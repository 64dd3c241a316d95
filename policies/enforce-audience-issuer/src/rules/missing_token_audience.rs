//! Reports projected tokens that a cloud is given although they are for the API server.
//!
//! ## What it does
//! A `serviceAccountToken` without `audience` is a token for the Kubernetes API server. It is reported if the container's environment gives
//! it to a cloud's SDK: its file is the one in `AZURE_FEDERATED_TOKEN_FILE`, `AWS_WEB_IDENTITY_TOKEN_FILE`, or (for the EKS Pod Identity
//! agent) `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`; it lies where a cloud's webhook puts its tokens; or the credential configuration in
//! `GOOGLE_APPLICATION_CREDENTIALS`, read from its ConfigMap, names it.
//!
//! The pod's own token, `/var/run/secrets/kubernetes.io/serviceaccount/token`, is such a one. A variable that names it is a warning, since
//! the API server can be told to give its tokens other audiences. Nothing is said where the federated credential or the role of the
//! service account, in the checked set, expects an audience that is no cloud's, or where `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_STS`
//! sends AWS' SDK elsewhere.
//!
//! ## Why it is bad
//! The cloud refuses it, since its audience is the API server's. And whoever receives it can use it against the API server in the pod's name.
//!
//! ## Example
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//! ```
//!
//! ## Use instead
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//!   audience: api://AzureADTokenExchange
//! ```
//!
//! ## Settings
//! `cloud`
//!
//! ## References
//! Kubernetes API, `ServiceAccountTokenProjection` ("defaults to the identifier of the apiserver"); Google Cloud, workload identity
//! federation with Kubernetes (the audience of a provider without `allowedAudiences`).

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::Provider;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::token_use::{self, AWS_FILE, AZURE_FILE};
use fedward_kit::workload::{Container, Pod};
use fedward_kit::{audience, projection};

use crate::accepted;
use crate::settings::Settings;

const MISSING: Condition = Condition::error("missing", "a cloud's SDK reads a token that is for the API server");

const OWN: Condition = Condition::warning("own-token", "a variable names the pod's own token, which is for the API server");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "missing-token-audience",
    summary: "a cloud is given a token that is for the API server",
    conditions: &[MISSING, OWN],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for projected in cx.projected() {
        let audience = projected.token.audience;
        let Some(using) = projected.uses.first().filter(|_| audience.is_absent() || audience.peek_str() == Some("")) else { continue };
        let message = format!("the token is read through {}, but has no audience, so that it is one for the API server", using.by());
        let report = Report::new(&MISSING, audience, message).related(using.node, "what reads the token");
        cx.report(match accepted::expected(cx, projected, using) {
            Some(expected) => report.help(format!("add `audience: {expected}`")).fix(PatchStep::set(audience, expected)),
            None => report.help("add the audience that the cloud's side expects"),
        });
    }
    for pod in cx.pods() {
        for container in &pod.containers {
            for (variable, provider) in [(AZURE_FILE, Provider::Azure), (AWS_FILE, Provider::AwsIrsa)] {
                own_token(cx, pod, *container, variable, provider);
            }
        }
    }
}

/// Where every pod has its token for the API server.
const OWN_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Variables that send AWS' SDKs to another STS.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"];

fn own_token<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, container: Container<'a>, variable: &'static str, provider: Provider) {
    let Some((node, file)) = token_use::literal(container, variable) else { return };
    let file = projection::join(file, "");
    // `/var/run` is a link to `/run` in most images.
    if !node.in_request() || file != OWN_TOKEN && Some(file.as_str()) != OWN_TOKEN.strip_prefix("/var") {
        return;
    }
    let is_covered = container.node.get("volumeMounts").items().any(|mount| {
        let path = projection::join(mount.text("mountPath").unwrap_or("/"), "");
        path != "/" && file.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let is_wanted = || {
        let accepted = accepted::find(cx, pod, provider, "", node);
        accepted.iter().any(|one| one.only.is_none_or(|only| audience::provider(only).is_none()))
    };
    // Other systems that speak AWS' language may want that very token.
    let is_for_another = || provider == Provider::AwsIrsa && ENDPOINTS.iter().any(|name| container.env(name).is_some());
    if !is_covered && !is_for_another() && !is_wanted() {
        let message = format!("`{variable}` names the pod's own token, which is for the API server");
        cx.report(Report::new(&OWN, node, message).help(match provider {
            Provider::Azure => "remove the variable and let the webhook set it, or project a token with Azure's audience",
            _ => "remove the variable and let the webhook set it, or project a token with the audience of AWS STS",
        }));
    }
}
