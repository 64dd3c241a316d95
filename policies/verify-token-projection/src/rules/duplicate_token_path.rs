//! Reports projected volumes with several tokens of one path.
//!
//! ## What it does
//! Compares the `path` of all `serviceAccountToken` sources of a projected volume. The same path twice is an error where the tokens have
//! different audiences, otherwise a warning.
//!
//! ## Why it is bad
//! The API server takes it, and the kubelet writes one file: that of the last source. Whoever wants one of the others gets a token with a
//! foreign audience, or one that lives as long as somebody else wanted.
//!
//! ## Example
//! ```yaml
//! projected:
//!   sources:
//!     - serviceAccountToken:
//!         path: token
//!         audience: api://AzureADTokenExchange
//!     - serviceAccountToken:
//!         path: token
//!         audience: vault
//! ```
//!
//! ## Use instead
//! ```yaml
//! projected:
//!   sources:
//!     - serviceAccountToken:
//!         path: azure-token
//!         audience: api://AzureADTokenExchange
//!     - serviceAccountToken:
//!         path: vault-token
//!         audience: vault
//! ```
//!
//! ## References
//! kubernetes/kubernetes: `pkg/volume/projected/projected.go` (`collectData`), `pkg/apis/core/validation/validation.go`
//! (`validateProjectionSources`, which compares the paths of other sources only).

use std::borrow::Cow;

use fedward_kit::projection::{Token, join};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::ByName;
use fedward_kit::token_use::Projected;

use crate::settings::Settings;

const LOST: Condition = Condition::error("another-audience", "tokens with different audiences have the same path");
const AGAIN: Condition = Condition::warning("same-audience", "tokens with the same audience have the same path");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "duplicate-token-path",
    summary: "several tokens of a volume have the same path",
    conditions: &[LOST, AGAIN],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    // Tokens of one volume follow one another.
    for volume in cx.projected().chunk_by(|one, other| one.token.volume.is_same(other.token.volume)) {
        let tokens: Vec<&Token<'_>> = volume.iter().map(|projected: &Projected<'_>| &projected.token).collect();
        let mut last = ByName::new();
        for (at, token) in tokens.iter().enumerate() {
            let Some(path) = token.path.filled() else { continue };
            let before = last.insert(Cow::Owned(join(path, "")), at).and_then(|at| tokens.get(at));
            let Some(before) = before else { continue };
            let audience = |token: &Token<'_>| token.audience.peek_str().unwrap_or("").to_owned();
            let condition = if audience(before) == audience(token) { &AGAIN } else { &LOST };
            cx.report(
                Report::new(
                    condition,
                    token.path,
                    format!("another token of the volume has the path `{path}`, and only the last one is written"),
                )
                .help("give each token a path of its own")
                .related(before.path, "the path of the other"),
            );
        }
    }
}
