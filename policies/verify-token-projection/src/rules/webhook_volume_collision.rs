//! Reports volumes and mounts that collide with those that Azure's webhook adds.
//!
//! ## What it does
//! Looks at pods with the label `azure.workload.identity/use: "true"`.
//!
//! A webhook up to v1.5.1 looks for a token with the path `azure-identity-token` in the pod. If there is one, it adds no volume, but still
//! mounts one named `azure-identity-token`, at `/var/run/secrets/azure/tokens` (up to v0.7 at `/var/run/secrets/tokens`). Reported are
//! - a volume of another name that has this token, where none is named `azure-identity-token`;
//! - a volume of that name without such a token in the pod, since the webhook adds its own;
//! - a mount of another volume at that folder.
//!
//! From v1.6.0 on only a mount of one's own at `/var/run/secrets/azure/wi` collides.
//!
//! It is an error where the webhook's version is known, from its Deployment in the checked set or in the cluster, otherwise a warning. AKS'
//! own builds have the changes of v1.6.0 earlier, so that with them only the last case is reported, as a warning. Containers that the pod
//! tells the webhook to skip have no mounts added.
//!
//! ## Why it is bad
//! The API server refuses the pod: a mount without a volume, two volumes of one name, or two mounts at one path. The Deployment is accepted,
//! and no pod appears.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   volumes:
//!     - name: own-token
//!       projected:
//!         sources:
//!           - serviceAccountToken:
//!               path: azure-identity-token
//!               audience: api://AzureADTokenExchange
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! spec:
//!   volumes: []
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` before v1.6.0 (`addProjectedTokenVolumeMount`,
//! `addProjectedServiceAccountTokenVolume`) and from then on (`addProjectedVolumeMount`, `addProjectedVolume`).

use fedward_kit::identity::{AZURE_SKIP, AZURE_USE, is_labelled, is_skipped};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{Container, Pod};

use crate::mounts::{is_folder, mounts, tokens_of};
use crate::pods::{NEW, NEW_FOLDER, NEW_PREFIX, OLD_NAME, Webhook};
use crate::settings::Settings;

const REFUSED: Condition = Condition::error("refused", "the webhook of the set has the version that collides");
const PERHAPS: Condition = Condition::warning(
    "perhaps-refused",
    "the webhook's version is not known or a later one, or the object is a base that something patches",
);

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "webhook-volume-collision",
    summary: "a volume or mount collides with what Azure's webhook adds",
    conditions: &[REFUSED, PERHAPS],
    supersedes: &["label-and-own-token"],
    check,
};

const HELP_VOLUME: &str = "remove the volume and leave the token to the webhook, or remove the label";
const HELP_MOUNT: &str = "mount it elsewhere, or remove it and leave the token to the webhook";

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods().iter().filter(|pod| is_labelled(pod)) {
        let containers: Vec<_> = pod.containers.iter().copied().filter(|container| !is_skipped(pod, AZURE_SKIP, *container)).collect();
        let webhook = Webhook::of(cx, pod.node);
        if !webhook.acts_on(cx, pod) {
            continue;
        }
        if webhook.may_be_old() {
            let mounted = volumes(cx, pod, webhook, &containers);
            let folder = match webhook {
                Webhook::Version(version, _) if version < (0, 8, 0) => "/var/run/secrets/tokens",
                _ => "/var/run/secrets/azure/tokens",
            };
            for container in containers.iter().filter(|container| !has_mount(**container)) {
                let others = mounts(*container).filter(|mount| mounted.is_none() || mount.text("name") != mounted);
                at_folder(cx, pod, webhook, others, folder);
            }
        }
        if webhook.may_be_new() {
            for container in &containers {
                let own = |mount: &Node<'_>| !mount.text("name").is_some_and(|name| name.starts_with(NEW_PREFIX));
                at_folder(cx, pod, webhook, mounts(*container).filter(own), NEW_FOLDER);
            }
        }
    }
}

/// Whether the container has a mount of the webhook's name, to which it adds none.
fn has_mount(container: Container<'_>) -> bool {
    mounts(container).any(|mount| mount.text("name") == Some(OLD_NAME))
}

/// Collisions of volumes, up to v1.5.1. Gives the name of the volume whose token keeps the webhook from adding its own.
fn volumes<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, webhook: Webhook<'a>, containers: &[Container<'a>]) -> Option<&'a str> {
    let of_name = pod.volumes.iter().find(|volume| volume.text("name") == Some(OLD_NAME));
    let with_token = pod.volumes.iter().find(|volume| tokens_of(**volume).iter().any(|token| token.path.str() == Some(OLD_NAME)));
    let who = if webhook.image().is_some() { "the webhook" } else { "a webhook before v1.6.0" };
    match (of_name, with_token) {
        (Some(volume), None) => {
            let message = format!("{who} adds a volume `{OLD_NAME}` as well, so that the API server refuses the pod");
            report(cx, pod, webhook, volume.get("name"), message, "give the volume another name, or remove it");
            None
        }
        (None, Some(volume)) if containers.iter().any(|container| !has_mount(*container)) => {
            let message = format!(
                "{who} takes the token `{OLD_NAME}` of this volume for its own and mounts a volume `{OLD_NAME}`, which does not exist: the API server refuses the pod"
            );
            report(cx, pod, webhook, volume.get("name"), message, HELP_VOLUME);
            volume.text("name")
        }
        _ => None,
    }
}

/// Mounts at the folder where the webhook mounts as well.
fn at_folder<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, webhook: Webhook<'a>, mounts: impl Iterator<Item = Node<'a>>, folder: &str) {
    for mount in mounts {
        let path = mount.get("mountPath");
        if path.str().is_some_and(|path| is_folder(path, folder)) {
            let who = match folder == NEW_FOLDER {
                _ if is_certain(webhook) => "the webhook",
                true => "webhook v1.6.0",
                false => "a webhook before v1.6.0",
            };
            let message = format!("{who} mounts its token at `{folder}` as well, so that the API server refuses the pod");
            report(cx, pod, webhook, path, message, HELP_MOUNT);
        }
    }
}

/// Whether what the webhook does is known. Later builds than v1.6.0 mount below that folder.
fn is_certain(webhook: Webhook<'_>) -> bool {
    matches!(webhook, Webhook::Version(version, _) if version <= NEW)
}

fn report<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, webhook: Webhook<'a>, node: Node<'a>, message: String, help: &str) {
    let report = Report::new(if is_certain(webhook) && cx.request.is_final { &REFUSED } else { &PERHAPS }, node, message)
        .help(help)
        .related(pod.label(AZURE_USE), "the label");
    cx.report(match webhook.image() {
        Some(image) => report.related(image, "the webhook's version"),
        None => report,
    });
}
