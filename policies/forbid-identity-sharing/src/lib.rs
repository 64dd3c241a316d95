//! A cloud identity belongs to one workload, and only its owner uses it.

mod executed;
mod flow;
mod settings;
mod sharing;
mod written;

/// The rules, a file each.
pub mod rules {
    pub mod control_plane_identity;
    pub mod event_data_injection;
    pub mod exposed_shared_account;
    pub mod federated_default_account;
    pub mod identity_in_sidecar;
    pub mod identity_with_many_subjects;
    pub mod not_an_identity_owner;
    pub mod sensor_shares_account;
    pub mod shared_identity;
    pub mod shared_service_account;
    pub mod unneeded_step_identity;
}

use fedward_kit::policy::Policy;
use fedward_kit::rule::Rule;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "a cloud identity belongs to one workload, and only its owner uses it",
    rules: &Rule::list([
        rules::shared_service_account::RULE,
        rules::shared_identity::RULE,
        rules::federated_default_account::RULE,
        rules::exposed_shared_account::RULE,
        rules::sensor_shares_account::RULE,
        rules::unneeded_step_identity::RULE,
        rules::identity_in_sidecar::RULE,
        rules::identity_with_many_subjects::RULE,
        rules::not_an_identity_owner::RULE,
        rules::event_data_injection::RULE,
        rules::control_plane_identity::RULE,
        fedward_kit::rules::wrong_field_type::rule(),
    ]),
};

fedward_kit::export_policy!(POLICY);
