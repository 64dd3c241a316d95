//! The shipped modules: what they import, that nothing is compiled at start-up, that keeping an instance changes no verdict and holds
//! no memory, and what context rules cost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::{fs, str};

use fedward_engine::{Cost, Input, Options, Policy, Role, payloads, run};
use fedward_host::{CallError, Host, Limits, Module, NoHostCalls, Strategy};
use fedward_outcome::Outcome;
use serde_json::{Value, json};

/// Bytes that one module may have. The bar is 400 KiB with its metadata, which take up to 11.3 KB; this holds what is reached.
const MAX_MODULE: usize = 398_300;
/// The same for the suite, whose bar is 1.2 MB.
const MAX_SUITE: usize = 1_180_000;

fn policies() -> Vec<Policy> {
    let host = Host::new(Limits::default());
    fedward_modules::ALL.iter().map(|builtin| Policy::builtin(&host, builtin, &Value::Null).unwrap()).collect()
}

fn check(text: String) -> (Outcome, Cost) {
    let input = Input { name: "test.yaml".to_owned(), bytes: text.into_bytes(), named: true, role: Role::Judged };
    run(vec![input], &policies(), &Options { threads: 1, ..Options::default() }, &AtomicUsize::new(0))
}

#[test]
fn modules_import_only_from_wapc_and_stay_small() {
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        let mut modules = Vec::new();
        for payload in wasmparser::Parser::new(0).parse_all(builtin.wasm) {
            if let wasmparser::Payload::ImportSection(imports) = payload.unwrap() {
                modules.extend(imports.into_imports().map(|import| import.unwrap().module.to_owned()));
            }
        }
        assert!(!modules.is_empty() && modules.iter().all(|module| module == "wapc"), "{}: {modules:?}", builtin.id);
        let most = if builtin.id == fedward_modules::SUITE.id { MAX_SUITE } else { MAX_MODULE };
        assert!(builtin.wasm.len() <= most, "{}: {} bytes", builtin.id, builtin.wasm.len());
    }
}

/// Where a panic stands is in a module as the name of its source file.
#[test]
fn no_path_of_this_machine_is_in_a_module() {
    let wasm = fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]).map(|builtin| (builtin.id, builtin.wasm));
    let mut places = 0;
    for (id, wasm) in wasm.chain([("fedward-cel", fedward_modules::CEL.wasm)]) {
        let text = String::from_utf8_lossy(wasm);
        let name = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
        for (at, _) in text.match_indices(".rs") {
            let path = text[..at].rsplit(|char| !name(char)).next().unwrap();
            // Names of files follow one another without anything between them.
            let path = path.rsplit(".rs").next().unwrap();
            let known = ["crates/", "policies/", "/crates/", "/rustc/", "/rust/deps/"];
            assert!(known.iter().any(|start| path.starts_with(start)) && !path.contains("crates.io"), "{id}: {path}.rs");
            places += 1;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_string_lossy().into_owned();
        let home = std::env::home_dir().map(|home| home.to_string_lossy().into_owned()).filter(|home| home.len() > 1);
        let more = ["/.cargo/".to_owned(), "\\.cargo\\".to_owned(), "/registry/src/".to_owned()];
        for machine in more.into_iter().chain([root]).chain(home.map(|home| format!("{home}/"))) {
            assert!(!text.contains(&machine), "{id}: {machine}");
        }
    }
    assert!(places > 100, "only {places} names of source files");
}

/// The answer of a policy to a Pod with a mistake in each of so many containers.
fn answer(builtin: &fedward_modules::Builtin, containers: usize, offline: bool) -> Value {
    let list: Vec<Value> = (0..containers)
        .map(|number| {
            let env = json!({"name": "AZURE_CLIENT_SECRET", "value": "a-long-secret-that-nobody-may-see"});
            json!({"name": format!("c{number}"), "image": "registry.example/till", "env": [env]})
        })
        .collect();
    let labels = json!({"azure.workload.identity/use": "True"});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "till", "labels": labels}, "spec": {"containers": list}});
    let mut payload = payloads(&pod.to_string(), &json!({})).remove(0);
    if offline {
        payload.pop();
        payload.extend_from_slice(br#","fedward":{}}"#);
    }
    let host = Host::new(Limits::default());
    let module = Module::from_wasm(&host, Strategy::Fresh, builtin.wasm).unwrap();
    let answer: Vec<u8> = module.evaluator().call("validate", &payload, &mut NoHostCalls).unwrap().to_vec();
    assert!(!String::from_utf8_lossy(&answer).contains("nobody-may-see"));
    serde_json::from_slice(&answer).unwrap()
}

/// See `policies/kit/src/bounds.rs`.
#[test]
fn an_answer_to_a_cluster_is_bounded_and_counts_what_it_leaves_out() {
    let findings = |answer: &Value| -> Vec<Value> {
        let annotation = answer["audit_annotations"]["findings"].as_str();
        annotation.map_or_else(Vec::new, |text| serde_json::from_str(text).unwrap())
    };
    let mut cut = Vec::new();
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        let (bounded, whole) = (answer(builtin, 300, false), answer(builtin, 300, true));
        let left_out: usize = bounded["audit_annotations"]["findings-left-out"].as_str().map_or(0, |text| text.parse().unwrap());
        assert_eq!(findings(&bounded).len() + left_out, findings(&whole).len(), "{}", builtin.id);
        assert_eq!(whole["audit_annotations"].get("findings-left-out"), None);
        for (key, text) in bounded["audit_annotations"].as_object().into_iter().flatten() {
            assert!(text.as_str().unwrap().len() <= 10 * 1024, "{}: {key}", builtin.id);
        }
        let warnings = |answer: &Value| answer["warnings"].as_array().cloned().unwrap_or_default();
        let lengths: Vec<usize> = warnings(&bounded).iter().map(|text| text.as_str().unwrap().chars().count()).collect();
        assert!(lengths.iter().all(|length| *length <= 256) && lengths.iter().sum::<usize>() <= 4096, "{}: {lengths:?}", builtin.id);
        assert!(bounded["message"].as_str().is_none_or(|text| text.len() < 17 * 1024), "{}", builtin.id);
        assert_eq!(bounded["accepted"], whole["accepted"]);
        if left_out > 0 {
            cut.push(builtin.id);
        }
        // What fits is the same for both.
        assert_eq!(answer(builtin, 1, false)["message"], answer(builtin, 1, true)["message"], "{}", builtin.id);
    }
    assert!(cut.contains(&"forbid-static-credentials") && cut.contains(&"suite"), "{cut:?}");
}

#[test]
fn nothing_is_compiled_at_start_up() {
    assert!(policies().iter().all(Policy::is_precompiled));
}

/// Every object of every fixture and scenario.
fn objects() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path)
            }
        }
    }
    files.sort();
    for file in files {
        found.extend(payloads(&fs::read_to_string(file).unwrap(), &json!({})));
    }
    assert!(found.len() > 500, "{} objects", found.len());
    found
}

#[test]
fn a_kept_instance_gives_the_verdicts_of_a_fresh_one_in_any_order_and_after_failures() {
    let payloads = objects();
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        let host = Host::new(Limits::default());
        let fresh = Module::from_wasm(&host, Strategy::Fresh, builtin.wasm).unwrap();
        let kept = Module::from_wasm(&host, Strategy::Kept, builtin.wasm).unwrap();
        let mut fresh = fresh.evaluator();
        let want: Vec<_> = payloads.iter().map(|payload| fresh.call("validate", payload, &mut NoHostCalls).map(<[u8]>::to_vec)).collect();
        let mut kept = kept.evaluator();
        for index in (0..payloads.len()).chain((0..payloads.len()).rev()) {
            if index % 50 == 0 {
                // A call that fails in between leaves nothing behind.
                assert!(matches!(kept.call("validate", b"{", &mut NoHostCalls), Err(CallError::Guest { .. })));
            }
            let found = kept.call("validate", &payloads[index], &mut NoHostCalls).map(<[u8]>::to_vec);
            assert!(found == want[index], "{}: {}", builtin.id, str::from_utf8(&payloads[index]).unwrap());
        }
    }
}

#[test]
fn memory_of_a_kept_instance_is_flat() {
    let payloads = objects();
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        let host = Host::new(Limits::default());
        let module = Module::from_wasm(&host, Strategy::Kept, builtin.wasm).unwrap();
        let mut evaluator = module.evaluator();
        let mut round = |calls: usize| {
            for payload in payloads.iter().cycle().take(calls) {
                evaluator.call("validate", payload, &mut NoHostCalls).unwrap();
            }
            evaluator.stats().memory_bytes
        };
        // The first round over everything takes what the largest object needs.
        let first = round(payloads.len() * 2);
        assert_eq!(round(100_000), first, "{}", builtin.id);
    }
}

/// Corpus D of the bars: Deployments with Azure's label in one namespace, service accounts with a client id, a credential for each.
fn corpus(count: usize, accounts: usize) -> String {
    let mut text = String::new();
    for account in 0..accounts {
        write!(
            text,
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app-{account}\n  namespace: shop\n  annotations:\n    \
             azure.workload.identity/client-id: 6f1b1c9e-2d0a-4b7c-9a57-{account:012x}\n---\n\
             apiVersion: managedidentity.azure.com/v1api20230131\nkind: FederatedIdentityCredential\nmetadata:\n  name: app-{account}\n  namespace: shop\nspec:\n  \
             owner:\n    name: identity-{account}\n  audiences:\n    - api://AzureADTokenExchange\n  \
             issuer: https://westeurope.oic.prod-aks.azure.com/8f2c4f0a-3d5e-4a52-9d0a-1f6f7d6b2c11/2b7e1516-28ae-4d2a-a6ab-f7158809cf4f/\n  \
             subject: system:serviceaccount:shop:app-{account}\n---\n"
        )
        .unwrap();
    }
    for number in 0..count {
        write!(
            text,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\n  namespace: shop\nspec:\n  selector:\n    matchLabels:\n      app: app-{number}\n  \
             template:\n    metadata:\n      labels:\n        app: app-{number}\n        azure.workload.identity/use: \"true\"\n    spec:\n      \
             serviceAccountName: app-{}\n      containers:\n        - name: main\n          image: registry.example/app:1\n---\n",
            number % accounts
        )
        .unwrap();
    }
    text
}

/// What `policies/forbid-identity-sharing/README.md` says that one request costs in a namespace of 1,000 workloads.
#[test]
fn a_cluster_is_asked_for_little_to_know_who_shares() {
    let host = Host::new(Limits::default());
    let builtin = fedward_modules::ALL.iter().find(|builtin| builtin.id == "forbid-identity-sharing").unwrap();
    let policy = Policy::builtin(&host, builtin, &Value::Null).unwrap();
    let input = |name: &str, text: String, role| Input { name: name.to_owned(), bytes: text.into_bytes(), named: true, role };
    for (accounts, most) in [(1_000, 160_000), (1, 165_000)] {
        let new =
            corpus(1, 1).replace("name: app-0\n  namespace: shop\nspec:\n  selector", "name: new\n  namespace: shop\nspec:\n  selector");
        let (_, new) = new.rsplit_once("apiVersion: apps/v1").unwrap();
        let inputs = vec![
            input("new.yaml", format!("apiVersion: apps/v1{new}"), Role::Judged),
            input("cluster.yaml", corpus(1_000, accounts), Role::Context),
        ];
        let options = Options { threads: 1, indexed: false, closed_world: true, ..Options::default() };
        let (outcome, cost) = run(inputs, std::slice::from_ref(&policy), &options, &AtomicUsize::new(0));
        assert_eq!(outcome.findings.len(), 1, "{:?}", outcome.findings);
        assert!((100_000..most).contains(&cost.host_bytes), "{} bytes in {} calls", cost.host_bytes, cost.host_calls);
    }
}

#[test]
fn relations_cost_the_same_for_each_object_however_many_there_are() {
    for shared in [true, false] {
        let accounts = |count| if shared { 1 } else { count };
        let (small, few) = check(corpus(500, accounts(500)));
        let (large, many) = check(corpus(5_000, accounts(5_000)));
        for outcome in [&small, &large] {
            assert!(outcome.not_evaluated.is_empty(), "{:?}", outcome.not_evaluated.first());
            assert!(outcome.evaluated >= 500);
        }
        assert!(few.host_calls > 0, "no relation rule asked anything");
        let each = |cost: Cost, outcome: &Outcome| cost.host_bytes / outcome.objects as u64;
        let (before, after) = (each(few, &small), each(many, &large));
        assert!(after <= before + before / 10, "{before} bytes an object became {after} (shared: {shared})");
        assert!(after <= 4_000, "{after} bytes an object (shared: {shared})");
    }
}
