//! Reports Secrets for Argo CD that Argo CD does not find.
//!
//! ## What it does
//! Argo CD reads a Secret only if its label `argocd.argoproj.io/secret-type` says what it is: `repository`, `repo-creds`,
//! `repository-write`, `repo-write-creds`, `cluster` or `scm-creds`. Reported are
//!
//! * Secrets that look like a repository (`url`, and a `type` of `git`, `helm` or `oci`) or a cluster (`server`, and a `config` with a way
//!   to sign in) and have no such label,
//! * another value of the label, and a key that is the label's but for a slip,
//! * a label on a SealedSecret itself: the Secret gets those of `spec.template.metadata`,
//! * with the setting `argocdNamespace`, Secrets with the label in other namespaces.
//!
//! ## Why it is bad
//! Nothing says that a Secret is not read. Argo CD goes on without signing in, and the credential lies there unused.
//!
//! ## Example
//! ```yaml
//! kind: Secret
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repo
//! stringData:
//!   type: git
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Secret
//! metadata:
//!   labels:
//!     argocd.argoproj.io/secret-type: repository
//! stringData:
//!   type: git
//!   url: https://dev.azure.com/harbour/shop/_git/shop
//! ```
//!
//! ## Settings
//! `argocdNamespace`
//!
//! ## References
//! Argo CD: "Declarative Setup" (repositories, clusters); `common/common.go` (`LabelKeySecretType`).

use fedward_kit::finding::PatchStep;
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::suggest;

use crate::registered::{Form, Known, Registered, TYPE_LABEL, TYPES, known};
use crate::settings::Settings;

const NONE: Condition = Condition::warning("no-label", "a Secret that looks like one for Argo CD has no label");
const TYPE: Condition = Condition::warning("unknown-type", "the label has a value that Argo CD does not know");
const KEY: Condition = Condition::warning("misspelt-label", "a label is Argo CD's but for a slip");
const WRAPPER: Condition = Condition::warning("label-of-the-wrapper", "the label stands on the SealedSecret, not in its template");
const NAMESPACE: Condition = Condition::warning("other-namespace", "the Secret is not in the namespace of Argo CD");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unlabelled-argocd-secret",
    summary: "a Secret for Argo CD is one that Argo CD does not find",
    conditions: &[NONE, TYPE, KEY, WRAPPER, NAMESPACE],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(secret) = Registered::under(cx) else { return };
    let label = secret.labels.peek(TYPE_LABEL);
    match known(label) {
        Known::Text(kind) if TYPES.contains(&kind) => check_namespace(cx, label),
        Known::Text(kind) => unknown_type(cx, label, kind),
        Known::Absent => no_label(cx, &secret, label),
        Known::No => {}
    }
}

fn check_namespace<'a>(cx: &Check<'a, Settings>, label: Node<'a>) {
    let wanted = &cx.settings.argocd_namespace;
    if !wanted.is_empty() && !cx.request.namespace.is_empty() && cx.request.namespace != *wanted {
        let message = format!("the Secret is in namespace `{}`, and Argo CD reads those in `{wanted}`", cx.request.namespace);
        cx.report(Report::new(&NAMESPACE, label, message).help(format!("put it into `{wanted}`")));
    }
}

fn unknown_type<'a>(cx: &Check<'a, Settings>, label: Node<'a>, kind: &str) {
    let report = Report::new(&TYPE, label, format!("Argo CD knows no type `{kind}` of Secret"));
    let meant = match kind {
        "repo" | "repositories" => Some("repository"),
        "clusters" => Some("cluster"),
        "credentials" | "repository-credentials" | "repository-creds" => Some("repo-creds"),
        _ => suggest::nearest(kind, TYPES),
    };
    cx.report(match meant {
        Some(meant) => report.help(format!("did you mean `{meant}`?")).fix(PatchStep::set(label, meant)),
        None => report.help(format!("write one of {}", TYPES.map(|known| format!("`{known}`")).join(", "))),
    });
}

fn no_label<'a>(cx: &Check<'a, Settings>, secret: &Registered<'a>, label: Node<'a>) {
    // Many a label is far from it: only what ends alike is worth a closer look.
    let is_slip = |key: &str| key.len() <= 60 && key.contains("argo") && suggest::distance(&key.to_ascii_lowercase(), TYPE_LABEL) <= 3;
    if let Some((key, slip)) = secret.labels.peek_entries().find(|(key, _)| is_slip(key)) {
        let report =
            Report::new(&KEY, slip, format!("Argo CD does not read the label `{key}`")).help(format!("write `{TYPE_LABEL}`")).on_key();
        let value = slip.peek_str().unwrap_or("");
        return cx.report(report.fix(PatchStep::remove(slip).into_iter().chain(PatchStep::set(label, value)).collect()));
    }
    let own = cx.object.peek("metadata").peek("labels").peek(TYPE_LABEL);
    if secret.form == Form::Sealed && own.is_present() {
        let message = "Argo CD does not find the Secret: its labels are those of the template";
        return cx.report(Report::new(&WRAPPER, own, message).help("put the label into `spec.template.metadata.labels`").on_key());
    }
    if !cx.request.is_final {
        return;
    }
    let what = if looks_like_repository(secret) {
        "a repository"
    } else if looks_like_cluster(secret) {
        "a cluster"
    } else {
        return;
    };
    cx.report(
        Report::new(&NONE, label, format!("the Secret looks like {what} for Argo CD, which does not find it without a label"))
            .help(format!("set the label `{TYPE_LABEL}`, if it is meant for Argo CD")),
    );
}

fn looks_like_repository(secret: &Registered<'_>) -> bool {
    let has_type = secret.known("type").text().is_some_and(|kind| matches!(kind, "git" | "helm" | "oci"));
    has_type && secret.has("url")
}

fn looks_like_cluster(secret: &Registered<'_>) -> bool {
    if !secret.has("server") || secret.value("config").peek_str().is_none() {
        return false;
    }
    let Ok(config) = secret.value("config").open(Format::Json) else { return false };
    ["tlsClientConfig", "execProviderConfig", "awsAuthConfig"].iter().any(|field| config.peek(field).is_present())
}
