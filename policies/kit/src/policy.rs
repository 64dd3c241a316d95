//! A policy: its rules, run on a payload, answered in Kubewarden's protocol.

use std::borrow::Cow;

use crate::admission;
use crate::context::{Context, Host};
use crate::finding::{Finding, Severity};
use crate::json;
use crate::node::{Node, Origin, Session};
use crate::request::{Operation, Payload, Request};
use crate::rule::{Check, Condition, Rule};
use crate::settings::{self, Common, Field, OnUpdate, Settings};
use crate::text::ByName;
use crate::value::Value;
use crate::workload::Pod;
use bumpalo::Bump;

/// A policy with settings `S`.
pub struct Policy<S: 'static> {
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

/// A policy whatever its settings.
pub trait AnyPolicy: Sync {
    /// See [`Policy::describe`].
    fn describe(&self) -> Descriptor;
    /// See [`Policy::validate`].
    ///
    /// # Errors
    /// As [`Policy::validate`].
    fn validate(&self, payload: &[u8], host: &dyn Host) -> Result<Vec<u8>, String>;
    /// See [`Policy::validate_settings`].
    fn validate_settings(&self, payload: &[u8]) -> Vec<u8>;
}

impl<S: Settings + 'static> AnyPolicy for Policy<S> {
    fn describe(&self) -> Descriptor {
        Policy::describe(self)
    }

    fn validate(&self, payload: &[u8], host: &dyn Host) -> Result<Vec<u8>, String> {
        Policy::validate(self, payload, host)
    }

    fn validate_settings(&self, payload: &[u8]) -> Vec<u8> {
        Policy::validate_settings(self, payload)
    }
}

impl<S: Settings + 'static> Policy<S> {
    /// The rules' ids.
    pub fn rule_ids(&self) -> Vec<&'static str> {
        self.rules.iter().map(|rule| rule.id).collect()
    }

    /// What there is to know without running it.
    pub fn describe(&self) -> Descriptor {
        let bump = Bump::new();
        let node = Session::new(&bump).root(Value::Null, Origin::Aside);
        let (_, _, fields, _) = settings::read::<S>(node, &self.rule_ids());
        let mut rules: Vec<RuleDescriptor> = self
            .rules
            .iter()
            .map(|rule| RuleDescriptor { id: rule.id, summary: rule.summary, conditions: rule.conditions, supersedes: rule.supersedes })
            .collect();
        rules.sort_by_key(|rule| rule.id);
        Descriptor { id: self.id, summary: self.summary, rules, settings: fields }
    }

    /// Kubewarden's `validate_settings`: all mistakes at once, each with its path.
    pub fn validate_settings(&self, payload: &[u8]) -> Vec<u8> {
        let bump = Bump::new();
        let session = Session::new(&bump);
        let errors = match Value::from_json(payload, &bump) {
            // The payload of `validate` has the settings in this field; here they stand alone.
            Ok(value) => {
                let wrapper = bump.alloc_slice_copy(&[("settings", value)]);
                let node = session.root(Value::Map(wrapper), Origin::Aside).get("settings");
                settings::read::<S>(node, &self.rule_ids()).3
            }
            Err(error) => vec![format!("settings: {error}")],
        };
        response("valid", &errors).into_bytes()
    }

    /// Kubewarden's `validate`.
    ///
    /// # Errors
    /// A payload that is not JSON, and settings that `validate_settings` refuses. The text never holds any of the payload.
    pub fn validate(&self, payload: &[u8], host: &dyn Host) -> Result<Vec<u8>, String> {
        // An object takes about four times its text as a tree with paths.
        let bump = Bump::with_capacity(payload.len().saturating_mul(4).clamp(4096, 1 << 20));
        let session = Session::new(&bump);
        let payload = Payload::parse(payload, session).map_err(|error| format!("payload: {error}"))?;
        let (common, own, _, errors) = settings::read::<S>(payload.settings, &self.rule_ids());
        if !errors.is_empty() {
            return Err(errors.join("\n"));
        }
        let context = Context::new(host, session, payload.indexed);
        let request = &payload.request;
        if !admission::is_judged(request, &common, context) {
            return Ok(respond(Vec::new(), Vec::new()));
        }
        let findings = self.judge(request, request.object, &own, &common, context);
        let rejects = findings.iter().any(|finding| finding.severity == Severity::Error);
        if rejects && request.operation == Operation::Update && common.on_update == OnUpdate::RejectNew {
            let old = self.judge(request, request.old_object, &own, &common, context);
            let mut known = ByName::new();
            for finding in &old {
                known.insert(same(finding), 0);
            }
            let (mut before, new): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| known.contains_key(&same(finding)));
            for finding in &mut before {
                finding.severity = finding.severity.min(Severity::Warning);
            }
            return Ok(respond(new, before));
        }
        Ok(respond(findings, Vec::new()))
    }

    fn judge<'a>(
        &self,
        request: &'a Request<'a>,
        object: Node<'a>,
        own: &'a S,
        common: &'a Common,
        context: &'a Context<'a>,
    ) -> Vec<Finding> {
        let check = Check::new(request, object, own, common, context);
        let uncertain = check.pods().iter().any(|pod: &Pod<'_>| !pod.certain);
        let mut findings = check.run(self.rules);
        for finding in &mut findings {
            if uncertain {
                // What is not certainly a pod template is never more than a hint.
                finding.severity = Severity::Info;
            }
        }
        settle(findings, |rule| self.rules.iter().find(|known| known.id == rule).map_or(&[], |rule| rule.supersedes))
    }
}

/// What makes a finding the same one before and after an update. Not its place: list elements move.
fn same(finding: &Finding) -> Cow<'static, str> {
    // No rule and no condition has a space in its name.
    Cow::Owned(format!("{} {} {}", finding.rule, finding.condition, finding.message))
}

/// Orders findings by place, drops repetitions, and those that a more specific rule makes superfluous at the same place.
pub fn settle(mut findings: Vec<Finding>, supersedes: impl Fn(&str) -> &'static [&'static str]) -> Vec<Finding> {
    findings.sort_by(|one, other| {
        (&one.place, &one.rule, &one.condition, &one.message).cmp(&(&other.place, &other.rule, &other.condition, &other.message))
    });
    findings.dedup_by(|later, earlier| {
        later.place == earlier.place
            && later.rule == earlier.rule
            && later.condition == earlier.condition
            && later.message == earlier.message
    });
    // Findings at one place follow one another, and there those of one rule.
    let beaten: Vec<bool> = findings
        .chunk_by(|one, other| one.place == other.place)
        .flat_map(|here| {
            let rules = here.chunk_by(|one, other| one.rule == other.rule).filter_map(<[Finding]>::first);
            let losers: Vec<&str> = rules.flat_map(|finding| supersedes(&finding.rule)).copied().collect();
            here.iter().map(move |finding| losers.contains(&&*finding.rule))
        })
        .collect();
    let mut beaten = beaten.into_iter();
    findings.retain(|_| !beaten.next().unwrap_or_default());
    findings
}

fn respond(findings: Vec<Finding>, before: Vec<Finding>) -> Vec<u8> {
    let line = |finding: &Finding| {
        let help = if finding.help.is_empty() { String::new() } else { format!(" ({})", finding.help) };
        format!("{}: {}{help} [{}]", finding.place.path, finding.message, finding.rule)
    };
    let errors: Vec<String> = findings.iter().filter(|finding| finding.severity == Severity::Error).map(line).collect();
    let mut warnings: Vec<String> = findings.iter().filter(|finding| finding.severity == Severity::Warning).map(line).collect();
    warnings.extend(
        before
            .iter()
            .filter(|finding| finding.severity >= Severity::Warning)
            .map(|finding| format!("{} (was so before this change)", line(finding))),
    );
    let mut out = response("accepted", &errors);
    if !(findings.is_empty() && before.is_empty()) {
        let mut all = String::new();
        json::write_list(findings.iter().chain(&before), &mut all, Finding::write);
        out.truncate(out.len() - 1);
        out.push_str(",\"audit_annotations\":{\"findings\":");
        json::write_string(&all, &mut out);
        out.push('}');
        if !warnings.is_empty() {
            out.push_str(",\"warnings\":");
            json::write_list(&warnings, &mut out, |warning, out| json::write_string(warning, out));
        }
        out.push('}');
    }
    out.into_bytes()
}

/// Kubewarden's `ValidationResponse` and `SettingsValidationResponse`: whether there are no errors, and the errors.
fn response(ok: &str, errors: &[String]) -> String {
    let mut out = format!("{{\"{ok}\":{}", errors.is_empty());
    if !errors.is_empty() {
        out.push_str(",\"message\":");
        json::write_string(&errors.join("\n"), &mut out);
    }
    out.push('}');
    out
}
