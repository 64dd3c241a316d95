//! Input that means harm: nothing panics, nothing is granted by mistake, and no question takes long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use fedward_rbac::{Action, Decision, EvaluationError, MAX_ERRORS, Rbac, Refusal, ResourceAttributes, Source, User};
use serde_json::{Value, json};

const API: &str = "rbac.authorization.k8s.io/v1";

fn get(resource: &str) -> Action {
    Action::Resource(ResourceAttributes { verb: "get".into(), resource: resource.into(), ..Default::default() })
}

fn user(name: &str) -> User {
    User { name: name.into(), groups: Vec::new() }
}

fn role(name: &str, resource: &str) -> Value {
    json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}]})
}

fn binding(name: &str, user: &str, role: &str) -> Value {
    json!({"apiVersion": API, "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "subjects": [{"kind": "User", "name": user}], "roleRef": {"kind": "ClusterRole", "name": role}})
}

fn errors(decision: Decision) -> Vec<EvaluationError> {
    match decision {
        Decision::NoOpinion(errors) => errors,
        Decision::Allowed(grant) => panic!("allowed: {grant:?}"),
    }
}

/// Every value of two objects that grant, replaced by every wrong type: never a panic, and never a grant to somebody else.
#[test]
fn wrong_types_everywhere() {
    let good = [role("all", "pods"), binding("all", "baker", "all")];
    assert!(Rbac::new(&good).decide(&user("baker"), &get("pods")).is_allowed());
    fn pointers(value: &Value, at: String, out: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| pointers(value, format!("{at}/{}", key.replace('/', "~1")), out))
            }
            Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| pointers(value, format!("{at}/{index}"), out)),
            _ => {}
        }
        out.push(at);
    }
    let wrong = [json!(1), json!(true), json!(1.5), json!([[]]), json!({"a": {"b": []}}), json!([1])];
    for changed in 0..good.len() {
        let mut places = Vec::new();
        pointers(&good[changed], String::new(), &mut places);
        for place in places {
            for value in &wrong {
                let mut objects = good.clone();
                *objects[changed].pointer_mut(&place).unwrap() = value.clone();
                let rbac = Rbac::new(&objects);
                assert!(!rbac.decide(&user("baker"), &get("pods")).is_allowed(), "{place} = {value}");
                assert!(!rbac.decide(&user("miller"), &get("pods")).is_allowed(), "{place} = {value}");
            }
        }
    }
}

#[test]
fn things_that_are_no_objects() {
    let rbac = Rbac::new([
        json!(null),
        json!([]),
        json!("ClusterRole"),
        json!({}),
        json!({"apiVersion": API}),
        json!({"apiVersion": API, "kind": 3}),
    ]);
    assert_eq!(rbac.refused(), []);
    assert_eq!(errors(rbac.decide(&User::default(), &get(""))), []);
}

#[test]
fn refusals_say_why() {
    let change = |mut object: Value, place: &str, value: Value| {
        *object.pointer_mut(place).unwrap() = value;
        Rbac::new([object]).refused().to_vec()
    };
    let role = || {
        let mut role = role("all", "pods");
        role["metadata"]["labels"] = json!({});
        role["aggregationRule"] = json!(null);
        role
    };
    let binding = || binding("all", "baker", "all");
    for (refused, wanted) in [
        (change(role(), "/rules", json!("all")), Refusal::Type),
        (change(role(), "/metadata/name", json!("a/b")), Refusal::Name),
        (change(role(), "/metadata/name", json!(null)), Refusal::Name),
        (change(role(), "/kind", json!("Role")), Refusal::Namespace),
        (change(role(), "/metadata/labels", json!({"-": ""})), Refusal::Labels),
        (change(role(), "/metadata/labels", json!({"a.example.org/b": "c d"})), Refusal::Labels),
        (change(role(), "/rules/0/verbs", json!([])), Refusal::Rule(0, "it has no verbs")),
        (change(role(), "/rules/0/apiGroups", json!(null)), Refusal::Rule(0, "it needs API groups and resources")),
        (change(role(), "/aggregationRule", json!({})), Refusal::Selectors),
        (
            change(role(), "/aggregationRule", json!({"clusterRoleSelectors": [{"matchExpressions": [{"key": "a", "operator": "in"}]}]})),
            Refusal::Selectors,
        ),
        (
            change(role(), "/aggregationRule", json!({"clusterRoleSelectors": [{"matchExpressions": [{"key": "a", "operator": "In"}]}]})),
            Refusal::Selectors,
        ),
        (change(role(), "/aggregationRule", json!({"clusterRoleSelectors": [{"matchLabels": {"a b": "c"}}]})), Refusal::Selectors),
        (change(binding(), "/roleRef/name", json!("")), Refusal::RoleRef),
        (change(binding(), "/roleRef", json!(null)), Refusal::RoleRef),
        (change(binding(), "/roleRef/kind", json!("Deployment")), Refusal::RoleRef),
        (change(binding(), "/subjects/0/name", json!(null)), Refusal::Subject(0, "it has no name")),
        (change(binding(), "/subjects/0/kind", json!("ServiceAccount")), Refusal::Subject(0, "it needs a namespace")),
        (
            change(binding(), "/subjects/0", json!({"kind": "ServiceAccount", "name": "a:b", "namespace": "c"})),
            Refusal::Subject(0, "service accounts have other names"),
        ),
    ] {
        assert_eq!(refused, [(0, wanted)]);
    }
}

/// One user's question does not look at the bindings of others: all of them together are more than a question is worth.
#[test]
fn bindings_of_others_cost_nothing() {
    let rules: Vec<Value> = (0..300).map(|n| json!({"apiGroups": [""], "resources": [format!("r{n}")], "verbs": ["get"]})).collect();
    let mut objects = Vec::new();
    for n in 0..1_000 {
        let mut role = role(&format!("role-{n}"), "pods");
        role["rules"] = rules.clone().into();
        objects.push(role);
    }
    for n in 0..10_000 {
        let mut binding = binding(&format!("binding-{n}"), &format!("user-{n}"), &format!("role-{}", n % 1_000));
        binding["subjects"].as_array_mut().unwrap().push(json!({"kind": "Group", "name": "crowd"}));
        objects.push(binding);
    }
    let rbac = Rbac::new(&objects);
    assert!(rbac.decide(&user("user-9999"), &get("r299")).is_allowed());
    assert_eq!(errors(rbac.decide(&user("user-9999"), &get("other"))), []);
    let crowd = User { name: "user-1".into(), groups: vec!["crowd".into()] };
    assert!(rbac.decide(&crowd, &get("r1")).is_allowed());
    assert_eq!(errors(rbac.decide(&crowd, &get("other"))), [EvaluationError::TooMuch]);
}

/// A role that thousands of bindings name is walked once.
#[test]
fn a_role_is_walked_once() {
    let mut big = role("big", "pods");
    big["rules"] =
        (0..1_000).map(|n| json!({"apiGroups": [""], "resources": [format!("r{n}")], "verbs": ["get"]})).collect::<Vec<_>>().into();
    let mut objects = vec![big];
    objects.extend((0..10_000).map(|n| binding(&format!("binding-{n}"), "baker", "big")));
    assert_eq!(errors(Rbac::new(&objects).decide(&user("baker"), &get("other"))), []);
}

/// Every aggregated role selects every role, itself among them.
#[test]
fn aggregation_of_everything_by_everything_ends() {
    let aggregate = |name: &str| json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": name}, "aggregationRule": {"clusterRoleSelectors": [{}]}});
    let mut objects: Vec<Value> = (0..200).map(|n| aggregate(&format!("role-{n}"))).collect();
    objects.push(role("leaf", "pods"));
    objects.push(binding("all", "baker", "role-0"));
    let rbac = Rbac::new(&objects);
    assert!(rbac.decide(&user("baker"), &get("pods")).is_allowed());
    // `cluster-admin` is selected too.
    assert!(rbac.decide(&user("baker"), &get("anything")).is_allowed());
    objects.push(json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "cluster-admin"}}));
    let rbac = Rbac::new(&objects);
    assert_eq!(errors(rbac.decide(&user("baker"), &get("anything"))), []);
    objects.extend((200..5_000).map(|n| aggregate(&format!("role-{n}"))));
    let rbac = Rbac::new(&objects);
    assert!(rbac.decide(&user("baker"), &get("pods")).is_allowed());
    assert_eq!(errors(rbac.decide(&user("baker"), &get("anything"))), [EvaluationError::TooMuch]);
}

#[test]
fn a_chain_of_aggregation_needs_no_stack() {
    let link = |n: usize| {
        json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": format!("role-{n}"), "labels": {"link": n.to_string()}},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"link": (n + 1).to_string()}}]}})
    };
    let mut objects: Vec<Value> = (0..20_000).map(link).collect();
    let mut leaf = role("leaf", "pods");
    leaf["metadata"]["labels"] = json!({"link": "20000"});
    objects.extend([leaf, binding("all", "baker", "role-0")]);
    assert!(Rbac::new(&objects).decide(&user("baker"), &get("pods")).is_allowed());
}

#[test]
fn errors_are_bounded_and_name_bindings() {
    let objects: Vec<Value> = (0..1_000).map(|n| binding(&format!("b{n:03}"), "baker", &format!("missing-{n}"))).collect();
    let errors = errors(Rbac::new(&objects).decide(&user("baker"), &get("pods")));
    assert_eq!(errors.len(), MAX_ERRORS);
    assert!(matches!(&errors[3], EvaluationError::RoleNotFound { name, binding: Source::Loaded(3), .. } if name == "missing-3"));
}

/// A doubt inside an aggregation: one of two copies of a component allows.
#[test]
fn copies_inside_an_aggregation() {
    let component = |resource: &str| {
        let mut role = role("component", resource);
        role["metadata"]["labels"] = json!({"part": "yes"});
        role
    };
    let whole = json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "whole"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"part": "yes"}}]}});
    let mut other = component("pods");
    other["rules"].as_array_mut().unwrap().push(json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}));
    let rbac = Rbac::new([&whole, &component("pods"), &other, &binding("all", "baker", "whole")]);
    assert!(rbac.decide(&user("baker"), &get("pods")).is_allowed());
    let doubt =
        EvaluationError::Ambiguous { kind: "ClusterRole", namespace: String::new(), name: "component".into(), first: Source::Loaded(1) };
    assert_eq!(errors(rbac.decide(&user("baker"), &get("secrets"))), [doubt]);
    assert_eq!(errors(rbac.decide(&user("baker"), &get("nodes"))), []);
    // Two copies of a role in the middle that aggregate different things.
    let middle = |part: &str| {
        json!({"apiVersion": API, "kind": "ClusterRole", "metadata": {"name": "middle", "labels": {"part": "yes"}},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"leaf": part}}]}})
    };
    let leaf = |part: &str| {
        let mut role = role(&format!("leaf-{part}"), part);
        role["metadata"]["labels"] = json!({"leaf": part});
        role
    };
    let rbac = Rbac::new([whole, middle("pods"), middle("secrets"), leaf("pods"), leaf("secrets"), binding("all", "baker", "whole")]);
    let doubts = errors(rbac.decide(&user("baker"), &get("secrets")));
    assert!(matches!(&doubts[..], [EvaluationError::Ambiguous { name, .. }] if name == "middle"), "{doubts:?}");
    assert_eq!(errors(rbac.decide(&user("baker"), &get("nodes"))), []);
}

/// Names go into messages as Go quotes them.
#[test]
fn names_are_quoted() {
    let rbac = Rbac::new([role("r", "pods"), binding("b", "a \"b\"\\\n\u{1}\u{7f}\u{a0}é", "r")]);
    let reason = rbac.decide(&user("a \"b\"\\\n\u{1}\u{7f}\u{a0}é"), &get("pods")).reason();
    assert_eq!(reason, r#"RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "a \"b\"\\\n\x01\x7f\u00a0é""#);
}

/// Objects that the API server still has to name are nobody's copies.
#[test]
fn unnamed_bindings_all_count() {
    let unnamed = |user: &str| {
        let mut binding = binding("", user, "r");
        binding["metadata"] = json!({"generateName": "b-"});
        binding
    };
    let rbac = Rbac::new([unnamed("baker"), unnamed("miller"), role("r", "pods")]);
    assert!(rbac.decide(&user("baker"), &get("pods")).is_allowed());
    assert!(rbac.decide(&user("miller"), &get("pods")).is_allowed());
}
