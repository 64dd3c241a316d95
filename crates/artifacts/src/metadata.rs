//! A policy's metadata as Kubewarden reads it from a module.
//!
//! Source of the fields: `policy_metadata.rs` of Kubewarden's policy-evaluator.

mod strict;

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::origin::Origin;

/// What [`Metadata::annotate`] fills in from the README: how the policy is used.
pub const USAGE: &str = "io.kubewarden.policy.usage";

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
    /// Reads `metadata.yml`, and refuses what a cluster, `kwctl` or Artifact Hub would refuse.
    ///
    /// # Errors
    /// Text that does not parse or does not fit; else everything that is wrong, a line each.
    pub fn read(text: &str) -> Result<Self> {
        let metadata = Self::parse(text)?;
        let wrong = strict::problems(&metadata);
        if wrong.is_empty() { Ok(metadata) } else { bail!("{}", wrong.join("\n")) }
    }

    /// Only the form, for what completes it.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        fedward_engine::from_yaml(text).map_err(|error| anyhow!(error))
    }

    /// As a module carries it: where the module comes from, the protocol's version, and how the policy is used.
    #[must_use]
    pub fn annotate(mut self, id: &str, origin: &Origin, usage: &str) -> Self {
        for (name, value) in from(id, origin) {
            self.annotations.insert(name.to_owned(), value);
        }
        self.protocol_version = Some("v1".to_owned());
        self.annotations.insert(USAGE.to_owned(), usage.to_owned());
        self
    }

    /// The section's JSON.
    ///
    /// # Errors
    /// None in practice: everything in it is text, lists and flags.
    pub fn to_section(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// An annotation's value, or nothing.
    pub fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }
}

/// The annotations that say where a policy comes from.
pub fn from(id: &str, origin: &Origin) -> [(&'static str, String); 4] {
    [
        ("io.kubewarden.policy.author", origin.author()),
        ("io.kubewarden.policy.ociUrl", origin.repository(id)),
        ("io.kubewarden.policy.source", origin.source_url.clone()),
        ("io.kubewarden.policy.url", origin.source_url.clone()),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_section_has_the_keys_that_a_cluster_reads() {
        let origin = Origin { registry: "localhost:5000/x".to_owned(), ..Origin::default() };
        let metadata = Metadata::read(strict::GOOD).unwrap().annotate("a", &origin, "how to");
        let json = metadata.to_section().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value.get("protocolVersion"), Some(&"v1".into()));
        assert_eq!(value.get("mutating"), Some(&false.into()));
        assert_eq!(value.get("backgroundAudit"), Some(&true.into()));
        assert_eq!(value.pointer("/rules/0/apiGroups/0"), Some(&"".into()));
        assert_eq!(value.pointer("/annotations/io.kubewarden.policy.usage"), Some(&"how to".into()));
        assert_eq!(value.pointer("/annotations/io.kubewarden.policy.ociUrl"), Some(&"localhost:5000/x/a".into()));
    }
}
