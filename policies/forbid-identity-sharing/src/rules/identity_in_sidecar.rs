//! Reports pods of several containers that all get Azure's token.
//!
//! ## What it does
//! Azure's webhook gives the token to every container of a labelled pod, unless the annotation
//! `azure.workload.identity/skip-containers` names it. Labelled pods with more than one container and without the annotation are noted.
//! Init containers that go on running count; those that end do not, and neither do the proxies that service meshes and agents put in.
//!
//! ## Why it is bad
//! A shipper of logs or a proxy has the rights of the application in the cloud, and is often somebody else's image.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   containers:
//!     - name: api
//!     - name: log-shipper
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//!   annotations:
//!     azure.workload.identity/skip-containers: log-shipper
//! spec:
//!   containers:
//!     - name: api
//!     - name: log-shipper
//! ```
//!
//! ## References
//! Azure/azure-workload-identity, "Labels and Annotations" (`skip-containers`).

use fedward_kit::identity::{AZURE_SKIP, AZURE_USE, is_labelled};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Container;

use crate::settings::Settings;

const ALL: Condition = Condition::info("every-container", "every one of several containers gets the token");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-in-sidecar",
    summary: "every one of a pod's several containers gets Azure's token",
    conditions: &[ALL],
    supersedes: &[],
    check,
};

/// How the names of containers begin that a mesh or an agent puts in.
const INJECTED: [&str; 6] = ["istio-", "linkerd-", "vault-agent", "daprd", "azwi-proxy", "cloud-sql-proxy"];

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final {
        return;
    }
    for pod in cx.pods() {
        let names: Vec<String> =
            pod.containers.iter().filter(|container| stays(**container)).map(|container| format!("`{}`", container.name)).collect();
        if names.len() < 2 || !is_labelled(pod) || pod.annotation(AZURE_SKIP).is_present() {
            continue;
        }
        let message = format!("all of {} get the token: no annotation `{AZURE_SKIP}` leaves one out", names.join(", "));
        cx.report(
            Report::new(&ALL, pod.label(AZURE_USE), message)
                .help("name the containers that do not sign in in that annotation, split by `;`"),
        );
    }
}

/// Whether a container runs as long as the pod, and is the author's own.
fn stays(container: Container<'_>) -> bool {
    (!container.init || container.node.peek_text("restartPolicy") == Some("Always"))
        && !INJECTED.iter().any(|start| container.name.starts_with(start))
}
