//! Policy manifests as they are written, right and wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod manifests;
mod matching;
mod server;

use fedward_policyset::{Kind, Policy, read};
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
