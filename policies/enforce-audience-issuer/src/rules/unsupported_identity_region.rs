//! Reports federated credentials of managed identities in regions where Azure has none.
//!
//! ## What it does
//! The region of a credential's identity is compared with `unsupportedRegions`. It is known where the identity stands in the same ARM
//! template or Terraform document, or is a `UserAssignedIdentity` of Azure Service Operator or Crossplane that the credential names.
//!
//! ## Why it is bad
//! Azure refuses to make the credential (405). An identity in another region works as well: who signs in does not have to be in the region
//! of the identity.
//!
//! ## Example
//! ```yaml
//! kind: UserAssignedIdentity
//! metadata: {name: shop}
//! spec:
//!   location: malaysiasouth
//! ---
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: UserAssignedIdentity
//! metadata: {name: shop}
//! spec:
//!   location: southeastasia
//! ---
//! kind: FederatedIdentityCredential
//! spec:
//!   owner: {name: shop}
//! ```
//!
//! ## Settings
//! `unsupportedRegions`: the regions. Azure adds support step by step: take a region out once it has it.
//!
//! ## References
//! Microsoft Entra workload identity federation, "Important considerations and restrictions" (unsupported regions).

use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::{Credential, Form};

use crate::settings::Settings;

const REGION: Condition = Condition::info("region", "the credential's identity is in a region of `unsupportedRegions`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unsupported-identity-region",
    summary: "a federated credential's identity is in a region without federation",
    conditions: &[REGION],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let Some(region) = region(cx, &credential) else { return };
    let Some(name) = region.peek_str() else { return };
    if cx.settings.unsupported_regions.iter().any(|known| plain(known) == plain(name)) {
        let is_own = region.in_request();
        let message = format!("the identity is in `{name}`, where Azure makes no federated credentials");
        let report = Report::new(&REGION, if is_own { region } else { credential.parent }, message)
            .help("make the identity in another region; it can be used from everywhere");
        cx.report(if is_own { report } else { report.related(region, "the region") });
    }
}

/// Where the credential's identity is, as far as it is known.
fn region<'a>(cx: &Check<'a, Settings>, credential: &Credential<'a>) -> Option<Node<'a>> {
    let (api_version, namespace) = match credential.form {
        Form::Document => return Some(cx.object.peek("spec").peek("region")),
        Form::AzureServiceOperator => ("managedidentity.azure.com/v1api20230131", cx.request.namespace),
        Form::Crossplane if cx.request.group == "managedidentity.azure.upbound.io" => ("managedidentity.azure.upbound.io/v1beta1", ""),
        Form::Crossplane => ("managedidentity.azure.m.upbound.io/v1beta1", cx.request.namespace),
        _ => return None,
    };
    let name = credential.parent.peek_str().filter(|name| !name.is_empty() && !name.contains('/'))?;
    let identity = ObjectRef { api_version, kind: "UserAssignedIdentity", namespace, name };
    let spec = cx.context.get(identity, credential.parent).found()?.peek("spec");
    let fields = if credential.form == Form::Crossplane { spec.peek("forProvider") } else { spec };
    Some(fields.peek("location"))
}

/// `Malaysia South` and `malaysiasouth` are the same region.
fn plain(region: &str) -> String {
    region.chars().filter(|letter| *letter != ' ').collect::<String>().to_ascii_lowercase()
}
