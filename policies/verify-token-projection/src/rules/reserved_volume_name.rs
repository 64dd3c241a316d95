//! Reports volumes and mounts that bear the name of a webhook's own.
//!
//! ## What it does
//! A webhook that finds a volume or a mount of the name that it would use keeps it as it is. Where a webhook will act on the pod, this
//! reports
//! - `aws-iam-token` and `eks-pod-identity-token` that hold something else: another kind of volume, no token of the path that the
//!   webhook's variable names, a token without an audience or for another provider;
//! - mounts of these names in another folder than the webhook's variable names, unless the container sets the variable itself;
//! - `azure-identity-token` that holds another token than webhooks up to v1.5.1 expect there. A warning if the version is not known;
//! - names that begin with `azure-workload-identity-reserved-`, which were copied from a running pod. In a cluster the policy sees a Pod
//!   after the webhook, so that only templates are looked at for them.
//!
//! EKS' webhook acts on a pod whose service account has the annotation `eks.amazonaws.com/role-arn`, or a Pod Identity association in
//! the set; Azure's on a pod with the label. A wrong audience that `missing-token-audience` or `audience-of-other-provider`
//! reports is left to them.
//!
//! ## Why it is bad
//! The pod looks as if it had its token. The SDK reads a file that is not there, or a token that the cloud refuses.
//!
//! ## Example
//! ```yaml
//! volumes:
//!   - name: aws-iam-token
//!     emptyDir: {}
//! ```
//!
//! ## Use instead
//! ```yaml
//! volumes:
//!   - name: scratch
//!     emptyDir: {}
//! ```
//!
//! ## References
//! aws/amazon-eks-pod-identity-webhook: `pkg/handler/handler.go` (`addEnvToContainer`, `getPodSpecPatch`); Azure/azure-workload-identity:
//! `pkg/webhook/webhook.go` (`addProjectedTokenVolumeMount`, `addProjectedVolume`).

use fedward_kit::audience;
use fedward_kit::identity::{self, AWS_SKIP, Provider, is_labelled, is_skipped};
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::projection::{Token, join};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;

use crate::mounts::{mounts, tidy, tokens_of};
use crate::pods::{KEPT, Kept, NEW_PREFIX, OLD_NAME, Webhook, is_injected};
use crate::settings::Settings;

const OTHER: Condition = Condition::error("another-volume", "a webhook keeps a volume that does not hold its token");
const ELSEWHERE: Condition =
    Condition::error("mounted-elsewhere", "EKS: a webhook keeps a mount in another folder than its variable names");
const PERHAPS: Condition =
    Condition::warning("perhaps-another-volume", "Azure: the same as `another-volume`, and the webhook's version is not known");
const COPIED: Condition = Condition::warning("copied", "Azure: a labelled pod has a volume of the webhook's own names");
const DRAFT: Condition = Condition::info("draft", "any of these, on a base that something patches");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "reserved-volume-name",
    summary: "a volume or mount bears the name of a webhook's own, and is something else",
    conditions: &[OTHER, ELSEWHERE, PERHAPS, COPIED, DRAFT],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let first = |name: &str| pod.volumes.iter().copied().find(|volume| volume.text("name") == Some(name));
        for kept in &KEPT {
            // A volume that is not the webhook's makes its mounts no better or worse.
            if !first(kept.name).is_some_and(|volume| aws_volume(cx, pod, kept, volume)) {
                aws_mounts(cx, pod, kept);
            }
        }
        if !is_labelled(pod) {
            continue;
        }
        if let Some(volume) = first(OLD_NAME) {
            azure_volume(cx, pod, volume);
        }
        for volume in &pod.volumes {
            let Some(name) = volume.text("name").filter(|name| name.starts_with(NEW_PREFIX)) else { continue };
            if is_injected(cx, pod, name) {
                continue;
            }
            let message =
                format!("names that begin with `{NEW_PREFIX}` are the webhook's own: the volume is replaced, or stands beside it");
            report(cx, &COPIED, volume.get("name"), message, "remove the volume and its mounts, which the webhook adds");
        }
    }
}

fn report<'a>(cx: &Check<'a, Settings>, condition: &'static Condition, node: Node<'a>, message: String, help: &str) {
    let condition = if cx.request.is_final { condition } else { &DRAFT };
    cx.report(Report::new(condition, node, message).help(help));
}

/// Whether the webhook will act on the pod for this volume.
fn acts_on<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, kept: &Kept) -> bool {
    if pod.label("eks.amazonaws.com/skip-pod-identity-webhook").is_present() {
        return false;
    }
    let associations = pod.account.name().and_then(|name| {
        let selector = format!("serviceAccount={}/{name}", pod.namespace);
        index::pod_identities(cx.context, &selector, pod.account.node())
    });
    let is_associated = associations.is_some_and(|list| !list.items.is_empty());
    let has_role = || identity::account_of(pod, cx.context).found().is_some_and(|account| account.role_arn().is_some());
    // An association wins over a role.
    if kept.provider == Provider::AwsIrsa { !is_associated && has_role() } else { is_associated }
}

/// Whether the volume is reported.
fn aws_volume<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, kept: &Kept, volume: Node<'a>) -> bool {
    let is_looked_for = |token: &Token<'_>| token.path.str().is_some_and(|path| join(path, "") == join(kept.path, ""));
    let what = match tokens_of(volume).into_iter().find(is_looked_for) {
        None => format!("has no token at `{}`", kept.path),
        Some(token) if is_foreign(cx, &token, &[Provider::AwsIrsa, Provider::AwsPodIdentity]) => "has no token for AWS".to_owned(),
        Some(_) => return false,
    };
    let is_kept = acts_on(cx, pod, kept);
    if is_kept {
        let message = format!("the webhook keeps this volume `{}` instead of its own, and it {what}", kept.name);
        report(cx, &OTHER, volume.get("name"), message, "give the volume another name, or remove it and leave it to the webhook");
    }
    is_kept
}

/// Whether a token is for nobody, or for another provider, and no other rule says so.
fn is_foreign<'a>(cx: &Check<'a, Settings>, token: &Token<'a>, providers: &[Provider]) -> bool {
    let is_other = match token.audience.peek_str() {
        None | Some("") => true,
        // The webhook's audience can be set, so that an unknown one may be right.
        Some(text) => audience::provider(text).is_some_and(|provider| !providers.contains(&provider)),
    };
    let is_told = || cx.projected().iter().any(|projected| projected.token.node.is_same(token.node) && !projected.uses.is_empty());
    is_other && !is_told()
}

fn aws_mounts<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, kept: &Kept) {
    for container in &pod.containers {
        let named: Vec<_> = mounts(*container).filter(|mount| mount.text("name") == Some(kept.name)).collect();
        let folders = || named.iter().map(|mount| mount.text("mountPath").and_then(tidy));
        // One at the right place is enough, and so is one that cannot be judged.
        if named.is_empty() || folders().any(|folder| folder.is_none_or(|folder| folder == kept.folder)) {
            continue;
        }
        let sets_variable = kept.variables.iter().any(|variable| container.env(variable).is_some());
        if sets_variable || is_skipped(pod, AWS_SKIP, *container) || !acts_on(cx, pod, kept) {
            continue;
        }
        let (name, [variable, _], file) = (kept.name, kept.variables, join(kept.folder, kept.path));
        for (mount, folder) in named.iter().zip(folders().flatten()).filter(|(mount, _)| mount.in_request()) {
            let message = format!("the webhook keeps this mount of `{name}` at `{folder}`, and points `{variable}` to `{file}`");
            let help = "remove the mount and leave it to the webhook, or give the volume another name";
            report(cx, &ELSEWHERE, mount.get("mountPath"), message, help);
        }
    }
}

fn azure_volume<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, volume: Node<'a>) {
    let is_looked_for = |token: &Token<'_>| token.path.str() == Some(OLD_NAME);
    let own = tokens_of(volume).into_iter().find(is_looked_for);
    let what = match own {
        Some(token) if is_foreign(cx, &token, &[Provider::Azure]) => "has no token for Azure",
        Some(_) => return,
        // Without such a token anywhere the webhook adds its volume, which then collides with this one.
        None if pod.volumes.iter().any(|volume| tokens_of(*volume).iter().any(is_looked_for)) => "does not hold the token of that path",
        None => return,
    };
    let webhook = Webhook::of(cx, volume);
    if webhook.may_be_old() && webhook.acts_on(cx, pod) {
        let (condition, who) = if webhook.image().is_some() { (&OTHER, "the webhook") } else { (&PERHAPS, "a webhook before v1.6.0") };
        let message = format!("{who} keeps this volume `{OLD_NAME}` instead of its own, and it {what}");
        report(cx, condition, volume.get("name"), message, "give the volume another name and the token another path, or remove it");
    }
}
