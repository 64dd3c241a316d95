//! No cluster-admin, or its equivalents, for federated subjects.

mod settings;

/// The rules, a file each.
pub mod rules {}

use fedward_kit::policy::Policy;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "no cluster-admin, or its equivalents, for federated subjects",
    rules: &[fedward_kit::rules::wrong_field_type::rule()],
};

fedward_kit::export_policy!(POLICY);
