//! Reports federated credentials of one identity that trust the same subject of the same issuer.
//!
//! ## What it does
//! Issuer and subject together have to be unique among the credentials of an identity. Compared are the credentials of the checked set that
//! name the same parent; the later one by namespace and name carries the finding. The same subject with another issuer is only recorded: it is
//! how one identity serves the same application in several clusters, and it is what a forgotten cluster leaves behind.
//!
//! ## Why it is bad
//! Azure refuses the second one ("Issuer and subject combination already exists").
//!
//! ## Example
//! ```yaml
//! metadata: {name: api-1}
//! spec:
//!   owner: {name: shop}
//!   issuer: https://oidc.clusters.example/blue
//!   subject: system:serviceaccount:shop:api
//! ---
//! metadata: {name: api-2}
//! spec:
//!   owner: {name: shop}
//!   issuer: https://oidc.clusters.example/blue
//!   subject: system:serviceaccount:shop:api
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata: {name: api-1}
//! spec:
//!   owner: {name: shop}
//!   issuer: https://oidc.clusters.example/blue
//!   subject: system:serviceaccount:shop:api
//! ```
//!
//! ## References
//! Microsoft Entra workload identity federation, "Important considerations and restrictions" (the combination of issuer and subject must be
//! unique).

use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::Credential;

use crate::settings::Settings;
use crate::siblings;
use crate::trusted::plain;

const DUPLICATE: Condition = Condition::error("duplicate", "another credential of the identity has the same issuer and subject");
const SO_FAR: Condition = Condition::warning("duplicate-so-far", "the same in a cluster, where the other credential may still go");
const DRAFT: Condition = Condition::info("duplicate-in-draft", "the same in a base that something patches");
const TWO_ISSUERS: Condition = Condition::info("two-issuers", "another credential of the identity has the same subject of another issuer");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "duplicate-credential",
    summary: "two federated credentials of an identity trust the same subject",
    conditions: &[DUPLICATE, SO_FAR, DRAFT, TWO_ISSUERS],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let (Some(issuer), Some(subject)) = (plain(credential.issuer), plain(credential.subject)) else { return };
    let Some(key) = credential.parent_key(cx.request.namespace) else { return };
    let Some(list) = index::credentials(cx.context, &format!("subject={subject}"), credential.subject) else { return };
    let own = siblings::id(cx.object);
    let mut same: Vec<Node<'_>> = Vec::new();
    let mut elsewhere: Vec<Node<'_>> = Vec::new();
    for object in list.items {
        let id = siblings::id(object);
        let Some(other) = Credential::of(object) else { continue };
        // One relation, one finding: on the later of the two.
        if id >= own || other.parent_key(id.namespace).as_ref() != Some(&key) {
            continue;
        }
        match plain(other.issuer) {
            Some(text) if text == issuer => same.push(other.issuer),
            Some(_) => elsewhere.push(other.issuer),
            None => {}
        }
    }
    let condition = match (cx.request.is_final, cx.context.indexed) {
        (false, _) => &DRAFT,
        (true, false) => &SO_FAR,
        (true, true) => &DUPLICATE,
    };
    let (condition, others, message, help) = if same.is_empty() {
        let message = format!("the identity also trusts `{subject}` of another issuer");
        (&TWO_ISSUERS, elsewhere, message, "remove the credential whose cluster no longer exists, if one of them is such a one")
    } else {
        let message = format!("the identity already has a credential for `{subject}` of this issuer, and Azure refuses a second one");
        (condition, same, message, "remove one of the credentials")
    };
    if others.is_empty() {
        return;
    }
    let mut report = Report::new(condition, credential.subject, message).help(help);
    for other in others {
        report = report.related(other, "the other credential");
    }
    cx.report(report);
}
