//! Reports deployments of Azure's webhook that let pods pass without their identity.
//!
//! ## What it does
//! In a MutatingWebhookConfiguration, the webhooks named `mutation.azure-workload-identity.io` or `….azure.mutate.io` are reported if
//! their `failurePolicy` is `Ignore`, if no `objectSelector` names the pod label `azure.workload.identity/use`, or if they act on
//! updates. A Deployment whose image is the webhook's before v1.0 is reported too. Other webhooks, those of EKS and OpenShift among
//! them, ignore failures by design and are left alone.
//!
//! ## Why it is bad
//! With `Ignore`, a pod that is created while the webhook is away runs without its identity, and nothing says so. Without the selector
//! every pod of the cluster waits for the webhook, and with `Fail` none starts while it is away. Webhooks before v1.0 have both faults.
//!
//! ## Example
//! ```yaml
//! apiVersion: admissionregistration.k8s.io/v1
//! kind: MutatingWebhookConfiguration
//! metadata:
//!   name: azure-wi-webhook-mutating-webhook-configuration
//! webhooks:
//!   - name: mutation.azure-workload-identity.io
//!     failurePolicy: Ignore
//!     rules:
//!       - apiGroups: [""]
//!         apiVersions: [v1]
//!         operations: [CREATE, UPDATE]
//!         resources: [pods]
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: admissionregistration.k8s.io/v1
//! kind: MutatingWebhookConfiguration
//! metadata:
//!   name: azure-wi-webhook-mutating-webhook-configuration
//! webhooks:
//!   - name: mutation.azure-workload-identity.io
//!     failurePolicy: Fail
//!     objectSelector:
//!       matchLabels:
//!         azure.workload.identity/use: "true"
//!     rules:
//!       - apiGroups: [""]
//!         apiVersions: [v1]
//!         operations: [CREATE]
//!         resources: [pods]
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `deploy/azure-wi-webhook.yaml`, release notes of v1.0.0.

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::AZURE_USE;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::webhook;

use super::missing_azure_label::old_webhook;
use crate::settings::Settings;

const IGNORE: Condition = Condition::warning("ignores-failure", "the webhook's failure is ignored");
const NO_SELECTOR: Condition = Condition::warning("no-selector", "the webhook does not select pods by the label");
const UPDATES: Condition = Condition::warning("acts-on-updates", "the webhook acts on other operations than CREATE");
const DRAFT: Condition = Condition::info("draft", "either of the first two, on a base that something patches");
const OLD: Condition = Condition::warning("before-v1", "the webhook's image is older than v1.0");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "weak-identity-webhook",
    summary: "Azure's webhook is deployed so that pods pass without their identity",
    conditions: &[IGNORE, NO_SELECTOR, DRAFT, UPDATES, OLD],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if cx.is("admissionregistration.k8s.io", "MutatingWebhookConfiguration") {
        let is_azures = |name: &str| name == "mutation.azure-workload-identity.io" || name.ends_with(".azure.mutate.io");
        for webhook in cx.object.get("webhooks").items().filter(|webhook| webhook.text("name").is_some_and(is_azures)) {
            configuration(cx, webhook);
        }
    }
    if cx.is("apps", "Deployment") {
        for image in webhook::images(cx.object) {
            let Some(version) = image.peek_str().and_then(webhook::version_of) else { continue };
            if version < webhook::POD_LABEL_ONLY {
                let message = format!(
                    "v{}.{}.{} of Azure's webhook looks at the service account and lets pods pass when it fails",
                    version.0, version.1, version.2
                );
                cx.report(Report::new(&OLD, image, message).help("upgrade to v1 or later, after labelling the pods"));
            }
        }
    }
}

fn configuration<'a>(cx: &Check<'a, Settings>, webhook: Node<'a>) {
    let selector = webhook.get("objectSelector");
    let selects = selects(selector);
    let policy = webhook.get("failurePolicy");
    let or_draft = |condition: &'static Condition| if cx.request.is_final { condition } else { &DRAFT };
    if policy.str() == Some("Ignore") {
        let report = Report::new(or_draft(&IGNORE), policy, "while the webhook is away, pods start without their identity");
        // Without the selector, `Fail` would hold up every pod of the cluster.
        cx.report(if selects {
            report.help("set it to `Fail`").fix(PatchStep::set(policy, "Fail"))
        } else {
            report.help("add the `objectSelector` first, then set it to `Fail`")
        });
    }
    if !selects {
        let report = Report::new(
            or_draft(&NO_SELECTOR),
            selector,
            format!("no `objectSelector` for the pod label `{AZURE_USE}`: the webhook is called for every pod"),
        );
        let label = selector.get("matchLabels").get(AZURE_USE);
        cx.report(match old_webhook(cx, webhook) {
            Some(version) => {
                report.help(format!("the webhook {version} of this set serves unlabelled pods: label them and upgrade it first"))
            }
            None => report.help(format!("select `{AZURE_USE}: \"true\"`")).fix(PatchStep::set(label, "true")),
        });
    }
    for rule in webhook.get("rules").items() {
        let operations = rule.get("operations");
        if operations.items().any(|operation| operation.str().is_some_and(|name| matches!(name, "UPDATE" | "*"))) {
            cx.report(
                Report::new(&UPDATES, operations, "the webhook acts on updates, which cannot change a pod's volumes any more")
                    .help("leave only CREATE")
                    .fix(PatchStep::set_value(operations, vec!["CREATE"].into())),
            );
        }
    }
}

/// Whether a selector asks for the pod label.
fn selects(selector: Node<'_>) -> bool {
    selector.get("matchLabels").get(AZURE_USE).is_present()
        || selector.get("matchExpressions").items().any(|expression| expression.text("key") == Some(AZURE_USE))
}
