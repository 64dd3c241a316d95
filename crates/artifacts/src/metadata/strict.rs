//! What makes metadata unusable: for a cluster, for `kwctl`, for Artifact Hub, or for people.
//!
//! Sources: `policy_metadata.rs` (rules, versions) and `policy_artifacthub.rs` (annotations) of Kubewarden's policy-evaluator; rules of
//! webhooks in Kubernetes, `admissionregistration/validation`. What those ignore, such as a misspelt annotation, is refused here as well.

use std::collections::BTreeSet;

use super::{Matching, Metadata, USAGE};
use crate::origin::{is_author, is_repository, is_url};

const OPERATIONS: [&str; 5] = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];
const MODES: [&str; 4] = ["kubewarden-wapc", "opa", "gatekeeper", "wasi"];
const TYPES: [&str; 2] = ["kubernetes", "raw"];
const SEVERITIES: [&str; 5] = ["info", "low", "medium", "high", "critical"];
/// Every host call that a policy server knows, but those about its log.
const CAPABILITIES: [&str; 13] = [
    "cache/get",
    "cache/set",
    "crypto/v1/is_certificate_trusted",
    "kubernetes/can_i",
    "kubernetes/get_resource",
    "kubernetes/list_resources_all",
    "kubernetes/list_resources_by_namespace",
    "net/v1/dns_lookup_host",
    "oci/v1/manifest_digest",
    "oci/v1/oci_manifest",
    "oci/v1/oci_manifest_config",
    "oci/v1/verify",
    "oci/v2/verify",
];
/// The annotations that a registry page is made of, and what each has to be.
const ANNOTATIONS: [(&str, Form, &str); 13] = [
    ("io.artifacthub.displayName", |text| !text.is_empty(), "a name"),
    ("io.artifacthub.keywords", is_list, "a list of words with commas between them"),
    ("io.artifacthub.resources", is_list, "a list of kinds with commas between them"),
    ("io.kubewarden.policy.author", is_author, "a name with an address, such as `fedward developers <developers@fedward.example>`"),
    ("io.kubewarden.policy.category", |text| !text.is_empty(), "a word or two"),
    ("io.kubewarden.policy.description", |text| !text.is_empty(), "a sentence"),
    ("io.kubewarden.policy.license", |text| !text.is_empty() && !text.contains(' '), "an identifier of SPDX"),
    ("io.kubewarden.policy.ociUrl", is_repository, "a registry with a path, without scheme and tag"),
    ("io.kubewarden.policy.severity", |text| SEVERITIES.contains(&text), "one of `info`, `low`, `medium`, `high`, `critical`"),
    ("io.kubewarden.policy.source", is_url, "a web address"),
    ("io.kubewarden.policy.title", is_id, "an id in kebab-case"),
    ("io.kubewarden.policy.url", is_url, "a web address"),
    ("io.kubewarden.policy.version", is_version, "a version such as `1.2.3`"),
];
/// What else there is.
const OPTIONAL: [(&str, Form, &str); 2] = [
    ("io.fedward.offline-rules", |text| serde_json::from_str::<Vec<serde_json::Value>>(text).is_ok(), "a list in JSON"),
    ("io.kubewarden.hidden-ui", |text| matches!(text, "true" | "false"), "`true` or `false`"),
];

type Form = fn(&str) -> bool;

/// Everything that is wrong.
pub(super) fn problems(metadata: &Metadata) -> Vec<String> {
    let mut wrong = Vec::new();
    if metadata.rules.is_empty() {
        wrong.push("`rules` is empty: no request would reach the policy".to_owned());
    }
    for (index, rule) in metadata.rules.iter().enumerate() {
        wrong.extend(rule_problems(rule).into_iter().map(|problem| format!("rule {}: {problem}", index + 1)));
    }
    if metadata.protocol_version.as_ref().is_some_and(|version| version != "v1") {
        wrong.push("`protocolVersion` is `v1`, or left to whatever annotates the module".to_owned());
    }
    for (name, value, known) in [("executionMode", &metadata.execution_mode, &MODES[..]), ("policyType", &metadata.policy_type, &TYPES[..])]
    {
        if !known.contains(&value.as_str()) {
            wrong.push(format!("`{name}` is one of `{}`, not `{value}`", known.join("`, `")));
        }
    }
    let mut seen = BTreeSet::new();
    for resource in &metadata.context_aware_resources {
        let (version, kind) = (&resource.api_version, &resource.kind);
        let is_version = version == "v1" || version.split_once('/').is_some_and(|(group, version)| is_name(group) && is_name(version));
        if !is_version || !kind.starts_with(|first: char| first.is_ascii_uppercase()) {
            wrong.push(format!("`{version}` `{kind}` in `contextAwareResources` is no kind with its group and version"));
        }
        if !seen.insert((version, kind)) {
            wrong.push(format!("`{version}` `{kind}` is twice in `contextAwareResources`"));
        }
    }
    let mut seen = BTreeSet::new();
    for capability in &metadata.host_capabilities {
        // A pattern would grant more than the policy needs.
        if !CAPABILITIES.contains(&capability.as_str()) {
            wrong.push(format!("no such host capability: `{capability}`"));
        }
        if !seen.insert(capability) {
            wrong.push(format!("`{capability}` is twice in `hostCapabilities`"));
        }
    }
    if metadata.minimum_kubewarden_version.as_ref().is_some_and(|version| !is_version(version)) {
        wrong.push("`minimumKubewardenVersion` is a full version such as `1.2.3`".to_owned());
    }
    wrong.extend(annotation_problems(metadata));
    wrong
}

fn rule_problems(rule: &Matching) -> Vec<String> {
    let mut wrong = Vec::new();
    let lists = [
        ("apiGroups", &rule.api_groups),
        ("apiVersions", &rule.api_versions),
        ("resources", &rule.resources),
        ("operations", &rule.operations),
    ];
    for (name, list) in lists {
        if list.is_empty() {
            wrong.push(format!("`{name}` is empty"));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = list.iter().find(|item| !seen.insert(*item)) {
            wrong.push(format!("`{twice}` is twice in `{name}`"));
        }
        // Among resources it may stand beside sub-resources.
        if name != "resources" && list.len() > 1 && list.iter().any(|item| item == "*") {
            wrong.push(format!("`*` stands beside others in `{name}`"));
        }
    }
    if let Some(other) = rule.operations.iter().find(|operation| !OPERATIONS.contains(&operation.as_str())) {
        wrong.push(format!("no such operation: `{other}`"));
    }
    wrong.extend(resource_problem(&rule.resources));
    wrong
}

/// What `*` must not stand beside.
fn resource_problem(resources: &[String]) -> Option<String> {
    if resources.iter().any(String::is_empty) {
        return Some("a name in `resources` is empty".to_owned());
    }
    let has = |name: &str| resources.iter().any(|resource| resource == name);
    if has("*/*") && resources.len() > 1 {
        return Some("`*/*` stands beside others in `resources`".to_owned());
    }
    if has("*") && resources.iter().any(|resource| resource != "*" && !resource.contains('/')) {
        return Some("`*` stands beside other resources".to_owned());
    }
    resources.iter().find_map(|resource| {
        let (name, sub) = resource.split_once('/')?;
        let all = [format!("{name}/*"), format!("*/{sub}")].into_iter().find(|all| all != resource && has(all))?;
        Some(format!("`{all}` stands beside `{resource}`"))
    })
}

fn annotation_problems(metadata: &Metadata) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, is_right, what) in ANNOTATIONS {
        match metadata.annotations.get(name) {
            None => wrong.push(format!("annotation `{name}` is missing")),
            Some(value) if !is_right(value) => wrong.push(format!("annotation `{name}` is {what}, not `{value}`")),
            Some(_) => {}
        }
    }
    for (name, value) in &metadata.annotations {
        let known = OPTIONAL.iter().find(|(known, ..)| known == name);
        if let Some((_, is_right, what)) = known
            && !is_right(value)
        {
            wrong.push(format!("annotation `{name}` is {what}, not `{value}`"));
        }
        if known.is_none() && !ANNOTATIONS.iter().any(|(known, ..)| known == name) {
            let why = if name == USAGE { "is the README's" } else { "is none that anybody reads" };
            wrong.push(format!("annotation `{name}` {why}"));
        }
        // OCI has no annotations of several lines: `kwctl push` drops them.
        if value.lines().count() > 1 {
            wrong.push(format!("annotation `{name}` has several lines"));
        }
    }
    wrong
}

fn is_list(text: &str) -> bool {
    text.split(',').all(|word| !word.trim().is_empty())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
}

fn is_id(text: &str) -> bool {
    is_name(text) && !text.contains('.')
}

fn is_version(text: &str) -> bool {
    text.parse::<semver::Version>().is_ok()
}

#[cfg(test)]
pub(super) const GOOD: &str = r#"
rules:
  - {apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}
mutating: false
executionMode: kubewarden-wapc
policyType: kubernetes
contextAwareResources: [{apiVersion: apps/v1, kind: Deployment}]
hostCapabilities: [kubernetes/get_resource]
minimumKubewardenVersion: 1.20.0
annotations:
  io.artifacthub.displayName: A policy
  io.artifacthub.keywords: a, b c
  io.artifacthub.resources: Pod
  io.kubewarden.policy.author: A <a@b.example>
  io.kubewarden.policy.category: Things
  io.kubewarden.policy.description: what it does
  io.kubewarden.policy.license: Apache-2.0
  io.kubewarden.policy.ociUrl: registry.example/fedward/a
  io.kubewarden.policy.severity: high
  io.kubewarden.policy.source: https://fedward.example
  io.kubewarden.policy.title: a
  io.kubewarden.policy.url: https://fedward.example
  io.kubewarden.policy.version: 0.1.0
"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn error(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        Metadata::read(&GOOD.replace(from, to)).unwrap_err().to_string()
    }

    #[test]
    fn good_metadata_are_read() {
        Metadata::read(GOOD).unwrap();
        // In a list of resources `*` means those without sub-resource only.
        for resources in ["[\"*\"]", "[\"*\", pods/status, \"*/scale\", \"nodes/*\"]", "[\"*/*\"]", "[pods, \"pods/*\"]"] {
            Metadata::read(&GOOD.replace("[pods]", resources)).unwrap();
        }
        Metadata::read(&GOOD.replace("[CREATE]", "[\"*\"]")).unwrap();
    }

    #[test]
    fn lists_of_a_rule_are_what_kubernetes_takes() {
        let none = "rules: []\nmutating";
        assert_eq!(
            Metadata::read(&format!("{none}{}", GOOD.split_once("mutating").unwrap().1)).unwrap_err().to_string().split(':').next(),
            Some("`rules` is empty")
        );
        assert_eq!(error("resources: [pods]", "resources: []"), "rule 1: `resources` is empty");
        assert_eq!(error("apiGroups: [\"\"]", "apiGroups: []"), "rule 1: `apiGroups` is empty");
        assert_eq!(error("apiGroups: [\"\"]", "apiGroups: [\"*\", apps]"), "rule 1: `*` stands beside others in `apiGroups`");
        assert_eq!(error("apiVersions: [v1]", "apiVersions: [v1, \"*\"]"), "rule 1: `*` stands beside others in `apiVersions`");
        assert_eq!(error("[CREATE]", "[\"*\", CREATE]"), "rule 1: `*` stands beside others in `operations`");
        assert_eq!(error("[CREATE]", "[CREATE, CREATE]"), "rule 1: `CREATE` is twice in `operations`");
        assert_eq!(error("[CREATE]", "[PATCH]"), "rule 1: no such operation: `PATCH`");
        assert_eq!(error("[CREATE]", "[create]"), "rule 1: no such operation: `create`");
        for (resources, problem) in [
            ("[\"\"]", "a name in `resources` is empty"),
            ("[\"*/*\", pods]", "`*/*` stands beside others in `resources`"),
            ("[\"*\", pods]", "`*` stands beside other resources"),
            ("[\"pods/*\", pods/status]", "`pods/*` stands beside `pods/status`"),
            ("[pods/status, \"*/status\"]", "`*/status` stands beside `pods/status`"),
        ] {
            assert_eq!(error("[pods]", resources), format!("rule 1: {problem}"));
        }
    }

    #[test]
    fn versions_kinds_and_capabilities_are_what_a_policy_server_takes() {
        for version in ["1.20", "v1.20.0", "latest"] {
            assert_eq!(
                error("Version: 1.20.0", &format!("Version: \"{version}\"")),
                "`minimumKubewardenVersion` is a full version such as `1.2.3`"
            );
        }
        assert!(error("kubewarden-wapc", "wapc").starts_with("`executionMode` is one of `kubewarden-wapc`"));
        assert!(error("policyType: kubernetes", "policyType: all").starts_with("`policyType` is one of"));
        assert!(error("mutating: false\n", "mutating: false\nprotocolVersion: v2\n").starts_with("`protocolVersion` is `v1`"));
        for kind in ["{apiVersion: apps, kind: Deployment}", "{apiVersion: apps/v1, kind: deployments}", "{apiVersion: \"\", kind: Pod}"] {
            assert!(error("{apiVersion: apps/v1, kind: Deployment}", kind).ends_with("is no kind with its group and version"), "{kind}");
        }
        let twice = "{apiVersion: apps/v1, kind: Deployment}, {apiVersion: apps/v1, kind: Deployment}";
        assert_eq!(error("{apiVersion: apps/v1, kind: Deployment}", twice), "`apps/v1` `Deployment` is twice in `contextAwareResources`");
        assert_eq!(error("[kubernetes/get_resource]", "[kubernetes/*]"), "no such host capability: `kubernetes/*`");
        assert_eq!(error("[kubernetes/get_resource]", "[get_resource]"), "no such host capability: `get_resource`");
        let twice = "[kubernetes/can_i, kubernetes/can_i]";
        assert_eq!(error("[kubernetes/get_resource]", twice), "`kubernetes/can_i` is twice in `hostCapabilities`");
    }

    #[test]
    fn annotations_are_there_and_of_their_form() {
        for (name, ..) in ANNOTATIONS {
            let line = GOOD.lines().find(|line| line.trim_start().starts_with(&format!("{name}:"))).unwrap();
            assert_eq!(error(&format!("{line}\n"), ""), format!("annotation `{name}` is missing"));
        }
        for (from, to) in [
            ("displayName: A policy", "displayName: \"\""),
            ("keywords: a, b c", "keywords: a,,b"),
            ("resources: Pod\n", "resources: Pod,\n"),
            ("author: A <a@b.example>", "author: fedward developers"),
            ("category: Things", "category: \"\""),
            ("description: what it does", "description: \"\""),
            ("license: Apache-2.0", "license: Apache 2"),
            ("ociUrl: registry.example", "ociUrl: https://registry.example"),
            ("severity: high", "severity: grave"),
            ("source: https://fedward.example", "source: fedward.example"),
            ("title: a", "title: A policy"),
            ("policy.url: https://fedward.example", "policy.url: \"\""),
            ("policy.version: 0.1.0", "policy.version: \"0.1\""),
        ] {
            assert!(error(from, to).starts_with("annotation `io."), "{to}");
        }
        let add = |line: &str| error("  io.kubewarden.policy.title: a\n", &format!("  io.kubewarden.policy.title: a\n  {line}\n"));
        assert_eq!(add("io.kubewarden.policy.usage: none"), "annotation `io.kubewarden.policy.usage` is the README's");
        assert_eq!(add("io.kubewarden.policy.licence: MIT"), "annotation `io.kubewarden.policy.licence` is none that anybody reads");
        assert_eq!(add("io.kubewarden.hidden-ui: \"yes\""), "annotation `io.kubewarden.hidden-ui` is `true` or `false`, not `yes`");
        assert!(add("io.fedward.offline-rules: none").starts_with("annotation `io.fedward.offline-rules` is a list in JSON"));
        assert_eq!(error("what it does", "\"one\\ntwo\""), "annotation `io.kubewarden.policy.description` has several lines");
    }

    #[test]
    fn what_a_cluster_would_ignore_is_refused() {
        assert!(error("mutating: false\n", "").contains("mutating"));
        assert!(error("mutating: false\n", "mutating: false\ncontextAware: false\n").contains("contextAware"));
        assert!(error("[CREATE]}", "[CREATE], scope: Cluster}").contains("scope"));
    }

    #[test]
    fn every_mistake_is_told() {
        let text = GOOD.replace("[CREATE]", "[PATCH]").replace("1.20.0", "\"1.20\"").replace("severity: high", "severity: grave");
        assert_eq!(Metadata::read(&text).unwrap_err().to_string().lines().count(), 3);
    }
}
