//! Reports identities with more federated credentials than Azure allows.
//!
//! ## What it does
//! An application or a managed identity has at most 20 federated credentials. The credentials of the checked set are counted by the
//! identity that they name as parent; the last one by namespace and name carries the finding.
//!
//! ## Why it is bad
//! Azure refuses the twenty-first. Which one that is depends on the order in which they are made.
//!
//! ## Example
//! ```yaml
//! # 21 of these for one owner
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! # two identities with the same role assignments
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: shop-2}
//! ```
//!
//! ## References
//! Microsoft Entra workload identity federation, "Important considerations and restrictions" ("a maximum of 20").

use fedward_kit::index;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::Credential;

use crate::settings::Settings;
use crate::siblings;

const TOO_MANY: Condition = Condition::error("too-many", "one identity has more than 20 credentials");
const SO_FAR: Condition = Condition::warning("too-many-so-far", "the same in a cluster, where another credential may still go");
const DRAFT: Condition = Condition::info("too-many-in-draft", "the same in a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "too-many-credentials",
    summary: "an identity has more than 20 federated credentials",
    conditions: &[TOO_MANY, SO_FAR, DRAFT],
    supersedes: &[],
    check,
};

/// Azure's limit for an identity.
const LIMIT: usize = 20;

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let Some(key) = credential.parent_key(cx.request.namespace) else { return };
    let Some(list) = index::credentials(cx.context, &format!("parent={key}"), credential.parent) else { return };
    let own = siblings::id(cx.object);
    // At most as many as an answer of the index holds.
    let mut others = Vec::new();
    for other in list.items.iter().map(|object| siblings::id(*object)) {
        if other != own && !others.contains(&other) {
            others.push(other);
        }
    }
    let count = others.len() + list.more + 1;
    if count <= LIMIT || others.iter().any(|other| *other > own) {
        return;
    }
    let condition = match (cx.request.is_final, cx.context.indexed) {
        (false, _) => &DRAFT,
        (true, false) => &SO_FAR,
        (true, true) => &TOO_MANY,
    };
    let mut report =
        Report::new(condition, credential.parent, format!("this identity has {count} federated credentials, but Azure allows {LIMIT}"))
            .help("spread the credentials over several identities, or remove those that are no longer used")
            .more(list.more);
    for object in list.items.iter().filter(|object| siblings::id(**object) != own) {
        report = report.related(object.peek("metadata").peek("name"), "a credential of the same identity");
    }
    cx.report(report);
}
