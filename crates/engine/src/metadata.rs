//! What a module says of itself (policy-evaluator, `src/policy_metadata.rs`).

use std::collections::BTreeMap;

use fedward_policyset::{Resource, Rule, Scope};
use serde::Deserialize;

/// The custom section with a module's metadata, as JSON.
const SECTION: &str = "io.kubewarden.metadata";
/// The annotation with rules that apply offline only.
const OFFLINE_RULES: &str = "io.fedward.offline-rules";

/// Metadata, as far as it decides anything here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    rules: Vec<RuleText>,
    execution_mode: Option<String>,
    policy_type: Option<String>,
    mutating: bool,
    context_aware_resources: Vec<ResourceText>,
    annotations: BTreeMap<String, String>,
}

/// A rule of a webhook.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleText {
    api_groups: Vec<String>,
    #[serde(default)]
    api_versions: Vec<String>,
    resources: Vec<String>,
    #[serde(default)]
    operations: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceText {
    api_version: String,
    kind: String,
}

impl Metadata {
    /// Of a module in the binary format. `None` where nobody annotated it.
    ///
    /// # Errors
    /// A section that is not the JSON it should be.
    pub(crate) fn of_module(wasm: &[u8]) -> Result<Option<Self>, String> {
        let read = |json| serde_json::from_slice(json).map_err(|error| format!("the module's metadata: {error}"));
        fedward_host::custom_section(wasm, SECTION).map(read).transpose()
    }

    /// Which requests the module is made for.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.rules.iter().map(RuleText::rule).collect()
    }

    /// Which objects fedward shows it although no cluster does.
    ///
    /// # Errors
    /// An annotation that is not the JSON it should be.
    pub(crate) fn offline_rules(&self) -> Result<Vec<Rule>, String> {
        let Some(text) = self.annotations.get(OFFLINE_RULES) else { return Ok(Vec::new()) };
        let rules: Vec<RuleText> = serde_json::from_str(text).map_err(|error| format!("annotation {OFFLINE_RULES}: {error}"))?;
        Ok(rules.iter().map(RuleText::rule).collect())
    }

    /// Whether the module is one of fedward's, which are made to run offline, too.
    pub(crate) fn is_for_offline(&self) -> bool {
        self.annotations.contains_key(OFFLINE_RULES)
    }

    /// What the module wants to read.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let resource = |text: &ResourceText| Resource { api_version: text.api_version.clone(), kind: text.kind.clone() };
        self.context_aware_resources.iter().map(resource).collect()
    }

    /// Whether the module may change objects.
    pub(crate) fn mutating(&self) -> bool {
        self.mutating
    }

    /// Whether it judges requests of any form, and no objects.
    pub(crate) fn is_raw(&self) -> bool {
        self.policy_type.as_deref() == Some("raw")
    }

    /// Why the module cannot run here, if it cannot.
    pub(crate) fn refuses(&self) -> Option<String> {
        match self.execution_mode.as_deref().unwrap_or("kubewarden-wapc") {
            "kubewarden-wapc" => None,
            mode => Some(format!("runs in the mode `{mode}`; fedward runs `kubewarden-wapc` only")),
        }
    }
}

impl RuleText {
    fn rule(&self) -> Rule {
        let or_all = |list: &[String]| if list.is_empty() { vec!["*".to_owned()] } else { list.to_vec() };
        Rule {
            groups: or_all(&self.api_groups),
            versions: or_all(&self.api_versions),
            resources: self.resources.clone(),
            operations: or_all(&self.operations),
            scope: Scope::All,
        }
    }
}
