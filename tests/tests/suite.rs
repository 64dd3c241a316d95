//! The suite against the policies that it is made of: the same findings at the same places, for less.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;

use fedward_engine::{Cost, EngineError, Input, Options, Part, Policy, Role, Runtime, run};
use fedward_host::{Host, Limits, Module, NoHostCalls, Strategy};
use fedward_outcome::Outcome;
use serde_json::{Value, json};

fn parts() -> Vec<Part> {
    fedward_modules::ALL.iter().map(|builtin| Part { builtin, settings: Value::Null, runs: true }).collect()
}

fn suite() -> Vec<Policy> {
    vec![Policy::suite(&Host::new(Limits::default()), parts()).unwrap_or_else(|errors| panic!("{errors:?}"))]
}

fn singles() -> Vec<Policy> {
    let host = Host::new(Limits::default());
    fedward_modules::ALL.iter().map(|builtin| Policy::builtin(&host, builtin, &Value::Null).unwrap()).collect()
}

fn check(now: &str, old: Option<&str>, policies: &[Policy], runtime: Runtime) -> (Outcome, Cost) {
    let input = |name: &str, text: &str, role| Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), named: true, role };
    let mut inputs = vec![input("now.yaml", now, Role::Judged)];
    inputs.extend(old.map(|text| input("old.yaml", text, Role::Old)));
    run(inputs, policies, &Options { threads: 1, runtime, ..Options::default() }, &AtomicUsize::new(0))
}

/// What was found and what was not judged. Whose a rule is that all policies share nobody can tell from the suite.
fn said(outcome: &Outcome) -> Vec<String> {
    let shared = |rule: &str| if rule == "wrong-field-type" { None } else { Some(rule.to_owned()) };
    let found = outcome.findings.iter().map(|finding| {
        let (start, policy) = (finding.location.start(), shared(&finding.rule).map(|_| &finding.policy));
        format!(
            "{} {} {} {policy:?} {}:{} {} {} {:?} {:?}",
            finding.severity.name(),
            finding.rule,
            finding.condition,
            start.line,
            start.column,
            finding.message,
            finding.help,
            finding.related,
            finding.fix
        )
    });
    found.chain(outcome.not_evaluated.iter().map(|failed| format!("not judged: {}", failed.reason))).collect()
}

fn files() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn it_says_what_its_policies_say_of_every_fixture() {
    let (suite, singles) = (suite(), singles());
    let mut found = 0;
    for file in files() {
        let Ok(now) = fs::read_to_string(&file) else { continue };
        let want = said(&check(&now, None, &singles, Runtime::Module).0);
        assert_eq!(said(&check(&now, None, &suite, Runtime::Both).0), want, "{}", file.display());
        found += want.len();
        // The case that is accepted, changed into the one that is rejected.
        let twin = PathBuf::from(file.to_string_lossy().replace("/reject/", "/accept/"));
        if twin == file {
            continue;
        }
        let Ok(old) = fs::read_to_string(&twin) else { continue };
        let want = said(&check(&now, Some(&old), &singles, Runtime::Module).0);
        assert_eq!(said(&check(&now, Some(&old), &suite, Runtime::Both).0), want, "{} as an update", file.display());
    }
    assert!(found > 1_000, "{found} findings");
}

#[test]
fn it_is_asked_once_and_asks_once() {
    let federated = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: api\n  annotations:\n    \
                     azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11\n---\napiVersion: apps/v1\nkind: Deployment\n\
                     metadata:\n  name: api\nspec:\n  template:\n    metadata:\n      labels:\n        azure.workload.identity/use: \"true\"\n    \
                     spec:\n      serviceAccountName: api\n      containers:\n        - name: api\n          image: api:1\n          env:\n            \
                     - name: AZURE_CLIENT_ID\n              value: 6f1b1c9e-2d0a-4b7c-9a57-0c8d6f2e4a11\n";
    let together = check(federated, None, &suite(), Runtime::Module).1;
    let mut apart = Cost::default();
    let mut most = 0;
    for policy in singles() {
        let cost = check(federated, None, &[policy], Runtime::Module).1;
        apart.evaluations += cost.evaluations;
        apart.host_calls += cost.host_calls;
        most = most.max(cost.host_calls);
    }
    assert_eq!(together.evaluations, 2);
    assert!(apart.evaluations > 2);
    assert!(together.host_calls < apart.host_calls && together.host_calls >= most, "{together:?} for {apart:?}");
}

#[test]
fn a_policy_that_is_off_says_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rules");
    let host = Host::new(Limits::default());
    for builtin in fedward_modules::ALL {
        let rules: BTreeSet<&str> = builtin.policy.describe().rules.iter().map(|rule| rule.id).collect();
        let without = parts().into_iter().map(|part| Part { runs: part.builtin.id != builtin.id, ..part }).collect();
        let without = [Policy::suite(&host, without).unwrap_or_else(|errors| panic!("{errors:?}"))];
        let mut met = 0;
        for file in files().into_iter().filter(|file| file.starts_with(&root)) {
            let Ok(now) = fs::read_to_string(&file) else { continue };
            let outcome = check(&now, None, &without, Runtime::Module).0;
            assert!(outcome.findings.iter().all(|finding| finding.policy != builtin.id), "{}", file.display());
            met += usize::from(rules.contains(file.parent().unwrap().parent().unwrap().file_name().unwrap().to_str().unwrap()));
        }
        assert!(met > 10, "{}", builtin.id);
    }
}

/// What the module answers.
fn ask(operation: &str, payload: &Value) -> Value {
    let host = Host::new(Limits::default());
    let module = Module::from_wasm(&host, Strategy::Fresh, fedward_modules::SUITE.wasm).unwrap();
    let answer = module.evaluator().call(operation, payload.to_string().as_bytes(), &mut NoHostCalls).map(<[u8]>::to_vec);
    serde_json::from_slice(&answer.unwrap()).unwrap()
}

/// A pod that asks for an identity as `default`, which is a warning, with settings.
fn labelled_default(settings: &Value) -> Value {
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "api", "namespace": "shop", "labels": { "azure.workload.identity/use": "true" } },
        "spec": { "containers": [{ "name": "api", "image": "api:1" }] },
    });
    let request = json!({
        "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" }, "operation": "CREATE", "name": "api", "namespace": "shop",
        "object": object,
    });
    json!({ "settings": settings, "request": request })
}

/// How the module judges [`labelled_default`].
fn rule_of(settings: &Value) -> Option<String> {
    severity(&ask("validate", &labelled_default(settings)))
}

fn severity(answer: &Value) -> Option<String> {
    let findings: Vec<Value> = serde_json::from_str(answer["audit_annotations"]["findings"].as_str().unwrap_or("[]")).unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == "labelled-default-account")?;
    Some(finding["severity"].as_str().unwrap().to_owned())
}

#[test]
fn settings_of_the_suite_count_where_a_policy_has_none_of_its_own() {
    let own = |settings: Value| json!({ "policies": { "require-identity-labels": { "settings": settings } } });
    let with = |mut settings: Value, top: Value| {
        settings.as_object_mut().unwrap().extend(top.as_object().unwrap().clone());
        settings
    };
    let severity = |level: &str| json!({ "severities": { "labelled-default-account": level } });
    assert_eq!(rule_of(&json!({})).as_deref(), Some("warning"));
    assert_eq!(rule_of(&severity("error")).as_deref(), Some("error"));
    assert_eq!(rule_of(&own(severity("info"))).as_deref(), Some("info"));
    assert_eq!(rule_of(&with(own(severity("info")), severity("error"))).as_deref(), Some("info"));
    assert_eq!(rule_of(&json!({ "exemptNamespaces": ["sho*"] })), None);
    let exempt = json!({ "exemptNamespaces": ["shop"] });
    assert_eq!(rule_of(&with(own(json!({ "exemptNamespaces": ["other"] })), exempt)).as_deref(), Some("warning"));
    assert_eq!(rule_of(&json!({ "policies": { "require-identity-labels": { "enabled": false } } })), None);
}

#[test]
fn one_instance_reads_settings_again_where_they_change() {
    let module = Module::from_wasm(&Host::new(Limits::default()), Strategy::Kept, fedward_modules::SUITE.wasm).unwrap();
    let mut evaluator = module.evaluator();
    let mut ask = |settings: Value| {
        let answer = evaluator.call("validate", labelled_default(&settings).to_string().as_bytes(), &mut NoHostCalls).map(<[u8]>::to_vec);
        answer.map(|answer| severity(&serde_json::from_slice(&answer).unwrap())).map_err(|error| error.to_string())
    };
    let with = |level: &str| json!({ "severities": { "labelled-default-account": level } });
    for _ in 0..2 {
        for level in ["warning", "info", "info", "error"] {
            assert_eq!(ask(with(level)).unwrap().as_deref(), Some(level));
        }
        assert_eq!(ask(with("off")).unwrap(), None);
        assert!(ask(with("loud")).unwrap_err().contains("severities.labelled-default-account"));
        assert_eq!(ask(json!({ "severities": {}, "exemptNamespaces": ["shop"] })).unwrap(), None);
        assert_eq!(ask(json!({ "severities": {}, "exemptNamespaces": ["shops"] })).unwrap().as_deref(), Some("warning"));
        assert_eq!(ask(Value::Null).unwrap().as_deref(), Some("warning"));
    }
}

#[test]
fn mistakes_in_settings_name_their_path() {
    let wrong = json!({
        "severities": { "no-such-rule": "error" },
        "polices": {},
        "policies": {
            "require-identity-label": {},
            "require-identity-labels": { "enabled": "yes", "settings": { "allowCsiOnly": 1, "extraRequiredLabels": ["=x"] } },
            "enforce-audience-issuer": { "setting": {} },
            "forbid-federated-cluster-admin": 5,
        },
    });
    let answer = ask("validate_settings", &wrong);
    assert_eq!(answer["valid"], false);
    let said: BTreeSet<&str> = answer["message"].as_str().unwrap().lines().map(|line| line.split_once(": ").unwrap().0).collect();
    let paths = [
        "settings.policies.enforce-audience-issuer.setting",
        "settings.policies.forbid-federated-cluster-admin",
        "settings.policies.require-identity-label",
        "settings.policies.require-identity-labels.enabled",
        "settings.policies.require-identity-labels.settings.allowCsiOnly",
        "settings.policies.require-identity-labels.settings.extraRequiredLabels",
        "settings.polices",
        "settings.severities.no-such-rule",
    ];
    assert_eq!(said, paths.into_iter().collect());
    // Those of a policy are told as its own, of one that does not run, too.
    let wrong = parts().into_iter().map(|part| Part { settings: json!({ "severities": { "no-such-rule": "off" } }), runs: false, ..part });
    let errors = Policy::suite(&Host::new(Limits::default()), wrong.collect()).err().unwrap();
    assert_eq!(errors.len(), fedward_modules::ALL.len());
    let EngineError::Settings { policy, message } = &errors[0] else { panic!("{errors:?}") };
    assert_eq!((policy.as_str(), message.as_str()), (fedward_modules::ALL[0].id, "settings.severities.no-such-rule: no such rule"));
}
