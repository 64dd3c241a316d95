//! Reports Applications that their project does not permit.
//!
//! ## What it does
//! An Application is held to the project that it names, if the repository has exactly one of that name: repositories of its sources
//! (`sourceRepos`), its destination, its own namespace (`sourceNamespaces`, if it and the project both say in which namespace they are), and of
//! every rendered object the kind (lists of cluster and namespaced kinds) and the namespace. Argo CD's own comparison is used: URLs in HTTPS and SSH form differ, `*` in a repository's URL does not cross `/`, `!` denies, and no list of cluster
//! kinds permits none. Kinds of which nobody knows whether they have a namespace are left out, as are names of clusters whose address is not
//! known.
//!
//! ## Why it is bad
//! Argo CD refuses to sync the Application, or the object.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: AppProject
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   sourceRepos: ['git@git.example:team/*']
//!   destinations: [{server: https://kubernetes.default.svc, namespace: shop}]
//! ---
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   project: shop
//!   source: {repoURL: https://git.example/team/repo, path: shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: AppProject
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   sourceRepos: ['https://git.example/team/*']
//!   destinations: [{server: https://kubernetes.default.svc, namespace: shop}]
//! ---
//! apiVersion: argoproj.io/v1alpha1
//! kind: Application
//! metadata: {name: shop, namespace: argocd}
//! spec:
//!   project: shop
//!   source: {repoURL: https://git.example/team/repo, path: shop}
//!   destination: {server: https://kubernetes.default.svc, namespace: shop}
//! ```
//!
//! ## References
//! Argo CD `pkg/apis/application/v1alpha1/app_project_types.go`, `util/argo/argo.go`.

use std::collections::HashMap;

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::discovery::{Application, Parent};
use crate::project::Permissions;
use crate::url;
use crate::value::Value;

const SOURCE: Condition = Condition::error("source", "the project does not permit a source's repository");
const DESTINATION: Condition = Condition::error("destination", "the project does not permit the destination");
const OWN_NAMESPACE: Condition =
    Condition::error("application-namespace", "the project does not permit Applications in the namespace where the Application is");
const KIND: Condition = Condition::error("kind", "the project does not permit a kind");
const NAMESPACE: Condition = Condition::error("namespace", "the project does not permit the namespace of an object");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "forbidden-by-project",
    summary: "an Application, or an object of one, that its project does not permit",
    conditions: &[SOURCE, OWN_NAMESPACE, DESTINATION, KIND, NAMESPACE],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut projects: HashMap<&str, Option<(&Value, Permissions<'_>)>> = HashMap::new();
    for project in &check.discovery.projects {
        let known = || Permissions::of(&project.object).map(|permissions| (&project.object, permissions));
        // Several of one name are of several Argo CDs.
        projects.entry(&project.name).and_modify(|known| *known = None).or_insert_with(known);
    }
    let mut reports = Vec::new();
    for application in &check.discovery.applications {
        let Some(Some((project, permissions))) = projects.get(application.project.as_str()) else { continue };
        reports.extend(own_namespace(check, application, project, permissions));
        one(check, application, permissions, &mut reports);
    }
    reports
}

/// Projects are where Argo CD is; Applications elsewhere have to be permitted.
fn own_namespace(check: &Check<'_>, application: &Application, project: &Value, permissions: &Permissions<'_>) -> Option<Report> {
    let written = |object: &'_ Value| object.at(&["metadata", "namespace"]).cloned().filter(|namespace| namespace.as_str() != Some(""));
    let set = application.parents.iter().find_map(|parent| if let Parent::Set(at) = parent { check.discovery.sets.get(*at) } else { None });
    // The Applications of a set are where the set is; what the set does not say, nobody knows.
    let own = written(set.map_or(&application.object, |set| &set.object))?;
    let (namespace, home) = (own.as_str().unwrap_or_default(), written(project)?);
    if Some(namespace) == home.as_str() || permissions.permits_application_in(namespace) {
        return None;
    }
    let message = format!("project `{}` does not permit Applications in namespace `{namespace}`", application.project);
    let report = Report::at(&OWN_NAMESPACE, &own.place, message).help("add the namespace to the project's `sourceNamespaces`");
    Some(report.related(permissions.place("sourceNamespaces"), "what the project permits"))
}

fn one(check: &Check<'_>, application: &Application, permissions: &Permissions<'_>, reports: &mut Vec<Report>) {
    let name = &application.project;
    for source in &application.sources {
        let Some(repository) = source.spec.get("repoURL") else { continue };
        let url = repository.as_str().unwrap_or_default();
        if !permissions.permits_source(url) {
            let message = format!("project `{name}` does not permit repository `{}`", url::shown(url));
            let report = Report::at(&SOURCE, &repository.place, message);
            reports.push(report.related(permissions.place("sourceRepos"), "what the project permits"));
        }
    }
    let cluster = check.discovery.clusters.target(&application.destination);
    let Some(written) = application.object.at(&["spec", "destination"]) else { return };
    let namespace = &application.destination.namespace;
    if permissions.permits_destination(&cluster, namespace) == Some(false) {
        let message = format!("project `{name}` does not permit cluster `{}` with namespace `{namespace}`", cluster.id());
        let report = Report::at(&DESTINATION, &written.place, message);
        reports.push(report.related(permissions.place("destinations"), "what the project permits"));
        return;
    }
    for resource in &application.resources {
        let Some(namespaced) = resource.namespaced else { continue };
        let (group, kind) = resource.manifest.kind();
        if !permissions.permits_kind(group, kind, resource.manifest.text("/metadata/name"), namespaced) {
            let whole = resource.manifest.group_kind();
            let list = if namespaced { "namespaceResourceWhitelist" } else { "clusterResourceWhitelist" };
            let message = format!("project `{name}` of Application `{}` does not permit {whole}", application.name);
            let report = Report::at(&KIND, &resource.manifest.place, message);
            reports.push(report.related(permissions.place(list), "what the project permits"));
        } else if namespaced && permissions.permits_destination(&cluster, &resource.namespace) == Some(false) {
            let message =
                format!("project `{name}` of Application `{}` does not permit namespace `{}`", application.name, resource.namespace);
            let report = Report::at(&NAMESPACE, &resource.manifest.place, message);
            reports.push(report.related(permissions.place("destinations"), "what the project permits"));
        }
    }
}
