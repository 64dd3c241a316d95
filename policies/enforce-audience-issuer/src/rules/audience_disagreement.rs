//! Reports projected tokens whose audience is not the one that the cloud's side accepts.
//!
//! ## What it does
//! For a token that a cloud's SDK reads (see `missing-token-audience`) it looks up, in the checked set, the federated credentials of the
//! pod's service account, or the AWS roles that trust it and their IAM OIDC provider, and reports an audience that none of them accepts.
//!
//! In a cluster, where the other side may follow, it is a warning; on a base that something patches it is only recorded. If one of the two
//! is merely misspelt, `misspelt-audience` says so and this rule is silent.
//!
//! ## Why it is bad
//! Each side looks right by itself. The exchange is refused (AADSTS700212, `InvalidIdentityToken`).
//!
//! ## Example
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//!   audience: api://AzureADTokenExchange
//! # and the federated credential
//! audiences: [api://AzureADTokenExchangeUSGov]
//! ```
//!
//! ## Use instead
//! ```yaml
//! serviceAccountToken:
//!   path: azure-identity-token
//!   audience: api://AzureADTokenExchangeUSGov
//! # and the federated credential
//! audiences: [api://AzureADTokenExchangeUSGov]
//! ```
//!
//! ## References
//! Microsoft Entra, workload identity federation ("audience … must match"); EKS user guide, "Assign IAM roles to service accounts".

use fedward_kit::audience;
use fedward_kit::finding::PatchStep;
use fedward_kit::identity::Provider;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::accepted;
use crate::settings::Settings;
use crate::trusted::plain;

const DISAGREES: Condition = Condition::error("disagrees", "no credential or role of the service account accepts the token's audience");
const SO_FAR: Condition = Condition::warning("disagrees-so-far", "the same in a cluster, where the other side may still change");
const DRAFT: Condition = Condition::info("disagrees-draft", "the same in a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "audience-disagreement",
    summary: "a token's audience is not the one that the cloud's side accepts",
    conditions: &[DISAGREES, SO_FAR, DRAFT],
    supersedes: &["unexpected-token-audience", "audience-of-other-provider", "audience-of-other-cloud"],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for projected in cx.projected() {
        let node = projected.token.audience;
        let Some(text) = plain(node).filter(|text| audience::slip(text).is_none()) else { continue };
        for provider in [Provider::Azure, Provider::AwsIrsa] {
            let Some(using) = projected.used_for(provider) else { continue };
            let found = accepted::find(cx, &projected.pod, provider, text, node);
            let misspelt = |only: Option<&str>| only.is_some_and(|only| audience::slip(only).is_some());
            let Some(first) = found.first().filter(|_| !found.iter().any(|one| one.fits || misspelt(one.only))) else { continue };
            let condition = match (cx.request.is_final, cx.context.indexed) {
                (false, _) => &DRAFT,
                (true, false) => &SO_FAR,
                (true, true) => &DISAGREES,
            };
            let account = projected.pod.account.name().unwrap_or("default");
            let wanted = first.only.map_or_else(|| "other audiences".to_owned(), |only| format!("`{only}`"));
            let message = format!("the token of `{account}` has the audience `{text}`, but {} accepts {wanted}", first.by);
            let mut report =
                Report::new(condition, node, message).related(first.node, "what is accepted").related(using.node, "what reads the token");
            for other in found.iter().skip(1) {
                report = report.related(other.node, "what is accepted");
            }
            cx.report(match first.only.filter(|only| audience::is_known(only) && found.len() == 1) {
                Some(only) => {
                    report.help(format!("write `{only}` here, or let the other side accept `{text}`")).fix(PatchStep::set(node, only))
                }
                None => report.help(format!("let both sides have the same audience, best `{}`", best(provider))),
            });
        }
    }
}

fn best(provider: Provider) -> &'static str {
    if provider == Provider::Azure { audience::AZURE_PUBLIC } else { audience::AWS_STS }
}
