//! Reports token paths of older Azure webhooks, written out by hand.
//!
//! ## What it does
//! In pods with the Azure label, the paths `/var/run/secrets/azure/tokens…` and `/var/run/secrets/tokens/azure-identity-token` are
//! reported where they stand in the environment, the command, the arguments, the script of an Argo or Tekton step, or a ConfigMap that the pod uses, unless a
//! volume of the pod's own is mounted there.
//!
//! ## Why it is bad
//! The webhook mounts the token elsewhere from v1.6.0 on (and AKS has it earlier): the file is not there any more. The path that is
//! right stands in `AZURE_FEDERATED_TOKEN_FILE`, which the webhook sets.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//!   containers:
//!     - name: api
//!       args: [--token-file=/var/run/secrets/azure/tokens/azure-identity-token]
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   serviceAccountName: api
//!   containers:
//!     - name: api
//!       args: [--token-file=$(AZURE_FEDERATED_TOKEN_FILE)]
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/consts.go` before and after v1.6.0, release notes of v1.6.0.

use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::projection::join;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Container, Pod};

use crate::pods::is_labelled;
use crate::settings::Settings;

const LITERAL: Condition = Condition::warning("literal", "a labelled pod names the path where older webhooks mounted the token");
const CONFIG: Condition = Condition::warning("config-map", "a ConfigMap that a labelled pod uses names it");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "hard-coded-token-path",
    summary: "a pod names the path where older Azure webhooks mounted the token",
    conditions: &[LITERAL, CONFIG],
    supersedes: &["env-shadows-identity"],
    check,
};

const PATHS: [&str; 2] = ["/var/run/secrets/azure/tokens", "/var/run/secrets/tokens/azure-identity-token"];
const HELP: &str = "read the path from `AZURE_FEDERATED_TOKEN_FILE`, which the webhook sets";

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods().iter().filter(|pod| is_labelled(pod) && pod.node.in_request()) {
        for container in &pod.containers {
            let node = container.node;
            let texts = node.get("env").items().map(|entry| entry.get("value"));
            let texts =
                texts.chain(node.get("command").items()).chain(node.get("args").items()).chain([node.get("source"), node.get("script")]);
            for text in texts {
                if let Some(path) = text.str().and_then(old_path).filter(|path| !is_covered(*container, path)) {
                    let message = format!("`{path}` is where older webhooks mounted the token: from v1.6.0 on it is elsewhere");
                    cx.report(Report::new(&LITERAL, text, message).help(HELP));
                }
            }
        }
        config_maps(cx, pod);
    }
}

fn config_maps<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) {
    let mut names: Vec<Node<'a>> = Vec::new();
    for volume in &pod.volumes {
        names.push(volume.get("configMap").get("name"));
        names.extend(volume.get("projected").get("sources").items().map(|source| source.get("configMap").get("name")));
    }
    for container in &pod.containers {
        names.extend(container.node.get("envFrom").items().map(|source| source.get("configMapRef").get("name")));
        names.extend(container.node.get("env").items().map(|entry| entry.get("valueFrom").get("configMapKeyRef").get("name")));
    }
    for name in names {
        let Some(text) = name.filled() else { continue };
        let object = ObjectRef { api_version: "v1", kind: "ConfigMap", namespace: pod.namespace, name: text };
        let Some(config) = cx.context.get(object, name).found() else { continue };
        let found = config.get("data").entries().find_map(|(_, value)| Some((value, value.peek_str().and_then(old_path)?)));
        if let Some((value, path)) = found.filter(|(_, path)| !pod.containers.iter().any(|container| is_covered(*container, path))) {
            let message =
                format!("the ConfigMap `{text}` names `{path}`, where older webhooks mounted the token: from v1.6.0 on it is elsewhere");
            cx.report(Report::new(&CONFIG, name, message).help(HELP).related(value, "the path"));
        }
    }
}

fn old_path(text: &str) -> Option<&'static str> {
    PATHS.into_iter().find(|path| text.contains(path))
}

/// Whether the container mounts a volume of its own where the path leads.
fn is_covered(container: Container<'_>, path: &str) -> bool {
    container.node.get("volumeMounts").items().filter_map(|mount| mount.text("mountPath")).any(|mount| {
        let mount = join(mount, "");
        mount != "/" && path.strip_prefix(mount.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
