//! Which requests reach a policy.

use fedward_policyset::{Attributes, Labels, Matching, Reach};
use serde_json::{Value, json};

use crate::{good, policy};

/// A request for a Pod in a namespace of which nothing is known.
pub(crate) fn pod(namespace: &str) -> Attributes<'_> {
    Attributes {
        group: "",
        version: "v1",
        versions: None,
        resource: "pods",
        subresource: "",
        namespace,
        operation: "CREATE",
        labels: None,
        old_labels: None,
        namespace_labels: None,
    }
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Whether a request reaches a policy, as the engine puts it together.
pub(crate) fn reach_of(matching: &Matching, request: &Attributes<'_>) -> Reach {
    if matching.takes(request) { matching.selects(request) } else { Reach::No }
}

fn reach(rules: Value, extra: Value, request: &Attributes<'_>) -> Reach {
    let mut spec = good(extra);
    spec["rules"] = json!([rules]);
    let (found, problems) = policy(spec);
    reach_of(&found.unwrap_or_else(|| panic!("{problems:?}")).matching.unwrap(), request)
}

#[test]
fn rules_match_as_webhooks_do() {
    let log = Attributes { subresource: "log", operation: "CONNECT", ..pod("shop") };
    let scale = Attributes { group: "apps", resource: "deployments", subresource: "scale", operation: "UPDATE", ..pod("shop") };
    let namespace = Attributes { resource: "namespaces", ..pod("shop") };
    let node = Attributes { resource: "nodes", ..pod("") };
    let table: [(&str, &str, &str, &str, &str, &Attributes<'_>, bool); 22] = [
        ("", "v1", "pods", "CREATE", "*", &pod("shop"), true),
        ("*", "*", "*", "*", "*", &pod("shop"), true),
        ("apps", "v1", "pods", "CREATE", "*", &pod("shop"), false),
        ("", "v1", "pods", "UPDATE", "*", &pod("shop"), false),
        ("", "v1", "services", "CREATE", "*", &pod("shop"), false),
        // Sub-resources are asked for by name.
        ("", "v1", "pods", "*", "*", &log, false),
        ("", "v1", "*", "*", "*", &log, false),
        ("", "v1", "pods/log", "*", "*", &log, true),
        ("", "v1", "pods/*", "*", "*", &log, true),
        ("", "v1", "*/log", "*", "*", &log, true),
        ("", "v1", "*/*", "*", "*", &log, true),
        ("", "v1", "pods/exec", "*", "*", &log, false),
        ("", "v1", "pods/*", "CREATE", "*", &pod("shop"), true),
        ("apps", "v1", "*/scale", "UPDATE", "*", &scale, true),
        ("apps", "v1", "*/scale", "CREATE", "*", &scale, false),
        // Scopes.
        ("", "v1", "pods", "CREATE", "Namespaced", &pod("shop"), true),
        ("", "v1", "pods", "CREATE", "Cluster", &pod("shop"), false),
        ("", "v1", "nodes", "CREATE", "Cluster", &node, true),
        ("", "v1", "nodes", "CREATE", "Namespaced", &node, false),
        ("", "v1", "namespaces", "CREATE", "Cluster", &namespace, true),
        ("", "v1", "namespaces", "CREATE", "Namespaced", &namespace, false),
        ("", "v1", "namespaces", "CREATE", "*", &namespace, true),
    ];
    for (group, version, resource, operation, scope, request, expected) in table {
        let rule =
            json!({ "apiGroups": [group], "apiVersions": [version], "resources": [resource], "operations": [operation], "scope": scope });
        let found = reach(rule.clone(), json!({}), request);
        assert_eq!(found, if expected { Reach::Yes } else { Reach::No }, "{rule} on {request:?}");
    }
}

#[test]
fn another_version_matches_unless_the_rule_is_exact() {
    let rule = json!({ "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"] });
    let old = Attributes { group: "apps", version: "v1beta1", resource: "deployments", ..pod("shop") };
    assert_eq!(reach(rule.clone(), json!({}), &old), Reach::Yes);
    assert_eq!(reach(rule.clone(), json!({ "matchPolicy": "Exact" }), &old), Reach::No);
    let mut no_version = rule.clone();
    no_version["apiVersions"] = json!(["apps/v1"]);
    assert_eq!(reach(no_version, json!({}), &old), Reach::No);
    // Where the versions of the resource are known, both have to be one of them.
    let known = |version, versions| Attributes { version, versions: Some(versions), ..old };
    assert_eq!(reach(rule.clone(), json!({}), &known("v1beta1", &["v1", "v1beta1"])), Reach::Yes);
    assert_eq!(reach(rule.clone(), json!({}), &known("v9", &["v1", "v1beta1"])), Reach::No);
    assert_eq!(reach(rule.clone(), json!({}), &known("v1beta1", &["v2", "v1beta1"])), Reach::No);
    assert_eq!(reach(rule, json!({}), &known("v1", &["v2"])), Reach::Yes);
}

#[test]
fn object_selectors_look_at_both_objects() {
    let any = json!({ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["*"] });
    let selector = json!({ "objectSelector": { "matchLabels": { "tier": "web" } } });
    let (web, other) = (labels(&[("tier", "web")]), labels(&[("tier", "db")]));
    let request = |labels, old_labels| Attributes { labels, old_labels, ..pod("shop") };
    for (request, expected) in [
        (request(Some(&web), None), Reach::Yes),
        (request(Some(&other), None), Reach::No),
        (request(Some(&other), Some(&web)), Reach::Yes),
        (request(None, Some(&web)), Reach::Yes),
        (request(None, None), Reach::No),
    ] {
        assert_eq!(reach(any.clone(), selector.clone(), &request), expected, "{request:?}");
    }
    // An empty selector selects what has no labels, and what is no object.
    assert_eq!(reach(any, json!({ "objectSelector": {} }), &request(None, None)), Reach::Yes);
}

#[test]
fn namespace_selectors_say_when_they_cannot_know() {
    let any = json!({ "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["*"] });
    let by_label = json!({ "namespaceSelector": { "matchLabels": { "tier": "prod" } } });
    let by_name = json!({ "namespaceSelector": { "matchExpressions": [
        { "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"] }
    ] } });
    let both = json!({ "namespaceSelector": {
        "matchLabels": { "tier": "prod" },
        "matchExpressions": [{ "key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop"] }]
    } });
    let (prod, none) = (labels(&[("tier", "prod")]), labels(&[]));
    let within = |namespace, namespace_labels| Attributes { namespace_labels, ..pod(namespace) };
    let table = [
        (&by_label, within("shop", None), Reach::NotKnown),
        (&by_label, within("shop", Some(&prod)), Reach::Yes),
        (&by_label, within("shop", Some(&none)), Reach::No),
        (&by_name, within("shop", None), Reach::Yes),
        (&by_name, within("kube-system", None), Reach::No),
        (&both, within("other", None), Reach::No),
        (&both, within("shop", None), Reach::NotKnown),
        // Cluster-scoped objects are never left out; a namespace is selected by its own labels.
        (&by_label, Attributes { resource: "nodes", ..within("", None) }, Reach::Yes),
        (&by_label, Attributes { resource: "namespaces", labels: Some(&prod), ..within("shop", Some(&none)) }, Reach::Yes),
        (&by_label, Attributes { resource: "namespaces", labels: Some(&none), ..within("shop", Some(&prod)) }, Reach::No),
    ];
    for (selector, request, expected) in table {
        assert_eq!(reach(any.clone(), selector.clone(), &request), expected, "{selector} on {request:?}");
    }
}

#[test]
fn operators() {
    let any = json!({ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["*"] });
    let labelled = labels(&[("tier", "web")]);
    for (operator, values, expected) in [
        ("In", json!(["web", "db"]), Reach::Yes),
        ("In", json!(["db"]), Reach::No),
        ("NotIn", json!(["db"]), Reach::Yes),
        ("NotIn", json!(["web"]), Reach::No),
        ("Exists", json!([]), Reach::Yes),
        ("DoesNotExist", json!([]), Reach::No),
    ] {
        let selector = json!({ "objectSelector": { "matchExpressions": [{ "key": "tier", "operator": operator, "values": values }] } });
        let request = Attributes { labels: Some(&labelled), ..pod("shop") };
        assert_eq!(reach(any.clone(), selector.clone(), &request), expected, "{selector}");
        let without = Attributes { labels: Some(&Labels::new()), ..pod("shop") };
        let absent = if matches!(operator, "NotIn" | "DoesNotExist") { Reach::Yes } else { Reach::No };
        assert_eq!(reach(any.clone(), selector.clone(), &without), absent, "{selector} on nothing");
    }
}
