//! Reports environment variables that keep a webhook from injecting what the service account says.
//!
//! ## What it does
//! Azure's webhook adds `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_FEDERATED_TOKEN_FILE` and `AZURE_AUTHORITY_HOST` to a container only
//! if it has no variable of that name, empty ones included. A value that differs from the service account's annotation is reported
//! (several identities for one account are documented, so a differing client id is a warning; a tenant has to agree), and one that is
//! merely there is noted. In a pod that projects its token by hand the annotations have no effect, and a difference is a warning.
//!
//! The webhook of EKS injects neither variable if a container has one of `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`: one alone is
//! reported where the service account names a role, unless an `envFrom`, an `AWS_CONFIG_FILE`, an `AWS_PROFILE`, or a Pod Identity
//! association is there.
//!
//! Containers that `skip-containers` names are left alone.
//!
//! ## Why it is bad
//! The pod signs in as somebody else, or not at all, while the annotation looks right.
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
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//!   containers:
//!     - name: api
//!       env:
//!         - name: AZURE_CLIENT_ID
//!           value: 0d2c4f6a-8b1e-4c3d-9e5f-7a6b5c4d3e2f
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
//!   containers:
//!     - name: api
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`addEnvironmentVariables`), FAQ ("multiple identities");
//! aws/amazon-eks-pod-identity-webhook: `pkg/handler/handler.go` (`addEnvToContainer`).

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{self, AZURE_CLIENT_ID, AZURE_SKIP, AZURE_TENANT_ID, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Container, Pod};
use fedward_kit::{index, text};

use crate::pods::{AWS_SKIP, is_labelled, is_skipped, projects_azure_token};
use crate::settings::Settings;

const OTHER_TENANT: Condition = Condition::error("other-tenant", "a labelled pod sets another tenant than its service account");
const HAND_TENANT: Condition = Condition::warning(
    "other-tenant-by-hand",
    "the same in a pod that projects its token by hand, or in a cluster, where the account may follow",
);
const OTHER_CLIENT: Condition =
    Condition::warning("other-client", "the pod sets another client id than its service account, or an empty one");
const PRESENT: Condition = Condition::info("present", "a labelled pod sets a variable that the webhook would inject");
const DRAFT: Condition = Condition::info("draft", "any of these, on a base that something patches");
const HALF: Condition = Condition::error(
    "half-of-a-pair",
    "EKS: a container has one of `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`, and its account a role",
);

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "env-shadows-identity",
    summary: "an environment variable keeps a webhook from injecting what the service account says",
    conditions: &[OTHER_TENANT, HAND_TENANT, OTHER_CLIENT, PRESENT, HALF, DRAFT],
    supersedes: &[],
    check,
};

/// What Azure's webhook injects, and the annotation that it takes it from.
const AZURE: [(&str, &str); 4] = [
    ("AZURE_CLIENT_ID", AZURE_CLIENT_ID),
    ("AZURE_TENANT_ID", AZURE_TENANT_ID),
    ("AZURE_FEDERATED_TOKEN_FILE", ""),
    ("AZURE_AUTHORITY_HOST", ""),
];
const AWS: [&str; 2] = ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"];

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods().iter().filter(|pod| pod.node.foreign().is_none()) {
        let by_hand = projects_azure_token(pod);
        for container in &pod.containers {
            if (is_labelled(pod) || by_hand) && !is_skipped(pod, AZURE_SKIP, *container) {
                azure(cx, pod, *container, by_hand);
            }
            if !is_skipped(pod, AWS_SKIP, *container) {
                aws(cx, pod, *container);
            }
        }
    }
}

fn azure<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, container: Container<'a>, by_hand: bool) {
    for (variable, annotation) in AZURE {
        let Some(entry) = container.env(variable) else { continue };
        let account = identity::account_of(pod, cx.context).found();
        let says = account.filter(|_| !annotation.is_empty()).map(|account| account.annotation(annotation));
        let value = entry.get("value");
        if let Some(says) = says.filter(|says| differ(entry, *says)) {
            let condition = match annotation {
                _ if !cx.request.is_final => &DRAFT,
                AZURE_CLIENT_ID => &OTHER_CLIENT,
                _ if !by_hand && cx.context.indexed => &OTHER_TENANT,
                _ => &HAND_TENANT,
            };
            let found = value.filled().map_or_else(|| "empty".to_owned(), |value| format!("`{value}`"));
            let message = format!(
                "`{variable}` of container `{}` is {found}, while the `{annotation}` of its service account is `{}`",
                container.name,
                says.peek_str().unwrap_or("")
            );
            cx.report(
                Report::new(condition, value, message)
                    .help(if by_hand {
                        "make both agree, or remove the annotation, which has no effect on this pod"
                    } else {
                        "remove the variable so that the webhook sets it, or make both agree"
                    })
                    .related(says, "what the service account says"),
            );
        } else if is_labelled(pod) && !by_hand {
            let message = format!("container `{}` sets `{variable}` itself, so the webhook does not", container.name);
            let report = Report::new(&PRESENT, entry, message).help("remove it unless it is meant to differ from what the webhook injects");
            let same = says.is_some_and(|says| value.filled().is_some() && value.peek_str() == says.peek_str());
            cx.report(if same { report.fix(PatchStep::remove(entry)) } else { report });
        }
    }
}

/// Whether both are values that can be compared, and differ. GUIDs are the same in any letter case.
fn differ(entry: Node<'_>, says: Node<'_>) -> bool {
    let plain = |text: &str| text::classify(text) == text::Value::Plain;
    let (Some(says), value) = (says.filled(), entry.get("value")) else { return false };
    let own = value.str().unwrap_or("");
    entry.get("valueFrom").is_absent() && plain(own) && plain(says) && !own.trim().eq_ignore_ascii_case(says.trim())
}

fn aws<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, container: Container<'a>) {
    let mut set = AWS.into_iter().filter_map(|variable| Some((variable, container.env(variable)?)));
    let (Some((variable, entry)), None) = (set.next(), set.next()) else { return };
    if container.has_env_from() || ["AWS_CONFIG_FILE", "AWS_PROFILE"].iter().any(|name| container.env(name).is_some()) {
        return;
    }
    let Some(account) = identity::account_of(pod, cx.context).found().filter(|account: &ServiceAccount<'_>| account.role_arn().is_some())
    else {
        return;
    };
    let anchor = pod.account.node();
    let associated =
        pod.account.name().and_then(|name| index::pod_identities(cx.context, &format!("serviceAccount={}/{name}", pod.namespace), anchor));
    if associated.is_some_and(|list| !list.items.is_empty()) {
        return;
    }
    let other = AWS.into_iter().find(|name| *name != variable).unwrap_or("");
    let message = format!("container `{}` sets `{variable}` and not `{other}`: the webhook then injects neither", container.name);
    cx.report(
        Report::new(if cx.request.is_final { &HALF } else { &DRAFT }, entry, message)
            .help("remove the variable so that the webhook sets both, or set both")
            .related(account.annotation(identity::AWS_ROLE_ARN), "the role that the webhook would inject"),
    );
}
