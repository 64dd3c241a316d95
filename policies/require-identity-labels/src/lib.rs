//! Pods that use a cloud identity carry the labels that its provider needs.

mod settings;

/// The rules, a file each.
pub mod rules {
    pub mod missing_azure_label;
}

use fedward_kit::policy::Policy;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "pods that use a cloud identity carry the labels that its provider needs",
    rules: &[rules::missing_azure_label::RULE, fedward_kit::rules::wrong_field_type::rule()],
};

fedward_kit::export_policy!(POLICY);
