//! No long-lived cloud credentials where a workload identity can sign in.

mod cloud;
mod environment;
mod mounts;
mod registry;
mod settings;
mod stored;

/// The rules, a file each.
pub mod rules {
    pub mod credentials_in_url;
    pub mod long_lived_account_token;
    pub mod oidc_client_secret;
    pub mod static_cluster_credential;
    pub mod static_controller_credential;
    pub mod static_credential_variable;
    pub mod static_google_key;
    pub mod static_registry_login;
    pub mod static_repository_credential;
}

use fedward_kit::policy::Policy;
use fedward_kit::rule::Rule;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "no long-lived cloud credentials where a workload identity can sign in",
    rules: &Rule::list([
        rules::credentials_in_url::RULE,
        rules::long_lived_account_token::RULE,
        rules::oidc_client_secret::RULE,
        rules::static_cluster_credential::RULE,
        rules::static_controller_credential::RULE,
        rules::static_credential_variable::RULE,
        rules::static_google_key::RULE,
        rules::static_registry_login::RULE,
        rules::static_repository_credential::RULE,
        fedward_kit::rules::wrong_field_type::rule(),
    ]),
};

fedward_kit::export_policy!(POLICY);
