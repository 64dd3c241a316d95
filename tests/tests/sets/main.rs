//! Policy sets: every field of a policy manifest has its test here, with modules that say one thing (`src/guests.rs`) and our own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

mod groups;
mod hostile;
mod matching;
mod modules;
mod mutation;
mod requests;
mod unselected;
mod verdicts;

use std::sync::atomic::AtomicUsize;

use fedward_engine::{Input, Options, Part, Policy, Role, Sets, run_sets};
use fedward_host::{Host, Limits};
use fedward_outcome::Outcome;
use fedward_tests::guests::Known;
use serde_json::Value;

/// What a run is made of, apart from its policies.
struct Run<'a> {
    objects: &'a str,
    old: &'a str,
    context: &'a str,
    options: Options,
    /// The policies stand among the objects.
    inline: bool,
}

impl Default for Run<'_> {
    fn default() -> Self {
        Run { objects: TILL, old: "", context: "", options: Options { threads: 1, ..Options::default() }, inline: false }
    }
}

const TILL: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: till, namespace: shop}}";
const LABELLED: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: till, namespace: shop, labels: {tier: web}}}";

/// A `ClusterAdmissionPolicy` with further fields of its spec, in flow style.
fn policy(name: &str, module: &str, more: &str) -> String {
    policy_of("ClusterAdmissionPolicy", name, module, more)
}

fn policy_of(kind: &str, name: &str, module: &str, more: &str) -> String {
    let rules = if more.contains("rules:") {
        ""
    } else {
        ", rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps, secrets], operations: [\"*\"]}]"
    };
    let mutating = if more.contains("mutating:") { "" } else { ", mutating: false" };
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    format!(
        "---\napiVersion: policies.kubewarden.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{module: \"registry://{module}\"{mutating}{rules}{more}}}\n"
    )
}

/// A guest as a module's reference.
fn guest(name: &str) -> String {
    format!("registry.example/{name}:v1")
}

impl Run<'_> {
    fn with(&self, policies: &str) -> Outcome {
        let host = Host::new(Limits::default());
        let input = |name: &str, text: &str, role| Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), named: true, role };
        let mut inputs = vec![
            input("objects.yaml", self.objects, Role::Judged),
            input("policies.yaml", policies, if self.inline { Role::Judged } else { Role::Policies }),
        ];
        for (name, text, role) in [("old.yaml", self.old, Role::Old), ("context.yaml", self.context, Role::Context)] {
            if !text.is_empty() {
                inputs.push(input(name, text, role));
            }
        }
        let part = |builtin| Part { builtin, settings: Value::Null, runs: true };
        let builtin =
            vec![Policy::suite(&host, fedward_modules::ALL.iter().map(part).collect()).unwrap_or_else(|errors| panic!("{errors:?}"))];
        let sets = Sets { host: &host, modules: &Known, only_given: !self.inline };
        run_sets(inputs, builtin, sets, &self.options, &AtomicUsize::new(0)).0
    }

    /// Every finding, and what could not be judged, a line each.
    fn says(&self, policies: &str) -> Vec<String> {
        let outcome = self.with(policies);
        let start = |location: &fedward_outcome::Location| {
            let start = location.start();
            format!("{}:{}:{}", location.source.name(), start.line, start.column)
        };
        let found = outcome
            .findings
            .iter()
            .map(|finding| format!("{} {} {}: {}", finding.severity.name(), start(&finding.location), finding.policy, finding.message));
        let failed = outcome
            .not_evaluated
            .iter()
            .map(|failed| format!("not judged {} {}: {}", start(&failed.location), failed.policy, failed.reason));
        found.chain(failed).collect()
    }
}

/// What policies say of one ConfigMap.
fn says(policies: &str) -> Vec<String> {
    Run::default().says(policies)
}

/// That a policy rejects the object of a run, or does not see it.
fn is_rejected(run: &Run<'_>, more: &str) -> bool {
    let said = run.says(&policy("no-root", &guest("rejects"), more));
    match said.as_slice() {
        [] => false,
        [one] if one.starts_with("error objects.yaml:1:1 clusterwide-no-root: ") => true,
        other => panic!("{other:?}"),
    }
}
