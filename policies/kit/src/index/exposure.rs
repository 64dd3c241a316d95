//! Which workloads can be reached from outside: Services by what they select, and what leads to them.

use super::{API_VERSION, Key, ROUTE, SERVICE, listed_masked};
use crate::context::{Context, List};
use crate::node::Node;
use crate::request::group_of;

const SERVICE_MASKS: [&str; 6] = ["apiVersion", "kind", "metadata.annotations", "metadata.name", "spec.selector", "spec.type"];
/// Kinds that lead to Services, and what a cluster is asked of them.
const ROUTE_KINDS: [(&str, &str); 2] = [("networking.k8s.io/v1", "Ingress"), ("gateway.networking.k8s.io/v1", "HTTPRoute")];
const ROUTE_MASKS: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.namespace",
    "spec.defaultBackend.service.name",
    "spec.rules.backendRefs",
    "spec.rules.http.paths.backend.service.name",
];

/// Annotations that keep a load balancer inside the network, and their values.
const INTERNAL: [(&str, &str); 5] = [
    ("service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
    ("service.beta.kubernetes.io/aws-load-balancer-internal", "true"),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
    ("networking.gke.io/load-balancer-type", "Internal"),
    ("cloud.google.com/load-balancer-type", "Internal"),
];

pub(super) fn service_keys(object: Node<'_>, namespace: &str) -> Option<Vec<Key>> {
    if object.peek_text("kind")? != "Service" || object.peek_text("apiVersion")? != "v1" {
        return None;
    }
    let pairs = object.peek("spec").peek("selector").peek_entries();
    let first = pairs.filter_map(|(key, value)| Some((key, value.peek_str()?))).min();
    Some(first.map(|(key, value)| Key::new(SERVICE, namespace, format!("label={key}={value}"))).into_iter().collect())
}

pub(super) fn route_keys(object: Node<'_>, namespace: &str) -> Option<Vec<Key>> {
    let mut found: Vec<Key> =
        targets(object)?.into_iter().map(|(other, name)| Key::new(ROUTE, other.unwrap_or(namespace), format!("service={name}"))).collect();
    found.sort_by(|one, other| (&one.namespace, &one.selector).cmp(&(&other.namespace, &other.selector)));
    found.dedup();
    Some(found)
}

/// The Services that an Ingress or a route leads to, with their namespaces where those are not its own; `None` for any other object.
fn targets<'a>(object: Node<'a>) -> Option<Vec<(Option<&'a str>, &'a str)>> {
    let (group, kind) = (group_of(object.peek_text("apiVersion")?), object.peek_text("kind")?);
    let spec = object.peek("spec");
    let rules = spec.peek("rules");
    match (group, kind) {
        ("networking.k8s.io", "Ingress") => {
            let paths = rules.peek_items().flat_map(|rule| rule.peek("http").peek("paths").peek_items()).map(|path| path.peek("backend"));
            let backends = std::iter::once(spec.peek("defaultBackend")).chain(paths);
            Some(backends.filter_map(|backend| Some((None, backend.peek("service").peek_text("name")?))).collect())
        }
        ("gateway.networking.k8s.io", "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" | "UDPRoute") => {
            let backends = rules.peek_items().flat_map(|rule| rule.peek("backendRefs").peek_items());
            let is_service = |backend: &Node<'_>| backend.peek_text("kind").is_none_or(|kind| kind == "Service");
            let target = |backend: Node<'a>| Some((backend.peek_text("namespace"), backend.peek_text("name")?));
            Some(backends.filter(is_service).filter_map(target).collect())
        }
        _ => None,
    }
}

/// Services of the namespace that may select pods with these labels; [`selects`] says which do. Each label costs a question offline,
/// where at most [`super::CAP`] are given for each; in a cluster all Services of the namespace are listed. `None` where the host cannot say.
pub fn services_with<'a>(context: &Context<'a>, namespace: &str, labels: &[(&str, &str)], anchor: Node<'a>) -> Option<List<'a>> {
    if !context.indexed {
        return listed_masked(context, &[("v1", "Service")], &[namespace], &SERVICE_MASKS, anchor, &|_| true);
    }
    let mut found: Option<List<'a>> = None;
    for (key, value) in labels {
        let list = context.list(API_VERSION, SERVICE, namespace, &format!("label={key}={value}"), anchor)?;
        found.get_or_insert_default().items.extend(list.items);
    }
    found
}

/// Whether a Service selects pods with these labels.
pub fn selects(service: Node<'_>, labels: &[(&str, &str)]) -> bool {
    let mut pairs = service.peek("spec").peek("selector").peek_entries().peekable();
    pairs.peek().is_some() && pairs.all(|(key, value)| labels.iter().any(|(name, own)| *name == key && value.peek_str() == Some(*own)))
}

/// Whether a Service itself can be reached from outside the cluster's network. A load balancer inside the network cannot.
pub fn is_exposed(service: Node<'_>) -> bool {
    let annotations = service.peek("metadata").peek("annotations");
    let is_internal = || INTERNAL.iter().any(|(key, value)| annotations.peek(key).peek_str() == Some(*value));
    match service.peek("spec").peek_text("type") {
        Some("NodePort") => true,
        Some("LoadBalancer") => !is_internal(),
        _ => false,
    }
}

/// Ingresses and routes that lead to a Service; in a cluster, those of its own namespace. `None` where the host cannot say.
pub fn routes_to<'a>(context: &Context<'a>, namespace: &str, service: &str, anchor: Node<'a>) -> Option<List<'a>> {
    if context.indexed {
        return context.list(API_VERSION, ROUTE, namespace, &format!("service={service}"), anchor);
    }
    listed_masked(context, &ROUTE_KINDS, &[namespace], &ROUTE_MASKS, anchor, &|object| {
        let is_it = |(other, name): &(Option<&str>, &str)| *name == service && other.is_none_or(|other| other == namespace);
        targets(object).is_some_and(|targets| targets.iter().any(is_it))
    })
}
