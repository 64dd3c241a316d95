//! Reports token expirations that the webhooks refuse, ignore or change.
//!
//! ## What it does
//! `azure.workload.identity/service-account-token-expiration` must be a whole number of seconds from 3600 to 86400, on a pod or on its
//! service account; `eks.amazonaws.com/token-expiration` one from 600 to 86400. An empty value counts as unset, and a valid value on the
//! pod hides one on the account.
//!
//! ## Why it is bad
//! Azure's webhook refuses a labelled pod with any other value (400). That of EKS ignores what is no number and raises what is too
//! small, so that the token does not live as long as you think.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//!   annotations:
//!     azure.workload.identity/service-account-token-expiration: "7200s"
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
//!   annotations:
//!     azure.workload.identity/service-account-token-expiration: "7200"
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`getServiceAccountTokenExpiration`); aws/amazon-eks-pod-identity-webhook:
//! `pkg/validation.go`, `pkg/annotations/parser.go`.

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{AZURE_EXPIRATION, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::{index, text, workload};

use crate::pods::is_labelled;
use crate::settings::Settings;

const REFUSED: Condition = Condition::error("refused", "Azure: a labelled pod has the value, or uses a service account that has it");
const UNUSED: Condition = Condition::warning("unused", "Azure: no labelled pod is known to use the value yet");
const CHANGED: Condition = Condition::warning("changed", "EKS: the value is ignored or changed");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-token-expiration",
    summary: "a token expiration is one that the webhook refuses, ignores or changes",
    conditions: &[REFUSED, UNUSED, CHANGED],
    supersedes: &[],
    check,
};

/// Annotation of pods and service accounts.
const AWS_EXPIRATION: &str = "eks.amazonaws.com/token-expiration";
const LONGEST: i64 = 86400;

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let condition = if is_labelled(pod) { &REFUSED } else { &UNUSED };
        report(cx, pod.annotation(AZURE_EXPIRATION), 3600, &|| condition);
        report(cx, pod.annotation(AWS_EXPIRATION), 600, &|| &CHANGED);
    }
    if cx.is("", "ServiceAccount") {
        let account = ServiceAccount::of(cx.object);
        report(cx, account.annotation(AZURE_EXPIRATION), 3600, &|| if is_refused(cx) { &REFUSED } else { &UNUSED });
        report(cx, account.annotation(AWS_EXPIRATION), 600, &|| &CHANGED);
    }
}

fn report<'a>(cx: &Check<'a, Settings>, annotation: Node<'a>, shortest: i64, condition: &dyn Fn() -> &'static Condition) {
    let Some(value) = annotation.filled() else { return };
    if annotation.foreign().is_some() || text::classify(value) != text::Value::Plain || is_valid(value, shortest) {
        return;
    }
    let condition = condition();
    let effect = match (shortest, value.parse::<i64>()) {
        (3600, _) if condition == &UNUSED => "the webhook will refuse labelled pods that use it",
        (3600, _) => "the webhook refuses the pod",
        (_, Ok(seconds)) if seconds < shortest => "the webhook raises it to 600",
        (_, Ok(_)) => "EKS issues no token for longer",
        (_, Err(_)) => "the webhook ignores it",
    };
    let found = Report::new(condition, annotation, format!("`{value}` is no number of seconds from {shortest} to {LONGEST}: {effect}"));
    let seconds = value.strip_suffix('s').unwrap_or(value).parse::<i64>().ok().map(|seconds| seconds.clamp(shortest, LONGEST).to_string());
    cx.report(match seconds {
        Some(seconds) => found.help(format!("write \"{seconds}\"")).fix(PatchStep::set(annotation, &seconds)),
        None => found.help("write a whole number of seconds, in quotes"),
    });
}

/// Whether the webhook refuses a pod of the account that says nothing of its own.
pub(crate) fn is_refused_for(account: ServiceAccount<'_>) -> bool {
    account.annotation(AZURE_EXPIRATION).filled().is_some_and(|value| !is_valid(value, 3600))
}

fn is_valid(value: &str, shortest: i64) -> bool {
    value.parse::<i64>().is_ok_and(|seconds| (shortest..=LONGEST).contains(&seconds))
}

/// Whether a labelled pod takes the value from the service account under admission.
fn is_refused(cx: &Check<'_, Settings>) -> bool {
    let (namespace, name) = (cx.request.namespace, cx.request.name);
    let objects = index::workloads_of(cx.context, namespace, name, cx.object).map(|list| list.items).unwrap_or_default();
    objects.into_iter().flat_map(|object| workload::pods(object, namespace, cx.context)).any(|pod| {
        pod.account.name() == Some(name)
            && pod.namespace == namespace
            && is_labelled(&pod)
            && pod.annotation(AZURE_EXPIRATION).peek_str().is_none_or(str::is_empty)
    })
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn reads_numbers_as_go_does() {
        assert!(is_valid("3600", 3600) && is_valid("+3600", 3600) && is_valid("03600", 3600) && is_valid("86400", 3600));
        assert!(
            !is_valid("3599", 3600)
                && !is_valid("86401", 3600)
                && !is_valid("1h", 3600)
                && !is_valid(" 3600", 3600)
                && !is_valid("3_600", 3600)
        );
        assert!(is_valid("600", 600) && !is_valid("599", 600));
    }
}
