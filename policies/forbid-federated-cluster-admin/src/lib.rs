//! No cluster-admin, or its equivalents, for federated subjects.

mod aws;
mod binding;
mod preset;
mod settings;
mod subject;

/// The rules, a file each.
pub mod rules {
    pub mod addon_manager_labels;
    pub mod aws_auth_masters;
    pub mod azure_admin_role_assignment;
    pub mod broken_binding_subject;
    pub mod cluster_admin_equivalent;
    pub mod cluster_wide_edit;
    pub mod dangerous_aggregated_role;
    pub mod eks_admin_access_entry;
    pub mod federated_account_cluster_admin;
    pub mod federated_admin_in_protected_namespace;
    pub mod federated_group_cluster_admin;
    pub mod federated_namespace_admin;
    pub mod federated_user_cluster_admin;
    pub mod indirect_identity_use;
    pub mod mass_group_privileged;
    pub mod sso_mapped_cluster_admin;
    pub mod unresolved_role;
}

use fedward_kit::policy::Policy;
pub(crate) use fedward_kit::rights;
use fedward_kit::rule::Rule;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "no cluster-admin, or its equivalents, for federated subjects",
    rules: &Rule::list([
        rules::addon_manager_labels::RULE,
        rules::aws_auth_masters::RULE,
        rules::azure_admin_role_assignment::RULE,
        rules::broken_binding_subject::RULE,
        rules::cluster_admin_equivalent::RULE,
        rules::cluster_wide_edit::RULE,
        rules::dangerous_aggregated_role::RULE,
        rules::eks_admin_access_entry::RULE,
        rules::federated_account_cluster_admin::RULE,
        rules::federated_admin_in_protected_namespace::RULE,
        rules::federated_group_cluster_admin::RULE,
        rules::federated_namespace_admin::RULE,
        rules::federated_user_cluster_admin::RULE,
        rules::indirect_identity_use::RULE,
        rules::mass_group_privileged::RULE,
        rules::sso_mapped_cluster_admin::RULE,
        rules::unresolved_role::RULE,
        fedward_kit::rules::wrong_field_type::rule(),
    ]),
};

fedward_kit::export_policy!(POLICY);
