//! Reports annotations that name an identity and stand anywhere but on a service account.
//!
//! ## What it does
//! `azure.workload.identity/client-id`, `eks.amazonaws.com/role-arn` and `iam.gke.io/gcp-service-account` are read from the service
//! account alone. On the metadata of a workload, a Job, an Argo workflow or a pod they are reported, and so are labels of that name on a
//! service account. A copy of what the pod's service account says is silent, and so are custom resources whose operators pass annotations
//! on, and an annotation that the pod reads through a field reference.
//!
//! ## Why it is bad
//! The annotation looks right and has no effect: the pod gets no identity, or that of its service account.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   annotations:
//!     eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/api
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
//!     eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/api
//! ---
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//! spec:
//!   serviceAccountName: api
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`getClientID`); aws/amazon-eks-pod-identity-webhook: `pkg/cache/cache.go`; GKE:
//! workload identity federation, linking service accounts.

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{self, AWS_ROLE_ARN, AZURE_CLIENT_ID, GCP_ACCOUNT, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;

use crate::pods::{is_read_by_pod, owners};
use crate::settings::Settings;

const ANNOTATION: Condition = Condition::warning("on-workload", "a workload or a pod has the annotation of a service account");
const LABEL: Condition = Condition::warning("as-label", "a service account has it as a label, not as an annotation");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-annotation-on-wrong-object",
    summary: "an annotation that names an identity is not on a service account",
    conditions: &[ANNOTATION, LABEL],
    supersedes: &[],
    check,
};

const KEYS: [&str; 3] = [AZURE_CLIENT_ID, AWS_ROLE_ARN, GCP_ACCOUNT];

fn check(cx: &Check<'_, Settings>) {
    if cx.is("", "ServiceAccount") {
        let account = ServiceAccount::of(cx.object);
        for key in KEYS {
            let (label, annotation) = (account.label(key), account.annotation(key));
            if let (Some(value), true) = (label.filled(), annotation.is_absent()) {
                let mut fix = PatchStep::remove(label);
                fix.extend(PatchStep::set(annotation, value));
                cx.report(
                    Report::new(&LABEL, label, format!("`{key}` is an annotation, not a label"))
                        .on_key()
                        .help("move it to the annotations")
                        .fix(fix),
                );
            }
        }
    }
    for owner in owners(cx) {
        // Others are operators', which may pass annotations on to the accounts that they make.
        if !owner.node.in_request() || !matches!(owner.group, "" | "apps" | "batch" | "argoproj.io") {
            continue;
        }
        let own = owner.node.get("metadata").get("annotations");
        for key in KEYS {
            for pod in &owner.pods {
                let mut places = vec![pod.home.annotations.get(key)];
                if !own.is_same(pod.home.annotations) {
                    places.push(own.get(key));
                }
                for place in places.into_iter().filter(|place| place.in_request()) {
                    report(cx, pod, place, key);
                }
            }
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, place: Node<'a>, key: &'static str) {
    let Some(value) = place.filled() else { return };
    let account = identity::account_of(pod, cx.context).found();
    if is_read_by_pod(pod, key) || account.is_some_and(|account| account.annotation(key).peek_str() == Some(value)) {
        return;
    }
    let report = Report::new(&ANNOTATION, place, format!("`{key}` has no effect here: it is read from the service account alone")).on_key();
    let report = match pod.account.name() {
        Some(name) => report.help(format!("move it to the annotations of the service account `{name}`")),
        None => report.help("move it to the annotations of the service account"),
    };
    cx.report(match account {
        Some(account) => report.related(account.annotation(key), "where it belongs"),
        None => report,
    });
}
