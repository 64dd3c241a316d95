//! `mode: fix` of `require-identity-labels`: what it changes, of the cases of the rule that it mends and of every kind that makes pods, is
//! mended, is nothing but the label, and is not changed again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Input, Operation, Options, Policy, Role, Runtime, Sets, run_sets};
use fedward_host::{Host, Limits};
use fedward_kit::workload::ROWS;
use fedward_outcome::Outcome;
use fedward_tests::guests::Known;
use serde_json::{Value, json};

const POLICY: &str = "require-identity-labels";
const RULE: &str = "missing-azure-label";
const LABEL: &str = "azure.workload.identity/use";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files by their names.
type Files = BTreeMap<String, String>;

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// What the first line of a case may say.
struct Stage {
    settings: Value,
    namespace: String,
    cluster: bool,
    context: Vec<String>,
}

impl Stage {
    fn of(files: &Files) -> Self {
        let header = files.values().find_map(|text| text.lines().next()?.strip_prefix("# fedward-test:"));
        let header: Value = header.map_or(json!({}), |text| serde_json::from_str(text).unwrap());
        let mut settings = header["settings"].as_object().cloned().unwrap_or_default();
        settings.insert("mode".to_owned(), "fix".into());
        let paths = header["context"].as_array().cloned().unwrap_or_default();
        Stage {
            settings: settings.into(),
            namespace: header["namespace"].as_str().unwrap_or("default").to_owned(),
            cluster: header["cluster"] == true,
            context: paths.iter().map(|path| path.as_str().unwrap().to_owned()).collect(),
        }
    }

    fn run(&self, files: &Files, operation: Operation) -> Outcome {
        let host = Host::new(Limits::default());
        let builtin = fedward_modules::ALL.iter().find(|one| one.id == POLICY).unwrap();
        let policy = Policy::builtin(&host, builtin, &self.settings).unwrap();
        let options = Options {
            namespace: self.namespace.clone(),
            closed_world: self.cluster,
            indexed: !self.cluster,
            threads: 1,
            runtime: Runtime::Both,
            operation,
            keeps_secrets: true,
            ..Options::default()
        };
        let inputs = files.iter().map(|(name, text)| Input {
            name: name.clone(),
            bytes: text.as_bytes().to_vec(),
            named: files.len() == 1,
            role: if self.context.iter().any(|path| name.starts_with(path.as_str())) { Role::Context } else { Role::Judged },
        });
        let sets = Sets { host: &host, modules: &Known, only_given: false };
        let (outcome, _) = run_sets(inputs.collect(), vec![policy], sets, &options, &AtomicUsize::new(0));
        assert!(outcome.not_evaluated.is_empty(), "{:?}", outcome.not_evaluated);
        outcome
    }
}

/// Files with the changed objects in the place of those that they were.
fn changed(files: &Files, outcome: &Outcome, namespace: &str) -> Files {
    let mut after = files.clone();
    for mutation in &outcome.mutations {
        let id = mutation.object.as_ref().unwrap();
        let name = mutation.location.source.name().to_string();
        let objects = fedward_engine::objects(&after[&name], namespace);
        let lines = objects.into_iter().map(|(object, own)| if own == *id { mutation.after.to_string() } else { object.to_string() });
        // What other kinds of documents a file has (a kustomization) stays beside it.
        after.insert(name, lines.collect::<Vec<_>>().join("\n---\n"));
    }
    after
}

/// Whether a change adds the label, and maps for it, to templates of pods and nothing else.
fn is_label(before: &Value, after: &Value, path: &str) -> Result<(), String> {
    match (before, after) {
        (one, other) if one == other => Ok(()),
        (Value::Object(one), Value::Object(other)) => {
            if let Some(gone) = one.keys().find(|key| !other.contains_key(*key)) {
                return Err(format!("{path}/{gone} is gone"));
            }
            other.iter().try_for_each(|(key, value)| match one.get(key) {
                Some(before) => is_label(before, value, &format!("{path}/{key}")),
                None if *value == labelled(path, key) => Ok(()),
                None => Err(format!("{path}/{key} is new: {value}")),
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).enumerate().try_for_each(|(at, (one, other))| is_label(one, other, &format!("{path}/{at}")))
        }
        // Kubernetes takes `null` for nothing.
        (Value::Null, other) if *other == labelled(path.rsplit_once('/').unwrap().0, path.rsplit('/').next().unwrap()) => Ok(()),
        _ => Err(format!("{path}: {before} becomes {after}")),
    }
}

/// What may be new under a key.
fn labelled(path: &str, key: &str) -> Value {
    match key {
        LABEL if path.ends_with("/labels") => "true".into(),
        "labels" if path.ends_with("/metadata") => json!({ LABEL: "true" }),
        "metadata" => json!({ "labels": { LABEL: "true" } }),
        _ => Value::Null,
    }
}

/// Runs the policy on files, again on what it makes of them, and once more. Returns the objects that it changed.
fn mends(name: &str, files: &Files, stage: &Stage, operation: Operation) -> BTreeSet<String> {
    let first = stage.run(files, operation);
    for mutation in &first.mutations {
        is_label(&mutation.before, &mutation.after, "").unwrap_or_else(|why| panic!("{name}: {why}"));
        let of_object = |finding: &&fedward_outcome::Finding| finding.object == mutation.object && finding.rule == RULE;
        let told: Vec<_> = first.findings.iter().filter(of_object).collect();
        assert!(!told.is_empty(), "{name}: a change that nobody is told of");
        assert!(
            told.iter().all(|finding| finding.severity.name() == "warning" && finding.message.contains("this policy adds it")),
            "{name}"
        );
    }
    let after = changed(files, &first, &stage.namespace);
    let second = stage.run(&after, operation);
    assert!(second.mutations.is_empty(), "{name}: changed again: {:?}", second.mutations);
    for mutation in &first.mutations {
        let left = second.findings.iter().find(|finding| finding.object == mutation.object && finding.severity.name() == "error");
        assert!(left.is_none(), "{name}: {left:?}");
        assert!(second.findings.iter().all(|finding| finding.object != mutation.object || finding.rule != RULE), "{name}");
    }
    first.mutations.iter().map(|mutation| mutation.object.as_ref().unwrap().kind.clone()).collect()
}

#[test]
fn what_is_mended_is_mended_for_good() {
    let cases = root().join("fixtures/rules").join(RULE).join("reject");
    let (mut mended, mut left) = (BTreeSet::new(), BTreeSet::new());
    for path in entries(&cases).into_iter().filter(|path| path.extension().is_none_or(|extension| extension != "findings")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut files = Files::new();
        let mut folders = vec![path.clone()];
        while let Some(next) = folders.pop() {
            if next.is_dir() {
                folders.extend(entries(&next));
            } else {
                let own = next.strip_prefix(&path).ok().filter(|own| *own != Path::new("")).unwrap_or(Path::new("case.yaml"));
                files.insert(own.to_string_lossy().replace('\\', "/"), fs::read_to_string(&next).unwrap());
            }
        }
        let stage = Stage::of(&files);
        let found = mends(&name, &files, &stage, Operation::Create);
        if found.is_empty() {
            left.insert(name)
        } else {
            mended.insert(name)
        };
    }
    let expected: BTreeSet<String> = LEFT_ALONE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(left, expected, "what is left alone");
    assert!(mended.len() > 10, "{mended:?}");
}

/// Cases that are left alone, and why.
const LEFT_ALONE: &[(&str, &str)] = &[
    ("account-that-flux-signs-in-to-a-cluster-with", "no error"),
    ("account-whose-tokens-a-cluster-wide-store-has-issued", "no error"),
    ("account-whose-tokens-a-secret-store-has-issued", "no error"),
    ("account-whose-tokens-flux-has-issued", "no error"),
    ("agent-pod-of-http-steps", "the labels are those of every step"),
    ("annotated-default-account", "nobody has chosen the account"),
    ("database-with-its-own-account", "the labels are those of more than the pods"),
    ("database-with-its-own-account-in-a-base", "no error"),
    ("event-source-that-signs-in-alone", "whether it signs in, or what it starts, is not known"),
    ("job-in-a-resource-step", "the Job stands in a text of a workflow"),
    ("job-in-a-resource-step-with-an-empty-namespace", "the Job stands in a text of a workflow"),
    ("label-that-is-nearly-right", "the label is there under another name"),
    ("mutating-policy-may-add-the-label", "no error"),
    ("old-webhook-looks-at-the-account", "no error"),
    ("pod-of-an-unknown-kind", "no error"),
    ("provider-with-its-own-account", "the account is the controller's"),
    ("referenced-template-without-the-label", "the template stands in another object"),
    ("workflow-in-which-no-step-signs-in", "which step signs in is not known"),
    ("workflow-that-a-sensor-submits", "the workflow stands in the Sensor"),
];

/// The kinds of every row whose pods the policy gives the label, and whether it changes those that are there already.
const KINDS: &[(&str, bool)] = &[
    ("AnalysisTemplate", true),
    ("AutoscalingRunnerSet", true),
    ("Configuration", false),
    ("CronJob", true),
    ("CronWorkflow", true),
    ("DaemonSet", true),
    ("Deployment", true),
    ("Experiment", false),
    ("Job", false),
    ("JobSet", false),
    ("Pod", false),
    ("PodTemplate", true),
    ("ReplicaSet", true),
    ("ReplicationController", true),
    ("Rollout", true),
    ("ScaledJob", true),
    ("Service", false),
    ("StatefulSet", true),
    ("Workflow", false),
    ("WorkflowTemplate", true),
];

/// Every kind of every row, with a pod that lacks the label.
fn rows() -> Vec<(String, String)> {
    const TEMPLATE: &str = "{spec: {serviceAccountName: till, containers: [{name: main, image: 'registry.example/till:1'}]}}";
    let mut found = Vec::new();
    for path in entries(&root().join("tests/rows")) {
        let text = fs::read_to_string(&path).unwrap();
        let file = path.file_stem().unwrap().to_string_lossy().replacen('_', "/", 1);
        let row = ROWS.iter().find(|row| Some(row.name) == file.split('@').next());
        for kind in row.map_or(&["Widget"][..], |row| row.kinds) {
            if !text.contains("kind: <kind>\n") && !text.contains(&format!("kind: {kind}\n")) {
                continue;
            }
            // Nobody knows in which namespaces its pods will be.
            let is_cluster_wide = kind.starts_with("Cluster") && *kind != "Cluster";
            let lines = text.lines().filter(|line| !is_cluster_wide || !line.contains("<namespace>")).map(|line| {
                let slot = line.trim();
                // A slot of its own takes entries, of which there are none here.
                if slot.starts_with('<') && slot.ends_with('>') && slot != "<template>" {
                    return line.replace(
                        slot,
                        if slot == "<identity>" { "azure.workload.identity/client-id: 2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822" } else { "" },
                    );
                }
                line.replace("<template>", TEMPLATE)
                    .replace("<kind>", kind)
                    .replace("<account>", "till")
                    .replace("<own-account>", "till")
                    .replace("<namespace>", "shop")
                    .replace("<command>", "[run]")
            });
            found.push((format!("{file} {kind}"), lines.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(found.len() > 40, "only {}", found.len());
    found
}

const ACCOUNT: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: till\n  namespace: shop\n  annotations:\n    azure.workload.identity/client-id: 2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822\n";

#[test]
fn kinds_are_mended_as_the_readme_says() {
    let stage =
        Stage { settings: json!({ "mode": "fix" }), namespace: "shop".to_owned(), cluster: false, context: vec!["account".to_owned()] };
    for (operation, is_there) in [(Operation::Create, false), (Operation::Update, true)] {
        let mut met = BTreeSet::new();
        for (name, text) in rows() {
            let files = Files::from([("object.yaml".to_owned(), text), ("account.yaml".to_owned(), ACCOUNT.to_owned())]);
            met.extend(mends(&name, &files, &stage, operation));
        }
        let wanted: BTreeSet<String> = KINDS.iter().filter(|(_, there)| *there || !is_there).map(|(kind, _)| (*kind).to_owned()).collect();
        assert_eq!(met, wanted, "{operation:?}");
    }
    let readme = fs::read_to_string(root().join(format!("policies/{POLICY}/README.md"))).unwrap();
    for (kind, there) in KINDS {
        let line =
            readme.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{kind}`"))).unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(line.contains("when it is made or changed"), *there, "{line}");
    }
}

/// Numbers, escapes, order and keys that stand twice.
#[test]
fn all_else_stays_as_it_was_written() {
    let object = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"till","namespace":"shop","annotations":{"n":"\u00e9\/"}},
        "spec":{"template":{"spec":{"serviceAccountName":"till","containers":[]}, "metadata":{"labels":{"a":"1","a":"2"}}},"x":1.50,"y":12345678901234567890,"z":-0.0,"w":1e3}}"#;
    let host = Host::new(Limits::default());
    let builtin = fedward_modules::ALL.iter().find(|one| one.id == POLICY).unwrap();
    let module = fedward_host::Module::from_wasm(&host, fedward_host::Strategy::Fresh, builtin.wasm).unwrap();
    let payload = format!(
        r#"{{"settings":{{"mode":"fix"}},"request":{{"uid":"1","kind":{{"group":"apps","version":"v1","kind":"Deployment"}},"operation":"CREATE","name":"till","namespace":"shop","object":{object}}}}}"#
    );
    let answer = module.evaluator().call("validate", payload.as_bytes(), &mut Accounts).map(<[u8]>::to_vec).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let want = object.replace(r#""a":"2"}"#, r#""a":"2","azure.workload.identity/use":"true"}"#);
    assert!(answer.starts_with(r#"{"accepted":true,"#) && answer.contains(&format!(r#""mutated_object":{want}}}"#)), "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let findings: Vec<Value> = serde_json::from_str(answer["audit_annotations"]["findings"].as_str().unwrap()).unwrap();
    assert_eq!((findings[0]["rule"].as_str(), findings[0]["severity"].as_str()), (Some(RULE), Some("warning")));
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 1);
}

/// A cluster with one service account.
struct Accounts;

impl fedward_host::HostCalls for Accounts {
    fn call(&mut self, _: &str, _: &str, operation: &str, payload: &[u8]) -> Result<std::sync::Arc<[u8]>, String> {
        if operation == "get_resource" && String::from_utf8_lossy(payload).contains("ServiceAccount") {
            let account = json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": { "name": "till", "namespace": "shop", "annotations": { "azure.workload.identity/client-id": "2f7d9a31-64c5-4a0b-9a53-7cf5b0c1d822" } },
            });
            return Ok(account.to_string().into_bytes().into());
        }
        Err("not granted".to_owned())
    }

    fn log(&mut self, _: &str) {}
}
