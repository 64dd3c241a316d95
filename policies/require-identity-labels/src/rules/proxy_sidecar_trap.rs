//! Reports annotations of the Azure proxy sidecar that do not do what they seem to.
//!
//! ## What it does
//! On pods that Azure's webhook sees, the annotation `azure.workload.identity/inject-proxy-sidecar` injects the proxy by its presence:
//! `"false"` injects it too. Reported are values that say no, the proxy together with `hostNetwork` (refused from webhook v1.2.0 on), a
//! `proxy-sidecar-port` that is no port, and the proxy in a namespace whose Pod Security level is `baseline` or `restricted`, which
//! forbids the proxy's privileged init container.
//!
//! ## Why it is bad
//! The pod is refused, or runs with a privileged container that nobody asked for.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata:
//!   name: api
//!   labels:
//!     azure.workload.identity/use: "true"
//!   annotations:
//!     azure.workload.identity/inject-proxy-sidecar: "false"
//! spec:
//!   serviceAccountName: api
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
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`shouldInjectProxySidecar`, `getProxyPort`, the init container), release notes
//! of v1.2.0; Kubernetes: Pod Security Standards.

use fedward_kit::finding::{ObjectRef, PatchStep};
use fedward_kit::identity::{AZURE_PROXY, AZURE_PROXY_PORT};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;
use fedward_kit::{text, webhook};

use crate::pods::is_labelled;
use crate::settings::Settings;

const SAYS_NO: Condition = Condition::warning("says-no", "the annotation says no and injects the proxy all the same");
const HOST_NETWORK: Condition = Condition::error("host-network", "the pod uses the host's network, so that the webhook refuses it");
const NO_PORT: Condition = Condition::error("no-number", "the proxy's port is no number, so that the webhook refuses the pod");
const OUT_OF_RANGE: Condition = Condition::warning("no-port", "the proxy's port is a number and not one from 1 to 65535");
const FORBIDDEN: Condition = Condition::warning("pod-security", "the namespace enforces a Pod Security level that forbids the proxy");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "proxy-sidecar-trap",
    summary: "an annotation of the Azure proxy sidecar does not do what it seems to",
    conditions: &[SAYS_NO, HOST_NETWORK, NO_PORT, OUT_OF_RANGE, FORBIDDEN],
    supersedes: &[],
    check,
};

const LEVEL: &str = "pod-security.kubernetes.io/enforce";

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let proxy = pod.annotation(AZURE_PROXY);
        if !is_labelled(pod) || proxy.value().is_none() || proxy.foreign().is_some() {
            continue;
        }
        let value = proxy.str().unwrap_or("");
        if ["false", "no", "off", "0", ""].iter().any(|word| value.eq_ignore_ascii_case(word)) {
            let value = if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") };
            let message = format!("`{AZURE_PROXY}` is {value}, but its presence alone injects the proxy");
            cx.report(Report::new(&SAYS_NO, proxy, message).help("remove the annotation").fix(PatchStep::remove(proxy)));
            continue;
        }
        host_network(cx, pod, proxy);
        port(cx, pod.annotation(AZURE_PROXY_PORT));
        pod_security(cx, pod, proxy);
    }
}

fn host_network<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, proxy: Node<'a>) {
    let field = pod.spec.get("hostNetwork");
    if field.bool() != Some(true) || webhook::version(cx.context, proxy).is_some_and(|(version, _)| version < (1, 2, 0)) {
        return;
    }
    let message = "the webhook refuses a pod that uses the host's network and asks for the proxy";
    cx.report(Report::new(&HOST_NETWORK, field, message).help("drop `hostNetwork` or the proxy").related(proxy, "what asks for the proxy"));
}

fn port<'a>(cx: &Check<'a, Settings>, port: Node<'a>) {
    let Some(value) = port.str() else { return };
    if text::classify(value) != text::Value::Plain {
        return;
    }
    match value.parse::<i32>() {
        Ok(1..=65535) => {}
        Ok(_) => cx.report(Report::new(&OUT_OF_RANGE, port, format!("`{value}` is no port from 1 to 65535")).help("the default is 8000")),
        Err(_) => cx.report(
            Report::new(&NO_PORT, port, format!("`{value}` is no number, so the webhook refuses the pod")).help("the default is 8000"),
        ),
    }
}

fn pod_security<'a>(cx: &Check<'a, Settings>, pod: &Pod<'a>, proxy: Node<'a>) {
    let object = ObjectRef { api_version: "v1", kind: "Namespace", namespace: "", name: pod.namespace };
    let Some(namespace) = cx.context.get(object, proxy).found() else { return };
    let level = namespace.get("metadata").get("labels").get(LEVEL);
    let Some(name @ ("baseline" | "restricted")) = level.str() else { return };
    let message = format!("the namespace `{}` enforces `{name}`, which forbids the proxy's privileged init container", pod.namespace);
    cx.report(
        Report::new(&FORBIDDEN, proxy, message)
            .help("do without the proxy: SDKs with workload identity support do not need it")
            .related(level, "the level of the namespace"),
    );
}
