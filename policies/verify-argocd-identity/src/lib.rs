//! Argo CD signs in to repositories and clusters with its workload identity, and with nothing else.

mod cluster;
mod credentials;
mod pods;
mod registered;
mod settings;

/// The rules, a file each.
pub mod rules {
    pub mod argocd_pod_without_identity;
    pub mod aws_profile_in_cluster;
    pub mod azure_repository_without_identity;
    pub mod cluster_identity_mismatch;
    pub mod cluster_login_without_identity;
    pub mod cluster_without_tls;
    pub mod credential_beside_identity;
    pub mod flux_source_with_secret;
    pub mod identity_flag_on_oci;
    pub mod identity_token_to_foreign_host;
    pub mod identity_token_without_tls;
    pub mod two_cluster_logins;
    pub mod unlabelled_argocd_secret;
    pub mod unparsable_identity_flag;
    pub mod weak_aks_sign_in;
    pub mod whole_cluster_scope;
    pub mod wrong_argocd_extension_setting;
    pub mod wrong_cluster_config;
    pub mod wrong_cluster_server;
    pub mod wrong_exec_command;
    pub mod wrong_helm_address;
}

use fedward_kit::policy::Policy;
use fedward_kit::rule::Rule;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "Argo CD signs in to repositories and clusters with its workload identity, and with nothing else",
    rules: &Rule::list([
        rules::argocd_pod_without_identity::RULE,
        rules::aws_profile_in_cluster::RULE,
        rules::azure_repository_without_identity::RULE,
        rules::cluster_identity_mismatch::RULE,
        rules::cluster_login_without_identity::RULE,
        rules::cluster_without_tls::RULE,
        rules::credential_beside_identity::RULE,
        rules::flux_source_with_secret::RULE,
        rules::identity_flag_on_oci::RULE,
        rules::identity_token_to_foreign_host::RULE,
        rules::identity_token_without_tls::RULE,
        rules::two_cluster_logins::RULE,
        rules::unlabelled_argocd_secret::RULE,
        rules::unparsable_identity_flag::RULE,
        rules::weak_aks_sign_in::RULE,
        rules::whole_cluster_scope::RULE,
        rules::wrong_argocd_extension_setting::RULE,
        rules::wrong_cluster_config::RULE,
        rules::wrong_cluster_server::RULE,
        rules::wrong_exec_command::RULE,
        rules::wrong_helm_address::RULE,
        fedward_kit::rules::wrong_field_type::rule(),
    ]),
};

fedward_kit::export_policy!(POLICY);
