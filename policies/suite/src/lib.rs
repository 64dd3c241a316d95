//! All policies in one module: one webhook call for each request instead of one for each policy.

use fedward_kit::suite::Suite;

/// The suite.
pub static POLICY: Suite = Suite {
    id: env!("CARGO_PKG_NAME"),
    summary: "all policies of fedward in one, each of which can be turned off and has its own settings",
    parts: &[
        &enforce_audience_issuer::POLICY,
        &forbid_federated_cluster_admin::POLICY,
        &forbid_identity_sharing::POLICY,
        &forbid_static_credentials::POLICY,
        &require_identity_labels::POLICY,
        &verify_argocd_identity::POLICY,
        &verify_token_projection::POLICY,
    ],
};

fedward_kit::export_policy!(POLICY);
