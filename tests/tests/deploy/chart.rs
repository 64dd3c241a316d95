//! The Helm chart: its values, what it comes to, and whether Helm says the same.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use fedward_artifacts::chart;
use fedward_artifacts::package::{self, Package};
use fedward_engine::from_yaml;
use serde_json::{Value, json};

use crate::scenario::{is_admitted, lines, scenarios};
use crate::{KIND, SETS, STEPS, folder, objects, overlay, policies, read, root};

/// Values beside those of the overlays: everything that there is to set, in one case at least.
const CASES: [&str; 4] = [
    "{}",
    "use: policies
mode: protect
module: {registry: \"localhost:5000/mirror/fedward\", tag: v9.9.9-rc.1}
policyServer: reserved
failurePolicy: Ignore
timeoutSeconds: 12
settings: {exemptNamespaces: [kube-*, 'true'], severities: {cluster-wide-edit: error, missing-azure-label: info, wrong-field-type: off}}
policies:
  enforce-audience-issuer: {settings: {cloud: public, clusterIssuer: https://oidc.clusters.example/blue}}
  forbid-identity-sharing: {enabled: false}
  require-identity-labels: {settings: {severities: {webhook-skipped: \"off\"}, requiredLabels: {cost-center: '4711'}}}
audit: {secrets: true}
access: {namespace: cattle-kubewarden-system, policyServer: policy-server-reserved, auditScanner: scanner}
",
    "use: suite
mode: audit
absentGroups: [argoproj.io, tekton.dev, managedidentity.azure.com]
settings: {onUpdate: rejectAll, severities: {cluster-wide-edit: error}}
policies:
  verify-argocd-identity: {enabled: false}
  verify-token-projection: {settings: {maxExpirationSeconds: 43200}}
audit: {enabled: false}
",
    "mode: monitor
nameSuffix: -second
namespaceSelector: {matchExpressions: [{key: tier, operator: In, values: [web, 'on']}]}
access: {create: false}
",
];

/// The values of an overlay's step.
fn of_step(set: &str, step: &str) -> String {
    let all = if set.is_empty() { "policies" } else { "suite" };
    let step = match step {
        "protect-namespaced" => {
            "mode: protect\nnameSuffix: -protected\nnamespaceSelector: {matchLabels: {fedward.example/protect: 'true'}}\naudit: {enabled: false}"
        }
        step => &format!("mode: {step}"),
    };
    format!("use: {all}\n{step}\n")
}

fn packages() -> Vec<Package> {
    package::all(&root()).unwrap()
}

fn values(own: &str) -> Value {
    chart::values(&root(), own).unwrap()
}

fn schema() -> jsonschema::Validator {
    let schema = serde_json::from_str(&read(&folder().join("chart/values.schema.json"))).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// Values that nobody means.
const REFUSED: [&str; 14] = [
    "use: everything",
    "mode: enforce",
    "module: {registry: https://registry.example/fedward}",
    "module: {registry: registry.example/fedward/}",
    "module: {tag: 'a b'}",
    "policies: {require-labels: {enabled: true}}",
    "policies: {require-identity-labels: {enabled: 'yes'}}",
    "policies: {require-identity-labels: {settings: {allowCsi: true}}}",
    "settings: {cloud: public}",
    "settings: {severities: {cluster-wide-edit: fatal}}",
    "settings: {policies: {}}",
    "timeoutSeconds: 31",
    "access: {namespace: Kubewarden}",
    "nameSuffix: protected",
];

#[test]
fn values_are_what_the_schema_knows() {
    let schema = schema();
    for case in CASES.into_iter().map(str::to_owned).chain(SETS.iter().flat_map(|set| STEPS.map(|step| of_step(set, step)))) {
        let values = values(&case);
        let wrong: Vec<String> = schema.iter_errors(&values).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{case}: {wrong:?}");
    }
    for wrong in REFUSED {
        assert!(!schema.is_valid(&values(wrong)), "{wrong}");
    }
    let known: Value = serde_json::from_str(&read(&folder().join("chart/values.schema.json"))).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let mut own = names(&values("{}"));
    own.insert("global".to_owned());
    assert_eq!(names(&known["properties"]), own, "every value has its default and its comment in values.yaml");
    let defaults = values("{}");
    assert_eq!(names(&known["properties"]["policies"]["properties"]), names(&defaults["policies"]));
}

/// A policy without what only the chart says.
fn plain(policy: &Value) -> String {
    let mut policy = policy.clone();
    let labels = policy["metadata"]["labels"].as_object_mut().unwrap();
    assert!(labels.remove("helm.sh/chart").is_none_or(|chart| chart == "fedward-policies-0.1.0"));
    labels.remove("app.kubernetes.io/managed-by");
    policy["spec"].as_object_mut().unwrap().remove("policyServer");
    policy.to_string()
}

/// What roles allow, one by one.
fn allowed(objects: &[Value], name: &str) -> BTreeSet<String> {
    let roles = objects.iter().filter(|object| object["kind"] == "ClusterRole" && object["metadata"]["name"] == name);
    let rules = roles.flat_map(|role| role["rules"].as_array().unwrap());
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        rule[field].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for rule in rules {
        assert_eq!(rule["verbs"], json!(["get", "list", "watch"]));
        for group in texts(rule, "apiGroups") {
            all.extend(texts(rule, "resources").into_iter().map(|resource| format!("{group}/{resource}")));
        }
    }
    all
}

#[test]
fn the_chart_says_what_the_overlays_say() {
    let packages = packages();
    for (set, step) in SETS.iter().flat_map(|set| STEPS.map(|step| (set, step))) {
        let overlay = overlay(&format!("{set}{step}"));
        let own = chart::objects(&packages, &values(&of_step(set, step))).unwrap();
        let all = |objects: &[Value]| policies(objects).into_iter().map(plain).collect::<BTreeSet<_>>();
        assert_eq!(all(&own), all(&overlay), "{set}{step}");
        if step != "protect-namespaced" {
            for role in ["fedward-context", "fedward-audit"] {
                let allowed = [&own, &overlay].map(|objects| allowed(objects, role));
                assert!(allowed[0] == allowed[1] && !allowed[0].is_empty(), "{set}{step}: {role}");
            }
        }
        let bindings = |objects: &[Value]| {
            let bindings = objects.iter().filter(|object| object["kind"] == "ClusterRoleBinding");
            bindings.map(|binding| (binding["roleRef"].to_string(), binding["subjects"].to_string())).collect::<BTreeSet<_>>()
        };
        assert!(bindings(&own).is_subset(&bindings(&overlay)) && !bindings(&own).is_empty(), "{set}{step}");
    }
}

#[test]
fn the_chart_finds_what_the_built_in_policies_find() {
    let packages = packages();
    for scenario in scenarios() {
        let builtin = lines(&scenario.run(None, ""), is_admitted);
        for all in ["suite", "policies"] {
            let own: serde_json::Map<_, _> =
                scenario.settings.iter().map(|(id, settings)| (id.clone(), json!({ "settings": settings }))).collect();
            let values = values(&json!({ "use": all, "mode": "protect", "policies": own }).to_string());
            assert!(schema().is_valid(&values), "{}", scenario.name);
            let found = scenario.run(Some(chart::objects(&packages, &values).unwrap()), "");
            assert_eq!(lines(&found, |_| true), builtin, "{}: {all}", scenario.name);
        }
    }
}

#[test]
fn groups_that_are_absent_are_in_no_rule_and_no_role() {
    let packages = packages();
    for all in ["suite", "policies"] {
        let with = chart::objects(&packages, &values(&format!("use: {all}"))).unwrap();
        let without = chart::objects(&packages, &values(&format!("use: {all}\nabsentGroups: [argoproj.io]"))).unwrap();
        let text = |objects: &[Value]| serde_json::to_string(objects).unwrap();
        assert!(text(&with).contains("argoproj.io") && !text(&without).contains("argoproj.io"), "{all}");
        assert!(text(&without).contains("tekton.dev"));
        assert!(
            without.iter().filter(|object| object["kind"] == KIND).all(|policy| !policy["spec"]["rules"].as_array().unwrap().is_empty())
        );
    }
}

/// Secrets are listed only where somebody says so.
#[test]
fn the_audit_scanner_lists_secrets_only_if_it_may() {
    let packages = packages();
    let listed = |own: &str| allowed(&chart::objects(&packages, &values(own)).unwrap(), "fedward-audit");
    assert!(!listed("{}").contains("/secrets") && listed("audit: {secrets: true}").contains("/secrets"));
    assert!(listed("audit: {enabled: false}").is_empty());
}

/// What Helm makes of the chart, if it is installed.
fn helm(own: &str) -> Option<Output> {
    let mut helm = Command::new("helm");
    helm.arg("template").arg("fedward").arg(folder().join("chart")).args(["--values", "-"]);
    let child = helm.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        assert!(std::env::var_os("FEDWARD_REQUIRE_HELM").is_none(), "`helm` is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(own.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

/// `cargo xtask ci-extended` requires Helm; without it this says nothing, and the tests above judge what Helm has to come to.
#[test]
fn helm_renders_what_the_tests_judge() {
    let packages = packages();
    let sorted = |objects: Vec<Value>| objects.iter().map(Value::to_string).collect::<BTreeSet<_>>();
    for case in CASES.into_iter().map(str::to_owned).chain(SETS.iter().flat_map(|set| STEPS.map(|step| of_step(set, step)))) {
        let Some(output) = helm(&case) else { return };
        assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
        let rendered: Vec<Value> = objects(&String::from_utf8(output.stdout).unwrap(), "").into_iter().map(|(object, _)| object).collect();
        let expected = chart::objects(&packages, &values(&case)).unwrap();
        assert_eq!(rendered.len(), expected.len(), "{case}");
        assert_eq!(sorted(rendered), sorted(expected), "{case}");
    }
    for wrong in REFUSED {
        let Some(output) = helm(wrong) else { return };
        assert!(!output.status.success(), "{wrong}");
    }
}

#[test]
fn the_values_of_the_readme_are_taken() {
    let readme = read(&folder().join("README.md"));
    let blocks: Vec<&str> = readme.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    let sample = blocks.iter().find(|block| block.starts_with("use:")).expect("values in the README");
    assert!(from_yaml::<Value>(sample).is_ok());
    let values = values(sample);
    assert!(schema().is_valid(&values));
    assert_eq!(policies(&chart::objects(&packages(), &values).unwrap()).len(), 2);
}
