//! Reports API servers that issue tokens which no cloud can trust, or take tokens that were issued for a cloud.
//!
//! ## What it does
//! Reads the API server's flags where they are written: kubeadm's `ClusterConfiguration` (on its own, in the patches of a kind `Cluster`,
//! in a `KubeadmControlPlane` of Cluster API), configuration files of k3s and RKE2 (`kube-apiserver-arg`), and pods that run
//! `kube-apiserver`; and `AuthenticationConfiguration`. It reports
//! * a `service-account-issuer` that is no `https` URL. Of several the first counts: tokens are issued in its name, the others are only
//!   accepted;
//! * `api-audiences` with an audience of a cloud;
//! * an issuer under `jwt` without `audiences`, or with an audience of a cloud.
//!
//! ## Why it is bad
//! Clouds fetch an issuer's keys over `https` from the URL in its tokens; with any other text in it the API server does not even serve
//! them. An audience under `api-audiences` is one of the API server itself: it takes tokens that pods handed to the cloud, and every token
//! that asks for no audience, such as each pod's ordinary one, is issued for the cloud, too. Without `audiences` an issuer's configuration
//! is refused.
//!
//! ## Example
//! ```yaml
//! apiVersion: kubeadm.k8s.io/v1beta4
//! kind: ClusterConfiguration
//! apiServer:
//!   extraArgs:
//!     - {name: service-account-issuer, value: "https://oidc.shop.example/blue"}
//!     - {name: api-audiences, value: "https://oidc.shop.example/blue,sts.amazonaws.com"}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: kubeadm.k8s.io/v1beta4
//! kind: ClusterConfiguration
//! apiServer:
//!   extraArgs:
//!     - {name: service-account-issuer, value: "https://oidc.shop.example/blue"}
//!     - {name: api-audiences, value: "https://oidc.shop.example/blue"}
//! ```
//!
//! ## References
//! Kubernetes, "kube-apiserver" (`--service-account-issuer`, `--api-audiences`), "Using Authentication Configuration", and
//! `pkg/registry/core/serviceaccount/storage/token.go` (tokens without an audience); k3s, "Configuration File".

use fedward_kit::audience;
use fedward_kit::node::{Format, Node};
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text::{self, Value};
use fedward_kit::trust::GROUP;
use fedward_kit::url;

use crate::settings::Settings;

const NOT_HTTPS: Condition = Condition::warning("issuer-not-https", "service account tokens are issued in the name of no `https` URL");
const CLOUD: Condition = Condition::warning("cloud-audience", "the API server takes tokens that are issued for a cloud");
const NO_AUDIENCES: Condition = Condition::warning("no-audiences", "an issuer of the authentication configuration has no audiences");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-api-server-tokens",
    summary: "an API server issues tokens that no cloud can trust, or takes tokens that were issued for a cloud",
    conditions: &[NOT_HTTPS, CLOUD, NO_AUDIENCES],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let object = cx.object;
    match (cx.request.group, cx.request.kind) {
        ("kubeadm.k8s.io", "ClusterConfiguration") => kubeadm(cx, object),
        ("kind.x-k8s.io", "Cluster") => {
            patches(cx, object);
            object.get("nodes").items().for_each(|node| patches(cx, node));
        }
        ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane") => {
            kubeadm(cx, object.at(&["spec", "kubeadmConfigSpec", "clusterConfiguration"]));
        }
        (GROUP, "ApiServerArguments") => {
            let list = object.get("spec").get("arguments");
            arguments(cx, &if list.peek_str().is_some() { vec![list] } else { list.items().collect() });
        }
        ("apiserver.config.k8s.io", "AuthenticationConfiguration") => authentication(cx),
        _ => {
            for container in cx.pods().iter().flat_map(|pod| &pod.containers) {
                let words: Vec<Node<'_>> = container.node.get("command").items().chain(container.node.get("args").items()).collect();
                if words.iter().filter_map(|word| word.peek_str()).any(|word| word.rsplit('/').next() == Some("kube-apiserver")) {
                    arguments(cx, &words);
                }
            }
        }
    }
}

/// Judges a flag. Only the first issuer is one that tokens are issued for.
fn flag<'a>(cx: &Check<'a, Settings>, name: &str, value: &str, node: Node<'a>, has_issuer: &mut bool) {
    if name == "api-audiences" {
        value.split(',').for_each(|audience| audience_of(cx, audience.trim(), node));
    }
    if name != "service-account-issuer" || std::mem::replace(has_issuer, true) {
        return;
    }
    let is_https = url::split(value).is_some_and(|parts| parts.scheme.eq_ignore_ascii_case("https"));
    if !is_https && text::classify(value) == Value::Plain {
        // A user name may come with a password.
        let shown = if value.contains('@') { String::new() } else { format!(" `{value}`") };
        let message = format!("the issuer{shown} is no `https` URL: no cloud can trust the tokens that are issued in its name");
        let help =
            "make it the `https` URL under which the cluster's keys are published, and keep the old one behind it while its tokens live";
        cx.report(Report::new(&NOT_HTTPS, node, message).help(help));
    }
}

fn audience_of<'a>(cx: &Check<'a, Settings>, audience: &str, node: Node<'a>) {
    if let Some(provider) = audience::provider(audience) {
        let message = format!("the API server takes tokens for `{audience}`, an audience of {}, as its own", provider.name());
        let help =
            "name only audiences of the API server here, such as its issuer; pods that sign in to the cloud have tokens for it projected";
        cx.report(Report::new(&CLOUD, node, message).help(help));
    }
}

fn authentication(cx: &Check<'_, Settings>) {
    for issuer in cx.object.get("jwt").items().map(|entry| entry.get("issuer")) {
        let audiences = issuer.get("audiences");
        if issuer.is_present() && audiences.items().next().is_none() {
            let report = Report::new(&NO_AUDIENCES, audiences, "the issuer has no audiences: the API server refuses the configuration");
            cx.report(report.help("list the audiences of the tokens that are meant for this API server"));
        }
        for audience in audiences.items() {
            audience_of(cx, audience.str().unwrap_or(""), audience);
        }
    }
}

/// `kubeadmConfigPatches` of kind. A text that is not YAML is the matter of other rules.
fn patches<'a>(cx: &Check<'a, Settings>, holder: Node<'a>) {
    for patch in holder.get("kubeadmConfigPatches").items() {
        match patch.open(Format::Yaml) {
            Ok(patch) if patch.peek_text("kind") == Some("ClusterConfiguration") => kubeadm(cx, patch),
            _ => {}
        }
    }
}

/// `apiServer.extraArgs`: a map up to `v1beta3`, a list of names and values from then on.
fn kubeadm<'a>(cx: &Check<'a, Settings>, configuration: Node<'a>) {
    let arguments = configuration.get("apiServer").get("extraArgs");
    let mut has_issuer = false;
    for (name, value) in arguments.peek_entries() {
        flag(cx, name, value.str().unwrap_or(""), value, &mut has_issuer);
    }
    for item in arguments.peek_items() {
        let value = item.get("value");
        flag(cx, item.text("name").unwrap_or(""), value.str().unwrap_or(""), value, &mut has_issuer);
    }
}

/// `--name=value`, with or without hyphens, or `--name` and the value behind it.
fn arguments<'a>(cx: &Check<'a, Settings>, words: &[Node<'a>]) {
    let (mut name, mut has_issuer) = ("", false);
    for word in words {
        let text = word.str().unwrap_or("");
        let bare = text.trim_start_matches('-');
        match bare.split_once('=') {
            Some((name, value)) => flag(cx, name, value, *word, &mut has_issuer),
            None if bare.len() < text.len() => name = bare,
            None => flag(cx, std::mem::take(&mut name), text, *word, &mut has_issuer),
        }
    }
}
