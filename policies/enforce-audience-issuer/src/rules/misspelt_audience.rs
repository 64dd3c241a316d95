//! Reports audiences that are a cloud's but for a slip: letter case, a slash, a space, a letter.
//!
//! ## What it does
//! Compares every audience (projected tokens, federated credentials, IAM OIDC providers and trust policies, workload identity pools, CSI
//! drivers, kubelet credential providers, `eks.amazonaws.com/audience`) with those of Azure and AWS, and reports one that is nearly one of
//! them. Audiences that the setting `allowedAudiences` names are right as they are.
//!
//! ## Why it is bad
//! Clouds compare audiences letter by letter. The token is issued, and its exchange fails (AADSTS700212, `InvalidIdentityToken`).
//!
//! ## Example
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//!   audience: api://azureadtokenexchange
//! ```
//!
//! ## Use instead
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//!   audience: api://AzureADTokenExchange
//! ```
//!
//! ## Settings
//! `allowedAudiences`
//!
//! ## References
//! Microsoft Entra, workload identity federation: "considerations" (audiences are compared exactly); EKS user guide, "IAM roles for service
//! accounts".

use fedward_kit::audience;
use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Value, any_matches};

use crate::fields::{self, Holds};
use crate::settings::Settings;

const MISSPELT: Condition = Condition::error("misspelt", "the audience is nearly one of a cloud's");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "misspelt-audience",
    summary: "an audience is nearly, but not exactly, one of a cloud's",
    conditions: &[MISSPELT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for field in fields::all(cx) {
        if field.holds != Holds::Audience
            || text::classify(field.text) != Value::Plain
            || any_matches(&cx.settings.allowed_audiences, field.text)
        {
            continue;
        }
        let Some(slip) = audience::slip(field.text) else { continue };
        let report = Report::new(
            &MISSPELT,
            field.node,
            format!("the audience `{}` is not `{}`, and audiences are compared letter by letter", field.text, slip.meant),
        );
        cx.report(if slip.certain {
            report.help(format!("write `{}`", slip.meant)).fix(PatchStep::set(field.node, slip.meant))
        } else {
            report.help(format!("did you mean `{}`?", slip.meant))
        });
    }
}
