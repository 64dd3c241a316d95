//! Reports keys of Google service accounts.
//!
//! ## What it does
//! A value of a Secret or ConfigMap that is a credential file of `"type": "service_account"` with a private key is an error. So is a
//! container whose `GOOGLE_APPLICATION_CREDENTIALS` points to such a file in a mounted Secret; it is a warning if what the Secret holds
//! is not known, as always in a cluster, where the policy reads no other Secrets.
//!
//! Nothing is said of a configuration for workload identity federation (`"type": "external_account"`), which holds no secret, of a
//! container whose pod projects a token for Google Cloud, and of files in volumes that are not Secrets.
//!
//! ## Why it is bad
//! The key of a service account works from anywhere until somebody deletes it. On GKE the metadata server gives pods short-lived tokens,
//! and elsewhere a projected token is exchanged for one.
//!
//! ## Example
//! ```yaml
//! kind: Secret
//! metadata:
//!   name: reports-key
//! stringData:
//!   key.json: |
//!     {"type": "service_account", "private_key": "…"}
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: reports
//!   annotations:
//!     iam.gke.io/gcp-service-account: reports@shop-prod.iam.gserviceaccount.com
//! ```
//!
//! ## Settings
//! `allowedSecretNames`
//!
//! ## References
//! Google Cloud: "Best practices for managing service account keys", "Workload identity federation with Kubernetes".

use fedward_kit::identity::Provider;
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Container, Pod};
use fedward_kit::{audience, projection, secret, text};

use crate::mounts;
use crate::settings::Settings;
use crate::stored;

const KEY: Condition = Condition::error("key", "a Secret or ConfigMap holds the private key of a Google service account");
const USED: Condition = Condition::error("used", "a container reads such a key from a Secret");
const UNKNOWN: Condition = Condition::warning("unknown", "a container reads Google credentials from a Secret that is not known");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "static-google-key",
    summary: "a key of a Google service account is stored or used",
    conditions: &[KEY, USED, UNKNOWN],
    supersedes: &[],
    check,
};

const HELP: &str = "use workload identity: on GKE an annotation of the service account, elsewhere a projected token";
const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// Values of one object that are looked into.
const MAX_VALUES: usize = 1000;

fn check<'a>(cx: &Check<'a, Settings>) {
    if let Some(object) = stored::secret_under(cx).or_else(|| cx.is("", "ConfigMap").then_some(cx.object)) {
        let kind = if cx.is("", "Secret") { "Secret" } else { "ConfigMap" };
        for key in stored::keys(object).take(MAX_VALUES) {
            let value = stored::value(object, key);
            // Most values are no such file, and some are large.
            if value.peek_str().is_some_and(|text| text.contains("private_key")) && content(value) == Some(Content::Key) {
                let message = format!("`{key}` of the {kind} is the key of a Google service account");
                cx.report(Report::new(&KEY, value, message).help(HELP).on_key());
            }
        }
        return;
    }
    for pod in cx.pods().iter().filter(|pod| pod.node.foreign().is_none()) {
        for container in &pod.containers {
            reader(cx, pod, *container);
        }
    }
}

/// What a credential file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Key,
    Federation,
    Other,
}

/// `None` where it is no JSON, or not known.
fn content(value: Node<'_>) -> Option<Content> {
    value.peek_str()?;
    let file = value.open(Format::Json).ok()?;
    Some(match file.peek_text("type")? {
        "service_account" if stored::is_plain(file.peek("private_key")) => Content::Key,
        "external_account" => Content::Federation,
        _ => Content::Other,
    })
}

fn reader<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, container: Container<'a>) {
    let Some(variable) = container.env(VARIABLE).map(|entry| entry.get("value")) else { return };
    let Some(path) = variable.filled().filter(|path| text::classify(path) == text::Value::Plain) else { return };
    let Some(mounted) = mounts::secret_at(pod, container, path) else { return };
    if cx.settings.allows_secret(pod.namespace, mounted.name) {
        return;
    }
    let found = stored::secret(cx, pod.namespace, mounted.name, mounted.source);
    let known = found.and_then(|secret| Some((secret, content(secret::value(secret, mounted.key))?)));
    let is_federated = || {
        let is_google = |token: projection::Token<'a>| token.audience.peek_str().and_then(audience::provider) == Some(Provider::Gcp);
        projection::tokens(pod).into_iter().any(|token| is_google(token) && !projection::files(container, token).is_empty())
    };
    let what = format!("`{VARIABLE}` of container `{}` points into Secret `{}`", container.name, mounted.name);
    let report = match known {
        Some((secret, Content::Key)) => Report::new(&USED, variable, format!("{what}, to the key of a service account"))
            .related(secret.get("metadata").get("name"), "the Secret"),
        Some((_, Content::Federation)) => return,
        _ if is_federated() => return,
        _ => Report::new(&UNKNOWN, variable, format!("{what}, which most likely holds the key of a service account")),
    };
    cx.report(report.help(HELP).related(mounted.source, "the volume"));
}
