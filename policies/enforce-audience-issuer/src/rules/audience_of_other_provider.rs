//! Reports projected tokens whose audience belongs to another provider than the SDK that reads them.
//!
//! ## What it does
//! Finds out for whom a token is (see `missing-token-audience`) and reports an audience of another cloud: a token for Azure with
//! `sts.amazonaws.com`, one for AWS with `api://AzureADTokenExchange`.
//!
//! Not reported: audiences of no particular provider (`openshift` is right with every cloud on OpenShift), and any audience that a
//! federated credential or role of the service account accepts in the checked set.
//!
//! Only a warning: a token that two providers' SDKs read, which works where both sides list its audience; `pods.eks.amazonaws.com` on a
//! token for IRSA; and tokens for Google Cloud, whose pool providers may allow any audience.
//!
//! ## Why it is bad
//! The exchange is refused, and the token would be good at a cloud that never asked for it.
//!
//! ## Example
//! ```yaml
//! env:
//!   - name: AWS_WEB_IDENTITY_TOKEN_FILE
//!     value: /var/run/secrets/cloud/token
//! # and the volume
//! serviceAccountToken:
//!   path: token
//!   audience: api://AzureADTokenExchange
//! ```
//!
//! ## Use instead
//! ```yaml
//! serviceAccountToken:
//!   path: token
//!   audience: sts.amazonaws.com
//! ```
//!
//! ## Settings
//! `cloud`
//!
//! ## References
//! EKS user guide, "IAM roles for service accounts" and "EKS Pod Identity"; Microsoft Entra, workload identity federation.

use fedward_kit::audience;
use fedward_kit::finding::PatchStep;
use fedward_kit::identity::Provider;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::token_use::{Projected, Use};

use crate::accepted;
use crate::settings::Settings;
use crate::trusted::plain;

const OTHER: Condition = Condition::error("other-provider", "the token's audience belongs to another provider than the SDK that reads it");
const MAY_BE_LISTED: Condition =
    Condition::warning("may-be-listed", "the same, where the provider may have been told to accept that audience");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "audience-of-other-provider",
    summary: "a token's audience belongs to another provider than the SDK that reads it",
    conditions: &[OTHER, MAY_BE_LISTED],
    supersedes: &["unexpected-token-audience"],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for projected in cx.projected() {
        let node = projected.token.audience;
        let Some(text) = plain(node) else { continue };
        let Some(owner) = audience::provider(text) else { continue };
        let Some(using) = projected.uses.iter().find(|using| using.provider != owner && using.wanted != Some(text)) else { continue };
        if accepted::find(cx, &projected.pod, using.provider, text, node).iter().any(|found| found.fits) {
            continue;
        }
        let message = format!(
            "the token is read through {}, for {}, but its audience `{text}` is one of {}",
            using.by(),
            using.provider.name(),
            owner.name()
        );
        let report = Report::new(condition(projected, using, owner), node, message).related(using.node, "what reads the token");
        cx.report(match accepted::expected(cx, projected, using) {
            Some(_) if projected.used_for(owner).is_some() => report.help("project one token for each provider"),
            Some(expected) => report.help(format!("write `{expected}`")).fix(PatchStep::set(node, expected)),
            None => report.help("write the audience that the provider expects"),
        });
    }
}

fn condition(projected: &Projected<'_>, using: &Use<'_>, owner: Provider) -> &'static Condition {
    let may_be_listed = projected.used_for(owner).is_some()
        || using.provider == Provider::Gcp
        || (using.provider == Provider::AwsIrsa && owner == Provider::AwsPodIdentity);
    if may_be_listed { &MAY_BE_LISTED } else { &OTHER }
}
