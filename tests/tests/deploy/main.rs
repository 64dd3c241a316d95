//! `deploy/kubewarden`: what its bases, overlays and chart say, run by our own engine on the reference deployments.
//!
//! The overlays are built here (`kustomize.rs`); where `kubectl` is installed, Kustomize itself has to build the same. The chart's objects
//! are those that `fedward_artifacts::chart` says; where `helm` is installed, its templates have to come to them (`chart.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

mod chart;
mod kustomize;
mod scenario;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use fedward_engine::{from_yaml, objects};
use fedward_kit::policy::Builtin;
use fedward_outcome::Outcome;
use serde_json::{Value, json};

use kustomize::{kustomize, overlay};
use scenario::{Scenario, is_admitted, lines, scenarios};

/// What the names of the overlays with each policy by itself begin with, and of those with all in one.
const SETS: [&str; 2] = ["", "suite-"];
const STEPS: [&str; 4] = ["audit", "monitor", "protect", "protect-namespaced"];
const KIND: &str = "ClusterAdmissionPolicy";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder() -> PathBuf {
    root().join("deploy/kubewarden")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn overlays() -> impl Iterator<Item = String> {
    SETS.into_iter().flat_map(|set| STEPS.map(|step| format!("{set}{step}"))).chain(["fix".to_owned()])
}

/// The policies of a set.
fn members(set: &str) -> Vec<&'static Builtin> {
    if set.is_empty() { fedward_modules::ALL.iter().collect() } else { vec![&fedward_modules::SUITE] }
}

fn policies(objects: &[Value]) -> Vec<&Value> {
    objects.iter().filter(|object| object["kind"] == KIND).collect()
}

#[test]
fn kustomize_itself_builds_the_same() {
    let sorted = |objects: Vec<Value>| objects.iter().map(Value::to_string).collect::<BTreeSet<_>>();
    for name in overlays() {
        let path = folder().join("overlays").join(&name);
        let Ok(output) = Command::new("kubectl").arg("kustomize").arg(&path).output() else { return };
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let built = objects(&text, "default").into_iter().map(|(object, _)| object).collect();
        assert_eq!(sorted(built), sorted(overlay(&name)), "{name}");
    }
}

/// A policy's metadata, read without the generator.
fn metadata(id: &str) -> Value {
    from_yaml(&read(&root().join(format!("policies/{id}/metadata.yml")))).unwrap()
}

/// Every group, version, resource and operation that rules name.
fn named(rules: &Value) -> BTreeSet<[String; 4]> {
    let mut all = BTreeSet::new();
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        rule[field].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    for rule in rules.as_array().unwrap() {
        for group in texts(rule, "apiGroups") {
            for version in texts(rule, "apiVersions") {
                for resource in texts(rule, "resources") {
                    for operation in texts(rule, "operations") {
                        assert!(all.insert([group.clone(), version.clone(), resource.clone(), operation]), "{resource} twice");
                    }
                }
            }
        }
    }
    all
}

#[test]
fn every_overlay_is_tested() {
    let found: BTreeSet<String> =
        fs::read_dir(folder().join("overlays")).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(found, overlays().collect());
}

#[test]
fn the_bases_ask_for_what_the_metadata_ask_for() {
    for set in SETS {
        the_base_asks_for_what_the_metadata_ask_for(&overlay(&format!("{set}monitor")), &members(set));
    }
}

fn the_base_asks_for_what_the_metadata_ask_for(base: &[Value], members: &[&Builtin]) {
    let policies = policies(base);
    assert_eq!(policies.len(), 2 * members.len());
    for builtin in members {
        let metadata = metadata(builtin.id);
        let own: Vec<_> = policies.iter().filter(|policy| policy["metadata"]["name"].as_str().unwrap().starts_with(builtin.id)).collect();
        let [core, custom] = own.as_slice() else { panic!("{}", builtin.id) };
        let (audited, others) = (named(&core["spec"]["rules"]), named(&custom["spec"]["rules"]));
        assert!(audited.is_disjoint(&others));
        assert_eq!(&audited | &others, named(&metadata["rules"]), "{}", builtin.id);
        for policy in [core, custom] {
            let spec = &policy["spec"];
            assert_eq!(spec["contextAwareResources"], metadata["contextAwareResources"]);
            // What it can do only counts where its settings have it do so.
            assert_eq!(spec["mutating"], false);
            assert_eq!([&spec["mode"], &spec["failurePolicy"]], [&json!("monitor"), &json!("Ignore")]);
        }
        assert_eq!([&core["spec"]["backgroundAudit"], &custom["spec"]["backgroundAudit"]], [&json!(true), &json!(false)]);
    }
}

/// The one policy of the overlay that mends.
fn mending() -> Value {
    let [policy] = overlay("fix").try_into().unwrap_or_else(|all| panic!("{all:?}"));
    policy
}

/// It changes what it can, at admission only, and stands in nobody's way.
#[test]
fn the_policy_that_mends_rejects_nothing() {
    let spec = &mending()["spec"];
    let metadata = metadata("require-identity-labels");
    assert_eq!(metadata["mutating"], true);
    assert_eq!(spec["contextAwareResources"], metadata["contextAwareResources"]);
    assert!(named(&spec["rules"]).is_subset(&named(&metadata["rules"])));
    for (field, value) in [
        ("mutating", json!(true)),
        // In monitor mode nothing is changed.
        ("mode", json!("protect")),
        ("failurePolicy", json!("Ignore")),
        ("backgroundAudit", json!(false)),
    ] {
        assert_eq!(spec[field], value, "{field}");
    }
    assert_eq!(spec["settings"]["mode"], "fix");
    // No rule rejects, and none is off: what is off keeps nothing from being changed.
    let builtin = fedward_modules::find("require-identity-labels").unwrap();
    let all: BTreeSet<&str> = builtin.policy.describe().rules.iter().map(|rule| rule.id).collect();
    let set = spec["settings"]["severities"].as_object().unwrap();
    assert_eq!(set.keys().map(String::as_str).collect::<BTreeSet<_>>(), all);
    for (rule, severity) in set {
        assert_eq!(severity, if rule == "missing-azure-label" { "warning" } else { "info" }, "{rule}");
    }
    for scenario in scenarios() {
        let outcome = scenario.run(Some(overlay("fix")), "");
        let severities: BTreeSet<&str> =
            outcome.findings.iter().filter(|finding| finding.policy != "input").map(|finding| finding.severity.name()).collect();
        assert!(!severities.contains("error"), "{}: {:?}", scenario.name, outcome.findings);
    }
}

/// Every kind that the module mends (`tests/mend.rs` says which), and with the operations with which it does.
#[test]
fn the_policy_that_mends_is_shown_what_it_can_mend() {
    let own =
        named(&mending()["spec"]["rules"]).into_iter().map(|[group, _, resource, operation]| format!("{group}/{resource} {operation}"));
    let mut wanted = BTreeSet::new();
    for (group, both, made) in [
        ("", "podtemplates replicationcontrollers", "pods"),
        ("apps", "deployments statefulsets daemonsets replicasets", ""),
        ("batch", "cronjobs", "jobs"),
        ("argoproj.io", "workflowtemplates cronworkflows rollouts analysistemplates", "workflows experiments"),
        ("keda.sh", "scaledjobs", ""),
        ("serving.knative.dev", "", "services configurations"),
        ("jobset.x-k8s.io", "", "jobsets"),
        ("actions.github.com", "autoscalingrunnersets", ""),
    ] {
        wanted.extend(both.split_whitespace().flat_map(|name| ["CREATE", "UPDATE"].map(|operation| format!("{group}/{name} {operation}"))));
        wanted.extend(made.split_whitespace().map(|name| format!("{group}/{name} CREATE")));
    }
    assert_eq!(own.collect::<BTreeSet<_>>(), wanted);
}

const UNLABELLED: &str = r#"{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "till", "namespace": "shop",
  "annotations": {"azure.workload.identity/client-id": "2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822"}}}
---
{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "till", "namespace": "shop"},
  "spec": {"template": {"spec": {"serviceAccountName": "till", "containers": [{"name": "main", "image": "registry.example/till"}]}}}}
"#;

/// What changes objects comes before what judges them, whatever the policies are called.
#[test]
fn what_is_mended_is_judged_as_it_is_then() {
    let scenario = Scenario {
        name: "unlabelled".to_owned(),
        inputs: vec![("app.yaml".to_owned(), UNLABELLED.as_bytes().to_vec())],
        settings: BTreeMap::new(),
    };
    let of_rule = |outcome: &Outcome| {
        let found = outcome.findings.iter().filter(|finding| finding.rule == "missing-azure-label");
        found.map(|finding| format!("{} {}", finding.severity.name(), finding.policy)).collect::<Vec<_>>()
    };
    for (name, without) in [
        ("monitor", "warning clusterwide-require-identity-labels"),
        ("protect", "error clusterwide-require-identity-labels"),
        ("audit", ""),
    ] {
        let alone = scenario.run(Some(overlay(name)), "");
        assert_eq!(of_rule(&alone).join(""), without, "{name}");
        assert!(alone.mutations.is_empty());
        let both = scenario.run(Some([overlay(name), overlay("fix")].concat()), "");
        assert_eq!(of_rule(&both), ["warning clusterwide-require-identity-labels-fix"], "{name}");
        let [mutation] = both.mutations.as_slice() else { panic!("{:?}", both.mutations) };
        assert_eq!(
            serde_json::to_value(&mutation.patch).unwrap(),
            json!([{"op": "add", "path": "/spec/template/metadata", "value": {"labels": {"azure.workload.identity/use": "true"}}}])
        );
    }
}

/// One name that the cluster does not know, and the audit scanner gives up the policy.
#[test]
fn audited_policies_name_what_every_cluster_has() {
    let everywhere = ["", "apps", "batch", "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io"];
    for name in overlays() {
        for policy in policies(&overlay(&name)).into_iter().filter(|policy| policy["spec"]["backgroundAudit"] == true) {
            for [group, version, resource, _] in named(&policy["spec"]["rules"]) {
                let fits = everywhere.contains(&group.as_str()) && version == "v1" && !resource.contains(['/', '*']);
                assert!(fits, "{name}: {group}/{version} {resource}");
            }
        }
    }
}

#[test]
fn access_is_what_is_looked_at_and_nothing_else() {
    for set in SETS {
        access_is_what_is_looked_at(&overlay(&format!("{set}monitor")));
    }
}

fn access_is_what_is_looked_at(base: &[Value]) {
    let role = |name: &str| {
        let role = base.iter().find(|object| object["kind"] == "ClusterRole" && object["metadata"]["name"] == name).unwrap();
        let mut all = BTreeSet::new();
        for rule in role["rules"].as_array().unwrap() {
            assert_eq!(rule["verbs"], json!(["get", "list", "watch"]));
            for resource in rule["resources"].as_array().unwrap() {
                all.insert((rule["apiGroups"][0].as_str().unwrap().to_owned(), resource.as_str().unwrap().to_owned()));
            }
        }
        all
    };
    let mut context = BTreeSet::new();
    let mut audited = BTreeSet::new();
    for policy in policies(base) {
        for resource in policy["spec"]["contextAwareResources"].as_array().unwrap() {
            let group = resource["apiVersion"].as_str().unwrap().split_once('/').map_or("", |(group, _)| group);
            let kind = resource["kind"].as_str().unwrap().to_lowercase();
            let plural = match kind.strip_suffix('y') {
                Some(stem) => format!("{stem}ies"),
                None if kind.ends_with('s') => format!("{kind}es"),
                None => format!("{kind}s"),
            };
            context.insert((group.to_owned(), plural));
        }
        if policy["spec"]["backgroundAudit"] == true {
            audited.extend(named(&policy["spec"]["rules"]).into_iter().map(|[group, _, resource, _]| (group, resource)));
        }
    }
    assert_eq!(role("fedward-context"), context);
    assert!(audited.remove(&(String::new(), "secrets".to_owned())), "nothing is left out any more");
    assert_eq!(role("fedward-audit"), audited);
    assert!(!context.contains(&(String::new(), "secrets".to_owned())));
}

/// Or else a node that is drained would stop workloads that were there before the policies.
#[test]
fn policies_on_pods_may_look_at_their_controllers() {
    for policy in SETS.iter().flat_map(|set| overlay(&format!("{set}monitor"))).filter(|object| object["kind"] == KIND) {
        if named(&policy["spec"]["rules"]).iter().any(|[group, _, resource, _]| group.is_empty() && resource == "pods") {
            let resources = policy["spec"]["contextAwareResources"].as_array().unwrap();
            for (api_version, kind) in [
                ("apps/v1", "ReplicaSet"),
                ("apps/v1", "StatefulSet"),
                ("apps/v1", "DaemonSet"),
                ("batch/v1", "Job"),
                ("batch/v1", "CronJob"),
            ] {
                let wanted = json!({"apiVersion": api_version, "kind": kind});
                assert!(resources.contains(&wanted), "{}: {kind}", policy["metadata"]["name"]);
            }
        }
    }
}

#[test]
fn protect_finds_what_the_built_in_policies_find() {
    for scenario in scenarios() {
        let builtin = scenario.run(None, "");
        for set in SETS {
            let own = scenario.run(Some(overlay(&format!("{set}protect"))), "");
            assert_eq!(lines(&own, |_| true), lines(&builtin, is_admitted), "{set}{}", scenario.name);
            if set.is_empty() {
                let admitted = builtin.findings.iter().filter(|finding| is_admitted(finding)).count();
                assert_eq!(own.findings.len(), admitted, "{}: something is said twice", scenario.name);
            } else {
                // What several policies say, the suite says once.
                let said = own.findings.iter().filter(|finding| finding.policy != "input").count();
                assert_eq!(said, lines(&own, |_| true).len(), "{}: something is said twice", scenario.name);
            }
            assert_eq!(scenario.name.ends_with("/secure"), own.findings.is_empty(), "{set}{}", scenario.name);
        }
    }
}

#[test]
fn monitor_finds_the_same_as_warnings() {
    for scenario in scenarios() {
        let builtin = lines(&scenario.run(None, ""), is_admitted);
        let capped: BTreeSet<String> = builtin.iter().map(|line| line.replacen(" error ", " warning ", 1)).collect();
        for set in SETS {
            let own = lines(&scenario.run(Some(overlay(&format!("{set}monitor"))), ""), |_| true);
            assert_eq!(own, capped, "{set}{}", scenario.name);
            assert!(scenario.name.ends_with("/secure") || own != builtin, "{}: nothing was capped", scenario.name);
        }
    }
}

#[test]
fn audit_judges_no_request() {
    for (scenario, set) in scenarios().iter().flat_map(|scenario| SETS.map(|set| (scenario, set))) {
        let outcome = scenario.run(Some(overlay(&format!("{set}audit"))), "");
        // Trust documents are no requests; no cluster sees them.
        let found = lines(&outcome, |finding| finding.object.as_ref().is_none_or(|object| !object.api_version.contains(".fedward/")));
        assert!(found.is_empty(), "{}: {found:?}", scenario.name);
    }
}

#[test]
fn protect_namespaced_holds_in_namespaces_with_the_label_only() {
    let mut rejected = 0;
    for scenario in scenarios() {
        let builtin = scenario.run(None, "");
        let texts = scenario.inputs.iter().filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok());
        let own = texts.flat_map(|text| objects(text, "")).filter(|(_, id)| id.kind == "Namespace").map(|(_, id)| id.name);
        // These have labels already.
        let own: BTreeSet<String> = own.collect();
        let namespace = |finding: &fedward_outcome::Finding| finding.object.as_ref().map_or_else(String::new, |id| id.namespace.clone());
        let namespaces: BTreeSet<String> =
            builtin.findings.iter().map(namespace).filter(|name| !name.is_empty() && !own.contains(name)).collect();
        let is_meant = |finding: &fedward_outcome::Finding| namespaces.contains(&namespace(finding));
        let with = |label: &str| -> String {
            let object = |name: &String| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"fedward.example/protect": label}}});
            namespaces.iter().map(|name| format!("{}\n---\n", object(name))).collect()
        };
        let labelled = lines(&scenario.run(Some(overlay("protect-namespaced")), &with("true")), is_meant);
        assert_eq!(labelled, lines(&builtin, is_meant), "{}", scenario.name);
        rejected += labelled.len();
        let all = lines(&scenario.run(Some(overlay("protect-namespaced")), &with("false")), |finding| {
            finding.object.as_ref().is_none_or(|object| !object.api_version.contains(".fedward/"))
        });
        assert!(all.is_empty(), "{}: {all:?}", scenario.name);
    }
    assert!(rejected > 0);
}

/// A drained node, a restart: the pods of workloads that were there before come anew.
#[test]
fn a_pod_whose_controller_is_there_is_not_judged_again() {
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "till-1", "uid": "7", "controller": true});
    let token = json!({"serviceAccountToken": {"path": "azure-identity-token", "audience": "api://AzureADTokenExchang"}});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "till-1-x", "namespace": "shop", "labels": {"azure.workload.identity/use": "True"}, "ownerReferences": [owner]},
        "spec": {
            "serviceAccountName": "till",
            "containers": [{
                "name": "main", "image": "registry.example/till",
                "env": [{"name": "AZURE_FEDERATED_TOKEN_FILE", "value": "/var/run/secrets/azure/tokens/azure-identity-token"}],
                "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/azure/tokens"}],
            }],
            "volumes": [{"name": "token", "projected": {"sources": [token]}}],
        },
    });
    let inputs = vec![("pod.json".to_owned(), pod.to_string().into_bytes())];
    let scenario = Scenario { name: "restart".to_owned(), inputs, settings: BTreeMap::new() };
    let replica_set = |uid: &str| {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "till-1", "namespace": "shop", "uid": uid}}).to_string()
    };
    let policies = |outcome: &Outcome| outcome.findings.iter().map(|finding| finding.policy.clone()).collect::<BTreeSet<_>>();
    let both = ["clusterwide-enforce-audience-issuer", "clusterwide-require-identity-labels"].map(str::to_owned).into();
    for nobody in [String::new(), replica_set("8")] {
        assert_eq!(policies(&scenario.run(Some(overlay("protect")), &nobody)), both);
    }
    assert_eq!(policies(&scenario.run(Some(overlay("protect")), &replica_set("7"))), BTreeSet::new());
}

#[test]
fn the_sample_of_the_readme_builds() {
    let readme = read(&folder().join("README.md"));
    let sample = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    // Any folder beside `overlays` would do.
    let built = kustomize(&folder().join("base"), &from_yaml(sample).unwrap());
    for policy in policies(&built) {
        let (name, module) = (policy["metadata"]["name"].as_str().unwrap(), policy["spec"]["module"].as_str().unwrap());
        let id = name.trim_end_matches("-custom");
        assert!(module.starts_with(&format!("registry://registry.internal.example/security/{id}:")), "{name}: {module}");
        assert_eq!(policy["spec"].get("settings").is_some(), id == "enforce-audience-issuer");
    }
    let bindings = built.iter().filter(|object| object["kind"] == "ClusterRoleBinding");
    assert!(bindings.map(|binding| &binding["subjects"][0]["namespace"]).all(|namespace| namespace == "cattle-kubewarden-system"));
}
