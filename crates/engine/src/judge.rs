//! One policy on one request, as the policy server does it (policy-server, `src/evaluation`): the modules, a group's expression, and
//! what becomes of their answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fedward_host::{CallError, Evaluator};
use fedward_kit::context::Host as KitHost;
use fedward_kit::finding::{Finding, Severity};
use fedward_policyset::{FailurePolicy, Mode};
use serde::Deserialize;
use serde_json::Value;

use crate::answers::Answers;
use crate::evaluate::Runtime;
use crate::input::rejected_by_policy;
use crate::policies::{Member, Policy};

/// Why a policy is not asked any more.
pub(crate) fn too_late() -> String {
    format!("it ran out of time for {MAX_LATE} objects, and is not asked any more")
}

/// What a policy says of a request.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) findings: Vec<Finding>,
    /// The object as the policy wants it.
    pub(crate) mutated: Option<Value>,
}

/// What is asked.
pub(crate) struct Asked<'a> {
    /// `"request":{…}`
    pub(crate) request: &'a [u8],
    /// The object in it, as it is now; `null` where there is none.
    pub(crate) object: &'a dyn Fn() -> Value,
    /// Whether something in the input changes the object before it is applied.
    pub(crate) draft: bool,
    /// Whether modules may ask the index at all.
    pub(crate) indexed: bool,
    pub(crate) runtime: Runtime,
}

/// A policy with what one thread needs to run it.
pub(crate) struct Runner<'p> {
    policy: &'p Policy,
    evaluators: Vec<Evaluator>,
    /// How often the policy ran out of time, on all threads.
    late: &'p AtomicUsize,
    /// When the call of the webhook began, and whether its time ended an evaluation.
    began: Instant,
    is_cut: bool,
    text: Vec<u8>,
}

/// How often a policy may run out of time: one that never ends would take its time for each object.
pub(crate) const MAX_LATE: usize = 5;

impl<'p> Runner<'p> {
    pub(crate) fn new(policy: &'p Policy, late: &'p AtomicUsize) -> Self {
        let evaluators = policy.members.iter().map(|member| member.module.evaluator()).collect();
        Runner { policy, evaluators, late, began: Instant::now(), is_cut: false, text: Vec::new() }
    }

    /// What the policy says, or the API server in its place if the time of the webhook's call is over.
    ///
    /// # Errors
    /// A module that breaks or answers nonsense: nobody knows what the policy would say.
    pub(crate) fn run(&mut self, asked: &Asked<'_>, answers: &mut Answers<'_>) -> Result<Said, String> {
        self.began = Instant::now();
        self.is_cut = false;
        let said = self.said(asked, answers);
        match self.policy.call_time.filter(|_| said.is_err() && self.is_cut) {
            Some(time) => Ok(Said { findings: vec![cut(self.policy, time)], mutated: None }),
            None => said,
        }
    }

    fn said(&mut self, asked: &Asked<'_>, answers: &mut Answers<'_>) -> Result<Said, String> {
        let policy = self.policy;
        let mut said = match &policy.group {
            None => {
                let response = self.member(0, asked, answers)?;
                single(policy, response, asked)
            }
            Some(group) => {
                let mut rejections: Vec<Finding> = Vec::new();
                let accepted = group.evaluate(|name| {
                    let index = policy.members.iter().position(|member| member.name == name).unwrap_or(usize::MAX);
                    let mut response = self.member(index, asked, answers).map_err(|error| format!("member `{name}`: {error}"))?;
                    if response.change(asked).is_some() {
                        // The policy server counts it as a rejection (policy-server, `evaluation_environment`).
                        response.accepted = false;
                        response.message = Some("it changes the object, which no member of a group may".to_owned());
                        response.audit_annotations = None;
                    }
                    if !response.accepted {
                        rejections.extend(
                            response
                                .findings(name, is_own(policy.members.get(index)))
                                .into_iter()
                                .filter(|finding| finding.severity == Severity::Error),
                        );
                    }
                    Ok::<bool, String>(response.accepted)
                })?;
                match (accepted, rejections.is_empty()) {
                    (true, _) => Said::default(),
                    (false, false) => Said { findings: rejections, mutated: None },
                    (false, true) => Said { findings: vec![rejected_by_policy::finding("the group's expression is false")], mutated: None },
                }
            }
        };
        if let Some(message) = &policy.message {
            for finding in said.findings.iter_mut().filter(|finding| finding.severity == Severity::Error) {
                finding.message = format!("{message}: {}", finding.message);
            }
        }
        if policy.mode == Mode::Monitor {
            // It rejects nothing and changes nothing.
            said.mutated = None;
            for finding in &mut said.findings {
                finding.severity = finding.severity.min(Severity::Warning);
            }
        }
        Ok(said)
    }

    /// Runs one module.
    fn member(&mut self, index: usize, asked: &Asked<'_>, answers: &mut Answers<'_>) -> Result<Response, String> {
        let (Some(member), Some(evaluator)) = (self.policy.members.get(index), self.evaluators.get_mut(index)) else {
            return Err("no such member".to_owned());
        };
        if self.late.load(Ordering::Relaxed) >= MAX_LATE {
            return Err(too_late());
        }
        let own = member.timeout.unwrap_or(member.module.limits().call_time);
        let left = self.policy.call_time.map(|whole| whole.saturating_sub(self.began.elapsed()));
        evaluator.set_call_time(left.map_or(own, |left| left.min(own)));
        let (text, late, is_cut) = (&mut self.text, self.late, &mut self.is_cut);
        text.clear();
        text.extend_from_slice(&member.prefix);
        text.extend_from_slice(asked.request);
        text.extend_from_slice(match (member.indexed && asked.indexed, asked.draft && member.native.is_some()) {
            (true, true) => br#","fedward":{"indexed":true,"draft":true}}"#,
            (true, false) => br#","fedward":{"indexed":true}}"#,
            (false, true) => br#","fedward":{"draft":true}}"#,
            // It says all that it finds.
            (false, false) if is_own(Some(member)) => br#","fedward":{}}"#,
            (false, false) => b"}",
        });
        answers.gates = member.gates.clone();
        answers.knows_gaps = member.knows_gaps;
        answers.log.clear();
        let native =
            |answers: &mut Answers<'_>| member.native.map(|native| native.validate(text, &NativeHost(std::cell::RefCell::new(answers))));
        let mut module = |answers: &mut Answers<'_>| {
            let answer = evaluator.validate(text, answers);
            if matches!(answer, Err(CallError::Deadline { .. })) {
                late.fetch_add(1, Ordering::Relaxed);
                *is_cut = left.is_some_and(|left| left < own);
            }
            answer.map(<[u8]>::to_vec).map_err(|error| error.to_string())
        };
        let answer = match asked.runtime {
            Runtime::Native => native(answers).unwrap_or_else(|| module(answers)),
            Runtime::Module => module(answers),
            Runtime::Both => {
                let answer = module(answers);
                let same = native(answers).is_none_or(|native| native == answer);
                if same { answer } else { Err("the module and the native build disagree".to_owned()) }
            }
        };
        Response::read(&answer?)
    }
}

/// What the API server does where a webhook does not answer in its time.
fn cut(policy: &Policy, time: Duration) -> Finding {
    let what = format!("the policy does not answer within the {} s of its webhook (`timeoutSeconds`)", time.as_secs());
    match policy.failure_policy {
        FailurePolicy::Fail => rejected_by_policy::finding(&format!("{what}; with `failurePolicy: Fail` the request is rejected")),
        FailurePolicy::Ignore => {
            rejected_by_policy::warning(&format!("{what}; with `failurePolicy: Ignore` the request goes on without its verdict"))
        }
    }
}

/// Whether it is one of fedward's modules, built in or found as a file, which says so in its metadata. Others may write an annotation of
/// the same name, and mean something else.
fn is_own(member: Option<&Member>) -> bool {
    member.is_some_and(|member| member.native.is_some() || member.knows_gaps)
}

/// What becomes of one module's answer.
fn single(policy: &Policy, mut response: Response, asked: &Asked<'_>) -> Said {
    let change = response.change(asked);
    let mut findings = response.findings("", is_own(policy.members.first()));
    let refused = match &change {
        None => None,
        Some(_) if !policy.mutating => Some("the policy changes the object, and `mutating` does not allow it to"),
        Some((before, after)) => is_impossible(before, after),
    };
    match (change, refused) {
        (Some((_, after)), None) => Said { findings, mutated: Some(after) },
        (_, refused) => {
            // The policy server's own decision, or the API server's.
            findings.extend(refused.map(rejected_by_policy::finding));
            Said { findings, mutated: None }
        }
    }
}

/// Why no API server takes an object in place of another.
fn is_impossible(before: &Value, after: &Value) -> Option<&'static str> {
    let differs = |pointer: &str| before.pointer(pointer) != after.pointer(pointer);
    if before.is_null() {
        Some("the policy changes an object that goes: there is nothing to change")
    } else if before.is_object() && !after.is_object() {
        Some("the policy makes something of the object that is none")
    } else if differs("/apiVersion") || differs("/kind") {
        Some("the policy makes an object of another kind of it")
    } else if differs("/metadata/namespace") || differs("/metadata/name") {
        Some("the policy gives the object another name or namespace")
    } else {
        None
    }
}

/// The way of native code to the same answers.
struct NativeHost<'h, 'w>(std::cell::RefCell<&'h mut Answers<'w>>);

impl KitHost for NativeHost<'_, '_> {
    fn kubernetes(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        // The kit never asks while it is being answered.
        match self.0.try_borrow_mut() {
            Ok(mut answers) => answers.kubernetes(operation, payload).map(|answer| answer.to_vec()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Kubewarden's `ValidationResponse`.
#[derive(Deserialize, Default)]
pub(crate) struct Response {
    pub(crate) accepted: bool,
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) mutated_object: Option<Value>,
    #[serde(default)]
    audit_annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) warnings: Option<Vec<String>>,
}

impl Response {
    pub(crate) fn read(answer: &[u8]) -> Result<Self, String> {
        // Nearly every answer is this one.
        if answer == br#"{"accepted":true}"# {
            return Ok(Response { accepted: true, ..Response::default() });
        }
        serde_json::from_slice(answer).map_err(|error| format!("the policy's response is not a validation response: {error}"))
    }

    /// The object before and after, if an accepted one was changed.
    fn change(&mut self, asked: &Asked<'_>) -> Option<(Value, Value)> {
        let after = self.mutated_object.take().filter(|_| self.accepted)?;
        let before = (asked.object)();
        (before != after).then_some((before, after))
    }

    /// The findings in it: the annotation of one of fedward's modules (`is_own`), or, from another's policy, its message and warnings on
    /// the object. The verdict counts, whatever the annotation says, and no warning is lost.
    fn findings(&mut self, member: &str, is_own: bool) -> Vec<Finding> {
        let warnings = self.warnings.take().unwrap_or_default();
        let annotation = self.audit_annotations.as_ref().filter(|_| is_own).and_then(|annotations| annotations.get("findings"));
        if let Some(mut findings) = annotation.and_then(|text| serde_json::from_str::<Vec<Finding>>(text).ok())
            && (self.accepted || findings.iter().any(|finding| finding.severity == Severity::Error))
        {
            if self.accepted {
                for finding in &mut findings {
                    finding.severity = finding.severity.min(Severity::Warning);
                }
            }
            // Our own warnings begin with a finding's path and message (`fedward_kit::policy`).
            let is_of = |finding: &Finding, warning: &str| {
                let rest = warning.strip_prefix(finding.place.path.as_str()).and_then(|rest| rest.strip_prefix(": "));
                rest.is_some_and(|rest| rest.starts_with(&finding.message))
            };
            let untold = |warning: &&String| !findings.iter().any(|finding| is_of(finding, warning));
            let untold: Vec<Finding> = warnings.iter().filter(untold).map(|warning| rejected_by_policy::warning(warning)).collect();
            findings.extend(untold);
            return findings;
        }
        let mut findings: Vec<Finding> = warnings.iter().map(|warning| rejected_by_policy::warning(warning)).collect();
        if !self.accepted {
            let message = self.message.take().unwrap_or_else(|| "the policy rejects the object and does not say why".to_owned());
            let by = if member.is_empty() { String::new() } else { format!("member `{member}`: ") };
            findings.push(rejected_by_policy::finding(&format!("{by}{message}")));
        }
        findings
    }
}
