//! Reports tokens without a mount, mounts without a volume, and variables that name a file which nothing mounts.
//!
//! ## What it does
//! Three parts make a token that a pod projects by hand: a volume, a mount, and a variable that names the file. Reported are
//! - a mount for a token (it bears a webhook's name, lies in a webhook's folder, or holds the file that a variable names) of a volume that
//!   the pod does not have. In a WorkflowTemplate it is only noted, since the caller may have the volume;
//! - `AZURE_FEDERATED_TOKEN_FILE` or `AWS_WEB_IDENTITY_TOKEN_FILE` with a file that no mount covers. It is an error for Azure under
//!   `/var/run/secrets`, where nothing but a mount puts files. Elsewhere the container may write the file itself, and for AWS a webhook
//!   may mount it after all: a warning;
//! - a volume with a token for a cloud that no container mounts.
//!
//! A token that a webhook will mount is no such case: the pod has the Azure label, or its service account a role of AWS. (In the template
//! of a Deployment and the like a mount needs its volume all the same: the API server looks at it before any webhook sees the pod.) Nor are
//! volumes of `volumeClaimTemplates`, bases that a kustomization patches, and pods to which an operator or a patch of a workflow may add the
//! rest. Where the label is what is missing, because the service account names an Azure identity, `missing-azure-label` says so.
//!
//! ## Why it is bad
//! The API server refuses a pod with a mount that has no volume. In the other cases the pod starts, and the SDK finds no token.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//! spec:
//!   containers:
//!     - name: api
//!       env:
//!         - name: AZURE_FEDERATED_TOKEN_FILE
//!           value: /var/run/secrets/tokens/azure-identity-token
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//! spec:
//!   containers:
//!     - name: api
//!       env:
//!         - name: AZURE_FEDERATED_TOKEN_FILE
//!           value: /var/run/secrets/tokens/azure-identity-token
//!       volumeMounts:
//!         - name: token
//!           mountPath: /var/run/secrets/tokens
//!   volumes:
//!     - name: token
//!       projected:
//!         sources:
//!           - serviceAccountToken:
//!               path: azure-identity-token
//!               audience: api://AzureADTokenExchange
//! ```
//!
//! ## References
//! Kubernetes, "Configure service accounts for pods" (token volume projection); kubernetes/kubernetes:
//! `pkg/apis/core/validation/validation.go` (`ValidateVolumeMounts`).

use fedward_kit::context::Lookup;
use fedward_kit::identity::{self, AZURE_USE, Provider, is_labelled};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::ByName;
use fedward_kit::workload::{Container, Pod};
use fedward_kit::{audience, index, token_use};

use crate::mounts::{FILES, OWN_TOKEN, Volumes, covering, inside, is_patched, mounts, tidy};
use crate::pods::{KEPT, NEW_PREFIX, OLD_NAME, Webhook, is_whole};
use crate::settings::Settings;

const NO_VOLUME: Condition = Condition::error("mount-without-volume", "a mount for a token is of a volume that the pod does not have");
const CALLER: Condition = Condition::info("volume-of-the-caller", "the same in a WorkflowTemplate, whose caller may have the volume");
const NO_MOUNT: Condition =
    Condition::error("file-without-mount", "a variable names a file that only a mount can put there, and there is none");
const PERHAPS: Condition = Condition::warning("file-perhaps-from-elsewhere", "a variable names a file that nothing is seen to put there");
const UNUSED: Condition = Condition::warning("volume-without-mount", "no container mounts a token for a cloud");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "dangling-token",
    summary: "a token has no mount, a mount no volume, or a variable names a file that nothing mounts",
    conditions: &[NO_VOLUME, CALLER, NO_MOUNT, PERHAPS, UNUSED],
    supersedes: &[],
    check,
};

/// Folders in which webhooks mount tokens, or did.
const FOLDERS: [&str; 4] =
    ["/var/run/secrets/azure", "/var/run/secrets/tokens", "/var/run/secrets/eks.amazonaws.com", "/var/run/secrets/pods.eks.amazonaws.com"];

fn check(cx: &Check<'_, Settings>) {
    // What a base lacks may come from the patch; what becomes of both is judged, too.
    if !cx.request.is_final {
        return;
    }
    for pod in cx.pods() {
        let volumes = Volumes::of(pod);
        for container in &pod.containers {
            let files = FILES.map(|(variable, provider)| {
                let (node, written) = token_use::literal(*container, variable).filter(|(node, _)| node.in_request())?;
                Some((variable, provider, node, tidy(written)?))
            });
            if is_whole(pod) || pod.workflow.is_some() {
                for mount in mounts(*container).filter(|mount| mount.in_request()) {
                    let is_named = |folder: &str| files.iter().flatten().any(|(.., file)| inside(folder, file).is_some());
                    without_volume(cx, pod, *container, &volumes, mount, &is_named);
                }
            }
            for (variable, provider, node, file) in files.iter().flatten() {
                without_mount(cx, pod, *container, (variable, *provider), *node, file);
            }
        }
    }
    unused(cx);
}

fn without_volume<'a>(
    cx: &Check<'a, Settings>,
    pod: &Pod<'a>,
    container: Container<'a>,
    volumes: &Volumes<'_, 'a>,
    mount: Node<'a>,
    is_named: &dyn Fn(&str) -> bool,
) {
    let Some(name) = mount.get("name").filled() else { return };
    let folder = mount.text("mountPath").and_then(tidy);
    let is_for_token =
        is_reserved(name) || folder.is_some_and(|folder| FOLDERS.iter().any(|known| inside(known, &folder).is_some()) || is_named(&folder));
    // The API server looks at a template as it is: webhooks see only pods.
    let may_come_later = || !is_checked_template(pod) && may_be_injected(cx, pod, name);
    if !is_for_token || is_patched(pod, container) || volumes.find(name).is_some() || is_claimed(pod, name) || may_come_later() {
        return;
    }
    let is_template = pod.workflow.is_some() && cx.request.kind.ends_with("WorkflowTemplate");
    let (condition, help) = if is_template {
        (&CALLER, "give the template the volume, or see that every caller has it: volumes do not come along with a `templateRef`")
    } else {
        (&NO_VOLUME, "add a projected volume of that name, or remove the mount")
    };
    let message = format!("container `{}` mounts the volume `{name}`, which the {} does not have", container.name, pod.title);
    cx.report(Report::new(condition, mount.get("name"), message).help(help));
}

fn is_reserved(name: &str) -> bool {
    name == OLD_NAME || name.starts_with(NEW_PREFIX) || KEPT.iter().any(|kept| kept.name == name)
}

/// Whether a StatefulSet or a workflow claims a volume of that name.
fn is_claimed<'a>(pod: &Pod<'a>, name: &str) -> bool {
    let around = pod.workflow.or_else(|| pod.node.parent());
    let claims = around.map(|spec| spec.peek("volumeClaimTemplates"));
    claims.is_some_and(|claims| claims.peek_items().any(|claim| claim.peek("metadata").peek_text("name") == Some(name)))
}

/// Whether the API server checks the volumes of the template itself.
fn is_checked_template(pod: &Pod<'_>) -> bool {
    is_whole(pod) && pod.row != "v1/Pod" && !pod.row.contains('.')
}

/// Whether a webhook may add the volume.
fn may_be_injected<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, name: &str) -> bool {
    match KEPT.iter().find(|kept| kept.name == name) {
        Some(kept) if kept.provider == Provider::AwsIrsa => may_have_role(cx, pod),
        // Associations are rarely objects of the set.
        Some(_) => true,
        None => is_reserved(name) && pod.label(AZURE_USE).is_present(),
    }
}

/// Whether the pod's service account has a role of AWS, as far as is known.
fn may_have_role<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>) -> bool {
    match identity::account_of(pod, cx.context) {
        Lookup::Found(account) => account.role_arn().is_some(),
        Lookup::NotFound | Lookup::NotKnown(_) => true,
    }
}

fn without_mount<'a>(
    cx: &Check<'a, Settings>,
    pod: &Pod<'a>,
    container: Container<'a>,
    (variable, provider): (&str, Provider),
    node: Node<'a>,
    file: &str,
) {
    if file == OWN_TOKEN || is_patched(pod, container) || covering(pod, container, file).is_none_or(|mounts| !mounts.is_empty()) {
        return;
    }
    let (is_expected, condition) = match provider {
        Provider::Azure => (comes_from_azure(cx, pod, node), if inside("/var/run/secrets", file).is_some() { &NO_MOUNT } else { &PERHAPS }),
        _ => (may_have_role(cx, pod), &PERHAPS),
    };
    if !is_expected {
        let message = format!("`{variable}` names `{file}`, but container `{}` mounts nothing there", container.name);
        cx.report(Report::new(condition, node, message).help(match provider {
            Provider::Azure => "mount a projected token there, or remove the variable and label the pod, so that the webhook sets it",
            _ => "mount a projected token there, or remove the variable and give the service account its role, so that the webhook sets it",
        }));
    }
}

/// Whether Azure's webhook may mount the token, or another rule says that it will not.
fn comes_from_azure<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, anchor: Node<'a>) -> bool {
    let is_marked = || {
        let account = identity::account_of(pod, cx.context).found();
        account.is_some_and(|account| account.client_id().is_some() || account.label(AZURE_USE).is_present())
    };
    pod.label(AZURE_USE).is_present()
        || is_marked()
        || index::label_mutators(cx.context, anchor).is_some_and(|list| !list.items.is_empty())
        || matches!(Webhook::of(cx, anchor), Webhook::Version(version, _) if version < fedward_kit::webhook::POD_LABEL_ONLY)
}

/// Volumes with a token for a cloud that nobody mounts.
fn unused(cx: &Check<'_, Settings>) {
    // The tokens of one pod follow one another.
    for of_pod in cx.projected().chunk_by(|one, other| one.pod.node.is_same(other.pod.node)) {
        let Some(pod) = of_pod.first().map(|projected| &projected.pod).filter(|pod| is_whole(pod) && !pod.containers.is_empty()) else {
            continue;
        };
        let mut mounted = ByName::new();
        for mount in pod.containers.iter().flat_map(|container| mounts(*container)) {
            mounted.insert(mount.text("name").unwrap_or("").into(), 0);
        }
        for token in of_pod.iter().map(|projected| &projected.token) {
            let (name, is_for_cloud) =
                (token.volume_name, token.audience.peek_str().is_some_and(|text| audience::provider(text).is_some()));
            // A webhook mounts a volume that bears its name.
            if is_for_cloud && !mounted.contains_key(name) && !(is_reserved(name) && may_be_mounted(cx, pod, name)) {
                let message = format!("no container mounts the volume `{name}`, so that nobody reads its token");
                cx.report(Report::new(&UNUSED, token.volume.get("name"), message).help("mount it, or remove it"));
            }
        }
    }
}

fn may_be_mounted<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, name: &str) -> bool {
    if name == OLD_NAME { is_labelled(pod) } else { may_be_injected(cx, pod, name) }
}
