//! The policies of a run: modules with their settings, and which requests reach each.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fedward_conditions::{Conditions, Group};
use fedward_host::{Cache, CallError, Host, Module, NoHostCalls, Origin, Strategy};
use fedward_kit::policy::{AnyPolicy, Builtin, Descriptor};
use fedward_manifest::{Limits, Source, parse, split};
use fedward_outcome::Manifest;
use fedward_policyset::{Attributes, FailurePolicy, Matching, Mode, Reach, Resource, Rule, Scope};
use serde::Deserialize;
use serde_json::Value;

use crate::EngineError;
use crate::gates::Gates;
use crate::metadata::Metadata;
use crate::modules::Found;
use crate::request::Facts;
use crate::suite::Parts;

/// A policy, ready to run.
pub struct Policy {
    /// A built-in policy's id; the name of a policy of a set, as its webhook has it.
    pub id: String,
    /// Its manifest; `None` for one that comes with the program.
    pub(crate) manifest: Option<Arc<Manifest>>,
    /// Whether its manifest is rendered, so that no file has the name and the lines of its place.
    pub(crate) is_rendered: bool,
    /// Whether its modules say of themselves what they judge.
    pub(crate) is_annotated: bool,
    pub(crate) matching: Matching,
    /// Objects that no cluster shows it.
    pub(crate) offline: Vec<Rule>,
    /// Its match conditions.
    pub(crate) conditions: Option<Conditions>,
    /// What it runs: one module, or the members of a group.
    pub(crate) members: Vec<Member>,
    /// The expression of a group.
    pub(crate) group: Option<Group>,
    /// Whether it judges requests of any form, and no objects.
    pub(crate) raw: bool,
    pub(crate) mutating: bool,
    pub(crate) mode: Mode,
    pub(crate) failure_policy: FailurePolicy,
    /// Time for all evaluations of one request: that of the webhook's call. `None` where there is no webhook.
    pub(crate) call_time: Option<Duration>,
    /// Instead of the policy's own.
    pub(crate) message: Option<String>,
    /// What it is made of, if it is the suite.
    pub(crate) parts: Parts,
}

/// A module with its settings.
pub(crate) struct Member {
    /// In a group; empty for a single one.
    pub(crate) name: String,
    pub(crate) module: Module,
    /// Time for one evaluation; `None` for the host's.
    pub(crate) timeout: Option<Duration>,
    /// The same as native code, where it is one of ours.
    pub(crate) native: Option<&'static dyn AnyPolicy>,
    /// The built-in policies in it: none in a module of somebody else, one in most of ours.
    pub(crate) descriptors: Vec<Descriptor>,
    /// The payload up to the request: `{"settings": …,`.
    pub(crate) prefix: Vec<u8>,
    /// What it may ask; `None` for everything.
    pub(crate) gates: Option<Gates>,
    /// Whether it may ask the index, which is another form of what it may read.
    pub(crate) indexed: bool,
    /// Whether it understands that a list may be incomplete.
    pub(crate) knows_gaps: bool,
    /// Whether its policy lets it read none of the objects that it would read.
    pub(crate) is_blind: bool,
}

/// A module, and what it says of itself.
#[derive(Clone)]
pub struct Code {
    pub(crate) module: Module,
    pub(crate) builtin: Option<&'static Builtin>,
    /// What it is made for; `None` where it does not say.
    pub(crate) rules: Option<Vec<Rule>>,
    pub(crate) offline: Vec<Rule>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) raw: bool,
    /// Whether it may change objects.
    pub(crate) mutating: bool,
    /// Whether it is made to run offline, too, where lists may be incomplete.
    knows_gaps: bool,
    /// Settings that it has accepted, as JSON: policies of a set often have the same.
    accepted: Arc<Mutex<HashSet<String>>>,
}

/// Why a module cannot be used with its settings.
pub(crate) enum Unusable {
    /// The module itself is at fault.
    Module(String),
    /// The settings are: what the module says, a line each.
    Settings(String),
}

/// What a policy takes of requests of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// None of them.
    None,
    /// Those that its selectors select.
    Selected,
    /// All of them.
    All,
}

impl Policy {
    /// A built-in policy with settings (a JSON object, or null).
    ///
    /// # Errors
    /// A module that does not load, metadata that does not parse, settings that the policy refuses.
    pub fn builtin(host: &Host, builtin: &'static Builtin, settings: &Value) -> Result<Self, EngineError> {
        let code = Code::builtin(host, builtin).map_err(|message| EngineError::Policy { policy: builtin.id.to_owned(), message })?;
        Policy::of(&code, builtin.id, settings)
    }

    /// A module with settings (a JSON object, or null), that is shown what it says that it is made for, and may do what it says that it
    /// does: there is no manifest to say otherwise.
    ///
    /// # Errors
    /// A module that does not run, settings that it refuses.
    pub fn of(code: &Code, id: &str, settings: &Value) -> Result<Self, EngineError> {
        let policy = || id.to_owned();
        let settings = if settings.is_null() { serde_json::json!({}) } else { settings.clone() };
        let mut member = code.member(String::new(), &settings).map_err(|unusable| match unusable {
            Unusable::Module(message) => EngineError::Policy { policy: policy(), message },
            Unusable::Settings(message) => EngineError::Settings { policy: policy(), message },
        })?;
        // One that says nothing of itself may read everything.
        if code.builtin.is_none() && code.rules.is_some() {
            member.gates = Some(Gates { capabilities: None, resources: code.resources.clone() });
        }
        Ok(Policy::made(id, code, member))
    }

    /// A policy that no manifest describes.
    pub(crate) fn made(id: &str, code: &Code, member: Member) -> Self {
        Policy {
            id: id.to_owned(),
            manifest: None,
            is_rendered: false,
            is_annotated: code.rules.is_some(),
            matching: everything(code.rules.clone().unwrap_or_else(|| vec![anything()])),
            offline: code.offline.clone(),
            conditions: None,
            members: vec![member],
            group: None,
            raw: code.raw,
            mutating: code.mutating,
            mode: Mode::Protect,
            failure_policy: FailurePolicy::Fail,
            call_time: None,
            message: None,
            parts: Parts::default(),
        }
    }

    /// Whether the machine code came with the binary, so that nothing was compiled at start-up.
    pub fn is_precompiled(&self) -> bool {
        self.members.iter().all(|member| member.module.origin() == Origin::Precompiled)
    }

    /// ` (file:line)` of its manifest, where there is such a place.
    pub(crate) fn place(&self) -> String {
        let manifest = self.manifest.as_ref().filter(|_| !self.is_rendered);
        let place = manifest.map(|manifest| (manifest.location.source.name(), manifest.location.start().line));
        place.map(|(file, line)| format!(" ({file}:{line})")).unwrap_or_default()
    }

    /// Whether it is sent all that an API server sends: our own modules, as they come with the program, need less.
    pub(crate) fn is_told_all(&self) -> bool {
        self.manifest.is_some() || self.members.iter().any(|member| member.native.is_none())
    }

    /// Whether a request reaches the policy, its conditions aside.
    pub(crate) fn reach(&self, facts: &Facts<'_>) -> Reach {
        let request = &facts.attributes();
        self.select(self.takes(facts, request), request)
    }

    /// What it takes of requests of that kind: the same for all of one resource and operation, in a namespace or not.
    pub(crate) fn takes(&self, facts: &Facts<'_>, request: &Attributes<'_>) -> Takes {
        if self.raw || facts.is_raw() {
            return if self.raw && facts.is_raw() { Takes::All } else { Takes::None };
        }
        if self.is_kept_from(request) {
            return Takes::None;
        }
        // A manifest says itself what of a cluster reaches the policy; what is not of a cluster, but made an object of, it cannot say.
        let is_open = self.manifest.is_none() || request.group.ends_with(".fedward");
        match is_open && self.offline.iter().any(|rule| rule.matches(request, false)) {
            true => Takes::All,
            false if self.matching.takes(request) => Takes::Selected,
            false => Takes::None,
        }
    }

    /// Whether no webhook is asked: the API server asks none about what decides over admission itself
    /// (`IsExemptAdmissionConfigurationResource`).
    pub(crate) fn is_kept_from(&self, request: &Attributes<'_>) -> bool {
        self.manifest.is_some() && request.group == "admissionregistration.k8s.io" && EXEMPT.contains(&request.resource)
    }

    /// Whether a request reaches the policy of whose kind that is known.
    pub(crate) fn select(&self, takes: Takes, request: &Attributes<'_>) -> Reach {
        match takes {
            Takes::None => Reach::No,
            Takes::Selected => self.matching.selects(request),
            Takes::All => Reach::Yes,
        }
    }

    /// The rules that its modules have.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &'static str> {
        self.descriptors().flat_map(|descriptor| descriptor.rules.iter().map(|rule| rule.id))
    }

    /// The built-in policies in it.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.members.iter().flat_map(|member| &member.descriptors)
    }

    /// The name under which a finding of a rule is told: of the suite, that of the policy which has the rule.
    pub(crate) fn name_for(&self, rule: &str) -> &str {
        if self.parts.is_empty() {
            return &self.id;
        }
        self.descriptors().find(|descriptor| descriptor.rules.iter().any(|known| known.id == rule)).map_or(&self.id, |policy| policy.id)
    }
}

/// Resources of `admissionregistration.k8s.io` that no webhook sees.
const EXEMPT: [&str; 6] = [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
];

/// Every request.
pub(crate) fn anything() -> Rule {
    let all = || vec!["*".to_owned()];
    Rule { groups: all(), versions: all(), resources: all(), operations: all(), scope: Scope::All }
}

/// Everything that the rules name.
pub(crate) fn everything(rules: Vec<Rule>) -> Matching {
    Matching { rules, equivalent: false, namespace_selector: None, object_selector: None, only_namespace: None, conditions: Vec::new() }
}

impl Code {
    /// A module as it was found.
    ///
    /// # Errors
    /// One that does not load, or that judges something else than objects.
    pub fn new(host: &Host, cache: Option<&Cache>, found: Found) -> Result<Self, String> {
        match found {
            Found::Builtin(builtin) => Code::builtin(host, builtin),
            Found::Wasm(wasm) => Code::foreign(host, cache, &wasm),
        }
    }

    /// Whether it judges requests of any form, and no objects ([`crate::Options::raw`]).
    pub fn is_raw(&self) -> bool {
        self.raw
    }

    /// The same as a raw policy, which one is that does not say what it judges.
    ///
    /// # Errors
    /// One that judges objects.
    pub fn into_raw(self) -> Result<Self, String> {
        match (self.raw, &self.rules) {
            (true, _) | (false, None) => Ok(Code { raw: true, ..self }),
            (false, Some(_)) if self.builtin.is_some() => Err("it is no raw policy".to_owned()),
            (false, Some(_)) => Err("the module is no raw policy: its metadata does not say `policyType: raw`".to_owned()),
        }
    }

    /// That of a built-in policy.
    pub(crate) fn builtin(host: &Host, builtin: &'static Builtin) -> Result<Self, String> {
        let module = embedded(host, builtin.compiled, builtin.wasm)?;
        let metadata: Metadata = from_yaml(builtin.metadata)?;
        Ok(Code {
            module,
            builtin: Some(builtin),
            rules: Some(metadata.rules()),
            offline: metadata.offline_rules()?,
            resources: metadata.resources(),
            raw: false,
            mutating: metadata.mutating(),
            knows_gaps: true,
            accepted: Arc::default(),
        })
    }

    /// That of the suite, which says of itself what its parts say.
    pub(crate) fn suite(host: &Host) -> Result<Self, String> {
        let builtin = &fedward_modules::SUITE;
        let module = embedded(host, builtin.compiled, builtin.wasm)?;
        let (rules, offline, resources) = (None, Vec::new(), Vec::new());
        let accepted = Arc::default();
        Ok(Code { module, builtin: Some(builtin), rules, offline, resources, raw: false, mutating: false, knows_gaps: true, accepted })
    }

    /// That of any Kubewarden policy. A cache keeps what compiling it costs.
    pub(crate) fn foreign(host: &Host, cache: Option<&Cache>, wasm: &[u8]) -> Result<Self, String> {
        if !wasm.starts_with(b"\0asm") {
            return Err("not a WebAssembly module".to_owned());
        }
        let metadata = Metadata::of_module(wasm)?;
        if let Some(reason) = metadata.as_ref().and_then(Metadata::refuses) {
            return Err(format!("the module {reason}"));
        }
        let module = compiled(host, cache, wasm)?;
        let rules = metadata.as_ref().map(Metadata::rules);
        let raw = metadata.as_ref().is_some_and(Metadata::is_raw);
        let resources = metadata.as_ref().map(Metadata::resources).unwrap_or_default();
        let mutating = metadata.as_ref().is_none_or(Metadata::mutating);
        let knows_gaps = metadata.as_ref().is_some_and(Metadata::is_for_offline);
        let (offline, accepted) = (Vec::new(), Arc::default());
        Ok(Code { module, builtin: None, rules, offline, resources, raw, mutating, knows_gaps, accepted })
    }

    /// The module with settings, which it is asked about.
    pub(crate) fn member(&self, name: String, settings: &Value) -> Result<Member, Unusable> {
        let text = settings.to_string();
        let accepted = || self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = accepted().contains(&text);
        if !is_known {
            accepts_settings(&self.module, &text)?;
            accepted().insert(text.clone());
        }
        Ok(Member {
            name,
            module: self.module.clone(),
            timeout: None,
            native: self.builtin.map(|builtin| builtin.policy),
            descriptors: self.builtin.map(|builtin| builtin.policy.describe()).into_iter().collect(),
            prefix: prefix(&text),
            gates: None,
            indexed: self.builtin.is_some(),
            knows_gaps: self.knows_gaps,
            is_blind: false,
        })
    }
}

impl Member {
    /// Other settings, which the module has been asked about.
    pub(crate) fn set_settings(&mut self, settings: &Value) {
        self.prefix = prefix(&settings.to_string());
    }
}

fn prefix(settings: &str) -> Vec<u8> {
    format!("{{\"settings\":{settings},").into_bytes()
}

/// A module from elsewhere: a new instance for each call, as in a cluster.
pub(crate) fn compiled(host: &Host, cache: Option<&Cache>, wasm: &[u8]) -> Result<Module, String> {
    let module = match cache {
        Some(cache) => cache.load(host, Strategy::Fresh, wasm).map(|cached| cached.module),
        None => Module::from_wasm(host, Strategy::Fresh, wasm),
    };
    module.map_err(|error| error.to_string())
}

/// Asks a module about settings, as JSON.
fn accepts_settings(module: &Module, settings: &str) -> Result<(), Unusable> {
    #[derive(Deserialize)]
    struct Verdict {
        valid: bool,
        message: Option<String>,
    }
    let mut evaluator = module.evaluator();
    let answer = evaluator.validate_settings(settings.as_bytes(), &mut NoHostCalls).map_err(|error| match error {
        // The policy server takes a guest's error for `valid: false` with that text (policy-evaluator, `runtimes/wapc/runtime.rs`); the
        // SDK has no other answer to settings of another type.
        CallError::Guest { text } => Unusable::Settings(text),
        error => Unusable::Module(error.to_string()),
    })?;
    let verdict: Verdict = serde_json::from_slice(answer)
        .map_err(|error| Unusable::Module(format!("its answer to `validate_settings` is not what it should be: {error}")))?;
    if verdict.valid { Ok(()) } else { Err(Unusable::Settings(verdict.message.unwrap_or_default())) }
}

/// A module that is part of the program.
#[expect(
    unsafe_code,
    reason = "machine code can only be taken on trust; this was compiled by the build of this very binary and is part of it"
)]
pub(crate) fn embedded(host: &Host, compiled: &'static [u8], wasm: &'static [u8]) -> Result<Module, String> {
    if compiled.is_empty() {
        return Err("this build has no modules (it was built with FEDWARD_MODULES=skip)".to_owned());
    }
    // SAFETY: `compiled` is what `fedward_host::precompile` returned to the build script of `fedward-modules`, embedded as it was.
    unsafe { Module::from_precompiled(host, Strategy::Kept, compiled, wasm) }.map_err(|error| error.to_string())
}

/// The rules that a rule of any policy supersedes, for settling findings over policies.
pub(crate) fn supersedes(policies: &[Policy], rule: &str) -> &'static [&'static str] {
    policies
        .iter()
        .flat_map(Policy::descriptors)
        .flat_map(|descriptor| &descriptor.rules)
        .find(|known| known.id == rule)
        .map_or(&[], |known| known.supersedes)
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
