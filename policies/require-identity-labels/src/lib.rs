//! Pods that use a cloud identity carry the labels that its provider needs.

mod mend;
mod pods;
mod settings;

/// The rules, a file each.
pub mod rules {
    pub mod app_in_webhook_scope;
    pub mod artifact_gc_without_identity;
    pub mod env_shadows_identity;
    pub mod hard_coded_token_path;
    pub mod hook_before_account;
    pub mod identity_annotation_on_wrong_object;
    pub mod identity_label_in_selector;
    pub mod identity_label_on_wrong_object;
    pub mod label_without_identity;
    pub mod labelled_default_account;
    pub mod labelled_pod_in_system_namespace;
    pub mod legacy_pod_identity;
    pub mod missing_azure_label;
    pub mod missing_required_label;
    pub mod missing_service_account;
    pub mod misspelt_identity_key;
    pub mod proxy_sidecar_trap;
    pub mod two_identity_webhooks;
    pub mod weak_identity_webhook;
    pub mod webhook_skipped;
    pub mod wrong_azure_label_value;
    pub mod wrong_skip_containers;
    pub mod wrong_token_expiration;
}

use fedward_kit::policy::Policy;
use fedward_kit::rule::Rule;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "pods that use a cloud identity carry the labels that its provider needs",
    rules: &Rule::list([
        rules::missing_azure_label::RULE,
        rules::wrong_azure_label_value::RULE,
        rules::identity_label_on_wrong_object::RULE,
        rules::label_without_identity::RULE,
        rules::missing_service_account::RULE,
        rules::labelled_default_account::RULE,
        rules::legacy_pod_identity::RULE,
        rules::missing_required_label::RULE,
        rules::wrong_skip_containers::RULE,
        rules::wrong_token_expiration::RULE,
        rules::proxy_sidecar_trap::RULE,
        rules::env_shadows_identity::RULE,
        rules::labelled_pod_in_system_namespace::RULE,
        rules::app_in_webhook_scope::RULE,
        rules::webhook_skipped::RULE,
        rules::weak_identity_webhook::RULE,
        rules::hook_before_account::RULE,
        rules::hard_coded_token_path::RULE,
        rules::identity_annotation_on_wrong_object::RULE,
        rules::identity_label_in_selector::RULE,
        rules::artifact_gc_without_identity::RULE,
        rules::misspelt_identity_key::RULE,
        rules::two_identity_webhooks::RULE,
        fedward_kit::rules::wrong_field_type::rule(),
    ]),
};

fedward_kit::export_policy!(POLICY);
