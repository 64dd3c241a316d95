//! Reports pods of an Azure-federated service account that lack the label which Azure's webhook selects on.
//!
//! ## What it does
//! A pod whose service account carries `azure.workload.identity/client-id` needs the pod label
//! `azure.workload.identity/use: "true"`: only then does the mutating webhook see it and inject the token and its environment.
//!
//! Not reported: pods that project a token with an Azure audience themselves, pods whose only use of the identity is a CSI driver
//! that asks for tokens itself, Argo workflows in which another step carries the label, and the pod of a Sensor that shares the
//! account of the workflow it submits.
//!
//! ## Why it is bad
//! Without the label nothing is injected. The pod starts, and the first call to Azure fails, or silently uses another credential.
//!
//! ## Example
//! ```yaml
//! template:
//!   metadata:
//!     labels:
//!       app: api
//!   spec:
//!     serviceAccountName: api # annotated with a client id
//! ```
//!
//! ## Use instead
//! ```yaml
//! template:
//!   metadata:
//!     labels:
//!       app: api
//!       azure.workload.identity/use: "true"
//!   spec:
//!     serviceAccountName: api
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `deploy/azure-wi-webhook.yaml` (the webhook's `objectSelector`), troubleshooting for v1.0.0; AKS
//! workload identity overview ("pod labels").

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{self, AZURE_CLIENT_ID, AZURE_USE};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;
use fedward_kit::{audience, index, projection, webhook};

use crate::settings::Settings;

const MISSING: Condition = Condition::error("missing", "the service account has a client id and the pod lacks the label");
const OLD_WEBHOOK: Condition =
    Condition::warning("old-webhook", "the same, while the set deploys a webhook before v1.0, which looks at the service account's label");
const MAY_NOT_NEED: Condition = Condition::info(
    "may-not-need-it",
    "the same, but another object has tokens of the service account issued to itself, a mutating policy may add the label, or the object is a base that something patches",
);

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "missing-azure-label",
    summary: "a pod of an Azure-federated service account lacks the label that the webhook selects on",
    conditions: &[MISSING, OLD_WEBHOOK, MAY_NOT_NEED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let label = pod.label(AZURE_USE);
        if label.is_present() {
            continue;
        }
        let Some(account) = identity::account_of(pod, cx.context).found() else { continue };
        if account.client_id().is_none() || has_own_way(cx, pod) {
            continue;
        }
        let (condition, why) = condition(cx, pod);
        let name = pod.account.name().unwrap_or("default");
        let report = Report::new(
            condition,
            label,
            format!("the {} runs as `{name}`, which has an Azure client id, but has no label `{AZURE_USE}`{why}", pod.title),
        )
        .help(format!("add `{AZURE_USE}: \"true\"` to the labels of the pod template"))
        .related(account.annotation(AZURE_CLIENT_ID), "the client id that the pod is to use")
        .fix(PatchStep::set(label, "true"));
        cx.report(report);
    }
}

/// Whether the pod gets its token without the webhook, or another rule speaks of it.
fn has_own_way<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> bool {
    let projects = |pod: &Pod<'_>| projection::tokens(pod).iter().any(|token| token.audience.str().is_some_and(audience::is_azure));
    if projects(pod) || (cx.settings.allow_csi_only && projection::has_csi_identity(pod)) {
        return true;
    }
    let shares_account = |other: &Pod<'_>| other.account.name() == pod.account.name() && other.namespace == pod.namespace;
    let signs_in = |other: &Pod<'_>| other.label(AZURE_USE).is_present() || projects(other);
    match pod.row {
        // A workflow in which one step signs in: that another step lacks the label is its good right.
        "argoproj.io/Workflow" | "argoproj.io/CronWorkflow" => cx.pods().iter().any(|other| shares_account(other) && signs_in(other)),
        // The eventing pod merely shares the account of what it submits.
        "argoproj.io/Sensor" | "argoproj.io/EventSource" => cx.pods().iter().any(|other| other.row != pod.row && shares_account(other)),
        _ => false,
    }
}

fn condition<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> (&'static Condition, String) {
    let anchor = pod.account.node();
    let name = pod.account.name().unwrap_or("default");
    if !cx.request.is_final {
        return (&MAY_NOT_NEED, ", unless the kustomization that patches this object adds it".to_owned());
    }
    if index::token_consumers(cx.context, pod.namespace, name, anchor).is_some_and(|list| !list.items.is_empty()) {
        return (&MAY_NOT_NEED, ", which it needs only if it signs in itself: another object has tokens of this account issued".to_owned());
    }
    if index::label_mutators(cx.context, anchor).is_some_and(|list| !list.items.is_empty()) {
        return (&MAY_NOT_NEED, ", unless the mutating policy of this set adds it".to_owned());
    }
    match webhook::version(cx.context, anchor) {
        Some((version, _)) if version < webhook::POD_LABEL_ONLY => (
            &OLD_WEBHOOK,
            format!("; it works with the webhook v{}.{}.{} of this set and fails from v1.0 on", version.0, version.1, version.2),
        ),
        _ => (&MISSING, String::new()),
    }
}
