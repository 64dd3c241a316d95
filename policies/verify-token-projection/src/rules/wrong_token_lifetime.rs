//! Reports projected tokens that live too short or too long.
//!
//! ## What it does
//! Looks at `expirationSeconds` of every projected service account token. Less than 600 and more than 2^32 are an error, more than the
//! setting `maxExpirationSeconds` is a warning. A token for Azure with less than 3600, the least that Azure's own webhook asks for, is
//! noted.
//!
//! Annotations that tell a webhook how long its tokens live are `wrong-token-expiration`'s matter.
//!
//! ## Why it is bad
//! The API server refuses a pod with less than ten minutes. A token that lives for days is good for whoever copies it for as long: most
//! clouds do not ask whether the pod still exists. The kubelet renews a token after 80 % of its life, and after 24 hours at the latest, so
//! that nothing is won by a longer one.
//!
//! ## Example
//! ```yaml
//! serviceAccountToken:
//!   path: token
//!   audience: api://AzureADTokenExchange
//!   expirationSeconds: 172800
//! ```
//!
//! ## Use instead
//! ```yaml
//! serviceAccountToken:
//!   path: token
//!   audience: api://AzureADTokenExchange
//!   expirationSeconds: 3600
//! ```
//!
//! ## Settings
//! `maxExpirationSeconds`
//!
//! ## References
//! Kubernetes API, `ServiceAccountTokenProjection`; kubernetes/kubernetes: `pkg/apis/core/validation/validation.go`
//! (`validateProjectionSources`), `pkg/kubelet/token/token_manager.go` (`requiresRefresh`).

use fedward_kit::audience;
use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;

const REFUSED: Condition = Condition::error("refused", "the API server takes no such number");
const TOO_LONG: Condition = Condition::warning("too-long", "it lives longer than `maxExpirationSeconds`");
const SHORT: Condition = Condition::info("short-for-azure", "a token for Azure lives shorter than one of its webhook may");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-token-lifetime",
    summary: "a projected token lives too short or too long",
    conditions: &[REFUSED, TOO_LONG, SHORT],
    supersedes: &[],
    check,
};

/// The least that the API server takes, in seconds.
pub const SHORTEST_ACCEPTED: i64 = 600;
/// The most that the API server takes, in seconds.
pub const LONGEST_ACCEPTED: i64 = 1 << 32;
/// The least that Azure's webhook takes, in seconds.
const SHORTEST_OF_AZURE: i64 = 3600;

fn check(cx: &Check<'_, Settings>) {
    let longest = cx.settings.max_expiration_seconds;
    for projected in cx.projected() {
        let token = projected.token;
        let Some(seconds) = token.expiration.int() else { continue };
        let is_for_azure = token.audience.peek_str().is_some_and(audience::is_azure);
        let shortest = if is_for_azure { SHORTEST_OF_AZURE.min(longest) } else { SHORTEST_ACCEPTED };
        let (condition, message) = if seconds < SHORTEST_ACCEPTED {
            (&REFUSED, format!("the API server refuses tokens for {seconds} seconds: {SHORTEST_ACCEPTED} is the least"))
        } else if seconds > LONGEST_ACCEPTED {
            (&REFUSED, format!("the API server refuses tokens for {seconds} seconds: {LONGEST_ACCEPTED} is the most"))
        } else if seconds > longest {
            (&TOO_LONG, format!("the token is good for {seconds} seconds, more than {longest}"))
        } else if seconds < shortest {
            (&SHORT, format!("the token is good for {seconds} seconds only: a token of Azure's webhook lives {SHORTEST_OF_AZURE} or more"))
        } else {
            continue;
        };
        let right = seconds.clamp(shortest, longest);
        let report = Report::new(condition, token.expiration, message).help(format!("write {right}"));
        cx.report(report.fix(PatchStep::set_value(token.expiration, right.into())));
    }
}
