//! A policy's metadata as Kubewarden reads it from a module.
//!
//! Source of the fields: `policy_metadata.rs` of Kubewarden's policy-evaluator.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use serde::{Deserialize, Serialize};

const USAGE: &str = "io.kubewarden.policy.usage";
/// Without these a registry page is empty.
const REQUIRED: [&str; 4] = ["title", "version", "description", "license"];
const OPERATIONS: [&str; 5] = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];

/// `metadata.yml`, and the JSON of the section that the cluster reads. What is not here would be ignored there, so it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Always `v1`; filled in when a module is annotated.
    #[serde(default)]
    pub protocol_version: Option<String>,
    /// Which requests the policy sees.
    pub rules: Vec<Matching>,
    /// Title, version and so on.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Whether it changes objects. Kubewarden has no default for it.
    pub mutating: bool,
    /// Whether the audit scanner runs it.
    #[serde(default = "yes")]
    pub background_audit: bool,
    /// Which objects it may ask the cluster for.
    #[serde(default)]
    pub context_aware_resources: Vec<Resource>,
    /// How it is run.
    pub execution_mode: String,
    /// What it judges.
    pub policy_type: String,
    /// Which host calls it makes.
    #[serde(default)]
    pub host_capabilities: Vec<String>,
    /// Oldest Kubewarden that can run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_kubewarden_version: Option<String>,
}

/// A rule of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Matching {
    /// API groups.
    pub api_groups: Vec<String>,
    /// API versions.
    pub api_versions: Vec<String>,
    /// Plural names, with sub-resources.
    pub resources: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`, `*`.
    pub operations: Vec<String>,
}

/// A kind that a policy may ask the cluster for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    /// Group and version.
    pub api_version: String,
    /// The kind.
    pub kind: String,
}

fn yes() -> bool {
    true
}

impl Metadata {
    /// Reads `metadata.yml`, and refuses what a cluster would refuse.
    ///
    /// # Errors
    /// Text that does not parse or does not fit; an empty list or a `*` beside others in a rule; missing annotations.
    pub fn read(text: &str) -> Result<Self> {
        let metadata: Metadata = fedward_engine::from_yaml(text).map_err(|error| anyhow!(error))?;
        for rule in &metadata.rules {
            let lists = [
                ("apiGroups", &rule.api_groups),
                ("apiVersions", &rule.api_versions),
                ("resources", &rule.resources),
                ("operations", &rule.operations),
            ];
            for (name, list) in lists {
                if list.is_empty() {
                    bail!("`{name}` of a rule is empty");
                }
                // For resources, `*` may stand beside sub-resources only; nothing of ours does that.
                if list.len() > 1 && list.iter().any(|item| item == "*") {
                    bail!("`*` stands beside others in `{name}` of a rule");
                }
            }
            if let Some(other) = rule.operations.iter().find(|operation| !OPERATIONS.contains(&operation.as_str())) {
                bail!("no such operation: `{other}`");
            }
        }
        if let Some(name) = REQUIRED.iter().find(|name| !metadata.annotations.contains_key(&format!("io.kubewarden.policy.{name}"))) {
            bail!("annotation `io.kubewarden.policy.{name}` is missing");
        }
        Ok(metadata)
    }

    /// The section's JSON: with the protocol's version, and how the policy is used.
    ///
    /// # Errors
    /// None in practice: everything in it is text, lists and flags.
    pub fn to_section(mut self, usage: Option<&str>) -> Result<Vec<u8>> {
        self.protocol_version = Some("v1".to_owned());
        if let Some(usage) = usage {
            self.annotations.insert(USAGE.to_owned(), usage.to_owned());
        }
        Ok(serde_json::to_vec(&self)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const GOOD: &str = r#"
rules:
  - {apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}
mutating: false
executionMode: kubewarden-wapc
policyType: kubernetes
annotations:
  io.kubewarden.policy.title: a
  io.kubewarden.policy.version: 0.1.0
  io.kubewarden.policy.description: b
  io.kubewarden.policy.license: Apache-2.0
"#;

    fn error(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        Metadata::read(&GOOD.replace(from, to)).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_refused() {
        assert!(Metadata::read(GOOD).is_ok());
        assert_eq!(error("resources: [pods]", "resources: []"), "`resources` of a rule is empty");
        assert_eq!(error("apiVersions: [v1]", "apiVersions: [v1, \"*\"]"), "`*` stands beside others in `apiVersions` of a rule");
        assert_eq!(error("[CREATE]", "[PATCH]"), "no such operation: `PATCH`");
        assert_eq!(error("policy.title", "policy.name"), "annotation `io.kubewarden.policy.title` is missing");
        assert!(error("mutating: false\n", "").contains("mutating"));
        assert!(error("mutating: false\n", "mutating: false\ncontextAware: false\n").contains("contextAware"));
    }

    #[test]
    fn the_section_has_the_keys_that_a_cluster_reads() {
        let json = Metadata::read(GOOD).unwrap().to_section(Some("how to")).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value.get("protocolVersion"), Some(&"v1".into()));
        assert_eq!(value.get("mutating"), Some(&false.into()));
        assert_eq!(value.get("backgroundAudit"), Some(&true.into()));
        assert_eq!(value.pointer("/rules/0/apiGroups/0"), Some(&"".into()));
        assert_eq!(value.pointer("/annotations/io.kubewarden.policy.usage"), Some(&"how to".into()));
    }
}
