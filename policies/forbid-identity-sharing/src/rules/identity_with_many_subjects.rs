//! Reports identities whose federated credentials let in several subjects.
//!
//! ## What it does
//! The credentials of an identity of Microsoft Entra are gathered by the parent that they name, and their subjects counted. The same service
//! account in several clusters is one subject, and so are the branches and environments of one repository, and the parts of Argo CD.
//! Offline the last credential by namespace and name carries the finding; in a cluster the one that is created or changed.
//!
//! Where there are more credentials than Azure allows, `too-many-credentials` says so.
//!
//! ## Why it is bad
//! Whoever a credential lets in has all rights of the identity, whichever service account it uses: the workloads share the identity,
//! although no manifest of theirs shows it.
//!
//! ## Example
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: shop}
//!   subject: system:serviceaccount:shop:orders
//! ---
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: shop}
//!   subject: system:serviceaccount:shop:invoices
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: orders}
//!   subject: system:serviceaccount:shop:orders
//! ---
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: invoices}
//!   subject: system:serviceaccount:shop:invoices
//! ```
//!
//! ## Settings
//! `maxSubjects`.
//!
//! ## References
//! Microsoft Entra, "Workload identity federation" (subject identifiers).

use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Value};
use fedward_kit::trust::{self, Credential};

use crate::settings::Settings;
use crate::sharing;

const MANY: Condition = Condition::warning("many-subjects", "the credentials of an identity let in more subjects than `maxSubjects`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-with-many-subjects",
    summary: "the federated credentials of one identity let in several subjects",
    conditions: &[MANY],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object).filter(|_| cx.request.is_final) else { return };
    let (Some(own), Some(parent)) = (subject(&credential), credential.parent_key(cx.request.namespace)) else { return };
    let Some(list) = index::credentials(cx.context, &format!("parent={parent}"), credential.parent) else { return };
    let place = name(cx.object);
    let mut others: Vec<(String, Node<'_>)> = Vec::new();
    for object in list.items {
        // What it says itself is what counts, not what the cluster still has of it.
        if name(object) == place {
            continue;
        }
        if cx.context.indexed && name(object) > place {
            return;
        }
        let Some(other) = Credential::of(object) else { continue };
        if let Some(subject) = subject(&other).filter(|subject| *subject != own && !others.iter().any(|(known, _)| known == subject)) {
            others.push((subject, other.subject));
        }
    }
    if others.is_empty() || others.len() < cx.settings.max_subjects {
        return;
    }
    let message = format!("the identity of this credential lets in {} subjects", others.len() + 1);
    let mut report = Report::new(&MANY, credential.subject, message).help("give each workload an identity of its own");
    for (_, node) in others {
        report = report.related(node, "another subject of the same identity");
    }
    cx.report(report);
}

fn name(object: Node<'_>) -> (&str, &str) {
    let metadata = object.peek("metadata");
    (metadata.peek_text("namespace").unwrap_or(""), metadata.peek_text("name").unwrap_or(""))
}

/// Who a credential lets in: a service account, or of another system's subject what its first two parts say (`repo:<owner>/<name>`).
fn subject(credential: &Credential<'_>) -> Option<String> {
    // What only a deployment knows may be the same subject once more.
    let text = credential.subject.filled().filter(|text| text::classify(text) != Value::NotKnown)?;
    match trust::service_account(text) {
        Some((namespace, name)) if sharing::is_argo_cd(name) => Some(format!("argocd {namespace}")),
        Some(_) => Some(text.to_owned()),
        None => Some(text.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")),
    }
}
