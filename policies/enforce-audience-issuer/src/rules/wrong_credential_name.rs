//! Reports names of federated credentials that Azure does not accept.
//!
//! ## What it does
//! A federated credential's name has 3 to 120 letters, digits, `-` and `_`, and begins with a letter or a digit. For Azure Service Operator
//! it is `azureName` and otherwise `metadata.name`, for Crossplane the annotation `crossplane.io/external-name` and otherwise
//! `metadata.name`, or `displayName` for the credentials of applications. A dot is legal in the name of a Kubernetes object and not here.
//!
//! ## Why it is bad
//! Azure refuses the credential, so that whatever makes it fails on every attempt. A name cannot be changed later.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   name: shop.api
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   name: shop.api
//! spec:
//!   azureName: shop-api
//! ```
//!
//! ## References
//! Microsoft Entra workload identity federation, "Important considerations and restrictions" (names of federated identity credentials);
//! ARM reference, `Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials`.

use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::trust::{Credential, Form};

use crate::settings::Settings;
use crate::trusted::plain;

const WRONG: Condition = Condition::error("wrong-name", "the name has not 3 to 120 of the letters that Azure accepts");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-credential-name",
    summary: "Azure does not accept the name of a federated credential",
    conditions: &[WRONG],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(credential) = Credential::of(cx.object) else { return };
    let Some(name) = plain(credential.name) else { return };
    let length = name.chars().count();
    let wrong = name.chars().find(|letter| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')));
    let why = if let Some(letter) = wrong {
        format!("it has a `{}`", letter.escape_debug())
    } else if !(3..=120).contains(&length) {
        format!("it has {length} letters")
    } else if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        "it does not begin with a letter or digit".to_owned()
    } else {
        return;
    };
    let field = match credential.form {
        Form::AzureServiceOperator => "set `spec.azureName` to",
        Form::Crossplane => "set the annotation `crossplane.io/external-name` to",
        Form::CrossplaneApplication | Form::Document => "choose",
    };
    let message = format!("Azure does not accept `{name}` as the name of a federated credential: {why}");
    cx.report(Report::new(&WRONG, credential.name, message).help(format!("{field} 3 to 120 letters, digits, `-` and `_`")));
}
