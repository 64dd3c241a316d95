//! Reports passwords of container registries that nodes and pods could sign in to with an identity.
//!
//! ## What it does
//! Looks into Secrets of the types `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg` for a login to a registry of a cloud
//! (`*.azurecr.io`, `*.dkr.ecr.*.amazonaws.com`, `*.pkg.dev`, `gcr.io`, also of the national clouds), with `auth`, `password` or
//! `identitytoken`. An entry of `credHelpers` or `credsStore` is none: a helper signs in with what the machine has. Tokens that last some
//! hours, which the user says (`AWS`, `oauth2accesstoken`, Azure's zero GUID), are a warning: something renews them.
//!
//! A Secret mounted at `/kaniko/.docker` is an error if the files say that it has such a login, a warning if its content is not known;
//! a ConfigMap there, or an empty volume, is right. Offline only: in a cluster the policy reads no other Secrets. `imagePullSecrets` of a
//! pod whose images come from such a registry are a note.
//!
//! ## Why it is bad
//! A registry password in a Secret is the same for every node and namespace that it is copied to, rarely expires, and often may push as
//! well as pull. The clouds let the kubelet pull with the node's identity, and builds push with the pod's.
//!
//! ## Example
//! ```yaml
//! kind: Secret
//! type: kubernetes.io/dockerconfigjson
//! metadata:
//!   name: shop-registry
//! stringData:
//!   .dockerconfigjson: |
//!     {"auths": {"shop.azurecr.io": {"username": "shop", "password": "…"}}}
//! ```
//!
//! ## Use instead
//! No Secret: the cluster's identity gets the right to pull (`az aks update --attach-acr`, the policy
//! `AmazonEC2ContainerRegistryPullOnly`, the role `roles/artifactregistry.reader`), and what pushes has a workload identity and a
//! credential helper:
//!
//! ```yaml
//! kind: ConfigMap
//! metadata:
//!   name: builder-docker
//! data:
//!   config.json: |
//!     {"credHelpers": {"shop.azurecr.io": "acr-env"}}
//! ```
//!
//! ## Settings
//! `allowedSecretNames`
//!
//! ## References
//! Kubernetes: "Pull an Image from a Private Registry", kubelet credential providers; AKS: "Authenticate with Azure Container Registry";
//! kaniko: "Pushing to Azure Container Registry".

use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Container, Pod};

use crate::mounts;
use crate::registry::{self, KEYS, Login};
use crate::settings::Settings;
use crate::stored;

const LOGIN: Condition = Condition::error("login", "a Secret holds a password of a cloud's registry");
const MOUNTED: Condition = Condition::error("mounted", "a Secret with one is mounted where kaniko looks for logins");
const SHORT: Condition = Condition::warning("short-lived", "a Secret holds a token of a cloud's registry that lasts some hours");
const UNKNOWN: Condition = Condition::warning("unknown", "a Secret that is not known is mounted where kaniko looks for logins");
const PULLS: Condition = Condition::info("pull-secret", "a pod has a pull secret, and an image of a cloud's registry");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "static-registry-login",
    summary: "a password of a container registry is stored where the cloud's identity could sign in",
    conditions: &[LOGIN, MOUNTED, SHORT, UNKNOWN, PULLS],
    supersedes: &[],
    check,
};

fn check<'a>(cx: &Check<'a, Settings>) {
    if let Some(secret) = stored::secret_under(cx) {
        let key = match secret.text("type") {
            Some("kubernetes.io/dockerconfigjson") => KEYS[0],
            Some("kubernetes.io/dockercfg") => KEYS[1],
            _ => return,
        };
        registry::logins(secret, key).iter().for_each(|login| stored_login(cx, login));
        return;
    }
    for pod in cx.pods().iter().filter(|pod| pod.node.foreign().is_none()) {
        pull_secret(cx, pod);
        for container in &pod.containers {
            kaniko(cx, pod, *container);
        }
    }
}

fn stored_login<'a>(cx: &Check<'a, Settings>, login: &Login<'a>) {
    let (registry, cloud) = (login.registry, login.cloud.name());
    let report = if login.is_short_lived {
        Report::new(&SHORT, login.node, format!("the Secret holds a token for `{registry}`, a registry of {cloud}, that lasts some hours"))
            .help("let nodes pull, and pods push, with their identity, so that nothing has to renew it")
    } else {
        Report::new(&LOGIN, login.node, format!("the Secret holds a password for `{registry}`, a registry of {cloud}"))
            .help("let nodes pull with their identity, and pods push with a workload identity and a credential helper")
    };
    cx.report(report.on_key());
}

fn pull_secret<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) {
    let allowed = |name: Option<&str>| name.is_some_and(|name| cx.settings.allows_secret(pod.namespace, name));
    let Some(secret) = pod.spec.get("imagePullSecrets").items().map(|entry| entry.get("name")).find(|name| !allowed(name.str())) else {
        return;
    };
    let cloud = |container: &Container<'a>| {
        let image = container.node.get("image");
        Some((image, registry::cloud_of(registry::host_of_image(image.str()?))?))
    };
    let Some((image, cloud)) = pod.containers.iter().find_map(cloud) else { return };
    let message = format!("the pod pulls from a registry of {} with a Secret", cloud.name());
    cx.report(
        Report::new(&PULLS, secret, message).help("let the nodes pull with their identity").related(image, "an image of that registry"),
    );
}

/// Where kaniko looks for Docker's configuration.
const KANIKO: &str = "/kaniko/.docker/config.json";

fn kaniko<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, container: Container<'a>) {
    let mounts = || container.node.get("volumeMounts").items();
    if !mounts().any(|mount| mount.text("mountPath").is_some_and(|path| path.starts_with("/kaniko"))) {
        return;
    }
    let Some(mounted) = mounts::secret_at(pod, container, KANIKO) else { return };
    if cx.settings.allows_secret(pod.namespace, mounted.name) {
        return;
    }
    let what = format!("container `{}` pushes with logins of Secret `{}`", container.name, mounted.name);
    let help = "mount a ConfigMap that names a credential helper, and let the pod sign in with a workload identity";
    let Some(secret) = stored::secret(cx, pod.namespace, mounted.name, mounted.source) else {
        cx.report(Report::new(&UNKNOWN, mounted.source, what).help(help));
        return;
    };
    if let Some(login) = registry::logins(secret, mounted.key).into_iter().find(|login| !login.is_short_lived) {
        let message = format!("{what}, which has a password for `{}`, a registry of {}", login.registry, login.cloud.name());
        cx.report(Report::new(&MOUNTED, mounted.source, message).help(help).related(secret.get("metadata").get("name"), "the Secret"));
    }
}
