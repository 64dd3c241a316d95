//! Reports workloads that face the outside with a federated service account which others use, too.
//!
//! ## What it does
//! A workload whose federated service account also serves others (as `shared-service-account` counts them) is reported if it can be
//! reached from outside: a Service selects its pods that is of type `LoadBalancer` or `NodePort`, or that an Ingress or a route of the
//! Gateway API leads to. Load balancers that their annotations keep inside the network are not meant.
//!
//! Only Services and routes that are seen count, and accounts of the setting `identityOwners` are left to their owners.
//!
//! ## Why it is bad
//! What faces the outside is broken into first. If it runs as the account of the workload behind it, the intruder has that workload's
//! rights in the cloud without a further step.
//!
//! ## Example
//! ```yaml
//! # a Service of type LoadBalancer selects `app: frontend`, and the backend runs as `shop`, too
//! kind: Deployment
//! metadata:
//!   name: frontend
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app: frontend
//!     spec:
//!       serviceAccountName: shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! kind: Deployment
//! metadata:
//!   name: frontend
//! spec:
//!   template:
//!     metadata:
//!       labels:
//!         app: frontend
//!     spec:
//!       serviceAccountName: frontend # without an identity, if it needs none
//! ```
//!
//! ## Settings
//! `maxWorkloads`, `identityOwners`.
//!
//! ## References
//! Kubernetes, "Service" (publishing services), "Ingress"; Gateway API, "HTTPRoute".

use fedward_kit::context::Context;
use fedward_kit::index;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition, Report, Rule};
use fedward_kit::workload::Pod;

use crate::settings::Settings;
use crate::sharing::{self, title};

const EXPOSED: Condition = Condition::warning("exposed", "a workload that can be reached from outside shares a federated service account");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "exposed-shared-account",
    summary: "a workload that faces the outside shares a federated service account",
    conditions: &[EXPOSED],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    if !cx.request.is_final || index::is_hook(cx.object) {
        return;
    }
    for (pod, name) in sharing::by_account(cx) {
        if sharing::owners(cx.settings, pod.namespace, name).is_some() {
            continue;
        }
        let Some((_, others)) = sharing::shared(cx, pod, name) else { continue };
        let Some((way, to)) = way_in(cx.context, pod) else { continue };
        let message = format!(
            "`{}` makes these pods reachable from outside, and their service account `{name}` also serves {}",
            title(way),
            others.names(title)
        );
        let mut report = Report::new(&EXPOSED, pod.account.node(), message)
            .help("give what faces the outside a service account of its own, without an identity if it needs none")
            .related(way.peek("metadata").peek("name"), "leads to the pods from outside")
            .more(others.more);
        if !to.is_same(way) {
            report = report.related(to.peek("metadata").peek("name"), "the Service that it leads to");
        }
        for other in &others.known {
            report = report.related(other.peek("metadata").peek("name"), "runs as the same service account");
        }
        cx.report(report);
    }
}

/// What leads to a pod from outside, and the Service that selects it.
fn way_in<'a>(context: &Context<'a>, pod: &Pod<'a>) -> Option<(Node<'a>, Node<'a>)> {
    let labels = labels(pod);
    let anchor = pod.account.node();
    let mut services = index::services_with(context, pod.namespace, &labels, anchor)?.items;
    services.retain(|service| index::selects(*service, &labels));
    if let Some(service) = services.iter().find(|service| index::is_exposed(**service)) {
        return Some((*service, *service));
    }
    services.into_iter().find_map(|service| {
        let name = service.peek("metadata").peek_text("name")?;
        let route = index::routes_to(context, pod.namespace, name, anchor)?.items.into_iter().next()?;
        Some((route, service))
    })
}

/// The labels that the pod will have.
fn labels<'a>(pod: &Pod<'a>) -> Vec<(&'a str, &'a str)> {
    let mut found: Vec<(&'a str, &'a str)> = Vec::new();
    for (key, value) in pod.layers.iter().flat_map(|layer| layer.labels.peek_entries()) {
        if let Some(value) = value.peek_str()
            && !found.iter().any(|(known, _)| *known == key)
        {
            found.push((key, value));
        }
    }
    found
}
