//! Reports values of the Azure pod label other than exactly `true`.
//!
//! ## What it does
//! The label `azure.workload.identity/use` works with the value `"true"` alone. Any other spelling (`"True"`, `"yes"`, `"1"`, a
//! blank) is reported. A value that says no (`"false"`, `"no"`, an empty one) is taken for an opt-out and only noted, unless the pod's
//! service account has a client id, so that the pod needs the label.
//!
//! Webhooks before v1.0 look at the key alone: while the set deploys one, other values are warnings.
//!
//! ## Why it is bad
//! The API server compares the label with the webhook's `objectSelector` byte by byte. With any other value the webhook never sees the
//! pod, and nothing is injected.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "True"
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
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `deploy/azure-wi-webhook.yaml` (`objectSelector.matchLabels`), `pkg/webhook/consts.go`.

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::AZURE_USE;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text;

use super::missing_azure_label::{Needs, old_webhook};
use crate::settings::Settings;

const WRONG: Condition = Condition::error("wrong-value", "the value is not exactly `true`");
const NEEDED: Condition =
    Condition::error("opted-out-but-needed", "the value says no, but the pod's service account has an Azure client id");
const OLD_WEBHOOK: Condition = Condition::warning(
    "old-webhook",
    "the value is not exactly `true`, while the set deploys a webhook before v1.0, which reads the key alone",
);
const OPT_OUT: Condition = Condition::info("opted-out", "the value says no, and nothing needs the label");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-azure-label-value",
    summary: "the Azure pod label has a value other than exactly `true`",
    conditions: &[WRONG, NEEDED, OLD_WEBHOOK, OPT_OUT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let needs = Needs::new(cx);
    for pod in cx.pods() {
        let label = pod.label(AZURE_USE);
        let Some(value) = label.str() else { continue };
        if value == "true" || label.foreign().is_some() || text::classify(value) != text::Value::Plain {
            continue;
        }
        let report = if says_no(value) {
            let needed = needs.of(pod);
            let (condition, why) = match needed {
                Some(_) => (&NEEDED, ", but the pod's service account has an Azure client id: nothing is injected"),
                None => (&OPT_OUT, ": the webhook leaves the pod alone, as if there were no label"),
            };
            let value = if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") };
            let report = Report::new(condition, label, format!("`{AZURE_USE}` is {value}{why}"))
                .help("set it to \"true\" if the pod signs in to Azure, remove it if not");
            match needed {
                Some(need) => report.related(need.client_id(), "the client id that the pod is to use"),
                None => report,
            }
        } else {
            let (condition, why) = match old_webhook(cx, label) {
                Some(version) => {
                    (&OLD_WEBHOOK, format!(": the webhook {version} of this set reads the key alone, from v1.0 on nothing is injected"))
                }
                None => (&WRONG, ": the webhook selects on exactly `true`, so nothing is injected".to_owned()),
            };
            Report::new(condition, label, format!("`{AZURE_USE}` is `{value}`{why}"))
                .help("write \"true\", in lower case and in quotes")
                .fix(PatchStep::set(label, "true"))
        };
        cx.report(report);
    }
}

/// Whether a value means that the pod shall not use workload identity.
fn says_no(value: &str) -> bool {
    ["", "false", "no", "off", "0", "disabled"].iter().any(|word| value.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::says_no;

    #[test]
    fn tells_an_opt_out_from_a_slip() {
        assert!(["", "false", "False", " no"].iter().all(|value| says_no(value)));
        assert!(!["True", "yes", "1", " true", "enabled"].iter().any(|value| says_no(value)));
    }
}
