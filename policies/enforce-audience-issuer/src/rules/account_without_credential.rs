//! Reports Azure-federated service accounts that no federated credential names, where the checked set holds credentials that come close.
//!
//! ## What it does
//! A service account that is annotated with a client id needs a federated credential whose subject names it. Credentials are often
//! made elsewhere, so their absence alone says nothing. It is reported only if
//! * the set holds credentials of that very identity, and none names this account: their parent is the client id, or another
//!   account with the same client id has one; or
//! * the set holds a credential for a service account of the same namespace that does not exist.
//!
//! ## Why it is bad
//! The webhook injects the client id, and every exchange fails with `AADSTS700213`: the credential's subject is another one.
//!
//! ## Example
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: argo-events-sa
//!   namespace: argo-events
//!   annotations:
//!     azure.workload.identity/client-id: 8f2d1c4b-3a5e-4f60-9b7c-1d2e3f4a5b6c
//! ---
//! kind: FederatedIdentityCredential
//! spec:
//!   subject: system:serviceaccount:argo-events:argo-sa
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   subject: system:serviceaccount:argo-events:argo-events-sa
//! ```
//!
//! ## References
//! Microsoft Entra workload identity federation (subjects are compared exactly and not checked when written);
//! Azure/azure-workload-identity, quick start ("Establish federated identity credential").

use fedward_kit::context::{Lookup, Unknown};
use fedward_kit::identity::{self, AZURE_CLIENT_ID, ServiceAccount};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{any_matches, is_guid};
use fedward_kit::trust::{self, Credential};
use fedward_kit::{index, suggest};

use crate::settings::Settings;
use crate::trusted::plain;

const OF_IDENTITY: Condition =
    Condition::warning("other-accounts-only", "the identity has credentials in the set, and none names the service account");
const IN_NAMESPACE: Condition = Condition::warning(
    "credential-for-missing-account",
    "no credential names the service account, and one names an account of its namespace that does not exist",
);
const DRAFT: Condition = Condition::info("draft", "one of the two, for a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "account-without-credential",
    summary: "no federated credential names an Azure-federated service account, though some come close",
    conditions: &[OF_IDENTITY, IN_NAMESPACE, DRAFT],
    supersedes: &[],
    check,
};

/// How many other objects are looked at for one finding.
const MAX: usize = 20;
/// How many accounts of the same client id are looked at: they all lead to the same identity.
const MAX_ACCOUNTS: usize = 5;

fn check(cx: &Check<'_, Settings>) {
    if !cx.is("", "ServiceAccount") {
        return;
    }
    let annotation = ServiceAccount::of(cx.object).annotation(AZURE_CLIENT_ID);
    let Some(client_id) = annotation.filled() else { return };
    // What does not match is the name; the client id may still be a placeholder.
    let place = cx.object.get("metadata").get("name");
    let (namespace, name) = (cx.request.namespace, cx.request.name);
    if any_matches(&cx.common.federated_service_accounts, &format!("{namespace}/{name}"))
        || !index::credentials_for(cx.context, namespace, name, place).is_some_and(|list| list.items.is_empty())
    {
        return;
    }
    let of_identity = if is_guid(client_id) && plain(annotation).is_some() { of_identity(cx, client_id, place) } else { None };
    let (condition, close) = match of_identity {
        Some(close) => (&OF_IDENTITY, close),
        None => match in_namespace(cx, place) {
            Some(close) => (&IN_NAMESPACE, close),
            None => return,
        },
    };
    let subject = close.subject.peek_str().unwrap_or("");
    let why = if *condition == OF_IDENTITY {
        format!("the identity's credential names `{subject}`")
    } else {
        format!("the closest names `{subject}`, which does not exist")
    };
    let condition = if cx.request.is_final { condition } else { &DRAFT };
    cx.report(
        Report::new(condition, place, format!("no federated credential names the service account `{namespace}/{name}`: {why}"))
            .help(format!(
                "give the identity a credential with the subject `system:serviceaccount:{namespace}:{name}`, or correct the name"
            ))
            .related(close.subject, "the closest subject"),
    );
}

/// A credential of the identity, as far as the set proves which identity has the client id; `None` too if one of them may name anybody.
fn of_identity<'a>(cx: &Check<'a, Settings>, client_id: &str, anchor: Node<'a>) -> Option<Credential<'a>> {
    let of_parent = |key: &str| index::credentials(cx.context, &format!("parent={key}"), anchor).map(|list| list.items).unwrap_or_default();
    let mut found = of_parent(&client_id.to_ascii_lowercase());
    if found.is_empty() {
        let accounts = index::accounts_with_identity(cx.context, &format!("clientId={client_id}"), anchor)?.items;
        let key = accounts.into_iter().take(MAX_ACCOUNTS).find_map(|account| {
            let metadata = account.peek("metadata");
            let (namespace, name) = (metadata.peek_text("namespace")?, metadata.peek_text("name")?);
            let credential = index::credentials_for(cx.context, namespace, name, anchor)?.items.into_iter().next()?;
            let object_namespace = credential.peek("metadata").peek_text("namespace").unwrap_or("");
            Credential::of(credential)?.parent_key(object_namespace)
        })?;
        found = of_parent(&key);
    }
    let found: Vec<Credential<'a>> = found.into_iter().filter_map(Credential::of).collect();
    if found.iter().any(|credential| plain(credential.subject).is_none()) {
        return None;
    }
    nearest(cx, found)
}

/// A credential for a service account of the same namespace that does not exist.
fn in_namespace<'a>(cx: &Check<'a, Settings>, anchor: Node<'a>) -> Option<Credential<'a>> {
    let namespace = cx.request.namespace;
    let found = index::credentials(cx.context, &format!("subjectNamespace={namespace}"), anchor)?.items;
    let missing = found.into_iter().take(MAX).filter_map(Credential::of).filter(|credential| {
        let name = plain(credential.subject).and_then(trust::service_account).map(|(_, name)| name);
        name.is_some_and(|name| {
            matches!(identity::account(cx.context, namespace, name, anchor), Lookup::NotFound | Lookup::NotKnown(Unknown::Absent))
        })
    });
    nearest(cx, missing.collect())
}

/// The credential whose service account has the name that is nearest to the one under admission.
fn nearest<'a>(cx: &Check<'a, Settings>, credentials: Vec<Credential<'a>>) -> Option<Credential<'a>> {
    let own = format!("system:serviceaccount:{}:{}", cx.request.namespace, cx.request.name);
    let subjects = credentials.iter().filter_map(|credential| credential.subject.peek_str());
    let near = suggest::nearest(&own, subjects);
    let is_near = |credential: &Credential<'_>| near.is_some() && credential.subject.peek_str() == near;
    credentials.iter().copied().find(is_near).or_else(|| credentials.first().copied())
}
