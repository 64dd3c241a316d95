//! Policy manifests as they are written, right and wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use fedward_policyset::{Attributes, Body, FailurePolicy, Kind, Labels, Mode, Policy, Reach, is_policy, read, read_server};
use serde_json::{Value, json};

fn policy(spec: Value) -> (Option<Policy>, Vec<(String, bool)>) {
    kind(Kind::Cluster, spec)
}

fn kind(kind: Kind, spec: Value) -> (Option<Policy>, Vec<(String, bool)>) {
    let manifest = json!({ "metadata": { "name": "labels", "namespace": "shop" }, "spec": spec });
    let (policy, problems) = read(kind, &manifest, "default");
    (policy, problems.into_iter().map(|problem| (format!("{}: {}", problem.pointer, problem.message), problem.fatal)).collect())
}

fn pods() -> Value {
    json!([{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE", "UPDATE"] }])
}

fn good(extra: Value) -> Value {
    let mut spec = json!({ "module": "registry://modules.example/labels:v1", "mutating": false, "rules": pods() });
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    spec
}

#[test]
fn kinds_are_known_in_every_version() {
    for version in ["v1", "v1alpha2", "v1beta1"] {
        assert_eq!(is_policy(&format!("policies.kubewarden.io/{version}"), "AdmissionPolicyGroup"), Some(Kind::NamespacedGroup));
    }
    assert_eq!(is_policy("policies.kubewarden.io/v1", "PolicyServer"), None);
    assert_eq!(is_policy("example.com/v1", "ClusterAdmissionPolicy"), None);
}

#[test]
fn what_is_not_said_has_the_default_of_the_custom_resource() {
    let (found, problems) = policy(good(json!({})));
    assert_eq!(problems, []);
    let found = found.unwrap();
    assert_eq!(
        (found.mode, found.failure_policy, found.mutating, found.background_audit),
        (Mode::Protect, FailurePolicy::Fail, false, true)
    );
    assert_eq!(found.unique_name(), "clusterwide-labels");
    let matching = found.matching.unwrap();
    assert!(matching.equivalent && matching.namespace_selector.is_none() && matching.conditions.is_empty());
    let Body::Single(member) = found.body else { panic!("a single policy") };
    assert_eq!(member.host_capabilities, None);
    assert_eq!(member.settings_pointer, "/spec/settings");
}

#[test]
fn a_module_without_a_scheme_comes_from_a_registry() {
    let (found, _) = policy(good(json!({ "module": "modules.example/labels:v1" })));
    let Body::Single(member) = found.unwrap().body else { panic!("a single policy") };
    assert_eq!(member.module, "registry://modules.example/labels:v1");
}

#[test]
fn an_unknown_field_is_a_warning_and_the_rest_counts() {
    let (found, problems) = policy(good(json!({ "namespaceSelecter": {}, "mode": "monitor" })));
    assert_eq!(found.unwrap().mode, Mode::Monitor);
    assert_eq!(problems, [("/spec/namespaceSelecter: there is no field `namespaceSelecter`: the API server drops it".to_owned(), false)]);
}

#[test]
fn every_mistake_is_listed() {
    let (found, problems) = policy(json!({
        "module": "",
        "mode": "audit",
        "rules": [{ "apiGroups": ["*", "apps"], "apiVersions": [], "resources": ["*", "pods/log"], "operations": ["create"] }],
        "failurePolicy": "Allow",
        "timeoutEvalSeconds": 300,
        "settings": [],
        "matchConditions": [{ "name": "a", "expression": "true" }, { "name": "a", "expression": " " }, { "name": "a", "expression": "1 == 1" }],
        "objectSelector": { "matchExpressions": [{ "key": "a", "operator": "In" }, { "key": "a", "operator": "Like", "values": ["b"] }] },
    }));
    assert_eq!(found, None);
    let text: Vec<String> = problems.into_iter().map(|(text, fatal)| format!("{text}{}", if fatal { "" } else { " (warning)" })).collect();
    assert_eq!(
        text,
        [
            "/spec/rules/0/apiGroups: `*` stands alone",
            "/spec/rules/0/apiVersions: a rule needs `apiVersions`",
            "/spec/rules/0/operations: there is no operation `create` (`CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`)",
            "/spec/matchConditions/1/expression: `expression` is empty",
            "/spec/matchConditions/2/expression: two conditions have the name `a`",
            "/spec/objectSelector/matchExpressions/0/values: this operator needs `values`",
            "/spec/objectSelector/matchExpressions/1/operator: `operator` has to be `In` or `NotIn` or `Exists` or `DoesNotExist`",
            "/spec/objectSelector/matchExpressions/1/operator: an expression needs an `operator`",
            "/spec/timeoutEvalSeconds: `timeoutEvalSeconds` has to be a number from 1 to 30",
            "/spec/module: `module` is empty",
        ]
    );
}

#[test]
fn a_policy_of_a_namespace_is_for_that_namespace_only() {
    let (found, problems) = kind(Kind::Namespaced, good(json!({ "namespaceSelector": {}, "contextAwareResources": [] })));
    assert!(problems.iter().all(|(_, fatal)| !fatal) && problems.len() == 2, "{problems:?}");
    let found = found.unwrap();
    assert_eq!(found.unique_name(), "namespaced-shop-labels");
    let matching = found.matching.unwrap();
    assert_eq!(matching.reach(&pod("shop")), Reach::Yes);
    assert_eq!(matching.reach(&pod("other")), Reach::No);
}

#[test]
fn groups() {
    let members =
        json!({ "signed": { "module": "file:///signed.wasm" }, "allowed": { "module": "file:///allowed.wasm", "settings": { "a": 1 } } });
    let spec = json!({ "policies": members, "expression": "signed() || allowed()", "message": "neither", "rules": pods() });
    let (found, problems) = kind(Kind::ClusterGroup, spec.clone());
    assert_eq!(problems, []);
    let found = found.unwrap();
    assert_eq!(found.unique_name(), "clusterwide-group-labels");
    let names: Vec<&str> = found.body.members().map(|(name, _)| name).collect();
    assert_eq!(names, ["allowed", "signed"]);

    let mut broken = spec;
    broken["policies"]["not-a-name"] = json!({ "module": "x" });
    broken.as_object_mut().unwrap().remove("message");
    let (found, problems) = kind(Kind::ClusterGroup, broken);
    assert_eq!(found, None);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn policies_of_a_policy_server() {
    let file = json!({
        "labels": { "module": "registry://modules.example/labels:v1", "policyMode": "monitor", "allowedToMutate": true, "somethingNew": 1 },
        "both": { "policies": { "a": { "module": "file:///a.wasm", "hostCapabilities": ["oci/*"] } }, "expression": "a()", "message": "no" },
        "a/b": { "module": "x" },
        "nothing": {},
    });
    let (policies, problems) = read_server(&file);
    let names: Vec<String> = policies.iter().map(Policy::unique_name).collect();
    assert_eq!(names, ["both", "labels"]);
    let of = |name: &str| policies.iter().find(|policy| policy.name == name).unwrap();
    assert!(of("labels").mutating && of("labels").mode == Mode::Monitor && of("labels").matching.is_none());
    let (_, member) = of("labels").body.members().next().unwrap();
    assert_eq!(member.host_capabilities, Some(Vec::new()), "nothing is granted unless it is said");
    let (_, member) = of("both").body.members().next().unwrap();
    assert_eq!(member.host_capabilities, Some(vec!["oci/*".to_owned()]));
    let fatal: Vec<&str> = problems.iter().filter(|problem| problem.fatal).map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(fatal, ["/a~1b", "/nothing/module"]);
}

/// A request for a Pod in a namespace of which nothing is known.
fn pod(namespace: &str) -> Attributes<'_> {
    Attributes {
        group: "",
        version: "v1",
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

fn reach(rules: Value, extra: Value, request: &Attributes<'_>) -> Reach {
    let mut spec = good(extra);
    spec["rules"] = json!([rules]);
    let (found, problems) = policy(spec);
    found.unwrap_or_else(|| panic!("{problems:?}")).matching.unwrap().reach(request)
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
    assert_eq!(reach(rule, json!({ "matchPolicy": "Exact" }), &old), Reach::No);
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
