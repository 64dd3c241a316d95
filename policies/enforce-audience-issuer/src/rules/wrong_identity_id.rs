//! Reports client and tenant ids that cannot be one: no GUID, a tenant given by name, both the same.
//!
//! ## What it does
//! Looks at the annotations `azure.workload.identity/client-id` and `azure.workload.identity/tenant-id` of service accounts, at the
//! variables `AZURE_CLIENT_ID` and `AZURE_TENANT_ID` of containers and of Argo CD's cluster Secrets, and at the same fields of External
//! Secrets, KEDA, the Secrets Store CSI driver, cert-manager, Cluster API, Crossplane and the AKS extension for Argo CD.
//!
//! Placeholders and the GUID of zeros are `placeholder-value`'s matter; values that come from elsewhere (`valueFrom`) are not judged.
//!
//! ## Why it is bad
//! Nothing checks these values before the first sign-in: the webhook injects any text. Entra then answers that no such application or
//! tenant exists (AADSTS700016, AADSTS90002). A tenant's domain name works in most SDKs, but breaks when the domain is renamed, and
//! compares unequal to the same tenant's id everywhere else.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   annotations:
//!     azure.workload.identity/client-id: reports-identity
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   annotations:
//!     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`getClientID`, `getTenantID`); Azure SDK for Go, azidentity (`validTenantID`:
//! letters, digits, `-` and `.`).

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{Value, is_guid};

use crate::fields::{self, Field, Holds};
use crate::settings::Settings;

const NOT_A_GUID: Condition = Condition::error("not-a-guid", "a client or tenant id is not a GUID");
const BY_NAME: Condition = Condition::warning("tenant-by-name", "a tenant is given by its domain, or by a word for many tenants");
const SAME: Condition = Condition::error("client-is-tenant", "the client id is the tenant id");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-identity-id",
    summary: "a client or tenant id cannot be one",
    conditions: &[NOT_A_GUID, BY_NAME, SAME],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    // The client and the tenant that stand together.
    let mut pairs: Vec<(usize, [Option<Field<'_>>; 2])> = Vec::new();
    for field in fields::all(cx) {
        let side = match field.holds {
            Holds::ClientId => 0,
            Holds::TenantId => 1,
            _ => continue,
        };
        if field.kind() != Value::Plain {
            continue;
        }
        if is_guid(field.text) {
            let scope = field.scope.value().map_or(0, |value| std::ptr::from_ref(value) as usize);
            // Fields of one scope come close to each other.
            if !pairs.iter().rev().take(NEAR).any(|(known, _)| *known == scope) {
                pairs.push((scope, [None; 2]));
            }
            let pair = pairs.iter_mut().rev().take(NEAR).find(|(known, _)| *known == scope);
            if let Some(slot) = pair.and_then(|(_, pair)| pair.get_mut(side)) {
                *slot = Some(*field);
            }
        } else {
            report(cx, field);
        }
    }
    for (_, pair) in pairs {
        if let [Some(client), Some(tenant)] = pair
            && client.text.eq_ignore_ascii_case(tenant.text)
        {
            cx.report(
                Report::new(&SAME, client.node, format!("`{}` is the same GUID as `{}`", client.name, tenant.name))
                    .help("the client id is the application's or the managed identity's own id: see `az identity show --query clientId`")
                    .related(tenant.node, "the tenant id"),
            );
        }
    }
}

/// How many scopes back a field's partner is looked for: a list of solvers gives all clients before all tenants.
const NEAR: usize = 32;

fn report<'a>(cx: &Check<'a, Settings>, field: &Field<'a>) {
    let value = field.shown(cx.object);
    if field.holds == Holds::TenantId && is_tenant_name(field.text) {
        let message = format!("`{}` gives the tenant by name{value}", field.name);
        return cx.report(Report::new(&BY_NAME, field.node, message).help("write the tenant's id, a GUID"));
    }
    let what = if field.holds == Holds::ClientId { "client" } else { "tenant" };
    let report = Report::new(&NOT_A_GUID, field.node, format!("`{}` is not a {what} id, which is a GUID{value}", field.name));
    let bare = field.text.trim_matches(|letter: char| letter.is_whitespace() || "{}\"'".contains(letter));
    cx.report(if is_guid(bare) {
        report.help("remove what stands around the GUID").fix(PatchStep::set(field.node, bare))
    } else {
        report.help(format!("write the {what} id: not a name, not a resource id"))
    });
}

/// A domain, or one of the words that stand for many tenants when people sign in.
fn is_tenant_name(text: &str) -> bool {
    let is_domain = text.contains('.')
        && text.split('.').all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    is_domain || matches!(text, "common" | "organizations" | "consumers" | "adfs")
}

#[cfg(test)]
mod tests {
    use super::is_tenant_name;

    #[test]
    fn knows_names_of_tenants() {
        assert!(is_tenant_name("harbour.example.com"));
        assert!(is_tenant_name("organizations"));
        assert!(!is_tenant_name("harbour"));
        assert!(!is_tenant_name("harbour..com"));
        assert!(!is_tenant_name("https://harbour.example.com"));
    }
}
