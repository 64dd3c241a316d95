//! A policy: its rules, run on a payload, answered in Kubewarden's protocol.

use std::any::Any;
use std::borrow::Borrow;

use crate::admission;
use crate::context::{Context, Host};
use crate::finding::{Finding, Severity};
use crate::node::{Node, Origin, Session};
use crate::request::{Operation, Payload};
use crate::rule::{Check, Condition, Rule};
use crate::settings::{self, Common, Field, OnUpdate, Read, Settings};
use crate::subject::Subjects;
use crate::value::Value;
use crate::verdict::{Judged, respond, response, settle};
use crate::workload::Pod;
use bumpalo::Bump;

/// A policy with settings `S`.
pub struct Policy<S: Settings + 'static> {
    /// The id: crate, folder and metadata title alike.
    pub id: &'static str,
    /// One line: what it enforces.
    pub summary: &'static str,
    /// The rules. The order does not matter to verdicts, but `wrong-field-type` comes last: it reports what the others met.
    pub rules: &'static [Rule<S>],
}

/// A policy that comes with the program: its module, and the same code as native build.
pub struct Builtin {
    /// The policy's id.
    pub id: &'static str,
    /// Its `metadata.yml`.
    pub metadata: &'static str,
    /// The module.
    pub wasm: &'static [u8],
    /// The module compiled by the engine of this very build. Empty where the build left the modules out.
    pub compiled: &'static [u8],
    /// The same policy as native code: for its description, and for tests that hold the module to it.
    pub policy: &'static dyn AnyPolicy,
}

/// A policy without its code, for lists, docs and schemas.
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// The policy's id.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Its rules, sorted by id.
    pub rules: Vec<RuleDescriptor>,
    /// Its settings, the common ones first.
    pub settings: Vec<Field>,
}

/// A rule without its code.
#[derive(Debug, Clone)]
pub struct RuleDescriptor {
    /// The rule's id.
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// When it fires, how hard.
    pub conditions: &'static [Condition],
    /// Less specific rules that are not reported at the same place.
    pub supersedes: &'static [&'static str],
}

/// What a module exports, and what runs natively in its place.
pub trait AnyPolicy: Sync {
    /// What there is to know without running it.
    fn describe(&self) -> Descriptor;
    /// Kubewarden's `validate`.
    ///
    /// # Errors
    /// A payload that is not JSON, and settings that `validate_settings` refuses. The text never holds any of the payload.
    fn validate(&self, payload: &[u8], host: &dyn Host) -> Result<Vec<u8>, String>;
    /// Kubewarden's `validate_settings`: all mistakes at once, each with its path.
    fn validate_settings(&self, payload: &[u8]) -> Vec<u8>;
}

/// A policy as part of a suite, whatever its settings.
pub trait Part: Sync {
    /// The policy's id.
    fn id(&self) -> &'static str;
    /// Its rules' ids.
    fn rules(&self) -> Vec<&'static str>;
    /// Less specific rules that are not reported where this one is.
    fn supersedes(&self, rule: &str) -> &'static [&'static str];
    /// What there is to know without running it.
    fn describe(&self) -> Descriptor;
    /// Its settings, of which `common` has the ones that every policy has where it does not set them itself; with every mistake.
    fn read(&self, settings: Node<'_>, common: &Common) -> (PartSettings, Vec<String>);
    /// What it finds with settings that it has read.
    fn judge<'a>(&self, subjects: &'a Subjects<'a>, settings: &'a PartSettings) -> Judged;
}

/// Settings of a policy that only the policy itself can look at, and those that every policy has.
pub struct PartSettings {
    own: Box<dyn Any>,
    common: Common,
}

impl<S: Settings + 'static> AnyPolicy for Policy<S> {
    fn describe(&self) -> Descriptor {
        let mut rules: Vec<RuleDescriptor> = self
            .rules
            .iter()
            .map(|rule| RuleDescriptor { id: rule.id, summary: rule.summary, conditions: rule.conditions, supersedes: rule.supersedes })
            .collect();
        rules.sort_by_key(|rule| rule.id);
        Descriptor { id: self.id, summary: self.summary, rules, settings: settings::fields::<S>(&|| self.rules()) }
    }

    fn validate(&self, payload: &[u8], host: &dyn Host) -> Result<Vec<u8>, String> {
        if S::MENDS.is_some() {
            return self.mend(payload, host);
        }
        validate(payload, host, |settings| self.read_own(settings), |subjects, read| self.judge_with(subjects, &read.own, &read.common))
    }

    fn validate_settings(&self, payload: &[u8]) -> Vec<u8> {
        validate_settings(payload, |settings| self.read_own(settings).errors)
    }
}

impl<S: Settings + 'static> Part for Policy<S> {
    fn id(&self) -> &'static str {
        self.id
    }

    fn rules(&self) -> Vec<&'static str> {
        self.rules.iter().map(|rule| rule.id).collect()
    }

    fn supersedes(&self, rule: &str) -> &'static [&'static str] {
        self.rules.iter().find(|known| known.id == rule).map_or(&[], |rule| rule.supersedes)
    }

    fn describe(&self) -> Descriptor {
        AnyPolicy::describe(self)
    }

    fn read(&self, settings: Node<'_>, common: &Common) -> (PartSettings, Vec<String>) {
        let mut read = settings::read::<S>(settings, &|| self.rules(), Some(common));
        if self.is_mending(&read.own) {
            // It would have to know what the other policies say.
            read.errors.push(format!(
                "settings.policies.{}.settings.mode: the suite changes no object: only the policy's own module can `fix`",
                self.id
            ));
        }
        (PartSettings { own: Box::new(read.own), common: read.common }, read.errors)
    }

    fn judge<'a>(&self, subjects: &'a Subjects<'a>, settings: &'a PartSettings) -> Judged {
        // Nobody but this policy makes them, in `read`.
        settings.own.downcast_ref::<S>().map_or_else(Judged::default, |own| self.judge_with(subjects, own, &settings.common))
    }
}

impl<S: Settings + 'static> Policy<S> {
    /// The settings of the policy where it runs by itself.
    pub(crate) fn read_own(&self, settings: Node<'_>) -> Read<S> {
        settings::read::<S>(settings, &|| self.rules(), None)
    }

    /// What is found in a request.
    pub(crate) fn judge_with<'a>(&self, subjects: &'a Subjects<'a>, own: &'a S, common: &'a Common) -> Judged {
        let request = subjects.now.request;
        if !admission::is_judged(request, common, subjects.now.context) {
            return Judged::default();
        }
        let findings = self.findings(Check::new(&subjects.now, own, common));
        let rejects = findings.iter().any(|finding| finding.severity == Severity::Error);
        if rejects && request.operation == Operation::Update && common.on_update == OnUpdate::RejectNew {
            Judged::compare(findings, &self.findings(Check::new(&subjects.old, own, common)))
        } else {
            Judged { new: findings, before: Vec::new() }
        }
    }

    /// What the rules find.
    pub(crate) fn findings(&self, check: Check<'_, S>) -> Vec<Finding> {
        let uncertain = check.pods().iter().any(|pod: &Pod<'_>| !pod.certain);
        let mut findings = check.run(self.rules);
        for finding in &mut findings {
            if uncertain {
                // What is not certainly a pod template is never more than a hint.
                finding.severity = Severity::Info;
            }
        }
        settle(findings, &|rule| self.supersedes(rule))
    }
}

/// Reads a payload, has its settings read and its objects judged, and answers.
pub(crate) fn validate<S, R: Borrow<Read<S>>>(
    payload: &[u8],
    host: &dyn Host,
    read: impl for<'a> FnOnce(Node<'a>) -> R,
    judge: impl for<'a> FnOnce(&'a Subjects<'a>, &'a Read<S>) -> Judged,
) -> Result<Vec<u8>, String> {
    // An object takes about four times its text as a tree with paths.
    let bump = Bump::with_capacity(payload.len().saturating_mul(4).clamp(4096, 1 << 20));
    let session = Session::new(&bump);
    let payload = Payload::parse(payload, session).map_err(|error| format!("payload: {error}"))?;
    let read = read(payload.settings);
    let read = read.borrow();
    if !read.errors.is_empty() {
        return Err(read.errors.join("\n"));
    }
    let subjects = Subjects::new(&payload.request, Context::new(host, session, payload.indexed));
    Ok(respond(&judge(&subjects, read), payload.offline))
}

/// Reads settings, has their mistakes told, and answers.
pub(crate) fn validate_settings(payload: &[u8], mistakes: impl for<'a> FnOnce(Node<'a>) -> Vec<String>) -> Vec<u8> {
    let bump = Bump::new();
    let session = Session::new(&bump);
    let errors = match Value::from_json(payload, &bump) {
        // The payload of `validate` has the settings in this field; here they stand alone.
        Ok(value) => {
            let wrapper = bump.alloc_slice_copy(&[("settings", value)]);
            mistakes(session.root(Value::Map(wrapper), Origin::Aside).get("settings"))
        }
        Err(error) => vec![format!("settings: {error}")],
    };
    response("valid", &errors).into_bytes()
}
