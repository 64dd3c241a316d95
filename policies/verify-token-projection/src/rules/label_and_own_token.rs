//! Reports pods that project a token for Azure by hand although their label asks for one.
//!
//! ## What it does
//! A pod with the label `azure.workload.identity/use: "true"` gets a token from Azure's webhook. One that also projects a token with an
//! audience of Azure is noted. In a cluster the policy sees a Pod after the webhook: a volume with one of its names is then taken for its own.
//!
//! ## Why it is bad
//! It works: variables that the pod sets win over those of the webhook. But there are two tokens where one would do, and which of the two
//! is read depends on each container's environment.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   volumes:
//!     - name: token
//!       projected:
//!         sources:
//!           - serviceAccountToken:
//!               path: token
//!               audience: api://AzureADTokenExchange
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   volumes: []
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`addEnvironmentVariables`, `addProjectedVolume`).

use fedward_kit::audience;
use fedward_kit::identity::{AZURE_USE, is_labelled};
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::pods::is_injected;
use crate::settings::Settings;

const BOTH: Condition = Condition::info("both", "a labelled pod projects a token for Azure itself");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "label-and-own-token",
    summary: "a pod projects a token for Azure by hand although its label asks for one",
    conditions: &[BOTH],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for projected in cx.projected() {
        let (pod, token) = (&projected.pod, &projected.token);
        let is_own = is_labelled(pod) && !is_injected(cx, pod, token.volume_name);
        if is_own && token.audience.peek_str().is_some_and(audience::is_azure) {
            let message = "the pod projects a token for Azure by hand, and its label makes the webhook mount another";
            cx.report(
                Report::new(&BOTH, token.volume.get("name"), message)
                    .help("remove the volume, its mounts and the variables that name its file, or the label")
                    .related(pod.label(AZURE_USE), "the label"),
            );
        }
    }
}
