//! Manifests of policies and of groups.

use fedward_policyset::{Body, FailurePolicy, Kind, Mode, Reach, is_policy, read, read_server};
use serde_json::{Value, json};

use crate::matching::{pod, reach_of};
use crate::{good, kind, pods, policy};

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
            "/spec/rules/0/operations/0: there is no operation `create` (`CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`)",
            "/spec/matchConditions/1/expression: `expression` is empty",
            "/spec/matchConditions/2/expression: two conditions have the name `a`",
            "/spec/objectSelector/matchExpressions/0/values: this operator needs `values`",
            "/spec/objectSelector/matchExpressions/1/operator: `operator` has to be `In` or `NotIn` or `Exists` or `DoesNotExist`",
            "/spec/objectSelector/matchExpressions/1/operator: an expression needs an `operator`",
            "/spec/timeoutEvalSeconds: `timeoutEvalSeconds` has to be a number from 2 to 30",
            "/spec/module: `module` is empty",
        ]
    );
}

/// Where something fatal is wrong with a policy of these fields.
fn refused(extra: Value) -> Vec<String> {
    let (found, problems) = policy(good(extra.clone()));
    let at: Vec<String> =
        problems.iter().filter(|(_, fatal)| *fatal).map(|(text, _)| text.split(": ").next().unwrap().to_owned()).collect();
    assert_eq!(found.is_none(), !at.is_empty(), "{extra}: {problems:?}");
    at
}

#[test]
fn what_no_webhook_can_have_is_refused() {
    let nothing: [&str; 0] = [];
    let table: [(Value, &str); 22] = [
        (json!({ "sideEffects": "NoneOnDryRun" }), ""),
        (json!({ "sideEffects": "Some" }), "/spec/sideEffects"),
        (json!({ "sideEffects": "Unknown" }), "/spec/sideEffects"),
        (json!({ "timeoutSeconds": 1 }), ""),
        (json!({ "timeoutSeconds": 0 }), "/spec/timeoutSeconds"),
        (json!({ "timeoutSeconds": 31 }), "/spec/timeoutSeconds"),
        (json!({ "timeoutSeconds": "5" }), "/spec/timeoutSeconds"),
        (json!({ "timeoutEvalSeconds": 2 }), ""),
        (json!({ "timeoutEvalSeconds": 1 }), "/spec/timeoutEvalSeconds"),
        (json!({ "timeoutEvalSeconds": 31, "timeoutSeconds": 30 }), "/spec/timeoutEvalSeconds"),
        (json!({ "timeoutEvalSeconds": 10 }), ""),
        // A webhook has ten seconds if nothing is said.
        (json!({ "timeoutEvalSeconds": 11 }), "/spec/timeoutEvalSeconds"),
        (json!({ "timeoutEvalSeconds": 11, "timeoutSeconds": 11 }), ""),
        (json!({ "matchConditions": [{ "name": "example.com/No_root.1", "expression": "true" }] }), ""),
        (json!({ "matchConditions": [{ "name": "no root", "expression": "true" }] }), "/spec/matchConditions/0/name"),
        (json!({ "objectSelector": { "matchLabels": { "example.com/tier": "", "tier": "Web_1" } } }), ""),
        (json!({ "objectSelector": { "matchLabels": { "a/b/c": "x" } } }), "/spec/objectSelector/matchLabels/a~1b~1c"),
        (json!({ "objectSelector": { "matchLabels": { "tier": "web app" } } }), "/spec/objectSelector/matchLabels/tier"),
        (
            json!({ "namespaceSelector": { "matchExpressions": [{ "key": "-tier", "operator": "Exists" }] } }),
            "/spec/namespaceSelector/matchExpressions/0/key",
        ),
        (
            json!({ "namespaceSelector": { "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["web", "db-"] }] } }),
            "/spec/namespaceSelector/matchExpressions/0/values/1",
        ),
        (json!({ "objectSelector": { "matchLabels": { "": "x" } } }), "/spec/objectSelector/matchLabels/"),
        (json!({ "objectSelector": {} }), ""),
    ];
    for (extra, at) in table {
        let found = refused(extra.clone());
        if at.is_empty() { assert_eq!(found, nothing, "{extra}") } else { assert_eq!(found, [at], "{extra}") }
    }
}

#[test]
fn only_the_group_of_a_rule_may_be_empty() {
    let at = refused(json!({ "rules": [{ "apiGroups": ["", "apps"], "apiVersions": ["v1", ""], "resources": [""], "operations": [""] }] }));
    assert_eq!(at, ["/spec/rules/0/apiVersions/1", "/spec/rules/0/resources/0", "/spec/rules/0/operations/0"]);
}

#[test]
fn names_and_versions_that_no_manifest_can_have() {
    let problems = |kind: Kind, version: &str, name: &str| {
        let mut spec = if kind.is_group() {
            json!({ "policies": { "a": { "module": "a" } }, "expression": "a()", "message": "no" })
        } else {
            good(json!({}))
        };
        spec["rules"] = pods();
        let manifest = json!({ "apiVersion": format!("policies.kubewarden.io/{version}"), "metadata": { "name": name }, "spec": spec });
        let (found, problems) = read(kind, &manifest, "default");
        assert_eq!(found.is_some(), problems.is_empty());
        problems.into_iter().map(|problem| format!("{}: {}", problem.pointer, problem.message)).collect::<Vec<_>>()
    };
    for (kind, version, refused) in [
        (Kind::Cluster, "v1", false),
        (Kind::Cluster, "v1alpha2", false),
        (Kind::Namespaced, "v1alpha2", false),
        (Kind::ClusterGroup, "v1", false),
        (Kind::NamespacedGroup, "v1alpha2", true),
        (Kind::Cluster, "v1beta1", true),
        (Kind::Cluster, "v2", true),
        (Kind::Cluster, "", true),
    ] {
        let found = problems(kind, version, "labels");
        assert!(if refused { found.len() == 1 && found[0].starts_with("/apiVersion: ") } else { found.is_empty() }, "{version}: {found:?}");
    }
    let found = problems(Kind::Cluster, "v2", "labels");
    let message =
        "there is no `ClusterAdmissionPolicy` of this version: it is `policies.kubewarden.io/v1` or `policies.kubewarden.io/v1alpha2`";
    assert_eq!(found, [format!("/apiVersion: {message}")]);
    for kind in [Kind::Cluster, Kind::Namespaced, Kind::ClusterGroup, Kind::NamespacedGroup] {
        assert!(problems(kind, "v1", "no.root-1").is_empty());
        for name in ["No-Root", "no_root", "-a", "a..b", &"a".repeat(254)] {
            let found = problems(kind, "v1", name);
            assert!(found.len() == 1 && found[0].starts_with("/metadata/name: "), "{name}: {found:?}");
        }
    }
}

#[test]
fn what_can_never_match_is_a_warning() {
    let rule = |groups: Value, versions: Value, resources: Value| {
        let rules = json!([{ "apiGroups": groups, "apiVersions": versions, "resources": resources, "operations": ["CREATE"] }]);
        let (found, problems) = policy(good(json!({ "rules": rules })));
        assert!(found.is_some() && problems.iter().all(|(_, fatal)| !fatal), "{problems:?}");
        problems.into_iter().map(|(text, _)| text.strip_prefix("/spec/rules/0/").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let one = |groups: &str, versions: &str, resources: &str| rule(json!([groups]), json!([versions]), json!([resources]));
    assert_eq!(
        one("apps/v1", "v1", "deployments"),
        ["apiGroups/0: no request has the group `apps/v1`: its version belongs in `apiVersions`"]
    );
    assert_eq!(one("core", "v1", "pods"), ["apiGroups/0: no request has the group `core`: that of the core is the empty text"]);
    assert_eq!(one("Apps", "v1", "deployments"), ["apiGroups/0: no request has the group `Apps`: groups are written in small letters"]);
    assert_eq!(
        one("apps", "apps/v1", "deployments"),
        ["apiVersions/0: no request has the version `apps/v1`: its group belongs in `apiGroups`"]
    );
    let said = |resource: &str, hint: &str| {
        format!("resources/0: no request has the resource `{resource}`: it is the plural in small letters{hint}")
    };
    for (group, resource, hint) in [
        ("apps", "Deployment", ": `deployments`"),
        ("apps", "Deployments", ": `deployments`"),
        ("apps", "deployment", ": `deployments`"),
        ("apps", "deployment/scale", ": `deployments/scale`"),
        ("", "pods/Log", ": `pods/log`"),
        ("networking.k8s.io", "Ingress", ": `ingresses`"),
        ("example.com", "Tills", ""),
        ("*", "Pod", ": `pods`"),
    ] {
        assert_eq!(one(group, "v1", resource), [said(resource, hint)], "{group}");
    }
    // Custom resources can have any name in small letters.
    for (group, resource) in
        [("example.com", "pod"), ("*", "pod"), ("metrics.k8s.io", "pods"), ("", "endpoints"), ("*", "*"), ("apps", "*/scale")]
    {
        assert_eq!(one(group, "*", resource), [""; 0], "{group} {resource}");
    }
    assert_eq!(rule(json!(["", "apps"]), json!(["v1"]), json!(["pods", "Deployment"])).len(), 1);
}

#[test]
fn a_policy_of_a_namespace_is_for_that_namespace_only() {
    let (found, problems) = kind(Kind::Namespaced, good(json!({ "namespaceSelector": {}, "contextAwareResources": [] })));
    assert!(problems.iter().all(|(_, fatal)| !fatal) && problems.len() == 2, "{problems:?}");
    let found = found.unwrap();
    assert_eq!(found.unique_name(), "namespaced-shop-labels");
    let matching = found.matching.unwrap();
    assert_eq!(reach_of(&matching, &pod("shop")), Reach::Yes);
    assert_eq!(reach_of(&matching, &pod("other")), Reach::No);
}

#[test]
fn a_policy_of_a_namespace_names_what_its_controller_deploys() {
    let refused = |group: &str, resource: &str| {
        let rules = json!([{ "apiGroups": [group], "apiVersions": ["v1"], "resources": [resource], "operations": ["CREATE"] }]);
        let (found, problems) = kind(
            Kind::NamespacedGroup,
            json!({
                "rules": rules, "message": "no", "expression": "one()", "policies": { "one": { "module": "file:///one.wasm" } }
            }),
        );
        let (single, _) = kind(Kind::Namespaced, good(json!({ "rules": rules })));
        assert_eq!(found.is_none(), single.is_none());
        assert!(policy(good(json!({ "rules": rules }))).0.is_some(), "a policy of the cluster may");
        problems.into_iter().filter(|(_, fatal)| *fatal).map(|(text, _)| text.split(": ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (group, resource) = ("/spec/rules/0/apiGroups/0", "/spec/rules/0/resources/0");
    for (of, name, at) in [
        ("", "pods", vec![]),
        ("", "pods/*", vec![]),
        ("shop.example", "policyreports", vec![]),
        ("*", "pods", vec![group]),
        ("", "*", vec![resource]),
        ("*", "*/*", vec![group, resource]),
        ("", "*/scale", vec![resource]),
        ("wgpolicyk8s.io", "policyreports", vec![resource]),
        ("wgpolicyk8s.io", "policyreports/status", vec![resource]),
    ] {
        assert_eq!(refused(of, name), at, "{of} {name}");
    }
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
fn evaluations_of_a_group_end_before_its_webhook() {
    let group = |first: u32, second: u32, whole: Value| {
        let member = |seconds: u32| json!({ "module": "a", "timeoutEvalSeconds": seconds });
        let spec = json!({ "policies": { "a": member(first), "b": member(second) }, "expression": "a() && b()", "message": "no", "rules": pods(), "timeoutSeconds": whole });
        kind(Kind::ClusterGroup, spec).1
    };
    assert_eq!(group(5, 5, Value::Null), []);
    assert_eq!(group(10, 20, json!(30)), []);
    for (problems, whole) in [(group(5, 6, Value::Null), "10, which it is if nothing is said"), (group(5, 6, json!(8)), "8")] {
        let message = format!("/spec/policies: evaluations may take 11 seconds, longer than the webhook's `timeoutSeconds` of {whole}");
        assert_eq!(problems, [(message, true)]);
    }
}

#[test]
fn members_that_yaml_takes_for_booleans() {
    let members = json!({ "true": { "module": "a" }, "while": { "module": "a" } });
    let spec = json!({ "policies": members, "expression": "true()", "message": "no", "rules": pods() });
    let (_, problems) = kind(Kind::ClusterGroup, spec.clone());
    let quoted: Vec<bool> = problems.iter().map(|(text, fatal)| *fatal && text.contains("`yes`") && text.contains("quoted")).collect();
    assert_eq!(quoted, [true, false], "{problems:?}");
    let (_, problems) = read_server(&json!({ "both": spec }));
    assert!(problems.iter().any(|problem| problem.pointer == "/both/policies/true" && problem.message.contains("quoted")), "{problems:?}");
}
