//! The policies of a run: modules with their settings, and which objects each sees.

use std::sync::Arc;

use fedward_host::{Host, Module, NoHostCalls, Origin, Strategy};
use fedward_kit::finding::Severity;
use fedward_kit::policy::{Builtin, Descriptor};
use fedward_manifest::{Limits, Source, parse, split};
use serde::Deserialize;

use crate::EngineError;
use crate::load::Object;

/// A policy, ready to run.
pub struct Policy {
    /// The policy's id.
    pub id: String,
    pub(crate) module: Module,
    pub(crate) native: &'static dyn fedward_kit::policy::AnyPolicy,
    pub(crate) descriptor: Descriptor,
    /// The payload up to the request: `{"settings": …,`.
    pub(crate) prefix: Vec<u8>,
    rules: Vec<Matching>,
}

/// The part of `metadata.yml` that says what a policy sees.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    rules: Vec<Matching>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// A rule of a webhook: which resources.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Matching {
    api_groups: Vec<String>,
    #[serde(default)]
    api_versions: Vec<String>,
    resources: Vec<String>,
    #[serde(default)]
    operations: Vec<String>,
}

/// The annotation with rules that apply offline only.
const OFFLINE_RULES: &str = "io.fedward.offline-rules";

impl Policy {
    /// A built-in policy with settings (a JSON object, or null).
    ///
    /// # Errors
    /// A module that does not load, metadata that does not parse, settings that the policy refuses.
    pub fn builtin(host: &Host, builtin: &'static Builtin, settings: &serde_json::Value) -> Result<Self, EngineError> {
        let broken = |message: String| EngineError::Policy { policy: builtin.id.to_owned(), message };
        if builtin.compiled.is_empty() {
            return Err(broken("this build has no modules (it was built with FEDWARD_MODULES=skip)".to_owned()));
        }
        let module = load(host, builtin).map_err(|error| broken(error.to_string()))?;
        let metadata: Metadata = from_yaml(builtin.metadata).map_err(broken)?;
        let mut rules = metadata.rules;
        if let Some(text) = metadata.annotations.get(OFFLINE_RULES) {
            rules.extend(
                serde_json::from_str::<Vec<Matching>>(text).map_err(|error| broken(format!("annotation {OFFLINE_RULES}: {error}")))?,
            );
        }
        let settings = if settings.is_null() { serde_json::json!({}) } else { settings.clone() };
        let answer = module
            .evaluator()
            .call("validate_settings", settings.to_string().as_bytes(), &mut NoHostCalls)
            .map(<[u8]>::to_vec)
            .map_err(|error| broken(error.to_string()))?;
        #[derive(Deserialize)]
        struct Verdict {
            valid: bool,
            message: Option<String>,
        }
        let verdict: Verdict = serde_json::from_slice(&answer).map_err(|error| broken(error.to_string()))?;
        if !verdict.valid {
            return Err(EngineError::Settings { policy: builtin.id.to_owned(), message: verdict.message.unwrap_or_default() });
        }
        let mut prefix = b"{\"settings\":".to_vec();
        prefix.extend_from_slice(settings.to_string().as_bytes());
        prefix.push(b',');
        Ok(Policy { id: builtin.id.to_owned(), module, native: builtin.policy, descriptor: builtin.policy.describe(), prefix, rules })
    }

    /// Whether the machine code came with the binary, so that nothing was compiled at start-up.
    pub fn is_precompiled(&self) -> bool {
        self.module.origin() == Origin::Precompiled
    }

    /// Whether a request to create the object would reach the policy.
    pub(crate) fn sees(&self, object: &Object) -> bool {
        let has = |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == "*" || item == value);
        self.rules.iter().any(|rule| {
            has(&rule.api_groups, &object.group)
                && has(&rule.api_versions, &object.version)
                && has(&rule.resources, &object.resource)
                && has(&rule.operations, "CREATE")
        })
    }
}

#[expect(
    unsafe_code,
    reason = "machine code can only be taken on trust; this was compiled by the build of this very binary and is part of it"
)]
fn load(host: &Host, builtin: &'static Builtin) -> Result<Module, fedward_host::LoadError> {
    // SAFETY: `compiled` is what `fedward_host::precompile` returned to the build script of `fedward-modules`, embedded as it was.
    unsafe { Module::from_precompiled(host, Strategy::Kept, builtin.compiled, builtin.wasm) }
}

/// The policy that has a rule.
pub(crate) fn owner<'p>(policies: &'p [Policy], rule: &str) -> Option<&'p Policy> {
    policies.iter().find(|policy| policy.descriptor.rules.iter().any(|known| known.id == rule))
}

/// The rules that a rule of any policy supersedes, for settling findings over policies.
pub(crate) fn supersedes(policies: &[Policy], rule: &str) -> &'static [&'static str] {
    policies.iter().flat_map(|policy| &policy.descriptor.rules).find(|known| known.id == rule).map_or(&[], |known| known.supersedes)
}

/// Reads YAML (or JSON) into anything that JSON can be read into.
///
/// # Errors
/// Text that does not parse or does not fit, with its line and column.
pub fn from_yaml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let limits = Limits::default();
    let source = Arc::new(Source::from_text("", text.to_owned()).map_err(|error| error.to_string())?);
    for chunk in split(&source, &limits).chunks {
        let parsed = parse(&source, chunk, &limits);
        if let Some(problem) = parsed.problems.first() {
            let position = source.position(problem.span.start);
            return Err(format!("line {}, column {}: {}", position.line, position.column, problem.message));
        }
        if let Some(document) = parsed.document.filter(|document| !document.is_empty()) {
            let mut json = Vec::new();
            document.root().write_json(&mut json);
            return serde_json::from_slice(&json).map_err(|error| error.to_string());
        }
    }
    Err("nothing in it".to_owned())
}

/// The weight of a finding that a policy without fedward's annotation makes by rejecting.
pub(crate) const REJECTED: Severity = Severity::Error;
