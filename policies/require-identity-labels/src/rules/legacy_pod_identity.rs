//! Reports what is left of AAD Pod Identity, the retired predecessor of workload identity.
//!
//! ## What it does
//! Reported are the pod label `aadpodidbinding` (a warning once the pod has the new label too), objects of the group
//! `aadpodidentity.k8s.io`, `usePodIdentity: "true"` in a SecretProviderClass, and KEDA's pod identity provider `azure`. External
//! Secrets' `authType: ManagedIdentity` is only noted: its documentation calls it deprecated, and it still works with the node's own
//! identity.
//!
//! ## Why it is bad
//! Pod Identity is out of support, and its components are not there on current clusters: such a pod gets no token. Where they are
//! there, any pod with the label gets the identity, whatever its service account.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     aadpodidbinding: api
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
//! Azure/azure-workload-identity: migration guide and `azwi podidentity detect`; Azure/secrets-store-csi-driver-provider-azure: pod
//! identity mode; kedacore/keda: `apis/keda/v1alpha1/triggerauthentication_types.go`; External Secrets: Azure Key Vault provider.

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::AZURE_USE;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;

const LABEL: Condition = Condition::error("label", "a pod has the label `aadpodidbinding`");
const BOTH: Condition = Condition::warning("both-labels", "a pod has both the old label and the new one");
const OBJECT: Condition = Condition::error("object", "an object of the group `aadpodidentity.k8s.io`");
const SETTING: Condition = Condition::error("setting", "a SecretProviderClass or a KEDA object asks for pod identity");
const NODE: Condition = Condition::info("node-identity", "an External Secrets store uses the managed identity of the node or pod identity");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "legacy-pod-identity",
    summary: "something still relies on AAD Pod Identity, the retired predecessor of workload identity",
    conditions: &[LABEL, BOTH, OBJECT, SETTING, NODE],
    supersedes: &[],
    check,
};

const OLD: &str = "aadpodidbinding";

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let label = pod.label(OLD);
        if label.filled().is_none() || label.foreign().is_some() {
            continue;
        }
        if pod.label(AZURE_USE).is_present() {
            let message = format!("`{OLD}` is left over beside `{AZURE_USE}`");
            cx.report(Report::new(&BOTH, label, message).on_key().help("remove the old label").fix(PatchStep::remove(label)));
        } else {
            let message = format!("the pod label `{OLD}` belongs to AAD Pod Identity, which is retired");
            cx.report(Report::new(&LABEL, label, message).on_key().help(MIGRATE));
        }
    }
    let spec = cx.object.peek("spec");
    match (cx.request.group, cx.request.kind) {
        ("aadpodidentity.k8s.io", kind) => {
            let message = format!("`{kind}` belongs to AAD Pod Identity, which is retired");
            cx.report(Report::new(&OBJECT, cx.object.get("kind"), message).help(MIGRATE));
        }
        ("secrets-store.csi.x-k8s.io", "SecretProviderClass") => {
            let field = spec.get("parameters").get("usePodIdentity");
            if field.str().is_some_and(is_true) {
                let message = "`usePodIdentity` asks for AAD Pod Identity, which is retired";
                cx.report(Report::new(&SETTING, field, message).help("remove it and give the `clientID` of a federated identity"));
            }
        }
        ("keda.sh", "TriggerAuthentication" | "ClusterTriggerAuthentication") => {
            let field = spec.get("podIdentity").get("provider");
            if field.str() == Some("azure") {
                let message = "the provider `azure` is AAD Pod Identity, which is retired and which KEDA no longer knows";
                cx.report(Report::new(&SETTING, field, message).help("write `azure-workload`"));
            }
        }
        ("external-secrets.io", "SecretStore" | "ClusterSecretStore") => {
            let field: Node<'_> = spec.get("provider").get("azurekv").get("authType");
            if field.str() == Some("ManagedIdentity") {
                let message = "`ManagedIdentity` signs in as the node, or through AAD Pod Identity, which is retired";
                cx.report(Report::new(&NODE, field, message).help("use `WorkloadIdentity` with a `serviceAccountRef`"));
            }
        }
        _ => {}
    }
}

const MIGRATE: &str = "move to workload identity: annotate the service account, label the pods, and make a federated credential";

/// As Go's `strconv.ParseBool` reads it.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}
