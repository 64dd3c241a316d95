//! Reports `skip-containers` annotations that do not skip what they name.
//!
//! ## What it does
//! Azure's annotation `azure.workload.identity/skip-containers` separates names by `;`, that of EKS (`eks.amazonaws.com/skip-containers`)
//! by `,` as in CSV, where a space after the comma belongs to the name. Reported are the separator of the other provider, such spaces,
//! and, where the pod's containers are known, names that no container has. Containers that other webhooks inject (`istio-proxy`,
//! `linkerd-…`, `vault-agent…`, `daprd`, `azwi-proxy…`) and Argo's own (`main`, `init`, `wait`) are not missed.
//!
//! ## Why it is bad
//! A list with the wrong separator is one name that no container has: every container gets the token, the one that was to be kept from
//! it too.
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
//!     azure.workload.identity/skip-containers: "proxy,logger"
//! spec:
//!   serviceAccountName: api
//!   containers:
//!     - name: api
//!     - name: proxy
//!     - name: logger
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
//!   annotations:
//!     azure.workload.identity/skip-containers: "proxy;logger"
//! spec:
//!   serviceAccountName: api
//!   containers:
//!     - name: api
//!     - name: proxy
//!     - name: logger
//! ```
//!
//! ## References
//! Azure/azure-workload-identity: `pkg/webhook/webhook.go` (`getSkipContainers`); aws/amazon-eks-pod-identity-webhook:
//! `pkg/annotations/parser.go` (Go's `encoding/csv`).

use fedward_kit::finding::PatchStep;
use fedward_kit::identity::AZURE_SKIP;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;
use fedward_kit::{suggest, text};

use crate::pods::AWS_SKIP;
use crate::settings::Settings;

const SEPARATOR: Condition = Condition::warning("wrong-separator", "the list has the separator of the other provider");
const SPACE: Condition = Condition::warning("space", "EKS: a space around a comma belongs to the name");
const NO_CONTAINER: Condition = Condition::warning("no-such-container", "the pod has no container of that name");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "wrong-skip-containers",
    summary: "a `skip-containers` annotation does not skip what it names",
    conditions: &[SEPARATOR, SPACE, NO_CONTAINER],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    for pod in cx.pods() {
        for (key, separator, wrong) in [(AZURE_SKIP, ";", ","), (AWS_SKIP, ",", ";")] {
            let annotation = pod.annotation(key);
            let Some(value) = annotation.filled() else { continue };
            if annotation.foreign().is_some() || text::classify(value) != text::Value::Plain {
                continue;
            }
            let names: Vec<&str> = value.split([',', ';']).map(str::trim).filter(|name| !name.is_empty()).collect();
            let missing = names.iter().find(|name| !has_container(pod, key, name));
            let tidy = PatchStep::set(annotation, &names.join(separator));
            let fix = if missing.is_none() { tidy } else { Vec::new() };
            if value.contains(wrong) {
                let message = format!("`{value}` is split by `{separator}`, so it is one name and skips no container");
                cx.report(Report::new(&SEPARATOR, annotation, message).help(format!("write `{}`", names.join(separator))).fix(fix));
            } else if key == AWS_SKIP && value.split(',').any(|name| name.trim() != name) {
                let message = format!("`{value}` has a space that belongs to the name, so a container is not skipped");
                cx.report(Report::new(&SPACE, annotation, message).help(format!("write `{}`", names.join(separator))).fix(fix));
            } else if let Some(name) = missing {
                let report = Report::new(&NO_CONTAINER, annotation, format!("the {} has no container `{name}`", pod.title));
                let near = suggest::nearest(name, pod.containers.iter().map(|container| container.name));
                cx.report(match near {
                    Some(near) => report.help(format!("did you mean `{near}`?")),
                    None => report.help("name the containers as the pod does"),
                });
            }
        }
    }
}

/// Whether the pod has the container, or may get it from a webhook or a controller.
fn has_container(pod: &Pod<'_>, key: &'static str, name: &str) -> bool {
    // Other kinds are templates for controllers that add containers of their own. What stands outside the template (a workflow's
    // `podMetadata`) speaks to several pods, and not each has every container.
    let complete = pod.home.annotations.peek(key).is_present()
        && ["v1/", "apps/", "batch/", "argoproj.io/", "keda.sh/", "jobset."].iter().any(|row| pod.row.starts_with(row));
    !complete
        || pod.containers.is_empty()
        || pod.containers.iter().any(|container| container.name == name)
        || matches!(name, "istio-proxy" | "istio-init" | "istio-validation" | "daprd" | "main" | "init" | "wait")
        || ["linkerd-", "vault-agent", "azwi-proxy"].iter().any(|prefix| name.starts_with(prefix))
}
