//! Reports trust in token issuers that the settings do not name: other clusters, clusters that are gone, unknown parties.
//!
//! ## What it does
//! Needs the setting `clusterIssuer` or `allowedIssuers`; without them nothing is reported. Federated credentials, IAM OIDC providers, the
//! trust policies of AWS roles and Google pool providers may then trust only these issuers.
//!
//! With `clusterIssuer` alone only trust in clusters is judged: credentials of service accounts, and issuers that are certainly a
//! cluster's. With `allowedIssuers` every issuer is: list the CI systems that you use.
//!
//! ## Why it is bad
//! Whoever runs an issuer can make tokens for any subject. A credential that still trusts a deleted cluster is at best dead; the name
//! of the new cluster is then missing, and nothing signs in.
//!
//! ## Example
//! ```yaml
//! # settings: {clusterIssuer: "https://oidc.clusters.example/blue"}
//! kind: FederatedIdentityCredential
//! spec:
//!   issuer: https://oidc.clusters.example/green
//!   subject: system:serviceaccount:shop:api
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   issuer: https://oidc.clusters.example/blue
//!   subject: system:serviceaccount:shop:api
//! ```
//!
//! ## Settings
//! `clusterIssuer`, `allowedIssuers`
//!
//! ## References
//! Microsoft Entra workload identity federation (issuer and subject are matched exactly); IAM user guide, "OIDC federation".

use fedward_kit::finding::PatchStep;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::any_matches;
use fedward_kit::trust::Credential;
use fedward_kit::{iam, index, issuer, suggest, url};

use crate::settings::Settings;
use crate::siblings;
use crate::trusted::{self, Side};

const NOT_ALLOWED: Condition = Condition::error("not-allowed", "the settings name neither this issuer nor a pattern that it matches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "issuer-not-allowed",
    summary: "a trusted issuer is none of those that the settings name",
    conditions: &[NOT_ALLOWED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if cx.settings.cluster_issuer.is_empty() && cx.settings.allowed_issuers.is_empty() {
        return;
    }
    if let Some(trusted) = trusted::issuer(cx) {
        let subject = trusted.credential.and_then(|credential| credential.subject_in(cx.context, cx.request.namespace));
        let is_account = subject.and_then(|node| node.peek_str()).is_some_and(is_account);
        if let Some(text) = trusted::plain(trusted.node) {
            judge(cx, trusted.node, text.trim(), trusted.side, is_account);
        }
    }
    for statement in iam::policy(cx.object).map(iam::statements).unwrap_or_default() {
        let is_account =
            statement.tests_of("sub").iter().flat_map(|test| test.values()).any(|value| value.peek_str().is_some_and(is_account));
        for (node, issuer) in &statement.issuers {
            if trusted::plain(*node).is_some() {
                judge(cx, *node, issuer, Side::Aws, is_account);
            }
        }
    }
}

fn judge<'a>(cx: &Check<'a, Settings>, node: Node<'a>, text: &'a str, side: Side, is_account: bool) {
    let Settings { cluster_issuer, allowed_issuers, .. } = cx.settings;
    let is_cluster = is_account || issuer::kind(text).is_cluster();
    if allowed_issuers.is_empty() && !is_cluster {
        return;
    }
    let is_same = |known: &str| known == text || (side != Side::Azure && iam::same_issuer(known, text));
    let with_scheme = format!("https://{text}");
    let fits_pattern = any_matches(allowed_issuers, text) || (side == Side::Aws && any_matches(allowed_issuers, &with_scheme));
    if is_same(cluster_issuer) || fits_pattern || allowed_issuers.iter().any(|known| is_same(known.as_str())) {
        return;
    }
    // An AKS issuer that is right but for its slash or letter case: `wrong-aks-issuer` says so.
    if issuer::kind(text) == issuer::Kind::Aks && iam::same_issuer(cluster_issuer, text) {
        return;
    }
    let what = if allowed_issuers.is_empty() { "the cluster's" } else { "one of the allowed ones" };
    // A user name may come with a password.
    let shown = url::split(text).filter(|parts| !parts.user_info.is_empty()).map_or(text, |parts| parts.host);
    let report = Report::new(&NOT_ALLOWED, node, format!("the issuer `{shown}` is trusted, but it is not {what}"));
    let near = suggest::nearest(text, allowed_issuers.iter().map(|known| known.as_str()).chain([cluster_issuer.as_str()]));
    let report = match near {
        Some(near) => report.help(format!("did you mean `{near}`? Otherwise remove the trust, or add the issuer to `allowedIssuers`")),
        None if is_cluster && !cluster_issuer.is_empty() => {
            report.help(format!("trust the cluster's issuer `{cluster_issuer}`, or add this one to `allowedIssuers`"))
        }
        None => report.help("remove the trust, or add the issuer to `allowedIssuers`"),
    };
    // Only one issuer can be meant where the settings name only one.
    if !allowed_issuers.is_empty() || side != Side::Azure {
        return cx.report(report);
    }
    cx.report(match same_trust(cx) {
        Some(other) => {
            report.help("remove this credential").related(other, "the identity trusts the subject of the cluster's issuer already")
        }
        None => report.fix(PatchStep::set(node, cluster_issuer)),
    });
}

/// Another credential of the identity that trusts the same subject of the cluster's issuer: with that issuer this one would repeat it.
fn same_trust<'a>(cx: &Check<'a, Settings>) -> Option<Node<'a>> {
    let credential = Credential::of(cx.object)?;
    let (subject, key) = (trusted::plain(credential.subject)?, credential.parent_key(cx.request.namespace)?);
    let list = index::credentials(cx.context, &format!("subject={subject}"), credential.subject)?;
    list.items.into_iter().find_map(|object| {
        let (id, other) = (siblings::id(object), Credential::of(object)?);
        let is_same = id != siblings::id(cx.object) && other.parent_key(id.namespace).as_ref() == Some(&key);
        (is_same && trusted::plain(other.issuer) == Some(cx.settings.cluster_issuer.as_str())).then_some(other.issuer)
    })
}

fn is_account(subject: &str) -> bool {
    subject.starts_with("system:serviceaccount")
}
