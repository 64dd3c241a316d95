//! Reports objects of kinds that Argo CD leaves out.
//!
//! ## What it does
//! Rendered objects are compared with `resource.exclusions` of the repository's `argocd-cm` or, if there is none, with the list that Argo CD
//! has been installed with since 3.0: Endpoints, EndpointSlices, Leases, reviews of access and tokens, requests for certificates, and what
//! Cilium and Kyverno write for themselves. An entry for certain clusters counts where the address of the Application's cluster is known.
//! With `resource.inclusions` nothing is reported.
//!
//! ## Why it is bad
//! The object is never applied. The Application has a warning, and is in sync all the same.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Endpoints
//! metadata: {name: database}
//! subsets: [{addresses: [{ip: 192.0.2.10}], ports: [{port: 5432}]}]
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: Service
//! metadata: {name: database}
//! spec: {type: ExternalName, externalName: database.internal.example}
//! ```
//!
//! ## References
//! Argo CD `manifests/base/config/argocd-cm.yaml`, `util/settings/filtered_resource.go`; `controller/state.go`: ExcludedResourceWarning.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};

const EXCLUDED: Condition = Condition::warning("excluded", "Argo CD does not deploy objects of this kind");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "excluded-kind",
    summary: "an object that Argo CD leaves out because of its kind",
    conditions: &[EXCLUDED],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let discovery = check.discovery;
    let Some(exclusions) = &discovery.settings.exclusions else { return Vec::new() };
    let mut reports = Vec::new();
    for application in &discovery.applications {
        let cluster = discovery.clusters.target(&application.destination);
        for resource in &application.resources {
            let (group, kind) = resource.manifest.kind();
            if !exclusions.hit(group, kind, cluster.server.as_deref()) {
                continue;
            }
            let whole = resource.manifest.group_kind();
            let whose = if exclusions.is_default { "as it is installed, " } else { "" };
            let message = format!(
                "{whose}Argo CD leaves out {whole}, so that `{}` of Application `{}` is never applied",
                resource.manifest.text("/metadata/name"),
                application.name
            );
            reports.push(
                Report::at(&EXCLUDED, &resource.manifest.place, message)
                    .help("leave the object out, or change `resource.exclusions` in ConfigMap `argocd-cm`"),
            );
        }
    }
    reports
}
