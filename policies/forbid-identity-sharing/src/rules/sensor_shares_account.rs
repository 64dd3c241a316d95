//! Reports Sensors whose own pod, or whose EventSource, runs as the federated service account of what they start.
//!
//! ## What it does
//! A Sensor's pod and the pods of its EventSources take in events; the workflow that is started does the work and has the identity for
//! it. The rule compares the service accounts, by namespace and name, of what the Sensor starts with those of the Sensor and of the
//! EventSources that it names, and reports a federated one that is the same. Accounts that an event decides are not known.
//!
//! ## Why it is bad
//! What takes in events from the internet holds the rights for building and pushing: whoever breaks into it needs no event any more.
//!
//! ## Example
//! ```yaml
//! kind: Sensor
//! spec:
//!   template:
//!     serviceAccountName: build
//!   triggers:
//!     - template:
//!         name: build
//!         argoWorkflow:
//!           operation: submit
//!           source:
//!             resource:
//!               kind: Workflow
//!               spec:
//!                 serviceAccountName: build
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Sensor
//! spec:
//!   template:
//!     serviceAccountName: sensor # may create workflows, and nothing else
//!   triggers:
//!     - template:
//!         name: build
//!         argoWorkflow:
//!           operation: submit
//!           source:
//!             resource:
//!               kind: Workflow
//!               spec:
//!                 serviceAccountName: build
//! ```
//!
//! ## References
//! Argo Events, "Service Accounts"; Argo Workflows, "Service Accounts".

use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::{self, Account};

use crate::settings::Settings;
use crate::sharing;

const SENSOR: Condition = Condition::warning("sensor", "the Sensor runs as the federated service account of what it starts");
const SOURCE: Condition = Condition::warning("event-source", "the same for an EventSource of the Sensor");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "sensor-shares-account",
    summary: "a Sensor or its EventSource runs as the federated service account of what it starts",
    conditions: &[SENSOR, SOURCE],
    supersedes: &[],
    check,
};

/// A service account that something runs as: namespace, name, and the field.
type User<'a> = (&'a str, &'a str, Node<'a>);

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final || !cx.is("argoproj.io", "Sensor") {
        return;
    }
    let own = cx.object.at(&["spec", "template"]);
    let sensor = Account::of(own).name().map(|name| (cx.request.namespace, name, own.get("serviceAccountName")));
    let sources = sources(cx);
    for (namespace, name, node) in started(cx) {
        let same = |user: &&User<'_>| user.0 == namespace && user.1 == name;
        let own = sensor.iter().find(same).map(|user| (user, &SENSOR, "the Sensor's own pod runs"));
        let Some((user, condition, who)) = own.or_else(|| sources.iter().find(same).map(|user| (user, &SOURCE, "the EventSource runs")))
        else {
            continue;
        };
        let Some((provider, _)) = sharing::account_signs_in(cx, namespace, name, node) else { continue };
        let message = format!("{who} as `{name}`, too, which has an identity ({})", provider.name());
        cx.report(
            Report::new(condition, node, message)
                .help("give what takes in events a service account of its own that has no identity")
                .related(user.2, "the same service account"),
        );
    }
}

/// The accounts of what the Sensor starts, each once.
fn started<'a>(cx: &Check<'a, Settings>) -> Vec<User<'a>> {
    let mut found: Vec<User<'a>> = Vec::new();
    let mut add = |namespace: &'a str, account: Account<'a>| {
        if let Some(name) = account.name().filter(|name| !found.iter().any(|(known, other, _)| *known == namespace && other == name)) {
            found.push((namespace, name, account.node()));
        }
    };
    for pod in cx.all_pods().iter().filter(|pod| pod.row != "argoproj.io/Sensor") {
        add(pod.namespace, pod.account);
    }
    // A workflow whose templates all stand elsewhere shows no pod.
    for workload::Triggered { object: manifest, parameters, .. } in workload::triggered(cx.object) {
        let is_overwritten =
            parameters.peek_items().any(|item| item.peek_text("dest").is_some_and(|to| to.ends_with("serviceAccountName")));
        let account = manifest.peek("spec").peek("serviceAccountName");
        if manifest.peek_text("kind") == Some("Workflow") && account.filled().is_some() && !is_overwritten {
            let own = manifest.peek("metadata").peek_text("namespace").filter(|own| !own.is_empty());
            add(own.unwrap_or(cx.request.namespace), Account::at(account));
        }
    }
    found
}

/// The accounts of the EventSources that the Sensor depends on, as far as they are known.
fn sources<'a>(cx: &Check<'a, Settings>) -> Vec<User<'a>> {
    let mut found = Vec::new();
    for source in cx.object.at(&["spec", "dependencies"]).items().map(|dependency| dependency.get("eventSourceName")) {
        let (api_version, kind, namespace) = ("argoproj.io/v1alpha1", "EventSource", cx.request.namespace);
        let Some(name) = source.filled() else { continue };
        if let Some(object) = cx.context.get(ObjectRef { api_version, kind, namespace, name }, source).found() {
            let account = Account::of(object.at(&["spec", "template"]));
            found.extend(account.name().map(|name| (namespace, name, account.node())));
        }
    }
    found
}
