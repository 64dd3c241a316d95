//! Reports steps of a workflow that run as its federated service account and do not sign in.
//!
//! ## What it does
//! A workflow's `serviceAccountName` counts for every template that names none itself. Where it signs in to Azure, and some templates do
//! (they have the label, or project a token), the others are noted. Not meant are templates with a service account of their own, those
//! that work on Kubernetes objects (`resource`), and those with Azure's variables. With AWS and Google Cloud nothing shows which step signs in.
//!
//! ## Why it is bad
//! The step's pod may have a token of the account issued, or project one: code that it fetches and runs is one API call away from the
//! identity.
//!
//! ## Example
//! ```yaml
//! kind: Workflow
//! spec:
//!   serviceAccountName: push
//!   templates:
//!     - name: clone
//!       container:
//!         image: registry.example/git:2
//!     - name: push
//!       metadata:
//!         labels:
//!           azure.workload.identity/use: "true"
//!       container:
//!         image: registry.example/build:1
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Workflow
//! spec:
//!   serviceAccountName: push
//!   templates:
//!     - name: clone
//!       serviceAccountName: clone
//!       container:
//!         image: registry.example/git:2
//!     - name: push
//!       metadata:
//!         labels:
//!           azure.workload.identity/use: "true"
//!       container:
//!         image: registry.example/build:1
//! ```
//!
//! ## References
//! Argo Workflows, "Service Accounts" (`serviceAccountName` of a template).

use fedward_kit::identity::{self, is_labelled};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Container, Pod};
use fedward_kit::{audience, projection};

use crate::settings::Settings;

const UNNEEDED: Condition =
    Condition::info("does-not-sign-in", "a step runs as the workflow's federated service account and does not sign in");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unneeded-step-identity",
    summary: "a step of a workflow runs as its federated service account and does not sign in",
    conditions: &[UNNEEDED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final {
        return;
    }
    let is_step = |pod: &&Pod<'_>| pod.workflow.is_some();
    let users: Vec<&Pod<'_>> = cx.all_pods().iter().filter(is_step).filter(|pod| uses_azure(pod)).collect();
    if users.is_empty() {
        return;
    }
    for pod in cx.pods().iter().filter(is_step).filter(|pod| !uses_azure(pod)) {
        let Some(name) = pod.account.name() else { continue };
        // The agent pod has no template, and needs the account for its own work, as do templates of Kubernetes objects.
        let is_own = pod.node.get("serviceAccountName").is_present();
        if is_own || pod.containers.is_empty() || pod.node.get("resource").is_present() {
            continue;
        }
        let Some(user) = users.iter().find(|user| user.account.name() == Some(name) && user.namespace == pod.namespace) else { continue };
        let signs_in = identity::account_of(pod, cx.context)
            .found()
            .is_some_and(|account| account.client_id().is_some() && account.role_arn().is_none() && account.marks().len() == 1);
        if signs_in {
            let message = format!("the {} runs as `{name}`, which signs in to Azure, although it does not sign in itself", pod.title);
            cx.report(
                Report::new(&UNNEEDED, pod.node.get("name"), message)
                    .help("give the template a service account without an identity")
                    .related(user.node.get("name"), "signs in"),
            );
        }
    }
}

/// Whether a pod has the label, a token of its own for a cloud, or Azure's variables, which may come from elsewhere.
fn uses_azure(pod: &Pod<'_>) -> bool {
    let is_clouds = |text: &str| audience::provider(text).is_some();
    let is_azures = |env: Node<'_>| env.peek_text("name").is_some_and(|name| name.starts_with("AZURE_"));
    let has_variables = |container: &Container<'_>| container.has_env_from() || container.node.get("env").peek_items().any(is_azures);
    is_labelled(pod)
        || projection::tokens(pod).iter().any(|token| token.audience.peek_str().is_some_and(is_clouds))
        || pod.containers.iter().any(has_variables)
}
