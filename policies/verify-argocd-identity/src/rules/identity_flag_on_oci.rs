//! Reports OCI repositories of Argo CD with `useAzureWorkloadIdentity`, which counts for nothing there.
//!
//! ## What it does
//! A repository, or a template of credentials, with the flag is reported if its type is `oci`, or if its address begins with `oci://` and
//! its type is not `helm`. Helm charts in a registry are read with the type `helm` and `enableOCI: "true"`, and there the flag works.
//!
//! ## Why it is bad
//! Argo CD reads an OCI artifact with `username` and `password` only. It asks the registry without signing in, and gets 401.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   type: oci
//!   url: oci://harbour.azurecr.io/charts/shop
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   type: helm
//!   name: charts
//!   url: harbour.azurecr.io/charts
//!   enableOCI: "true"
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## References
//! Argo CD: `pkg/apis/application/v1alpha1/repository_types.go` (`GetOCICreds`); "Private Repositories".

use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::registered::{Address, FLAG, Protocol, Repository};
use crate::settings::Settings;

const IGNORED: Condition = Condition::error("ignored", "Argo CD does not heed the flag for OCI repositories");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "identity-flag-on-oci",
    summary: "an OCI repository has `useAzureWorkloadIdentity`, which counts for nothing there",
    conditions: &[IGNORED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(repository) = Repository::with_identity(cx) else { return };
    let is_oci_url = || repository.url.text().is_some_and(|url| Address::of(url).scheme.eq_ignore_ascii_case("oci"));
    if repository.protocol == Protocol::Oci || repository.protocol == Protocol::Git && is_oci_url() {
        let reason = if repository.protocol == Protocol::Oci { "type" } else { "url" };
        cx.report(
            Report::new(&IGNORED, repository.secret.field(FLAG), format!("`{FLAG}` counts for nothing in an OCI repository"))
                .help("for Helm charts take `type: helm`, `enableOCI: \"true\"` and an address without scheme")
                .related(repository.secret.field(reason), "what makes it one")
                .on_key(),
        );
    }
}
