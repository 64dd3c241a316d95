//! Reports pods with the Azure label whose service account names no identity.
//!
//! ## What it does
//! A pod with the label `azure.workload.identity/use: "true"` is admitted whatever its service account looks like. If the account has
//! no annotation `azure.workload.identity/client-id`, the webhook injects a token and a tenant, but no `AZURE_CLIENT_ID`.
//!
//! It is only noted if a container has `AZURE_CLIENT_ID` (or an `envFrom` that may bring it), or if an object of the set tells its
//! controller a client id: cert-manager's Azure DNS solver, an External Secrets store, KEDA's trigger authentication, Cluster API's
//! identity. Code may also pass a client id itself, which is why this is never an error.
//!
//! An empty annotation `azure.workload.identity/tenant-id` is reported too: it suppresses the webhook's own tenant, so that no
//! `AZURE_TENANT_ID` is injected.
//!
//! ## Why it is bad
//! The pod starts and the first sign-in fails, since nothing says as whom.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//! ---
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
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ---
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
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`getClientID`, `getTenantID`), FAQ ("multiple identities").

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{self, AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_USE, ServiceAccount};
use fedward_kit::index;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;

use crate::pods::is_labelled;
use crate::settings::Settings;

const NO_CLIENT: Condition = Condition::warning("no-client-id", "the pod has the label and its service account no client id");
const OTHER_SOURCE: Condition = Condition::info(
    "other-source",
    "the same, but the client id may come from the environment, from an object of the set, or from a patch",
);
const EMPTY_TENANT: Condition = Condition::warning("empty-tenant-id", "the service account's tenant id is there and empty");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "label-without-identity",
    summary: "a pod has the Azure label, but its service account names no identity",
    conditions: &[NO_CLIENT, OTHER_SOURCE, EMPTY_TENANT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if cx.is("", "ServiceAccount") {
        return tenant(cx);
    }
    for pod in cx.pods() {
        // The default account is a finding of its own, whatever it names.
        if !is_labelled(pod) || pod.account.name() == Some("default") || pod.account.node().foreign().is_some() {
            continue;
        }
        let Some(account) = identity::account_of(pod, cx.context).found() else { continue };
        if account.client_id().is_some() {
            continue;
        }
        let (condition, why) = condition(cx, pod);
        let name = pod.account.name().unwrap_or("of its own");
        cx.report(
            Report::new(
                condition,
                pod.account.node(),
                format!(
                    "the service account `{name}` has no annotation `{AZURE_CLIENT_ID}`, so the webhook injects no `AZURE_CLIENT_ID`{why}"
                ),
            )
            .help("annotate the service account with the client id of the identity, or remove the label if the pod does not sign in")
            .related(account.annotation(AZURE_CLIENT_ID), "where the client id belongs")
            .related(pod.label(AZURE_USE), "the label that asks for an identity"),
        );
    }
}

fn condition<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> (&'static Condition, &'static str) {
    if pod.containers.iter().any(|container| container.env("AZURE_CLIENT_ID").is_some()) {
        (&OTHER_SOURCE, "; a container sets it itself")
    } else if pod.containers.iter().any(|container| container.has_env_from()) {
        (&OTHER_SOURCE, ", unless an `envFrom` of the pod does")
    } else if !cx.request.is_final {
        (&OTHER_SOURCE, ", unless the kustomization that patches this object names another account")
    } else if index::client_id_suppliers(cx.context, pod.account.node()).is_some_and(|list| !list.items.is_empty()) {
        (&OTHER_SOURCE, "; an object of this set tells its controller a client id")
    } else {
        (&NO_CLIENT, "")
    }
}

fn tenant(cx: &Check<'_, Settings>) {
    let account = ServiceAccount::of(cx.object);
    let tenant = account.annotation(AZURE_TENANT_ID);
    if tenant.str() == Some("") && account.client_id().is_some() {
        cx.report(
            Report::new(
                &EMPTY_TENANT,
                tenant,
                format!("`{AZURE_TENANT_ID}` is empty: it suppresses the webhook's own tenant, so no `AZURE_TENANT_ID` is injected"),
            )
            .help("remove the annotation, or give the tenant id")
            .fix(PatchStep::remove(tenant)),
        );
    }
}
