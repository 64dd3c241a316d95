//! Running the policies on the objects, on all cores, with results in a fixed order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fedward_host::Evaluator;
use fedward_kit::context::Host as KitHost;
use fedward_kit::finding::{Finding, ObjectId, Severity};
use serde::Deserialize;

use crate::answers::{Answers, Shared};
use crate::payload;
use crate::policies::{Policy, REJECTED};
use crate::world::World;

/// What one policy said of one object.
pub(crate) struct Verdict {
    pub(crate) object: usize,
    pub(crate) policy: usize,
    pub(crate) result: Result<Vec<Finding>, String>,
    /// The objects that the policy was shown.
    pub(crate) given: Vec<usize>,
}

/// What the evaluation of everything cost, for benches and tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Evaluations of one object by one policy.
    pub evaluations: u64,
    /// Questions that modules asked.
    pub host_calls: u64,
    /// Bytes of the answers.
    pub host_bytes: u64,
}

/// How the code of policies runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runtime {
    /// The modules, as in a cluster.
    #[default]
    Module,
    /// The same policies as native code.
    Native,
    /// Both: an object of which they say different things, by a single byte, counts as not judged. For tests.
    Both,
}

/// How the evaluation runs.
pub(crate) struct Plan<'p> {
    pub(crate) policies: &'p [Policy],
    pub(crate) threads: usize,
    pub(crate) runtime: Runtime,
    /// Whether modules may ask the index; without it they see what they would in a cluster.
    pub(crate) indexed: bool,
    /// Counts objects as they are done.
    pub(crate) progress: &'p AtomicUsize,
}

/// Objects handed to a worker at once: enough to make the shared counter cheap, few enough to share the work evenly.
const BATCH: usize = 32;

/// Runs every policy on every object that it sees. Verdicts come in the order of objects, then policies; accepted objects without
/// findings are left out. The second result is the set of objects that some policy saw.
pub(crate) fn run(world: &World, plan: &Plan<'_>) -> (Vec<Verdict>, Vec<bool>, Cost) {
    let shared = Shared::default();
    let next = AtomicUsize::new(0);
    let work = || worker(world, plan, &shared, &next);
    let joined: Vec<thread::Result<Part>> = thread::scope(|scope| {
        // This thread works, too: a machine that gives no further ones has it.
        let spawned = || thread::Builder::new().spawn_scoped(scope, work).ok();
        let handles: Vec<_> = (1..plan.threads).map_while(|_| spawned()).collect();
        let own = work();
        handles.into_iter().map(thread::ScopedJoinHandle::join).chain([Ok(own)]).collect()
    });
    let is_whole = joined.iter().all(Result::is_ok);
    let parts = joined.into_iter().filter_map(Result::ok);
    let mut verdicts = Vec::new();
    let mut seen = vec![false; world.objects.len()];
    let mut cost = Cost::default();
    for part in parts {
        verdicts.extend(part.verdicts);
        for object in part.seen {
            if let Some(seen) = seen.get_mut(object) {
                *seen = true;
            }
        }
        cost.evaluations += part.cost.evaluations;
        cost.host_calls += part.cost.host_calls;
        cost.host_bytes += part.cost.host_bytes;
    }
    if !is_whole {
        verdicts.extend(lost(world, plan, &seen));
    }
    verdicts.sort_by_key(|verdict| (verdict.object, verdict.policy));
    (verdicts, seen, cost)
}

/// What a thread had in hand that ended by a panic: nothing may pass because of it.
fn lost(world: &World, plan: &Plan<'_>, seen: &[bool]) -> Vec<Verdict> {
    let unseen = world.objects.iter().enumerate().filter(|(number, object)| object.judged && seen.get(*number) == Some(&false));
    let verdict = |object, policy| {
        let reason = "fedward itself broke while it judged this or another object: please report it".to_owned();
        Verdict { object, policy, result: Err(reason), given: Vec::new() }
    };
    unseen
        .flat_map(|(number, object)| {
            let policies = plan.policies.iter().enumerate().filter(|(_, policy)| policy.sees(object));
            policies.map(move |(policy, _)| verdict(number, policy)).collect::<Vec<_>>()
        })
        .collect()
}

struct Part {
    verdicts: Vec<Verdict>,
    seen: Vec<usize>,
    cost: Cost,
}

fn worker(world: &World, plan: &Plan<'_>, shared: &Shared, next: &AtomicUsize) -> Part {
    let mut answers = Answers::new(world, shared);
    let mut evaluators: Vec<Evaluator> = plan.policies.iter().map(|policy| policy.module.evaluator()).collect();
    let mut part = Part { verdicts: Vec::new(), seen: Vec::new(), cost: Cost::default() };
    let (mut request, mut text) = (Vec::new(), Vec::new());
    loop {
        let start = next.fetch_add(BATCH, Ordering::Relaxed);
        if start >= world.objects.len() {
            break;
        }
        for number in start..(start + BATCH).min(world.objects.len()) {
            plan.progress.fetch_add(1, Ordering::Relaxed);
            let Some(object) = world.objects.get(number).filter(|object| object.judged) else { continue };
            let Some(document) = world.loaded.get(object.document).and_then(|loaded| loaded.document.as_ref()) else { continue };
            request.clear();
            for (index, policy) in plan.policies.iter().enumerate() {
                if !policy.sees(object) {
                    continue;
                }
                if request.is_empty() {
                    part.seen.push(number);
                    payload::write_request(document, object, number, &mut request);
                    request.extend_from_slice(match (plan.indexed, object.draft) {
                        (true, true) => br#","fedward":{"indexed":true,"draft":true}}"#,
                        (true, false) => br#","fedward":{"indexed":true}}"#,
                        (false, true) => br#","fedward":{"draft":true}}"#,
                        (false, false) => b"}",
                    });
                }
                text.clear();
                text.extend_from_slice(&policy.prefix);
                text.extend_from_slice(&request);
                answers.asker = number;
                answers.given.clear();
                answers.log.clear();
                part.cost.evaluations += 1;
                let native = |answers: &mut Answers<'_>| policy.native.validate(&text, &NativeHost(std::cell::RefCell::new(answers)));
                let module = |answers: &mut Answers<'_>, evaluators: &mut [Evaluator]| match evaluators.get_mut(index) {
                    Some(evaluator) => evaluator.call("validate", &text, answers).map(<[u8]>::to_vec).map_err(|error| error.to_string()),
                    None => Err("no evaluator".to_owned()),
                };
                let answer = match plan.runtime {
                    Runtime::Native => native(&mut answers),
                    Runtime::Module => module(&mut answers, &mut evaluators),
                    Runtime::Both => {
                        let answer = module(&mut answers, &mut evaluators);
                        if answer == native(&mut answers) { answer } else { Err("the module and the native build disagree".to_owned()) }
                    }
                };
                let result = answer.and_then(|answer| read(&answer));
                if !matches!(&result, Ok(findings) if findings.is_empty()) {
                    part.verdicts.push(Verdict { object: number, policy: index, result, given: std::mem::take(&mut answers.given) });
                }
            }
        }
    }
    part.cost.host_calls = answers.calls;
    part.cost.host_bytes = answers.bytes;
    part
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
#[derive(Deserialize)]
struct Response {
    accepted: bool,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    audit_annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
}

/// The findings in a response: fedward's own annotation, or, from another's policy, its message and warnings on the object.
fn read(answer: &[u8]) -> Result<Vec<Finding>, String> {
    if answer == br#"{"accepted":true}"# {
        return Ok(Vec::new());
    }
    let response: Response =
        serde_json::from_slice(answer).map_err(|error| format!("the policy's response is not a validation response: {error}"))?;
    if let Some(findings) = response.audit_annotations.as_ref().and_then(|annotations| annotations.get("findings"))
        && let Ok(findings) = serde_json::from_str(findings)
    {
        return Ok(findings);
    }
    let plain = |severity, message: String| Finding {
        rule: "rejected".to_owned(),
        condition: String::new(),
        severity,
        place: fedward_kit::finding::Place::new(None::<ObjectId>, String::new()),
        message,
        help: String::new(),
        docs: String::new(),
        related: Vec::new(),
        related_more: 0,
        fix: Vec::new(),
    };
    let mut findings: Vec<Finding> =
        response.warnings.unwrap_or_default().into_iter().map(|warning| plain(Severity::Warning, warning)).collect();
    if !response.accepted {
        findings.push(plain(REJECTED, response.message.unwrap_or_else(|| "the policy rejects the object".to_owned())));
    }
    Ok(findings)
}
