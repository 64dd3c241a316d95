//! Reports pods that use a cloud identity and lack a label which your settings require.
//!
//! ## What it does
//! Every pod that uses a cloud identity (its service account is federated, it has a label `azure.workload.identity/…`, it projects a
//! token for a cloud, or its environment names such a token's file) must have the labels of `requiredLabels` with exactly their values,
//! and those of `extraRequiredLabels` with a value that fits the pattern. Without these settings the rule reports nothing.
//!
//! ## Why it is bad
//! An identity without an owner is nobody's to rotate, to review, or to shut off.
//!
//! ## Example
//! With the setting `extraRequiredLabels: [owner]`:
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//!     owner: team-a
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## Settings
//! `requiredLabels`, `extraRequiredLabels`, `federatedServiceAccounts`
//!
//! ## References
//! Kubernetes: recommended labels.

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Glob};
use fedward_kit::workload::Pod;
use fedward_kit::{audience, identity, projection};

use crate::settings::Settings;

const MISSING: Condition = Condition::error("missing", "a required label is absent or empty");
const MISMATCH: Condition = Condition::error("mismatch", "a required label has a value that the settings do not allow");
const DRAFT: Condition = Condition::info("draft", "either, on a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "missing-required-label",
    summary: "a pod with a cloud identity lacks a label that the settings require",
    conditions: &[MISSING, MISMATCH, DRAFT],
    supersedes: &[],
    check,
};

fn check<'a>(cx: &Check<'a, Settings>) {
    let settings: &'a Settings = cx.settings;
    if settings.required_labels.is_empty() && settings.extra_required_labels.is_empty() {
        return;
    }
    for pod in cx.pods() {
        let missing: Vec<_> = settings
            .required_labels
            .iter()
            .filter_map(|(key, value)| Some((fault(pod, key, &|text| text == value)?, Some(value))))
            .chain(
                settings
                    .extra_required_labels
                    .iter()
                    .filter_map(|(key, pattern)| Some((fault(pod, key, &|text| matches(pattern, text))?, None))),
            )
            .collect();
        if missing.is_empty() {
            continue;
        }
        let Some(why) = use_of(cx, pod) else { continue };
        for (label, value) in missing {
            let found = label.str().unwrap_or("");
            let key = label.key();
            let (condition, message) = if found.is_empty() {
                (&MISSING, format!("the {} uses a cloud identity and lacks the label `{key}`", pod.title))
            } else {
                (&MISMATCH, format!("the label `{key}` of the {} is `{found}`, which the settings do not allow", pod.title))
            };
            let condition = if cx.request.is_final { condition } else { &DRAFT };
            let report = Report::new(condition, label, message).related(why, "what makes the pod an identity user");
            cx.report(match value {
                Some(value) => report.help(format!("set it to `{value}`")).fix(PatchStep::set(label, value)),
                None => report.help(format!("the settings require `{}`", requirement(settings, &key))),
            });
        }
    }
}

fn requirement(settings: &Settings, key: &str) -> String {
    let pattern = settings.extra_required_labels.iter().find(|(known, _)| known == key).map_or("*", |(_, pattern)| pattern.as_str());
    if pattern == "*" { key.to_owned() } else { format!("{key}={pattern}") }
}

fn matches(pattern: &Glob, text: &str) -> bool {
    !text.is_empty() && pattern.matches(text)
}

/// The label, if it is not as required. What a template or a person still has to fill in is not judged.
fn fault<'a>(pod: &Pod<'a>, key: &'a str, fits: &dyn Fn(&str) -> bool) -> Option<Node<'a>> {
    let label = pod.label(key);
    let value = label.str().unwrap_or("");
    (!fits(value) && text::classify(value) == text::Value::Plain).then_some(label)
}

/// What makes the pod an identity user.
fn use_of<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> Option<Node<'a>> {
    let labels = pod.layers.iter().flat_map(|layer| layer.labels.entries());
    if let Some((_, label)) = labels.into_iter().find(|(key, _)| key.starts_with("azure.workload.identity/")) {
        return Some(label);
    }
    let tokens = projection::tokens(pod);
    if let Some(token) = tokens.iter().find(|token| token.audience.str().is_some_and(|name| audience::provider(name).is_some())) {
        return Some(token.audience);
    }
    let variables = [
        "AZURE_FEDERATED_TOKEN_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ];
    for container in &pod.containers {
        if let Some(token) = variables.iter().find_map(|variable| projection::token_of_env(*container, variable, &tokens)) {
            return Some(token.node);
        }
    }
    if pod.account_metadata.is_some() {
        let account = identity::account_of(pod, cx.context).found()?;
        return account.marks().first().map(|(_, mark)| *mark);
    }
    let name = pod.account.name()?;
    identity::federation(cx.context, cx.common, pod.namespace, name, pod.account.node()).first().map(|(_, mark)| *mark)
}
