//! Reports sources of Flux that have a cloud's provider and a stored credential.
//!
//! ## What it does
//! A `GitRepository`, `OCIRepository`, `HelmRepository`, `Bucket` or `ImageRepository` with `provider: azure`, `aws` or `gcp` and a
//! `secretRef` is a warning. `certSecretRef` and `proxySecretRef` are something else.
//!
//! ## Why it is bad
//! With the provider, Flux signs in with the workload identity of its controller. Beside a Secret it depends on the kind and the version
//! which of the two counts; the other is a credential that nobody needs.
//!
//! ## Example
//! ```yaml
//! kind: OCIRepository
//! spec:
//!   url: oci://harbour.azurecr.io/shop
//!   provider: azure
//!   secretRef:
//!     name: registry
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: OCIRepository
//! spec:
//!   url: oci://harbour.azurecr.io/shop
//!   provider: azure
//! ```
//!
//! ## References
//! Flux: `source.toolkit.fluxcd.io` and `image.toolkit.fluxcd.io` references (`provider`, `secretRef`).

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::settings::Settings;

const BOTH: Condition = Condition::warning("both", "a provider and a `secretRef` stand together");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "flux-source-with-secret",
    summary: "a source of Flux has a cloud's provider and a stored credential",
    conditions: &[BOTH],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let is_source = match cx.request.group {
        "source.toolkit.fluxcd.io" => matches!(cx.request.kind, "GitRepository" | "OCIRepository" | "HelmRepository" | "Bucket"),
        "image.toolkit.fluxcd.io" => cx.request.kind == "ImageRepository",
        _ => false,
    };
    if !is_source {
        return;
    }
    let spec = cx.object.get("spec");
    let (provider, secret) = (spec.get("provider"), spec.get("secretRef"));
    let Some(cloud) = provider.str().filter(|cloud| matches!(*cloud, "azure" | "aws" | "gcp")) else { return };
    if secret.get("name").filled().is_some() {
        cx.report(
            Report::new(&BOTH, secret, format!("a Secret stands beside `provider: {cloud}`, which signs in with the workload identity"))
                .help("remove `secretRef`, and delete the Secret where nothing else needs it")
                .related(provider, "the provider")
                .on_key()
                .fix(PatchStep::remove(secret)),
        );
    }
}
