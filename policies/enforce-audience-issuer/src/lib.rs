//! Token audiences, issuers and subjects are right and agree with each other.

mod accepted;
mod fields;
mod settings;
mod siblings;
mod trusted;

/// The rules, a file each.
pub mod rules {
    pub mod account_without_credential;
    pub mod audience_disagreement;
    pub mod audience_of_other_cloud;
    pub mod audience_of_other_provider;
    pub mod broad_aws_trust;
    pub mod broad_ci_trust;
    pub mod credential_without_parent;
    pub mod duplicate_credential;
    pub mod issuer_not_allowed;
    pub mod issuer_subject_mismatch;
    pub mod missing_token_audience;
    pub mod missing_vault_audience;
    pub mod misspelt_audience;
    pub mod not_one_audience;
    pub mod parallel_credentials;
    pub mod placeholder_value;
    pub mod subject_and_claims_expression;
    pub mod too_many_credentials;
    pub mod two_aws_identities;
    pub mod unexpected_token_audience;
    pub mod unresolved_subject;
    pub mod unsupported_identity_region;
    pub mod unusable_issuer;
    pub mod wrong_aks_issuer;
    pub mod wrong_api_server_tokens;
    pub mod wrong_authority_host;
    pub mod wrong_aws_identity;
    pub mod wrong_credential_name;
    pub mod wrong_google_trust;
    pub mod wrong_identity_binding;
    pub mod wrong_identity_id;
    pub mod wrong_subject_format;
}

use fedward_kit::policy::Policy;
use fedward_kit::rule::Rule;
pub use settings::Settings;

/// The policy.
pub static POLICY: Policy<Settings> = Policy {
    id: env!("CARGO_PKG_NAME"),
    summary: "token audiences, issuers and subjects are right and agree with each other",
    rules: &Rule::list([
        rules::account_without_credential::RULE,
        rules::audience_disagreement::RULE,
        rules::audience_of_other_cloud::RULE,
        rules::audience_of_other_provider::RULE,
        rules::broad_aws_trust::RULE,
        rules::broad_ci_trust::RULE,
        rules::credential_without_parent::RULE,
        rules::duplicate_credential::RULE,
        rules::issuer_not_allowed::RULE,
        rules::issuer_subject_mismatch::RULE,
        rules::missing_token_audience::RULE,
        rules::missing_vault_audience::RULE,
        rules::misspelt_audience::RULE,
        rules::not_one_audience::RULE,
        rules::parallel_credentials::RULE,
        rules::placeholder_value::RULE,
        rules::subject_and_claims_expression::RULE,
        rules::too_many_credentials::RULE,
        rules::two_aws_identities::RULE,
        rules::unexpected_token_audience::RULE,
        rules::unresolved_subject::RULE,
        rules::unsupported_identity_region::RULE,
        rules::unusable_issuer::RULE,
        rules::wrong_aks_issuer::RULE,
        rules::wrong_api_server_tokens::RULE,
        rules::wrong_authority_host::RULE,
        rules::wrong_aws_identity::RULE,
        rules::wrong_credential_name::RULE,
        rules::wrong_google_trust::RULE,
        rules::wrong_identity_binding::RULE,
        rules::wrong_identity_id::RULE,
        rules::wrong_subject_format::RULE,
        fedward_kit::rules::wrong_field_type::rule(),
    ]),
};

fedward_kit::export_policy!(POLICY);
