//! Which audiences the clouds' side accepts for a pod's tokens, as far as the checked set says.

use fedward_kit::audience::{self, Cloud};
use fedward_kit::identity::{self, Provider};
use fedward_kit::node::Node;
use fedward_kit::rule::Check;
use fedward_kit::text::Glob;
use fedward_kit::token_use::{self, Projected, Use};
use fedward_kit::trust::{self, Credential};
use fedward_kit::workload::{self, Pod};
use fedward_kit::{iam, index, projection};

use crate::settings::Settings;
use crate::trusted::plain;

/// What one credential, or one statement of a role's trust policy, accepts.
pub(crate) struct Acceptance<'a> {
    /// Where it says so: an audience, or a list of them.
    pub node: Node<'a>,
    /// What it is, for messages: `the federated credential` …
    pub by: &'static str,
    /// The audience, where there is only one.
    pub only: Option<&'a str>,
    /// Whether the audience that was asked about is among them.
    pub fits: bool,
}

/// What the objects of the set that let the pod's service account sign in to a provider say of an audience. Empty where none is known.
/// What cannot be judged (a placeholder, no audience at all) is left out.
pub(crate) fn find<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, provider: Provider, wanted: &str, anchor: Node<'a>) -> Vec<Acceptance<'a>> {
    let Some(account) = pod.account.name() else { return Vec::new() };
    match provider {
        Provider::Azure => azure(cx, pod.namespace, account, wanted, anchor),
        Provider::AwsIrsa => aws(cx, pod, account, wanted, anchor),
        _ => Vec::new(),
    }
}

/// Whether any cloud accepts the audience for the pod's service account.
pub(crate) fn by_anyone<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, wanted: &str, anchor: Node<'a>) -> bool {
    [Provider::Azure, Provider::AwsIrsa].into_iter().any(|provider| find(cx, pod, provider, wanted, anchor).iter().any(|found| found.fits))
}

/// The audience that a token should have for one of its readers.
pub(crate) fn expected<'a>(cx: &Check<'a, Settings>, projected: &Projected<'a>, using: &Use<'a>) -> Option<&'a str> {
    if let Some(wanted) = using.wanted {
        return Some(wanted);
    }
    let found = find(cx, &projected.pod, using.provider, "", projected.token.audience);
    if let Some(first) = found.first() {
        return first.only.filter(|only| found.iter().all(|other| other.only == Some(only)));
    }
    match using.provider {
        Provider::Azure => {
            let declared = token_use::literal(using.container, "AZURE_AUTHORITY_HOST").and_then(|(_, url)| Cloud::of_authority_url(url));
            declared.unwrap_or(cx.settings.cloud).audience().or(Some(audience::AZURE_PUBLIC))
        }
        Provider::AwsIrsa => Some(audience::AWS_STS),
        Provider::AwsPodIdentity => Some(audience::AWS_POD_IDENTITY),
        _ => None,
    }
}

/// Whether a pod of the credential's service account projects a token with the audience.
pub(crate) fn is_projected<'a>(cx: &Check<'a, Settings>, credential: &Credential<'a>, wanted: &str) -> bool {
    let anchor = credential.subject;
    let Some((namespace, name)) = anchor.peek_str().and_then(trust::service_account) else { return false };
    let Some(list) = index::workloads_of(cx.context, namespace, name, anchor) else { return false };
    list.items.into_iter().any(|object| {
        workload::pods(object, namespace, cx.context).iter().any(|pod| {
            pod.account.name() == Some(name) && projection::tokens(pod).iter().any(|token| token.audience.peek_str() == Some(wanted))
        })
    })
}

fn azure<'a>(cx: &Check<'a, Settings>, namespace: &str, account: &str, wanted: &str, anchor: Node<'a>) -> Vec<Acceptance<'a>> {
    let credentials = index::credentials_for(cx.context, namespace, account, anchor).map(|list| list.items).unwrap_or_default();
    let mut found = Vec::new();
    for credential in credentials.into_iter().filter_map(Credential::of) {
        let audiences = credential.audience_list();
        let Some(first) = audiences.first() else { continue };
        if audiences.iter().any(|audience| plain(*audience).is_none()) {
            continue;
        }
        found.push(Acceptance {
            node: *first,
            by: "the federated credential",
            only: first.peek_str().filter(|_| audiences.len() == 1),
            fits: audiences.iter().any(|audience| audience.peek_str() == Some(wanted)),
        });
    }
    found
}

fn aws<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, account: &str, wanted: &str, anchor: Node<'a>) -> Vec<Acceptance<'a>> {
    let namespace = pod.namespace;
    let roles = index::roles_for(cx.context, namespace, account, anchor).map(|list| list.items).unwrap_or_default();
    if roles.is_empty() {
        return Vec::new();
    }
    let subject = format!("system:serviceaccount:{namespace}:{account}");
    // The role is known by name where the account names it; else every role that lets the account in may be the one.
    let arn = identity::account_of(pod, cx.context).found().and_then(|account| account.role_arn());
    let name = arn.and_then(|arn| arn.rsplit('/').next());
    let mut found = Vec::new();
    for role in roles.into_iter().filter(|role| name.is_none() || iam::role_name(*role) == name) {
        for statement in iam::policy(role).map(iam::statements).unwrap_or_default() {
            let is_own = statement.tests_of("sub").iter().flat_map(|test| test.values()).any(|value| value.peek_str() == Some(&subject));
            if !is_own {
                continue;
            }
            found.extend(statement_accepts(cx, &statement, wanted, anchor));
        }
    }
    found
}

/// A statement's own test of the audience and the list of its OIDC provider have to hold both: the one that does not fit speaks for it.
fn statement_accepts<'a>(
    cx: &Check<'a, Settings>,
    statement: &iam::Statement<'a>,
    wanted: &str,
    anchor: Node<'a>,
) -> Option<Acceptance<'a>> {
    let mut found = Vec::new();
    for test in statement.tests_of("aud") {
        let values = test.values();
        let fits = |text: &str| text == wanted || (test.is_pattern() && Glob::new(text).matches(wanted));
        found.push(Acceptance {
            node: test.node,
            by: "the role's trust policy",
            only: values.first().filter(|_| values.len() == 1 && !test.is_pattern()).and_then(|value| value.peek_str()),
            fits: values.iter().filter_map(|value| value.peek_str()).any(fits),
        });
    }
    for (_, issuer) in &statement.issuers {
        let providers = index::oidc_providers(cx.context, issuer, anchor).map(|list| list.items).unwrap_or_default();
        for (_, audiences) in providers.into_iter().filter_map(iam::oidc_provider) {
            let listed: Vec<&str> = audiences.peek_items().filter_map(|item| item.peek_str()).collect();
            if !listed.is_empty() {
                let only = listed.first().copied().filter(|_| listed.len() == 1);
                found.push(Acceptance { node: audiences, by: "the IAM OIDC provider", only, fits: listed.contains(&wanted) });
            }
        }
    }
    let refusing = found.iter().position(|one| !one.fits).unwrap_or(0);
    (refusing < found.len()).then(|| found.swap_remove(refusing))
}
