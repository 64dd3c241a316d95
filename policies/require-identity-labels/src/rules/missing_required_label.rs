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
use fedward_kit::workload::Pod;
use fedward_kit::{audience, identity, projection, text};

use crate::settings::{RequiredLabel, RequiredValue, Settings};

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
    let required: &'a [RequiredLabel] = &cx.settings.required_labels;
    for pod in cx.pods() {
        let mut why = None;
        for required in required {
            let label = pod.label(&required.key);
            let found = label.str().unwrap_or("");
            // What a template or a person still has to fill in is not judged.
            if fits(&required.value, found) || text::classify(found) != text::Value::Plain {
                continue;
            }
            // Asked once for a pod, and only if something is wrong.
            let Some(why) = *why.get_or_insert_with(|| use_of(cx, pod)) else { break };
            report(cx, pod, required, label, why);
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, required: &'a RequiredLabel, label: Node<'a>, why: Node<'a>) {
    let key = &required.key;
    let (condition, message) = match label.filled() {
        None => (&MISSING, format!("the {} uses a cloud identity and lacks the label `{key}`", pod.title)),
        Some(found) => (&MISMATCH, format!("the label `{key}` of the {} is `{found}`, which the settings do not allow", pod.title)),
    };
    let condition = if cx.request.is_final { condition } else { &DRAFT };
    let report = Report::new(condition, label, message).related(why, "what makes the pod an identity user");
    cx.report(match &required.value {
        RequiredValue::Exactly(value) => report.help(format!("set it to `{value}`")).fix(PatchStep::set(label, value)),
        RequiredValue::Like(pattern) => report.help(match pattern.as_str() {
            "*" => "give it a value".to_owned(),
            pattern => format!("the settings require `{key}={pattern}`"),
        }),
    });
}

fn fits(required: &RequiredValue, value: &str) -> bool {
    match required {
        RequiredValue::Exactly(exact) => value == exact,
        RequiredValue::Like(pattern) => !value.is_empty() && pattern.matches(value),
    }
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
