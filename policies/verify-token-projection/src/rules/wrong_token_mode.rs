//! Reports modes of token files that are refused, or that allow more than reading.
//!
//! ## What it does
//! `defaultMode` of a projected volume with a service account token must lie between 0 and 0777, and should allow nothing beyond 0644.
//! Numbers that read like octal ones but are decimal, such as `400`, are explained.
//!
//! That a mount says `readOnly: true` is not asked for: the kubelet mounts projected volumes read-only in any case.
//!
//! ## Why it is bad
//! A token is a credential. Its readers need no right to write or run it. `defaultMode: 644` without a leading zero is 01204 in octal, which
//! the API server refuses, and JSON has no octal numbers at all.
//!
//! ## Example
//! ```yaml
//! projected:
//!   defaultMode: 511
//!   sources:
//!     - serviceAccountToken:
//!         path: token
//! ```
//!
//! ## Use instead
//! ```yaml
//! projected:
//!   defaultMode: 0400
//!   sources:
//!     - serviceAccountToken:
//!         path: token
//! ```
//!
//! ## References
//! Kubernetes API, `ProjectedVolumeSource`; kubernetes/kubernetes: `pkg/apis/core/validation/validation.go`
//! (`validateProjectedVolumeSource`).

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;

const REFUSED: Condition = Condition::error("refused", "the API server takes no such mode");
const OPEN: Condition = Condition::warning("more-than-reading", "the mode allows more than 0644");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-token-mode",
    summary: "the mode of a token's file is refused, or allows more than reading",
    conditions: &[REFUSED, OPEN],
    supersedes: &[],
    check,
};

/// The kubelet's default: the owner may write, everybody may read.
const DEFAULT: i64 = 0o644;
const LARGEST: i64 = 0o777;

fn check(cx: &Check<'_, Settings>) {
    for projected in cx.projected() {
        let node = projected.token.volume.get("projected").get("defaultMode");
        let Some(mode) = node.int().filter(|mode| !is_right(*mode)) else { continue };
        // Somebody who writes 400 means 0400.
        let meant = i64::from_str_radix(&mode.to_string(), 8).ok().filter(|meant| is_right(*meant));
        let right = meant.unwrap_or(DEFAULT);
        let (condition, message) = match (0..=LARGEST).contains(&mode) {
            true => (&OPEN, format!("mode {mode} is {mode:04o} in octal, which allows more than reading the token")),
            false => (&REFUSED, format!("mode {mode} is not between 0 and {LARGEST} (0777 in octal): the API server refuses it")),
        };
        let help = format!("write {right}, which is {right:04o} in octal");
        cx.report(Report::new(condition, node, message).help(help).fix(PatchStep::set_value(node, right.into())));
    }
}

fn is_right(mode: i64) -> bool {
    mode & !DEFAULT == 0
}
