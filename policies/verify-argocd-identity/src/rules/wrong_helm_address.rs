//! Reports Helm repositories with a workload identity whose address Argo CD cannot sign in to.
//!
//! ## What it does
//! Argo CD signs in to a registry of Helm charts with its workload identity if the type is `helm`, `enableOCI` is `"true"` and the address
//! has no scheme. With `useAzureWorkloadIdentity: "true"` a scheme in the address, and an `enableOCI` that is not true, are errors.
//!
//! ## Why it is bad
//! Argo CD takes what stands before the first `/` for the registry. Of `https://harbour.azurecr.io/charts` that is `https:`, which is no
//! host, and without `enableOCI` it looks for an `index.yaml`, which registries of Azure no longer have.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   type: helm
//!   name: charts
//!   url: https://harbour.azurecr.io/charts
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
//! Argo CD: "Private Repositories" (Azure container registry); `util/helm/creds.go` (`AzureWorkloadIdentityCreds`).

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::registered::{Known, Protocol, Repository};
use crate::settings::Settings;

const SCHEME: Condition = Condition::error("scheme", "the address has a scheme");
const NOT_OCI: Condition = Condition::error("not-oci", "`enableOCI` is not true");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-helm-address",
    summary: "Argo CD cannot sign in to a Helm repository with its workload identity",
    conditions: &[SCHEME, NOT_OCI],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(repository) = Repository::with_identity(cx).filter(|repository| repository.protocol == Protocol::Helm) else { return };
    let secret = &repository.secret;
    if repository.url.text().is_some_and(|url| url.contains("://")) {
        cx.report(
            Report::new(&SCHEME, secret.field("url"), "Argo CD takes the scheme for the registry's name")
                .help("write the address without scheme: registry and path"),
        );
    }
    let is_missing = match secret.known("enableOCI") {
        Known::Absent => cx.request.is_final,
        Known::Text(_) => !repository.is_true("enableOCI"),
        Known::No => false,
    };
    if is_missing {
        let report = Report::new(&NOT_OCI, secret.field("enableOCI"), "`enableOCI` is not true: the workload identity is of no use there")
            .help("set `enableOCI: \"true\"`");
        cx.report(if secret.value("type").is_verbatim() { report.fix(PatchStep::set(secret.value("enableOCI"), "true")) } else { report });
    }
}
