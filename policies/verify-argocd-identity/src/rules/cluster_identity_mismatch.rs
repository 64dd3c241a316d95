//! Reports clusters to which Argo CD signs in as somebody else than its service accounts are.
//!
//! ## What it does
//! Compares `AZURE_CLIENT_ID` and `AZURE_TENANT_ID` of a cluster Secret that runs `argocd-k8s-auth azure` with the annotations of the
//! service accounts of `argocd-application-controller` and `argocd-server`, and looks for the file of `AZURE_FEDERATED_TOKEN_FILE` in
//! their pods.
//!
//! Only GUIDs are compared; what is none is the business of `wrong-identity-id` and `placeholder-value`. Nothing is said where several
//! federated credentials are for that service account: it may sign in as any of their identities.
//!
//! ## Why it is bad
//! Entra gives a token only to an identity with a federated credential for the service account. Another client is refused with
//! AADSTS70021, a client in another tenant with AADSTS700016, and without the file there is nothing to send.
//!
//! ## Example
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: argocd-server
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! # and the cluster
//! stringData:
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "env": {"AZURE_CLIENT_ID": "b3c1d7a2-4e5f-4a6b-8c9d-0e1f2a3b4c5d"}}}
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   config: |
//!     {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["azure"],
//!       "env": {"AZURE_CLIENT_ID": "6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11"}}}
//! ```
//!
//! ## References
//! Argo CD: "Declarative Setup" (AKS); Azure/azure-workload-identity: `pkg/webhook/webhook.go`.

use fedward_kit::identity::{AZURE_CLIENT_ID, AZURE_TENANT_ID};
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::is_guid;
use fedward_kit::workload::Pod;

use crate::cluster::{Cluster, Login};
use crate::pods::{self, CONTROLLER, Part, SERVER, TOKEN_FILE};
use crate::registered::known;
use crate::settings::Settings;

const DIFFERS: Condition = Condition::warning("other-identity", "a client or tenant is not that of the service account");
const NO_FILE: Condition = Condition::warning("no-token-file", "the pods that sign in have no such file");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "cluster-identity-mismatch",
    summary: "Argo CD signs in to a cluster as somebody else than its service accounts are",
    conditions: &[DIFFERS, NO_FILE],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(config) = Cluster::under(cx).and_then(|cluster| cluster.config()) else { return };
    let Some(login) = Login::of(config).filter(Login::is_azure) else { return };
    for part in [CONTROLLER, SERVER] {
        let Some(pod) = part.pod(cx, login.exec) else { continue };
        for (variable, annotation) in [("AZURE_CLIENT_ID", AZURE_CLIENT_ID), ("AZURE_TENANT_ID", AZURE_TENANT_ID)] {
            compare(cx, login.env.peek(variable), &pod, part, annotation);
        }
        let file = login.env.peek(TOKEN_FILE);
        let is_missing = |text: &str| text.starts_with('/') && !pods::has_file(&pod, text);
        // Without any token another rule says so.
        if cx.request.is_final && pods::has_token(&pod) && known(file).text().is_some_and(is_missing) {
            cx.report(
                Report::new(&NO_FILE, file, format!("the pods of `{}` mount no such file", part.name))
                    .help(format!("remove `{TOKEN_FILE}`: the pods have a variable of that name with the right path"))
                    .related(pod.spec, "the pod"),
            );
        }
    }
}

fn compare<'a>(cx: &Check<'a, Settings>, node: Node<'a>, pod: &Pod<'a>, part: Part, annotation: &'static str) {
    let Some(own) = known(node).text().filter(|text| is_guid(text)) else { return };
    let Some(account) = pods::account(cx, pod) else { return };
    let other = account.annotation(annotation);
    let differs = known(other).text().filter(|text| is_guid(text) && !text.eq_ignore_ascii_case(own)).is_some();
    let name = pod.account.name().unwrap_or("default");
    let credentials = index::credentials_for(cx.context, pod.namespace, name, node);
    if !differs || credentials.is_some_and(|list| list.items.len() + list.more > 1) {
        return;
    }
    cx.report(
        Report::new(&DIFFERS, node, format!("`{}` is not the one of the service account of `{}`", node.key(), part.name))
            .help("write the same in both, unless a federated credential of that identity is for the service account, too")
            .related(other, "the service account's"),
    );
}
