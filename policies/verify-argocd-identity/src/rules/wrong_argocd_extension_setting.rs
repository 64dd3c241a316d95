//! Reports settings of the AKS extension for Argo CD that turn no workload identity on.
//!
//! ## What it does
//! Looks at resources of type `Microsoft.KubernetesConfiguration/extensions` with `extensionType` `Microsoft.ArgoCD`, in ARM templates and
//! what Bicep compiles to, and at `azurerm_kubernetes_cluster_extension` and its twin for Azure Arc in what Terraform prints. There were two generations of names for the same settings:
//!
//! | older previews | since then |
//! |---|---|
//! | `workloadIdentity.enable` | `azure.workloadIdentity.enabled` |
//! | `workloadIdentity.clientId` | `azure.workloadIdentity.clientId` |
//! | `workloadIdentity.entraSSOClientId` | `azure.workloadIdentity.entraSSOClientId` |
//!
//! Either is right. Names of neither that speak of a workload identity, such as `workloadIdentityEnabled`, are an error, and so is a mix of
//! both generations. A value that is not the string `true` is a warning.
//!
//! ## Why it is bad
//! The extension takes any setting, and ignores those that it does not know. Argo CD comes up without an identity.
//!
//! ## Example
//! ```json
//! "configurationSettings": {"workloadIdentityEnabled": "true", "workloadIdentityClientId": "6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11"}
//! ```
//!
//! ## Use instead
//! ```json
//! "configurationSettings": {"azure.workloadIdentity.enabled": "true", "azure.workloadIdentity.clientId": "6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11"}
//! ```
//!
//! ## References
//! Microsoft Learn: "Use GitOps with Argo CD" for AKS and Azure Arc.

use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::value::Value;
use fedward_kit::{text, trust};

use crate::settings::Settings;

const UNKNOWN: Condition = Condition::error("unknown-setting", "no generation of the extension knows the name");
const MIXED: Condition = Condition::error("mixed", "names of both generations stand together");
const VALUE: Condition = Condition::warning("not-true", "the switch is not the string `true`");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-argocd-extension-setting",
    summary: "a setting of the AKS extension for Argo CD turns no workload identity on",
    conditions: &[UNKNOWN, MIXED, VALUE],
    supersedes: &[],
    check,
};

const OLD: [&str; 3] = ["workloadIdentity.enable", "workloadIdentity.clientId", "workloadIdentity.entraSSOClientId"];
const NEW: [&str; 3] = ["azure.workloadIdentity.enabled", "azure.workloadIdentity.clientId", "azure.workloadIdentity.entraSSOClientId"];

fn check(cx: &Check<'_, Settings>) {
    if !cx.is(trust::GROUP, "ClusterExtension") {
        return;
    }
    let spec = cx.object.get("spec");
    if !spec.peek_text("extensionType").is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.ArgoCD")) {
        return;
    }
    let settings = spec.peek("configurationSettings");
    let new = settings.peek_entries().find(|(key, _)| NEW.contains(key));
    for (key, node) in settings.peek_entries() {
        if OLD.contains(&key) {
            if let Some((other, place)) = new {
                cx.report(
                    Report::new(
                        &MIXED,
                        node,
                        format!("`{key}` is a name of an older generation than `{other}`: the extension ignores one"),
                    )
                    .help(format!("write `{}`", successor(key)))
                    .related(place, "the newer one")
                    .on_key(),
                );
            }
        } else if !NEW.contains(&key) && speaks_of_identity(key) {
            cx.report(
                Report::new(&UNKNOWN, node, format!("the extension knows no setting `{key}`, and ignores it"))
                    .help(format!("write `{}` (`{}` in older previews)", successor(key), predecessor(key)))
                    .on_key(),
            );
        }
        if OLD.first() == Some(&key) || NEW.first() == Some(&key) {
            check_switch(cx, key, node);
        }
    }
}

fn check_switch<'a>(cx: &Check<'a, Settings>, key: &str, node: Node<'a>) {
    let is_right = match node.value() {
        Some(Value::Str(value)) => *value == "true" || text::classify(value) != text::Value::Plain,
        _ => false,
    };
    if !is_right {
        cx.report(Report::new(&VALUE, node, format!("`{key}` is not the string `true`")).help("write \"true\", in quotes"));
    }
}

fn speaks_of_identity(key: &str) -> bool {
    let letters: String = key.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    // Settings of the chart's own parts, such as labels of pods, may have the word in them.
    letters.strip_prefix("azure").unwrap_or(&letters).starts_with("workloadidentity")
}

fn successor(key: &str) -> &'static str {
    NEW.get(which(key)).copied().unwrap_or("")
}

fn predecessor(key: &str) -> &'static str {
    OLD.get(which(key)).copied().unwrap_or("")
}

/// Which of the settings a name can have meant.
fn which(key: &str) -> usize {
    let lower = key.to_ascii_lowercase();
    if lower.contains("sso") {
        2
    } else if lower.contains("client") {
        1
    } else {
        0
    }
}
