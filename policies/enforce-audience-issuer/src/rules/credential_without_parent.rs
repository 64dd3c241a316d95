//! Reports federated credentials that do not say, or not readably, to which identity they belong.
//!
//! ## What it does
//! A credential of Azure Service Operator needs `owner.name` or `owner.armId`, one of Crossplane `parentId` or `applicationObjectId` or a
//! reference or selector in its place. A resource id has to be
//! `/subscriptions/<GUID>/resourceGroups/<group>/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>`.
//!
//! Documents such as Graph JSON name their application only in the request that makes them: there a missing parent is not reported.
//!
//! ## Why it is bad
//! The operator does not know where to make the credential: it is never made.
//!
//! ## Example
//! ```yaml
//! owner:
//!   armId: /resourceGroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/api
//! ```
//!
//! ## Use instead
//! ```yaml
//! owner:
//!   armId: /subscriptions/5d3c2b1a-0f9e-4d8c-b7a6-95847362514f/resourceGroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/api
//! ```
//!
//! ## References
//! Azure Service Operator, `FederatedIdentityCredential` (`owner`); Crossplane provider-upjet-azure and provider-upjet-azuread,
//! `FederatedIdentityCredential`; ARM, "Resource identifiers".

use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::is_guid;
use fedward_kit::trust::{Credential, Form};

use crate::settings::Settings;
use crate::trusted::plain;

const NO_PARENT: Condition = Condition::error("no-parent", "nothing names the identity that the credential belongs to");
const MALFORMED: Condition = Condition::error("malformed-id", "the resource id is not that of a managed identity");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "credential-without-parent",
    summary: "a federated credential does not say to which identity it belongs",
    conditions: &[NO_PARENT, MALFORMED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let field = match credential.form {
        Form::AzureServiceOperator => "spec.owner.name",
        Form::Crossplane => "spec.forProvider.parentIdRef.name",
        Form::CrossplaneApplication => "spec.forProvider.applicationObjectIdRef.name",
        Form::Document => "parent",
    };
    let node = credential.parent;
    if !credential.has_parent() {
        let is_empty = node.is_absent() || node.peek_str() == Some("");
        if is_empty && !credential.observed && credential.form != Form::Document {
            cx.report(
                Report::new(&NO_PARENT, node, "nothing says to which identity this federated credential belongs")
                    .help(format!("name the identity in `{field}`")),
            );
        }
        return;
    }
    let Some(text) = plain(node).filter(|text| text.contains('/')) else { return };
    if !is_identity_id(text) && !is_application_id(text) {
        let report = Report::new(&MALFORMED, node, format!("`{text}` is not the resource id of a managed identity"));
        cx.report(report.help(format!("write `{IDENTITY_ID}`")));
    }
}

const IDENTITY_ID: &str = "/subscriptions/<GUID>/resourceGroups/<group>/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>";

/// Azure compares resource ids without regard to letter case.
fn is_identity_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        ["", subscriptions, subscription, groups, group, providers, provider, kind, name] => {
            let fits = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
            fits(subscriptions, "subscriptions")
                && is_guid(subscription)
                && fits(groups, "resourceGroups")
                && !group.is_empty()
                && fits(providers, "providers")
                && fits(provider, "Microsoft.ManagedIdentity")
                && fits(kind, "userAssignedIdentities")
                && !name.is_empty()
        }
        _ => false,
    }
}

/// An application's object id, as Terraform's provider writes it.
fn is_application_id(text: &str) -> bool {
    text.strip_prefix("/applications/").is_some_and(is_guid)
}

#[cfg(test)]
mod tests {
    use super::is_identity_id;

    #[test]
    fn reads_resource_ids() {
        let good = "/subscriptions/5d3c2b1a-0f9e-4d8c-b7a6-95847362514f/resourcegroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/api";
        assert!(is_identity_id(good));
        for bad in [good.trim_start_matches('/'), &good.replace("/resourcegroups/shop", ""), &format!("{good}/"), "/subscriptions/x"] {
            assert!(!is_identity_id(bad), "{bad}");
        }
    }
}
