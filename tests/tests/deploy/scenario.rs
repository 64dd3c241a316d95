//! The reference deployments, and what policies say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Found, Input, Modules, Options, Policy, Role, Sets, from_yaml, run_sets};
use fedward_host::{Host, Limits};
use fedward_outcome::Outcome;
use serde_json::{Value, json};

use crate::{KIND, folder, read, root};

/// Modules as the configuration beside the manifests has them.
struct Configured(BTreeMap<String, String>);

impl Modules for Configured {
    fn find(&self, reference: &str, _manifest: &str) -> Result<Found, String> {
        let id = self.0.get(reference).ok_or_else(|| "not in deploy/kubewarden/fedward.yaml".to_owned())?;
        fedward_modules::module(id).map(Found::Builtin).ok_or_else(|| format!("no such policy: `{id}`"))
    }
}

/// A reference deployment with its settings.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) inputs: Vec<(String, Vec<u8>)>,
    pub(crate) settings: BTreeMap<String, Value>,
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for scenario in entries(&root().join("fixtures/scenarios")).into_iter().filter(|path| path.is_dir()) {
        for variant in ["secure", "as-published"] {
            let path = scenario.join(variant);
            let config: Value = fs::read_to_string(path.join("fedward.yaml")).map_or(Value::Null, |text| from_yaml(&text).unwrap());
            let own = |policy: &Value| policy["settings"].clone();
            let settings = config["policies"].as_object().into_iter().flatten().map(|(id, policy)| (id.clone(), own(policy))).collect();
            let mut inputs = Vec::new();
            files(&path, &path, &mut inputs);
            all.push(Scenario { name: format!("{}/{variant}", scenario.file_name().unwrap().to_string_lossy()), inputs, settings });
        }
    }
    assert!(all.len() >= 4, "only {}", all.len());
    all
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn files(root: &Path, folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for path in entries(folder) {
        if path.is_dir() {
            files(root, &path, into);
        } else if path != root.join("fedward.yaml") {
            into.push((path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"), fs::read(&path).unwrap()));
        }
    }
}

impl Scenario {
    /// The settings as the suite has them.
    pub(crate) fn suite_settings(&self) -> Value {
        let own = self.settings.iter().map(|(id, settings)| (id.clone(), json!({ "settings": settings })));
        json!({ "policies": own.collect::<serde_json::Map<_, _>>() })
    }

    /// What the policies of a set say, or, without one, the built-in ones. `more` is a further object to look at.
    pub(crate) fn run(&self, overlay: Option<Vec<Value>>, more: &str) -> Outcome {
        let host = Host::new(Limits::default());
        let input = |name: &str, bytes: &[u8], role| Input { name: name.to_owned(), bytes: bytes.to_vec(), named: false, role };
        let mut inputs: Vec<Input> = self.inputs.iter().map(|(name, bytes)| input(name, bytes, Role::Judged)).collect();
        if !more.is_empty() {
            inputs.push(input("more.yaml", more.as_bytes(), Role::Context));
        }
        let only_given = overlay.is_some();
        for (number, mut object) in overlay.unwrap_or_default().into_iter().enumerate() {
            let id = object["metadata"]["name"].as_str().unwrap().to_owned();
            if object["kind"] == KIND && object["spec"].get("settings").is_none() {
                if id.starts_with("suite") {
                    object["spec"]["settings"] = self.suite_settings();
                } else if let Some((_, settings)) = self.settings.iter().find(|(known, _)| id.starts_with(known.as_str())) {
                    object["spec"]["settings"] = settings.clone();
                }
            }
            inputs.push(input(&format!("policies/{number}.json"), object.to_string().as_bytes(), Role::Policies));
        }
        let settings = |id: &str| self.settings.get(id).cloned().unwrap_or_default();
        let builtin = fedward_modules::ALL.iter().map(|one| Policy::builtin(&host, one, &settings(one.id)).unwrap()).collect();
        let config: Value = from_yaml(&read(&folder().join("fedward.yaml"))).unwrap();
        let modules = Configured(serde_json::from_value(config["modules"].clone()).unwrap());
        let sets = Sets { host: &host, modules: &modules, only_given };
        let options = Options { threads: 1, ..Options::default() };
        let outcome = run_sets(inputs, builtin, sets, &options, &AtomicUsize::new(0)).0;
        assert!(outcome.not_evaluated.is_empty(), "{}: {:?}", self.name, outcome.not_evaluated);
        outcome
    }
}

/// Whether admission sees the object of a finding: no webhook is asked about those that decide over admission. The audit scanner sees them.
pub(crate) fn is_admitted(finding: &fedward_outcome::Finding) -> bool {
    finding.object.as_ref().is_none_or(|object| object.kind != "MutatingWebhookConfiguration")
}

/// What is said of a key whose Secret is seen. No policy in a cluster lists Secrets, so there it is [`LOOKS_LIKE`], a warning.
const SEEN: &str = ", to the key of a service account";
const LOOKS_LIKE: &str = ", which most likely holds the key of a service account";

/// A finding as it is compared: whether its object has a namespace, severity, rule, place, message. The reader's own have no policy.
pub(crate) fn lines(outcome: &Outcome, is_compared: impl Fn(&fedward_outcome::Finding) -> bool) -> BTreeSet<String> {
    let line = |finding: &fedward_outcome::Finding| {
        let start = finding.location.start();
        let (rule, severity) = (&finding.rule, finding.severity.name());
        let (severity, message) = match finding.message.strip_suffix(SEEN) {
            Some(head) => ("warning", format!("{head}{LOOKS_LIKE}")),
            None => (severity, finding.message.clone()),
        };
        format!("{}:{}:{} {severity} {rule} {message}", finding.location.source.name(), start.line, start.column)
    };
    outcome.findings.iter().filter(|finding| finding.policy != "input" && is_compared(finding)).map(line).collect()
}
