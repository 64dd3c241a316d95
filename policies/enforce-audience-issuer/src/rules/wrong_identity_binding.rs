//! Reports AKS identity bindings that a pod asks for in a way that has no effect.
//!
//! ## What it does
//! The pod annotation `azure.workload.identity/use-identity-binding: "true"` makes the webhook hand out tokens for the cluster's identity
//! binding. Reported are: another value (letter case does not matter; `"false"` turns it off and is right), a *label* of that name, the
//! annotation on a service account or on a workload's own metadata while no pod has it, and a token that such a pod projects by hand for
//! direct exchange.
//!
//! ## Why it is bad
//! The pod silently gets an ordinary token. If no federated credential names its service account, which is what bindings are for, every
//! sign-in fails. A token projected by hand is refused by the binding's proxy: it expects the audience `api://AKSIdentityBinding`.
//!
//! ## Example
//! ```yaml
//! template:
//!   metadata:
//!     labels:
//!       azure.workload.identity/use: "true"
//!       azure.workload.identity/use-identity-binding: "true"
//! ```
//!
//! ## Use instead
//! ```yaml
//! template:
//!   metadata:
//!     labels:
//!       azure.workload.identity/use: "true"
//!     annotations:
//!       azure.workload.identity/use-identity-binding: "true"
//! ```
//!
//! ## References
//! Azure/azure-workload-identity v1.6.0: `pkg/webhook/webhook.go` (`isUsingCustomTokenEndpoint`: a pod annotation, compared without letter
//! case); AKS, "Identity bindings".

use fedward_kit::audience::{self, Cloud};
use fedward_kit::finding::PatchStep;
use fedward_kit::identity::{AZURE_BINDING, Provider};
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::text;

use crate::settings::Settings;
use crate::trusted::plain;

const VALUE: Condition = Condition::warning("value", "the annotation is neither `true` nor `false`");
const LABEL: Condition = Condition::warning("label", "a label of that name on the pod");
const OTHER_OBJECT: Condition = Condition::warning("other-object", "the annotation or label on an object whose metadata reaches no pod");
const TOKEN: Condition = Condition::warning("token-for-exchange", "the pod reads a token, projected by hand, for direct exchange");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-identity-binding",
    summary: "an AKS identity binding is asked for in a way that has no effect",
    conditions: &[VALUE, LABEL, OTHER_OBJECT, TOKEN],
    supersedes: &[],
    check,
};

/// Kinds whose own metadata reaches no pod.
const INERT: [(&str, &str); 8] = [
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "ReplicaSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
    ("argoproj.io", "Rollout"),
];

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        let annotation = pod.annotation(AZURE_BINDING);
        let label = pod.label(AZURE_BINDING);
        if annotation.in_request() && annotation.is_present() {
            check_value(cx, annotation);
        } else if annotation.is_absent() && label.in_request() && label.is_present() {
            let report = Report::new(
                &LABEL,
                label,
                format!("the {} has `{AZURE_BINDING}` as a label, but the webhook reads the annotation", pod.title),
            )
            .on_key()
            .help("move it to the annotations of the pod template");
            cx.report(if is_on(label) { report.fix(PatchStep::set(annotation, "true")) } else { report });
        }
    }
    check_metadata(cx);
    for projected in cx.projected() {
        let audience = projected.token.audience;
        let Some(using) = projected.used_for(Provider::Azure) else { continue };
        if is_on(projected.pod.annotation(AZURE_BINDING)) && plain(audience).and_then(Cloud::of_audience).is_some() {
            let message = format!("the pod uses an identity binding, but reads a token for direct exchange through {}", using.by());
            cx.report(
                Report::new(&TOKEN, audience, message)
                    .help(format!("leave the token to the webhook, or project it with the audience `{}`", audience::AZURE_BINDING))
                    .related(projected.pod.annotation(AZURE_BINDING), "the identity binding"),
            );
        }
    }
}

fn check_value<'a>(cx: &Check<'a, Settings>, annotation: Node<'a>) {
    let Some(value) = annotation.str() else { return };
    let is_boolean = ["true", "false", ""].iter().any(|word| value.eq_ignore_ascii_case(word));
    if is_boolean || text::classify(value) != text::Value::Plain {
        return;
    }
    let report = Report::new(&VALUE, annotation, format!("`{AZURE_BINDING}` has to be `\"true\"`, but is `{value}`"));
    let means_yes = ["true", "yes", "on", "1", "enabled"].iter().any(|word| value.trim().eq_ignore_ascii_case(word));
    cx.report(if means_yes {
        report.help("write `\"true\"`").fix(PatchStep::set(annotation, "true"))
    } else {
        report.help("any other value is as good as none")
    });
}

fn check_metadata(cx: &Check<'_, Settings>) {
    if !INERT.iter().any(|(group, kind)| cx.is(group, kind)) || cx.pods().iter().any(|pod| pod.annotation(AZURE_BINDING).is_present()) {
        return;
    }
    let metadata = cx.object.get("metadata");
    for field in ["annotations", "labels"] {
        let node = metadata.get(field).get(AZURE_BINDING);
        if node.is_present() {
            let message = format!("`{AZURE_BINDING}` has no effect on a {}: the webhook reads the annotation of the pod", cx.request.kind);
            let report = Report::new(&OTHER_OBJECT, node, message).on_key().help("move it to the annotations of the pod template");
            let home = cx.pods().first().filter(|_| cx.pods().len() == 1 && is_on(node)).map(|pod| pod.annotation(AZURE_BINDING));
            cx.report(match home {
                Some(home) => report.fix(PatchStep::set(home, "true")),
                None => report,
            });
        }
    }
}

fn is_on(node: Node<'_>) -> bool {
    node.peek_str().is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
