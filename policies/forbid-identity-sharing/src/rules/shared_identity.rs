//! Reports service accounts that name the same identity.
//!
//! ## What it does
//! A client id, a role of AWS or a Google service account that more service accounts name than `maxAccounts` is reported on each of them,
//! with the others. Copies of one account (the same namespace and name) count once, and so do the accounts of Argo CD's server,
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

use crate::settings::Settings;
use crate::sharing;

const SHARED: Condition = Condition::warning("shared", "more service accounts than `maxAccounts` name an identity");

/// The rule.
pub const RULE: Rule<Settings> =
    Rule { id: "shared-identity", summary: "several service accounts name one identity", conditions: &[SHARED], supersedes: &[], check };

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final || !cx.is("", "ServiceAccount") {
        return;
    }
    let account = ServiceAccount::of(cx.object);
    for (key, field, what) in [
        (AZURE_CLIENT_ID, "clientId", "client id"),
        (AWS_ROLE_ARN, "roleArn", "role"),
        (GCP_ACCOUNT, "gcpAccount", "Google service account"),
    ] {
        let node = account.annotation(key);
        let Some(identity) = node.filled().filter(|value| text::classify(value) == Value::Plain) else { continue };
        if any_matches(&cx.settings.shared_identities, identity) {
            continue;
        }
        let Some(list) = index::names_with_identity(cx.context, &format!("{field}={identity}"), node) else { continue };
        let own = format!("{}/{}", cx.request.namespace, cx.request.name);
        let Some(others) = sharing::others(list.items, list.more, &own, sharing::is_argo_cd(cx.request.name), full_name) else { continue };
        if others.count() < cx.settings.max_accounts {
            continue;
        }
        let message = format!("this {what} is also that of {}", others.names(full_name));
        let mut report = Report::new(&SHARED, node, message)
            .help("give each service account an identity with only the rights that it needs, or name the identity in `sharedIdentities`")
            .more(others.more);
        for other in &others.known {
            report = report.related(other.peek("metadata").peek("name"), "names the same identity");
        }
        cx.report(report);
    }
}

fn full_name(account: Node<'_>) -> String {
    let metadata = account.peek("metadata");
    format!("{}/{}", metadata.peek("namespace").peek_str().unwrap_or(""), metadata.peek("name").peek_str().unwrap_or(""))
}
