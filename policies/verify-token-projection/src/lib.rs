//! Projected service account tokens are mounted, named and limited as their readers need.

mod mounts;
mod pods;
mod settings;

/// The rules, a file each.
pub mod rules {
    pub mod dangling_token;
    pub mod duplicate_token_path;
    pub mod incomplete_token_env;
    pub mod label_and_own_token;
    pub mod reserved_volume_name;
    pub mod stale_token_mount;
    pub mod token_path_mismatch;
    pub mod unneeded_api_token;
    pub mod webhook_volume_collision;
    pub mod wrong_token_lifetime;
    pub mod wrong_token_mode;
}

use fedward_kit::policy::Policy;
use fedward_kit::rule::Rule;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "projected service account tokens are mounted, named and limited as their readers need",
    rules: &Rule::list([
        rules::wrong_token_lifetime::RULE,
        rules::token_path_mismatch::RULE,
        rules::dangling_token::RULE,
        rules::stale_token_mount::RULE,
        rules::wrong_token_mode::RULE,
        rules::label_and_own_token::RULE,
        rules::reserved_volume_name::RULE,
        rules::unneeded_api_token::RULE,
        rules::incomplete_token_env::RULE,
        rules::duplicate_token_path::RULE,
        rules::webhook_volume_collision::RULE,
        fedward_kit::rules::wrong_field_type::rule(),
    ]),
};

fedward_kit::export_policy!(POLICY);
