//! Reports pods of an Azure-federated service account that lack the label which Azure's webhook selects on.
//!
//! ## What it does
//! A pod whose service account carries `azure.workload.identity/client-id` needs the pod label
//! `azure.workload.identity/use: "true"`: only then does the mutating webhook see it and inject the token and its environment.
//!
//! Not reported:
//! - pods that project a token with an Azure audience themselves, or one with a slip in it (`misspelt-audience` reports that);
//! - pods whose use of the identity is a CSI driver that asks for tokens itself (`secrets-store.csi.k8s.io`, or `blob.csi.azure.com`
//!   and `file.csi.azure.com` with a `clientID`, inline or through a claim), unless `allowCsiOnly` is off;
//! - steps of an Argo workflow in which another step signs in: that a step needs no identity is its good right;
//! - the pod of a Sensor or EventSource that merely shares the account of the workflow it starts: the workflow signs in;
//! - objects that have the label in a place where it does nothing (`identity-label-on-wrong-object` reports that).
//!
//! Of a workflow in which no step signs in there is one finding, since only a person can tell which step should.
//!
//! With `mode: fix` the policy adds the label itself where that is unambiguous, and warns that it does; its README says where.
//!
//! ## Why it is bad
//! Without the label nothing is injected. The pod starts, and the first call to Azure fails, or silently uses another credential.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ---
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata:
//!   name: api
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app: api
//!     spec:
//!       serviceAccountName: api
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
//! apiVersion: apps/v1
//! kind: Deployment
//! metadata:
//!   name: api
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app: api
//!         azure.workload.identity/use: "true"
//!     spec:
//!       serviceAccountName: api
//! ```
//!
//! ## Settings
//! `allowCsiOnly`, `mode`
//!
//! ## References
//! Azure/azure-workload-identity: `deploy/azure-wi-webhook.yaml` (the webhook's `objectSelector`), troubleshooting for v1.0.0; AKS
//! workload identity overview ("pod labels"); Azure/secrets-store-csi-driver-provider-azure: workload identity mode.

use fedward_kit::context::List;
use fedward_kit::finding::{PatchStep, Severity};
use fedward_kit::identity::{self, AZURE_CLIENT_ID, AZURE_USE, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;
use fedward_kit::{index, webhook};

use super::{identity_label_on_wrong_object, misspelt_identity_key};
use crate::mend;
use crate::pods::{SignedIn, has_csi_identity, owners, projects_azure_token};
use crate::settings::Settings;

const MISSING: Condition = Condition::error("missing", "the service account has a client id and the pod lacks the label");
const OLD_WEBHOOK: Condition = Condition::warning(
    "old-webhook",
    "the same, while the set deploys a webhook before v1.0, which looks at the mark on the service account",
);
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
    let needs = Needs::new(cx);
    for owner in owners(cx) {
        if owner.pods.iter().all(|pod| pod.label(AZURE_USE).is_present()) || identity_label_on_wrong_object::reports(cx, owner) {
            continue;
        }
        let found = owner.pods.iter().filter(|pod| pod.label(AZURE_USE).is_absent()).filter_map(|pod| Some((*pod, needs.of(pod)?)));
        // The steps of a workflow by their account, sorted.
        let mut of_workflow: Vec<(Option<&str>, Steps<'_, '_>)> = Vec::new();
        for (pod, need) in found {
            if pod.workflow.is_none() {
                report(cx, pod, need);
                continue;
            }
            let name = pod.account.name();
            match of_workflow.binary_search_by_key(&name, |(name, _)| *name) {
                Ok(at) => {
                    if let Some((_, steps)) = of_workflow.get_mut(at) {
                        steps.push((pod, need));
                    }
                }
                Err(at) => of_workflow.insert(at, (name, vec![(pod, need)])),
            }
        }
        // One of them has to sign in, and only a person can tell which: one finding for all.
        for (_, steps) in of_workflow {
            if steps.len() == 1 {
                steps.into_iter().for_each(|(pod, need)| report(cx, pod, need));
            } else {
                report_steps(cx, steps);
            }
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, need: Need<'a>) {
    let label = pod.label(AZURE_USE);
    let account = pod.account.name().map_or_else(|| "an account of its own".to_owned(), |name| format!("`{name}`"));
    let message = format!("the {} runs as {account}, which has an Azure client id, but has no label `{AZURE_USE}`{}", pod.title, need.why);
    let certain = need.condition.severity != Severity::Info;
    let report = need.related(Report::new(need.condition, label, message));
    // `misspelt-identity-key` renames it; a second label beside it would be one too many.
    if let Some(slip) = misspelt_identity_key::slip_of_use(pod) {
        return cx.report(report.help("rename the label that is nearly it").related(slip, "nearly the label"));
    }
    let report = report.help(HELP);
    // Where the pod may do without, a label would only widen who gets a token.
    let mends = std::ptr::eq(need.condition, &MISSING) && mend::mends(cx, pod, need.account);
    cx.report(if certain { report.fix(PatchStep::set(label, "true")).mended(mends) } else { report });
}

fn report_steps<'a>(cx: &Check<'a, Settings>, steps: Steps<'_, 'a>) {
    let mut steps = steps.into_iter();
    let Some((pod, need)) = steps.next() else { return };
    let name = pod.account.name().unwrap_or_default();
    let message = format!("no step that runs as `{name}`, which has an Azure client id, has the label `{AZURE_USE}`{}", need.why);
    let place = if pod.account.is_set() { pod.account.node() } else { pod.label(AZURE_USE) };
    let mut report =
        need.related(Report::new(need.condition, place, message)).help("add the label to the metadata of the template that signs in");
    for (pod, _) in std::iter::once((pod, need)).chain(steps) {
        report = report.related(pod.label(AZURE_USE), format!("the {} lacks the label", pod.title));
    }
    cx.report(report);
}

const HELP: &str = "add `azure.workload.identity/use: \"true\"` to the labels of the pod template";

/// Steps of a workflow that need the label, or one of them.
type Steps<'p, 'a> = Vec<(&'p Pod<'a>, Need<'a>)>;

/// Why a pod needs the label.
pub(crate) struct Need<'a> {
    /// Its account, which has a client id.
    account: ServiceAccount<'a>,
    /// How certain that is.
    pub(crate) condition: &'static Condition,
    /// What to add to the message.
    why: String,
    /// What makes it less certain, if anything does.
    doubt: Option<Node<'a>>,
}

impl<'a> Need<'a> {
    /// The annotation that makes the account federated.
    pub(crate) fn client_id(&self) -> Node<'a> {
        self.account.annotation(AZURE_CLIENT_ID)
    }

    fn related(&self, report: Report<'a>) -> Report<'a> {
        let report = report.related(self.client_id(), "the client id that the pod is to use");
        match self.doubt {
            Some(doubt) => report.related(doubt, "what the label may depend on"),
            None => report,
        }
    }
}

/// Tells which pods of an object need the label.
pub(crate) struct Needs<'c, 'a> {
    cx: &'c Check<'a, Settings>,
    signed_in: SignedIn<'c, 'a>,
}

impl<'c, 'a> Needs<'c, 'a> {
    pub(crate) fn new(cx: &'c Check<'a, Settings>) -> Self {
        Needs { cx, signed_in: SignedIn::new(cx) }
    }

    /// Why the pod needs the label, whether or not it has it. `None` if it does not, or if nothing says so.
    pub(crate) fn of(&self, pod: &Pod<'a>) -> Option<Need<'a>> {
        let account = identity::account_of(pod, self.cx.context).found()?;
        if account.client_id().is_none() || has_own_way(self.cx, pod) || self.is_spoken_for(pod) {
            return None;
        }
        let (condition, why, doubt) = condition(self.cx, pod, account);
        Some(Need { account, condition, why, doubt })
    }

    /// Whether the pod is one of several that share an account, and another is the one that signs in.
    fn is_spoken_for(&self, pod: &Pod<'a>) -> bool {
        match pod.row {
            "argoproj.io/Workflow" | "argoproj.io/CronWorkflow" | "argoproj.io/WorkflowEventBinding" => self.signed_in.shares(pod),
            "argoproj.io/Sensor" | "argoproj.io/EventSource" => starts_as_itself(self.cx, pod),
            _ => false,
        }
    }
}

/// Whether the pod gets its token without the webhook.
pub(crate) fn has_own_way<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> bool {
    projects_azure_token(pod) || (cx.settings.allow_csi_only && has_csi_identity(cx.context, pod))
}

/// Whether what an eventing pod starts runs as its own account: in its own triggers, or (an EventSource has none) in another object.
fn starts_as_itself<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> bool {
    let Some(name) = pod.account.name() else { return false };
    let same = |other: &Pod<'_>| other.account.name() == Some(name) && other.namespace == pod.namespace;
    if cx.all_pods().iter().any(|other| other.row != pod.row && same(other)) {
        return true;
    }
    let others = index::workloads_of(cx.context, pod.namespace, name, pod.account.node());
    others.is_some_and(|list| {
        list.items.iter().any(|object| {
            matches!(object.text("kind"), Some("Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate" | "CronWorkflow" | "Sensor"))
                && object.foreign().is_some_and(|found| found.kind != cx.request.kind || found.name != cx.request.name)
        })
    })
}

fn condition<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, account: ServiceAccount<'a>) -> (&'static Condition, String, Option<Node<'a>>) {
    let anchor = pod.account.node();
    let first = |list: Option<List<'a>>| list.and_then(|list| list.items.first().map(|object| object.get("metadata").get("name")));
    if !cx.request.is_final {
        return (&MAY_NOT_NEED, ", unless the kustomization that patches this object adds it".to_owned(), None);
    }
    let consumers = if cx.context.indexed { index::token_consumers } else { index::secret_stores_of };
    if let Some(consumer) = first(pod.account.name().and_then(|name| consumers(cx.context, pod.namespace, name, anchor))) {
        let why = ", which it needs only if it signs in itself: another object has tokens of this account issued";
        return (&MAY_NOT_NEED, why.to_owned(), Some(consumer));
    }
    if let Some(policy) = first(index::label_mutators(cx.context, anchor)) {
        return (&MAY_NOT_NEED, ", unless the mutating policy of this set adds it".to_owned(), Some(policy));
    }
    match old_webhook(cx, anchor) {
        Some(version) if is_marked(account) => {
            (&OLD_WEBHOOK, format!("; it works with the webhook {version} of this set and fails from v1.0 on"), None)
        }
        _ => (&MISSING, String::new(), None),
    }
}

/// The version of the webhook that the set deploys, if it is one that does not ask for the pod's label.
pub(crate) fn old_webhook<'a>(cx: &Check<'a, Settings>, anchor: Node<'a>) -> Option<String> {
    let (version, _) = webhook::version(cx.context, anchor)?;
    (version < webhook::POD_LABEL_ONLY).then(|| format!("v{}.{}.{}", version.0, version.1, version.2))
}

/// Whether a service account carries the mark that webhooks before v1.0 look at.
fn is_marked(account: ServiceAccount<'_>) -> bool {
    account.label(AZURE_USE).is_present() || account.annotation(AZURE_USE).is_present()
}
