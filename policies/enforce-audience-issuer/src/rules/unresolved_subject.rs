//! Reports federated credentials whose service account does not exist, and pods that use an identity under another account.
//!
//! ## What it does
//! * A credential whose subject names a service account that the checked set does not hold, though it holds others of that namespace.
//! * An EKS Pod Identity association for such a service account.
//! * A credential whose subject names a namespace that the set knows nothing of, while exactly one account of that very name has a
//!   client id and no credential, and its namespace is the same but for a slip.
//! * Two credentials of one identity whose service accounts name different client ids: an identity has only one.
//! * A pod that sets `AZURE_CLIENT_ID` to an identity whose credentials name other service accounts, while none names the pod's.
//!
//! Otherwise, where nothing of the namespace is loaded, nothing is reported: the account is deployed from elsewhere. With the setting
//! `clusterIssuer`, credentials of other issuers are passed over, since they speak of other clusters. In a cluster without that
//! setting a missing account is only recorded: a management cluster often holds the credentials of others.
//!
//! Several identities for one service account are documented practice. That a credential and a service account belong together is
//! therefore taken for proven only where the account is annotated with the client id and a credential names it.
//!
//! ## Why it is bad
//! A wrong subject is accepted when it is written and matches no token: the exchange fails with `AADSTS700213`. EKS takes associations for
//! any name. If somebody creates the missing account later, it gets the identity.
//!
//! ## Example
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   subject: system:serviceaccount:argo-events:argo-sa # the workflow runs as argo-events-sa
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   subject: system:serviceaccount:argo-events:argo-events-sa
//! ```
//!
//! ## Settings
//! `clusterIssuer`
//!
//! ## References
//! Microsoft Entra workload identity federation (subjects are compared exactly and not checked when written);
//! Azure/azure-workload-identity, FAQ (several identities for one service account); EKS user guide, "Assign an IAM role to a Kubernetes
//! service account" (associations).

use fedward_kit::context::{List, Lookup, Unknown};
use fedward_kit::finding::{ObjectRef, PatchStep};
use fedward_kit::identity::{self, AZURE_CLIENT_ID, AZURE_USE};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{any_matches, is_guid};
use fedward_kit::trust::{self, Credential, PodIdentity};
use fedward_kit::workload::{self, Pod};
use fedward_kit::{audience, iam, index, projection, suggest};

use crate::settings::Settings;
use crate::trusted::{self, plain};

const NO_ACCOUNT: Condition = Condition::warning("no-account", "the service account does not exist, though others of its namespace do");
const NO_NAMESPACE: Condition =
    Condition::warning("no-namespace", "nothing of the namespace is loaded, and its name is nearly that of one with such an account");
const UNCERTAIN: Condition =
    Condition::info("no-account-here", "one of the two, in a cluster whose own issuer is not known, or in a base that something patches");
const OTHER_CLIENT_ID: Condition =
    Condition::warning("other-client-id", "the service accounts of one identity's credentials name different client ids");
const OTHER_ACCOUNT: Condition =
    Condition::error("other-account", "a pod uses a client id whose credentials name other service accounts, and none names the pod's");
const OTHER_ACCOUNT_SO_FAR: Condition =
    Condition::warning("other-account-so-far", "the same in a cluster, where the credential may still come");
const OTHER_ACCOUNT_DRAFT: Condition = Condition::info("other-account-draft", "the same in a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unresolved-subject",
    summary: "the service account of a credential or an association does not exist, or a pod uses the identity under another one",
    conditions: &[NO_ACCOUNT, NO_NAMESPACE, UNCERTAIN, OTHER_CLIENT_ID, OTHER_ACCOUNT, OTHER_ACCOUNT_SO_FAR, OTHER_ACCOUNT_DRAFT],
    supersedes: &[],
    check,
};

/// How many other objects are looked at for one finding: enough to be sure, and no more work for hostile input.
const MAX: usize = 20;

fn check(cx: &Check<'_, Settings>) {
    if let Some(credential) = Credential::of(cx.object) {
        check_credential(cx, &credential);
        return;
    }
    if let Some(association) = PodIdentity::of(cx.object) {
        check_association(cx, &association);
        return;
    }
    for pod in cx.pods() {
        check_pod(cx, pod);
    }
}

fn check_credential<'a>(cx: &Check<'a, Settings>, credential: &Credential<'a>) {
    let Some(node) = credential.subject_in(cx.context, cx.request.namespace) else { return };
    let Some((namespace, name)) = plain(node).and_then(trust::service_account) else { return };
    let issuer = credential.issuer_in(cx.context, cx.request.namespace).and_then(plain);
    let cluster_issuer = &cx.settings.cluster_issuer;
    if !cluster_issuer.is_empty() && issuer.is_some_and(|issuer| !iam::same_issuer(issuer.trim(), cluster_issuer)) {
        return;
    }
    match identity::account(cx.context, namespace, name, node) {
        Lookup::Found(account) => {
            if let Some(client_id) = account.client_id().filter(|id| is_guid(id)) {
                check_client_id(cx, credential, node, (namespace, name), client_id);
            }
        }
        Lookup::NotKnown(Unknown::Unseen) => check_namespace(cx, node, namespace, name),
        _ if is_missing(cx, node, namespace, name) => {
            let is_uncertain = !cx.request.is_final || (!cx.context.indexed && cluster_issuer.is_empty());
            report_missing(cx, if is_uncertain { &UNCERTAIN } else { &NO_ACCOUNT }, node, namespace, name);
        }
        Lookup::NotFound | Lookup::NotKnown(_) => {}
    }
}

/// In a cluster the association may be for another one.
fn check_association<'a>(cx: &Check<'a, Settings>, association: &PodIdentity<'a>) {
    let node = association.service_account;
    let (Some(namespace), Some(name)) = (plain(association.namespace), plain(node)) else { return };
    if is_missing(cx, node, namespace, name) {
        let is_certain = cx.request.is_final && cx.context.indexed;
        report_missing(cx, if is_certain { &NO_ACCOUNT } else { &UNCERTAIN }, node, namespace, name);
    }
}

/// Whether a service account does not exist, though others of its namespace do.
pub(crate) fn is_missing<'a>(cx: &Check<'a, Settings>, node: Node<'a>, namespace: &'a str, name: &str) -> bool {
    let found = identity::account(cx.context, namespace, name, node);
    matches!(found, Lookup::NotFound | Lookup::NotKnown(Unknown::Absent)) && !is_made_by_kind(cx, namespace, name, node)
}

/// Whether no manifest of the account needs to exist: every namespace has a `default`, and some kinds make their account themselves. In a
/// cluster those would be there.
fn is_made_by_kind<'a>(cx: &Check<'a, Settings>, namespace: &'a str, name: &str, anchor: Node<'a>) -> bool {
    if name == "default" {
        return true;
    }
    let users = index::workloads_of(cx.context, namespace, name, anchor).map(|list| list.items).unwrap_or_default();
    cx.context.indexed
        && users.into_iter().take(MAX).any(|user| {
            let makes = |pod: &Pod<'_>| pod.account_metadata.is_some() && pod.account.name() == Some(name);
            workload::pods(user, namespace, cx.context).iter().any(makes)
        })
}

/// Reports a field that ends with the name of a service account which does not exist.
pub(crate) fn report_missing<'a>(cx: &Check<'a, Settings>, condition: &'static Condition, node: Node<'a>, namespace: &str, name: &str) {
    let mut report = Report::new(condition, node, format!("there is no service account `{name}` in namespace `{namespace}`"));
    let accounts = index::federated_accounts(cx.context, namespace, node).map(|list| list.items).unwrap_or_default();
    let names: Vec<&str> = accounts.iter().filter_map(|account| account.peek("metadata").peek_text("name")).collect();
    let near = suggest::nearest(name, names.iter().copied());
    report = report.help(match (near, names.as_slice()) {
        (Some(near), _) => {
            let (before, after) = node.peek_str().and_then(|text| text.rsplit_once(name)).unwrap_or_default();
            format!("did you mean `{before}{near}{after}`?")
        }
        (None, [only]) => format!("`{only}` is the federated service account there: name it, or create `{name}`"),
        _ => format!("create the service account, or name the one that the pods run as in place of `{name}`"),
    });
    for account in accounts.iter().filter(|account| names.len() == 1 || account.peek("metadata").peek_text("name") == near) {
        report = report.related(account.peek("metadata").peek("name"), "a federated service account of this namespace");
    }
    cx.report(report);
}

/// Offline, a namespace of which nothing is loaded: a slip, if the account is to be found where it should say.
fn check_namespace<'a>(cx: &Check<'a, Settings>, node: Node<'a>, namespace: &str, name: &str) {
    let accounts = index::accounts_with_identity(cx.context, &format!("azureName={name}"), node).unwrap_or_default();
    let [account] = accounts.items.as_slice() else { return };
    let metadata = account.peek("metadata");
    let Some(meant) = metadata.peek_text("namespace").filter(|meant| suggest::is_slip(namespace, meant)) else { return };
    let is_none = |list: Option<List<'_>>| list.is_some_and(|list| list.items.is_empty());
    let named = index::credentials(cx.context, &format!("subjectNamespace={namespace}"), node).unwrap_or_default();
    let is_unseen = matches!(
        cx.context.get(ObjectRef { api_version: "v1", kind: "Namespace", namespace: "", name: namespace }, node),
        Lookup::NotFound | Lookup::NotKnown(Unknown::Absent | Unknown::Unseen)
    );
    if is_unseen
        && accounts.more == 0
        && named.more == 0
        // Whoever names several accounts of a namespace knows it.
        && named.items.iter().filter_map(|other| Credential::of(*other)).all(|other| other.subject.peek_str() == node.peek_str())
        && is_none(index::credentials_for(cx.context, meant, name, node))
        && is_none(index::workloads_of(cx.context, namespace, name, node))
        && !any_matches(&cx.common.federated_service_accounts, &format!("{namespace}/{name}"))
    {
        let message = format!("nothing here speaks of a namespace `{namespace}`, but `{meant}` has a service account `{name}`");
        cx.report(
            Report::new(if cx.request.is_final { &NO_NAMESPACE } else { &UNCERTAIN }, node, message)
                .help(format!("did you mean `system:serviceaccount:{meant}:{name}`?"))
                .related(metadata.peek("name"), "the service account, which no credential names"),
        );
    }
}

fn check_client_id<'a>(cx: &Check<'a, Settings>, credential: &Credential<'a>, node: Node<'a>, own: (&str, &str), client_id: &str) {
    // An account with credentials of several identities may be annotated with another one.
    let is_single = |(namespace, name): (&str, &str)| {
        index::credentials_for(cx.context, namespace, name, node).is_some_and(|list| list.items.len() == 1 && list.more == 0)
    };
    let Some(key) = credential.parent_key(cx.request.namespace).filter(|_| is_single(own)) else { return };
    let siblings = index::credentials(cx.context, &format!("parent={key}"), node).map(|list| list.items).unwrap_or_default();
    for sibling in siblings.into_iter().take(MAX).filter_map(Credential::of) {
        let Some(other) = sibling.subject.peek_str().and_then(trust::service_account) else { continue };
        // One relation, one finding: on the later of the two.
        if other >= own {
            continue;
        }
        let Some(account) = identity::account(cx.context, other.0, other.1, node).found() else { continue };
        let Some(other_id) = account.client_id().filter(|id| is_guid(id) && !id.eq_ignore_ascii_case(client_id)) else { continue };
        if !is_single(other) {
            continue;
        }
        let message = format!(
            "`{}/{}` has the client id `{client_id}`, but `{}/{}`, which a credential of the same identity names, has `{other_id}`",
            own.0, own.1, other.0, other.1
        );
        let condition = if cx.request.is_final { &OTHER_CLIENT_ID } else { &UNCERTAIN };
        cx.report(
            Report::new(condition, node, message)
                .help("an identity has only one client id: correct the annotation of one of the two, or the credential's identity")
                .related(account.annotation(AZURE_CLIENT_ID), "the other client id"),
        );
        return;
    }
}

fn check_pod<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) {
    let anchor = pod.account.node();
    let Some(name) = pod.account.name() else { return };
    let signs_in = pod.label(AZURE_USE).str() == Some("true")
        || projection::tokens(pod).iter().any(|token| token.audience.str().is_some_and(audience::is_azure));
    let client_ids = pod.containers.iter().filter_map(|container| container.env(AZURE_CLIENT_ID_ENV)).map(|entry| entry.get("value"));
    let Some((client_node, client_id)) =
        client_ids.filter_map(|value| Some((value, plain(value)?))).find(|(_, id)| signs_in && is_guid(id))
    else {
        return;
    };
    if !index::credentials_for(cx.context, pod.namespace, name, anchor).is_some_and(|list| list.items.is_empty())
        || any_matches(&cx.common.federated_service_accounts, &format!("{}/{name}", pod.namespace))
        // The account's own annotation is `account-without-credential`'s matter.
        || identity::account_of(pod, cx.context).found().is_some_and(|account| account.client_id().is_some())
    {
        return;
    }
    let proven = proven_subjects(cx, client_id, anchor);
    let Some(first) = proven.first() else { return };
    let condition = match (cx.request.is_final, cx.context.indexed) {
        (false, _) => &OTHER_ACCOUNT_DRAFT,
        (true, false) => &OTHER_ACCOUNT_SO_FAR,
        (true, true) => &OTHER_ACCOUNT,
    };
    let subject = first.subject.peek_str().unwrap_or("");
    let mut report = Report::new(
        condition,
        anchor,
        format!(
            "the {} signs in as client id `{client_id}`, whose credential names `{subject}`, but it runs as `{}/{name}`, which no credential names",
            pod.title, pod.namespace
        ),
    )
    .related(client_node, "the client id")
    .related(first.subject, "the credential's subject");
    let there: Vec<&str> = proven
        .iter()
        .filter_map(|credential| trust::service_account(credential.subject.peek_str()?))
        .filter(|(namespace, _)| *namespace == pod.namespace)
        .map(|(_, name)| name)
        .collect();
    report = match there.as_slice() {
        [only] => report.help(format!("run it as `{only}`")).fix(PatchStep::set(anchor, only)),
        _ => report.help(format!("run it as the service account of the credential, or add a credential for `{}/{name}`", pod.namespace)),
    };
    cx.report(report);
}

const AZURE_CLIENT_ID_ENV: &str = "AZURE_CLIENT_ID";

/// The credentials of the identity with that client id, if the set proves which they are; none if one of them may name anybody.
fn proven_subjects<'a>(cx: &Check<'a, Settings>, client_id: &str, anchor: Node<'a>) -> Vec<Credential<'a>> {
    let by_id = format!("parent={}", client_id.to_ascii_lowercase());
    let mut found: Vec<Node<'a>> = index::credentials(cx.context, &by_id, anchor).map(|list| list.items).unwrap_or_default();
    let selector = format!("clientId={client_id}");
    let accounts = index::accounts_with_identity(cx.context, &selector, anchor).map(|list| list.items).unwrap_or_default();
    for account in accounts.into_iter().take(MAX) {
        let metadata = account.peek("metadata");
        let (Some(namespace), Some(name)) = (metadata.peek_text("namespace"), metadata.peek_text("name")) else { continue };
        let named = index::credentials_for(cx.context, namespace, name, anchor).map(|list| list.items).unwrap_or_default();
        for credential in named.into_iter().take(MAX) {
            let object_namespace = credential.peek("metadata").peek_text("namespace").unwrap_or("");
            let key = Credential::of(credential).and_then(|credential| credential.parent_key(object_namespace));
            let siblings = key.and_then(|key| index::credentials(cx.context, &format!("parent={key}"), anchor));
            found.extend(siblings.map_or_else(|| vec![credential], |list| list.items));
        }
    }
    let found: Vec<Credential<'a>> = found.into_iter().filter_map(Credential::of).collect();
    let is_open = |credential: &Credential<'_>| credential.claims.is_present() || trusted::plain(credential.subject).is_none();
    if found.iter().any(is_open) {
        return Vec::new();
    }
    found.into_iter().filter(|credential| credential.subject.peek_str().and_then(trust::service_account).is_some()).collect()
}
