//! Reports service accounts that name the same identity.
//!
//! ## What it does
//! A client id, a role of AWS or a Google service account that more service accounts name than `maxAccounts` is reported on each of them,
//! with the others. An EKS Pod Identity association names the role for its service account. Copies of one account (the same namespace and name) count once, and so do the accounts of Argo CD's server,
//! repo-server and both its controllers, which are documented with one client id.
//!
//! Values that somebody still has to fill in are `placeholder-value`'s matter. Identities of the setting `sharedIdentities` are shared on
//! purpose.
//!
//! ## Why it is bad
//! A service account of its own is no boundary if the identity behind it is the same: each of the workloads has all rights of all the
//! others in the cloud.
//!
//! ## Example
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: orders
//!   annotations:
//!     azure.workload.identity/client-id: 7d1f0c2e-93b4-4a6d-8e15-2c4b6a8d0f31
//! ---
//! kind: ServiceAccount
//! metadata:
//!   name: invoices
//!   annotations:
//!     azure.workload.identity/client-id: 7d1f0c2e-93b4-4a6d-8e15-2c4b6a8d0f31
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: ServiceAccount
//! metadata:
//!   name: orders
//!   annotations:
//!     azure.workload.identity/client-id: 7d1f0c2e-93b4-4a6d-8e15-2c4b6a8d0f31
//! ---
//! kind: ServiceAccount
//! metadata:
//!   name: invoices
//!   annotations:
//!     azure.workload.identity/client-id: 0e5a8b46-1c7d-4f92-a3e8-6b9d2f4c7a58
//! ```
//!
//! ## Settings
//! `maxAccounts`, `sharedIdentities`.
//!
//! ## References
//! Microsoft Entra, "Workload identity federation"; AWS IAM, "Security best practices" (least privilege); Google Cloud, "Best practices for
//! using service accounts" (single-purpose service accounts).

use fedward_kit::identity::{AWS_ROLE_ARN, AZURE_CLIENT_ID, GCP_ACCOUNT, ServiceAccount};
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Value, any_matches};
use fedward_kit::trust::PodIdentity;

use crate::settings::Settings;
use crate::sharing;

const SHARED: Condition =
    Condition::warning("shared", "more service accounts than `maxAccounts` name an identity, or have it by an association");

/// The rule.
pub const RULE: Rule<Settings> =
    Rule { id: "shared-identity", summary: "several service accounts name one identity", conditions: &[SHARED], supersedes: &[], check };

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final {
        return;
    }
    if let Some(association) = PodIdentity::of(cx.object) {
        let own = full_name(cx.object);
        let name = association.service_account.peek_str().unwrap_or("");
        return report(cx, association.role_arn, "roleArn", "role", (&own, name));
    }
    if !cx.is("", "ServiceAccount") {
        return;
    }
    let account = ServiceAccount::of(cx.object);
    let own = format!("{}/{}", cx.request.namespace, cx.request.name);
    for (key, field, what) in [
        (AZURE_CLIENT_ID, "clientId", "client id"),
        (AWS_ROLE_ARN, "roleArn", "role"),
        (GCP_ACCOUNT, "gcpAccount", "Google service account"),
    ] {
        report(cx, account.annotation(key), field, what, (&own, cx.request.name));
    }
}

/// Reports a field with an identity that too many other service accounts have. `own` is the account's full name, and its own name.
fn report<'a>(cx: &Check<'a, Settings>, node: Node<'a>, field: &str, what: &str, own: (&str, &str)) {
    let Some(identity) = node.filled().filter(|value| text::classify(value) == Value::Plain) else { return };
    if any_matches(&cx.settings.shared_identities, identity) {
        return;
    }
    let selector = format!("{field}={identity}");
    let associated = if field == "roleArn" { index::pod_identities(cx.context, &selector, node) } else { None };
    let annotated = index::names_with_identity(cx.context, &selector, node);
    let lists = [annotated, associated].into_iter().flatten();
    let (items, more) = lists.fold((Vec::new(), 0), |(mut items, more), list| {
        items.extend(list.items);
        (items, more + list.more)
    });
    let Some(others) = sharing::others(items, more, own.0, sharing::is_argo_cd(own.1), full_name) else { return };
    if others.count() < cx.settings.max_accounts {
        return;
    }
    let message = format!("this {what} is also that of {}", others.names(full_name));
    let mut report = Report::new(&SHARED, node, message)
        .help("give each service account an identity with only the rights that it needs, or name the identity in `sharedIdentities`")
        .more(others.more);
    for other in &others.known {
        let place = PodIdentity::of(*other).map_or(other.peek("metadata").peek("name"), |association| association.service_account);
        report = report.related(place, "names the same identity");
    }
    cx.report(report);
}

/// The service account that an object is, or that an association is for.
fn full_name(object: Node<'_>) -> String {
    let (namespace, name) = match PodIdentity::of(object) {
        Some(association) => (association.namespace, association.service_account),
        None => (object.peek("metadata").peek("namespace"), object.peek("metadata").peek("name")),
    };
    format!("{}/{}", namespace.peek_str().unwrap_or(""), name.peek_str().unwrap_or(""))
}
