//! The fields of `fedward.yaml`.

use std::collections::BTreeMap;

use fedward_kit::finding::Severity;
use fedward_manifest::Limits;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// How a repository is checked. Every field may be left out.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Policies by id.
    #[serde(default)]
    pub policies: BTreeMap<String, PolicyConfig>,
    /// Severities of rules of any policy, by id. They win over those in a policy's settings.
    #[serde(default)]
    pub severities: BTreeMap<String, Level>,
    /// Which files of a folder are read.
    #[serde(default)]
    pub paths: Paths,
    /// Further files and folders whose objects rules may look at, but which are not judged. Relative to this file.
    #[serde(default)]
    pub context: Vec<String>,
    /// The namespace of objects that name none: lower-case letters, digits and `-`, at most 63.
    pub namespace: Option<String>,
    /// Whether what is not among the loaded objects does not exist.
    pub closed_world: Option<bool>,
    /// The least severity that makes the exit code 1.
    pub fail_on: Option<Threshold>,
    /// Modules of policy manifests: for a reference (`registry://…`) the id of a built-in policy, or a file relative to this one.
    #[serde(default)]
    pub modules: BTreeMap<String, String>,
    /// Bounds on what reading may cost.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Findings that do not count.
    #[serde(default)]
    pub ignore: Vec<IgnoreConfig>,
}

/// A policy.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyConfig {
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// Its settings, as in a ClusterAdmissionPolicy; `docs/settings.md` lists them.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// A severity, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The run fails.
    Error,
    /// Worth mending.
    Warning,
    /// Worth knowing.
    Info,
    /// Not reported.
    Off,
}

/// The least severity that makes a run fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Threshold {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Any finding.
    Info,
}

impl From<Threshold> for Severity {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::Error => Severity::Error,
            Threshold::Warning => Severity::Warning,
            Threshold::Info => Severity::Info,
        }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An unquoted `off` is `false`, as Kubernetes reads YAML.
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Level::Off),
            Value::String(word) => match word.as_str() {
                "error" => Ok(Level::Error),
                "warning" => Ok(Level::Warning),
                "info" => Ok(Level::Info),
                "off" => Ok(Level::Off),
                other => Err(D::Error::unknown_variant(other, &LEVELS)),
            },
            _ => Err(D::Error::unknown_variant("", &LEVELS)),
        }
    }
}

const LEVELS: [&str; 4] = ["error", "warning", "info", "off"];

impl Level {
    /// The severity, unless it is off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Error => Some(Severity::Error),
            Level::Warning => Some(Severity::Warning),
            Level::Info => Some(Severity::Info),
            Level::Off => None,
        }
    }
}

/// Globs on paths, relative to the folder of this file.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Paths {
    /// Only files that match one of these.
    #[serde(default)]
    pub include: Vec<String>,
    /// No files that match one of these.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// Bounds on what reading may cost; `docs/input.md` has the defaults.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitsConfig {
    /// Documents in one file.
    pub documents: Option<usize>,
    /// Bytes of one document.
    pub document_bytes: Option<usize>,
    /// Values in one document.
    pub nodes: Option<usize>,
    /// Collections in one another, at most 120.
    pub depth: Option<usize>,
    /// Values that aliases may expand to.
    pub alias_nodes: Option<usize>,
    /// Objects in one run.
    pub objects: Option<usize>,
}

impl LimitsConfig {
    /// The bounds that are set, by name.
    pub fn set(&self) -> Vec<(&'static str, usize)> {
        let all = [
            ("documents", self.documents),
            ("documentBytes", self.document_bytes),
            ("nodes", self.nodes),
            ("depth", self.depth),
            ("aliasNodes", self.alias_nodes),
            ("objects", self.objects),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Puts the values that are set over those that are there.
    pub fn apply(&self, limits: &mut Limits, objects: &mut usize) {
        let fields = [
            (&mut limits.documents, self.documents),
            (&mut limits.document_bytes, self.document_bytes),
            (&mut limits.nodes, self.nodes),
            (&mut limits.depth, self.depth),
            (&mut limits.alias_nodes, self.alias_nodes),
            (objects, self.objects),
        ];
        for (field, value) in fields {
            *field = value.unwrap_or(*field);
        }
    }
}

/// A finding, or several, that do not count.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IgnoreConfig {
    /// The rule's id.
    pub rule: String,
    /// Which files, relative to the folder of this file; `*` stands for any text, `/` included.
    pub path: Option<String>,
    /// Which objects, as `Kind namespace/name`, or `Kind name` for those without a namespace or in any; `*` stands for any text.
    pub object: Option<String>,
    /// Why it is right here.
    pub reason: String,
    /// The last day on which the entry applies, `YYYY-MM-DD`.
    pub expires: Option<String>,
}
