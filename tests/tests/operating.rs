//! What the policies ask of a cluster, found by running them on every fixture with a cluster that answers: it is what their metadata ask
//! for, and the lists are those of `docs/operating.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fedward_engine::{objects, payloads};
use fedward_kit::context::Host;
use fedward_kit::policy::Builtin;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A list that was asked for: kind, whether of one namespace, whether only some fields.
type Listed = (String, &'static str, &'static str);

/// What one policy asked for.
#[derive(Default)]
struct Asked {
    calls: BTreeSet<String>,
    kinds: BTreeSet<String>,
    lists: BTreeSet<Listed>,
}

/// A cluster with some objects, to which everything is allowed.
struct Cluster<'a> {
    objects: &'a [Value],
    asked: &'a RefCell<Asked>,
}

impl Host for Cluster<'_> {
    fn kubernetes(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let mut known = self.asked.borrow_mut();
        known.calls.insert(format!("kubernetes/{operation}"));
        let asked: Value = serde_json::from_slice(payload).unwrap();
        let kind = format!("{} {}", asked["api_version"].as_str().unwrap(), asked["kind"].as_str().unwrap());
        known.kinds.insert(kind.clone());
        let is_of = |object: &&Value| object["apiVersion"] == asked["api_version"] && object["kind"] == asked["kind"];
        let is_in = |object: &&Value| asked["namespace"].as_str().is_none_or(|namespace| object["metadata"]["namespace"] == namespace);
        let of_kind = self.objects.iter().filter(is_of).filter(is_in);
        if operation == "get_resource" {
            let found = of_kind.into_iter().find(|object| object["metadata"]["name"] == asked["name"]);
            return found.map(|object| object.to_string().into_bytes()).ok_or_else(|| "Cannot find it".to_owned());
        }
        assert!(asked["label_selector"].is_null() && asked["field_selector"].is_null(), "another watch for each question: {asked}");
        let scope = if asked.get("namespace").is_some() { "of a namespace" } else { "of all" };
        known.lists.insert((kind, scope, if asked["field_masks"].is_null() { "whole" } else { "a few fields" }));
        let items: Vec<&Value> = of_kind.collect();
        Ok(json!({"apiVersion": asked["api_version"], "kind": "List", "metadata": {}, "items": items}).to_string().into_bytes())
    }
}

/// Every case: a file, or all files of a folder that is one.
fn cases(folder: &Path, is_case: bool, into: &mut Vec<String>) -> String {
    let mut text = String::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let parent = folder.file_name().unwrap().to_string_lossy().into_owned();
        let is_inside = is_case || ["accept", "reject", "secure", "as-published"].contains(&parent.as_str());
        if path.is_dir() {
            text.push_str(&cases(&path, is_inside, into));
        } else if path.extension().is_some_and(|extension| extension == "yaml") && !path.ends_with("fedward.yaml") {
            let one = fs::read_to_string(&path).unwrap();
            into.push(one.clone());
            text.push_str(&format!("---\n{one}\n"));
        }
    }
    if !text.is_empty() && (is_case || folder.ends_with("secure") || folder.ends_with("as-published")) {
        into.push(text.clone());
    }
    text
}

/// Whether the rules of a policy's webhook name a resource.
fn sees(rules: &Value, resource: &Value) -> bool {
    let has =
        |rule: &Value, list: &str, field: &str| rule[list].as_array().unwrap().iter().any(|name| name == "*" || *name == resource[field]);
    rules
        .as_array()
        .unwrap()
        .iter()
        .any(|rule| has(rule, "apiGroups", "group") && has(rule, "apiVersions", "version") && has(rule, "resources", "resource"))
}

/// What no fixture has: pods and Jobs of every controller, and references that are followed in a cluster only.
fn references() -> String {
    let owned = |version: &str, kind: &str, of: &str, by: &str| {
        let owner = json!({"apiVersion": of, "kind": by, "name": "till", "uid": "7", "controller": true});
        let metadata = json!({"name": "till-x", "namespace": "shop", "ownerReferences": [owner]});
        let spec = json!({"serviceAccountName": "till", "containers": [{"name": "main", "image": "registry.example/till"}]});
        let spec = if kind == "Pod" { spec } else { json!({"template": {"spec": spec}}) };
        json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
    };
    let mut all = Vec::new();
    for (version, kind) in [
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("batch/v1", "Job"),
        ("argoproj.io/v1alpha1", "Workflow"),
    ] {
        all.push(owned("v1", "Pod", version, kind));
    }
    all.push(owned("apps/v1", "ReplicaSet", "apps/v1", "Deployment"));
    all.push(owned("apps/v1", "ReplicaSet", "argoproj.io/v1alpha1", "Rollout"));
    all.push(owned("batch/v1", "Job", "batch/v1", "CronJob"));
    let metadata = json!({"name": "till", "namespace": "shop"});
    let template = json!({"workflowTemplateRef": {"name": "till", "clusterScope": true}});
    all.push(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": template}));
    for version in ["tekton.dev/v1", "tekton.dev/v1beta1"] {
        let pipeline = json!({"pipelineRef": {"name": "till"}});
        all.push(json!({"apiVersion": version, "kind": "PipelineRun", "metadata": metadata, "spec": pipeline}));
        all.push(json!({"apiVersion": version, "kind": "TaskRun", "metadata": metadata, "spec": {"taskRef": {"name": "till"}}}));
    }
    // A volume whose driver may be one that signs in.
    let account = json!({"name": "till", "namespace": "shop", "annotations": {"azure.workload.identity/client-id": "6f1b1c9e-2d0a-4b7c-9a57-1f6f7d6b2c11"}});
    all.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}));
    all.push(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {"volumeName": "till"}}));
    let mut pod = owned("v1", "Pod", "v1", "Nothing");
    pod["metadata"] = metadata.clone();
    pod["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "till"}}]);
    all.push(pod);
    let text: Vec<String> = all.iter().map(Value::to_string).collect();
    text.join("\n---\n")
}

/// What each policy asks of a cluster, on every fixture.
fn asked() -> Vec<(&'static Builtin, Asked)> {
    let mut texts = vec![references()];
    cases(&root().join("fixtures/rules"), false, &mut texts);
    cases(&root().join("fixtures/scenarios"), false, &mut texts);
    let rules = |builtin: &Builtin| fedward_engine::from_yaml::<Value>(builtin.metadata).unwrap()["rules"].clone();
    let all: Vec<(&Builtin, Value, RefCell<Asked>)> =
        fedward_modules::ALL.iter().map(|builtin| (builtin, rules(builtin), RefCell::default())).collect();
    for text in &texts {
        let found: Vec<Value> = objects(text, "default").into_iter().map(|(object, _)| object).collect();
        let header = text.lines().next().and_then(|line| line.strip_prefix("# fedward-test: "));
        let header: Value = header.and_then(|header| serde_json::from_str(header).ok()).unwrap_or_default();
        for settings in [json!({}), header["settings"].clone()].iter().filter(|settings| settings.is_object()) {
            for payload in payloads(text, settings) {
                let resource = serde_json::from_slice::<Value>(&payload).unwrap()["request"]["resource"].clone();
                for (builtin, _, asked) in all.iter().filter(|(_, rules, _)| sees(rules, &resource)) {
                    // Another policy's settings are refused.
                    let _ = builtin.policy.validate(&payload, &Cluster { objects: &found, asked });
                }
            }
        }
    }
    all.into_iter().map(|(builtin, _, asked)| (builtin, asked.into_inner())).collect()
}

#[test]
fn policies_may_do_what_they_do_and_nothing_else() {
    let mut wrong = Vec::new();
    for (builtin, asked) in asked() {
        let metadata: Value = fedward_engine::from_yaml(builtin.metadata).unwrap();
        let calls: BTreeSet<String> =
            metadata["hostCapabilities"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        let kinds: BTreeSet<String> = metadata["contextAwareResources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {}", one["apiVersion"].as_str().unwrap(), one["kind"].as_str().unwrap()))
            .collect();
        for (what, granted, used) in [("calls", calls, asked.calls), ("kinds", kinds, asked.kinds)] {
            wrong.extend(used.difference(&granted).map(|name| format!("{}: `{name}` is missing among the {what}", builtin.id)));
            wrong.extend(granted.difference(&used).map(|name| format!("{}: `{name}` is superfluous among the {what}", builtin.id)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_lists_that_policies_ask_for_are_those_of_the_page() {
    let listed: BTreeSet<Listed> = asked().into_iter().flat_map(|(_, asked)| asked.lists).collect();
    let page = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let rows = page.split("| listed | which | fields |").nth(1).expect("the table of lists").split("\n\n").next().unwrap();
    let mut told = BTreeSet::new();
    for row in rows.lines().skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [kinds, scope, fields] = cells.as_slice() else { panic!("{row}") };
        let (version, kinds) = kinds.trim_matches('`').split_once(' ').unwrap();
        for kind in kinds.split(", ") {
            assert!(told.insert((format!("{version} {kind}"), *scope, *fields)), "twice: {row}");
        }
    }
    let found: BTreeSet<(String, &str, &str)> = listed.iter().map(|(kind, scope, fields)| (kind.clone(), *scope, *fields)).collect();
    assert_eq!(found, told);
}

/// The plural by which `kubectl` knows a kind of Kubernetes itself.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    if kind.ends_with('s') { format!("{kind}es") } else { format!("{kind}s") }
}

/// What a live cluster is dumped with by hand is what the policies judge and ask for: what is left out would not be known, and nobody would see.
#[test]
fn the_page_on_rollout_dumps_what_policies_name() {
    let page = fs::read_to_string(root().join("docs/rollout.md")).unwrap();
    let dumped: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("kubectl get ")?.split(' ').next()).flat_map(|kinds| kinds.split(',')).collect();
    let groups = page.split("\nfor group in ").nth(1).expect("the loop").split("; do\n").next().unwrap();
    let groups: BTreeSet<&str> = groups.split_whitespace().filter(|word| *word != "\\").collect();
    let (mut missing, mut named) = (BTreeSet::new(), BTreeSet::new());
    // By their groups those of Kubernetes itself would be too many.
    let own = ["", "apps", "batch", "networking.k8s.io", "storage.k8s.io", "rbac.authorization.k8s.io", "admissionregistration.k8s.io"];
    for builtin in fedward_modules::ALL {
        let metadata: Value = fedward_engine::from_yaml(builtin.metadata).unwrap();
        let texts = |value: &Value| value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let mut kinds: Vec<(String, String)> = Vec::new();
        for rule in metadata["rules"].as_array().unwrap() {
            for group in texts(&rule["apiGroups"]) {
                kinds.extend(texts(&rule["resources"]).into_iter().map(|resource| (group.clone(), resource)));
            }
        }
        for asked in metadata["contextAwareResources"].as_array().unwrap() {
            let group = asked["apiVersion"].as_str().unwrap().split_once('/').map_or("", |(group, _)| group);
            kinds.push((group.to_owned(), plural(asked["kind"].as_str().unwrap())));
        }
        for (group, resource) in kinds {
            // Secrets are for whoever wants to take them, with what the page says of them.
            let is_there = dumped.contains(resource.as_str()) || resource.contains('/') || resource == "secrets";
            if own.contains(&group.as_str()) {
                if !is_there {
                    missing.insert(format!("{group} {resource}"));
                }
            } else {
                if !groups.contains(group.as_str()) {
                    missing.insert(group.clone());
                }
                named.insert(group);
            }
        }
    }
    assert!(missing.is_empty(), "docs/rollout.md leaves out {missing:?}");
    let superfluous: Vec<&&str> = groups.iter().filter(|group| !named.contains(**group)).collect();
    assert!(superfluous.is_empty(), "no policy names {superfluous:?}");
}
