//! Reports repositories, clusters and sign-ins of Argo CD that need a workload identity which Argo CD's pods do not get.
//!
//! ## What it does
//! * A repository with `useAzureWorkloadIdentity: "true"` needs it in the pods of `argocd-repo-server`. For Helm charts in a registry of
//!   Azure, these pods also need the variable `AZURE_ARM_TOKEN_RESOURCE`.
//! * A cluster with `argocd-k8s-auth azure` needs it in the pods of `argocd-application-controller` and `argocd-server`.
//! * `azure.useWorkloadIdentity: true` in the `oidc.config` of `argocd-cm` needs it in the pods of `argocd-server`.
//!
//! The pods have it if they carry the label `azure.workload.identity/use: "true"`, or project a token themselves. Nothing is said where
//! they are not known under these names in the same namespace, of bases that something patches, and of repositories that are not read
//! with the identity after all: a credential wins (`credential-beside-identity`), or the type is `oci` (`identity-flag-on-oci`).
//!
//! ## Why it is bad
//! Argo CD finds no file with a token, and the sign-in fails: "no client ID specified", or for registries AADSTS500011, since the token is
//! one for another service.
//!
//! ## Example
//! ```yaml
//! kind: Deployment
//! metadata:
//!   name: argocd-repo-server
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app.kubernetes.io/name: argocd-repo-server
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Deployment
//! metadata:
//!   name: argocd-repo-server
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app.kubernetes.io/name: argocd-repo-server
//!         azure.workload.identity/use: "true"
//!     spec:
//!       containers:
//!         - name: argocd-repo-server
//!           env:
//!             - name: AZURE_ARM_TOKEN_RESOURCE # for Helm charts in a registry of Azure
//!               value: https://containerregistry.azure.net
//! ```
//!
//! ## References
//! Argo CD: "Private Repositories" (Azure workload identity), "Declarative Setup" (AKS), "Microsoft" (workload identity).

use fedward_kit::identity::AZURE_USE;
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::value::Value;

use crate::cluster::{Cluster, Login};
use crate::credentials::BEFORE_IDENTITY;
use crate::pods::{self, CONTROLLER, Part, REPO_SERVER, SERVER};
use crate::registered::{Address, FLAG, Protocol, Repository};
use crate::settings::Settings;

const TOKEN: Condition = Condition::warning("no-token", "the pods that sign in get no token");
const RESOURCE: Condition = Condition::warning("no-token-resource", "the pods that read a registry do not ask for its tokens");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "argocd-pod-without-identity",
    summary: "Argo CD is to sign in with a workload identity that its pods do not get",
    conditions: &[TOKEN, RESOURCE],
    supersedes: &[],
    check,
};

const TOKEN_RESOURCE: &str = "AZURE_ARM_TOKEN_RESOURCE";

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final {
        return;
    }
    if let Some(repository) = Repository::with_identity(cx) {
        if !is_read_with_identity(&repository) {
            return;
        }
        let flag = repository.secret.field(FLAG);
        needs(cx, REPO_SERVER, flag);
        check_resource(cx, &repository, flag);
    } else if let Some(config) = Cluster::under(cx).and_then(|cluster| cluster.config()) {
        if let Some(login) = Login::of(config).filter(Login::is_azure) {
            needs(cx, CONTROLLER, login.cloud());
            needs(cx, SERVER, login.cloud());
        }
    } else if cx.is("", "ConfigMap") && cx.request.name == "argocd-cm" {
        let Ok(config) = cx.object.peek("data").peek("oidc.config").open(Format::Yaml) else { return };
        let switch = config.peek("azure").peek("useWorkloadIdentity");
        if switch.value() == Some(&Value::Bool(true)) {
            needs(cx, SERVER, switch);
        }
    }
}

/// Whether the flag counts: for Git a credential may win over it, and for OCI it means nothing.
fn is_read_with_identity(repository: &Repository<'_>) -> bool {
    match repository.protocol {
        Protocol::Git => !BEFORE_IDENTITY.iter().any(|way| way.is_in(&repository.secret)),
        Protocol::Oci => false,
        Protocol::Helm | Protocol::NotKnown => true,
    }
}

fn needs<'a>(cx: &Check<'a, Settings>, part: Part, node: Node<'a>) {
    let Some(pod) = part.pod(cx, node).filter(|pod| !pods::has_token(pod)) else { return };
    cx.report(
        Report::new(&TOKEN, node, format!("the pods of `{}` sign in with this, and get no token", part.name))
            .help(format!("give them the label `{AZURE_USE}: \"true\"`, and their service account the client id"))
            .related(pod.label(AZURE_USE), "where the label belongs"),
    );
}

fn check_resource<'a>(cx: &Check<'a, Settings>, repository: &Repository<'a>, flag: Node<'a>) {
    let is_registry = repository.protocol == Protocol::Helm && repository.url.text().is_some_and(|url| Address::of(url).is_registry());
    let Some(pod) = Some(REPO_SERVER).filter(|_| is_registry).and_then(|part| part.pod(cx, flag)) else { return };
    let containers = || pod.containers.iter().filter(|container| !container.init);
    let is_set = containers().any(|container| container.env(TOKEN_RESOURCE).is_some() || container.has_env_from());
    if let Some(container) = containers().next().filter(|_| !is_set) {
        cx.report(
            Report::new(
                &RESOURCE,
                flag,
                format!("the pods of `{}` do not set `{TOKEN_RESOURCE}`: the registry refuses their token", REPO_SERVER.name),
            )
            .help(format!("set `{TOKEN_RESOURCE}` to `https://containerregistry.azure.net` there"))
            .related(container.node.peek("env"), "where the variable belongs"),
        );
    }
}
