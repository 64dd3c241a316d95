//! The built-in policies in one module: a request is written, read and answered once for all of them.

use std::collections::BTreeSet;

use fedward_host::Host;
use fedward_kit::policy::{Builtin, Descriptor};
use fedward_policyset::Rule;
use serde_json::{Map, Value, json};

use crate::EngineError;
use crate::metadata::Metadata;
use crate::policies::{Code, Policy, Unusable, everything, from_yaml};

/// The id of the suite.
pub const SUITE: &str = fedward_modules::SUITE.id;

/// A built-in policy that may run as part of the suite.
#[derive(Clone)]
pub struct Part {
    /// The policy.
    pub builtin: &'static Builtin,
    /// Its settings, a JSON object or null.
    pub settings: Value,
    /// Whether it runs. The settings of one that does not are validated all the same.
    pub runs: bool,
}

/// What a suite is made of.
#[derive(Default)]
pub(crate) struct Parts {
    parts: Vec<Part>,
    /// The rules of each one's webhook, and those that apply offline only.
    rules: Vec<(Vec<Rule>, Vec<Rule>)>,
}

impl Policy {
    /// Built-in policies as one: the same findings, of which each has the policy's own name. Policies that are not among `parts` do not
    /// run.
    ///
    /// # Errors
    /// A module that does not load, metadata that do not parse, and, of every policy whose settings are refused, its mistakes.
    pub fn suite(host: &Host, parts: Vec<Part>) -> Result<Self, Vec<EngineError>> {
        let suite = &fedward_modules::SUITE;
        let broken = |policy: &str, message| vec![EngineError::Policy { policy: policy.to_owned(), message }];
        let code = Code::suite(host).map_err(|message| broken(suite.id, message))?;
        let rules = |part: &Part| {
            let read = || {
                let metadata: Metadata = from_yaml(part.builtin.metadata)?;
                Ok((metadata.rules(), metadata.offline_rules()?))
            };
            read().map_err(|message| broken(part.builtin.id, message))
        };
        let rules = parts.iter().map(rules).collect::<Result<_, _>>()?;
        let parts = Parts { parts, rules };
        let member = code.member(String::new(), &parts.settings()).map_err(|unusable| match unusable {
            Unusable::Module(message) => broken(suite.id, message),
            Unusable::Settings(said) => parts.mistakes(&said),
        })?;
        let mut policy = Policy::made(suite.id, &code, member);
        policy.parts = parts;
        policy.settle_parts();
        Ok(policy)
    }

    /// Turns parts of a suite off. Whether anything of it runs still.
    pub(crate) fn leave_out(&mut self, named: &BTreeSet<&'static str>) -> bool {
        if self.parts.is_empty() {
            return !named.contains(self.id.as_str());
        }
        // Who runs the suite says what of it runs.
        let all = named.contains(SUITE);
        let hit = self.parts.parts.iter_mut().filter(|part| part.runs && (all || named.contains(part.builtin.id)));
        if hit.map(|part| part.runs = false).count() > 0 {
            self.settle_parts();
        }
        self.parts.parts.iter().any(|part| part.runs)
    }

    /// What the module is told, and what reaches it, from the parts that run.
    fn settle_parts(&mut self) {
        let settings = self.parts.settings();
        let running = || self.parts.parts.iter().zip(&self.parts.rules).filter(|(part, _)| part.runs);
        let descriptors: Vec<Descriptor> = running().map(|(part, _)| part.builtin.policy.describe()).collect();
        self.matching = everything(running().flat_map(|(_, (rules, _))| rules.iter().cloned()).collect());
        self.offline = running().flat_map(|(_, (_, offline))| offline.iter().cloned()).collect();
        for member in &mut self.members {
            member.set_settings(&settings);
            member.descriptors.clone_from(&descriptors);
        }
    }
}

impl Parts {
    /// Whether it is no suite.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The suite's settings.
    fn settings(&self) -> Value {
        let mut policies = Map::new();
        for builtin in fedward_modules::ALL {
            let part = self.parts.iter().find(|part| part.builtin.id == builtin.id);
            let mut own = Map::new();
            if let Some(settings) = part.map(|part| &part.settings).filter(|settings| **settings != json!({}) && !settings.is_null()) {
                own.insert("settings".to_owned(), settings.clone());
            }
            if !part.is_some_and(|part| part.runs) {
                own.insert("enabled".to_owned(), false.into());
            }
            if !own.is_empty() {
                policies.insert(builtin.id.to_owned(), own.into());
            }
        }
        if policies.is_empty() { json!({}) } else { json!({ "policies": policies }) }
    }

    /// What the suite says of settings, as each policy would say it itself.
    fn mistakes(&self, said: &str) -> Vec<EngineError> {
        let mut errors = Vec::new();
        let mut rest: Vec<&str> = said.lines().collect();
        for Part { builtin, .. } in &self.parts {
            let prefix = format!("settings.policies.{}.settings", builtin.id);
            let (own, others): (Vec<&str>, Vec<&str>) = rest.into_iter().partition(|line| line.starts_with(&prefix));
            rest = others;
            let own: Vec<String> = own.iter().filter_map(|line| Some(format!("settings{}", line.strip_prefix(&prefix)?))).collect();
            if !own.is_empty() {
                errors.push(EngineError::Settings { policy: builtin.id.to_owned(), message: own.join("\n") });
            }
        }
        if !rest.is_empty() {
            errors.push(EngineError::Settings { policy: SUITE.to_owned(), message: rest.join("\n") });
        }
        errors
    }
}
