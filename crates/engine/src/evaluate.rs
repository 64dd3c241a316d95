//! Running the policies on the requests, on all cores, with results in a fixed order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fedward_conditions::Variables;
use fedward_host::{Limits, Module};
use fedward_kit::finding::Finding;
use fedward_policyset::{FailurePolicy, Reach};
use serde_json::Value;

use crate::answers::{Answers, Shared};
use crate::input::rejected_by_policy;
use crate::judge::{Asked, Runner, Said};
use crate::policies::Policy;
use crate::request::{self, Facts, Request, User};
use crate::world::World;

/// What one policy said of one object.
pub(crate) struct Verdict {
    pub(crate) object: usize,
    pub(crate) policy: usize,
    pub(crate) result: Result<Vec<Finding>, String>,
    /// The objects that the policy was shown.
    pub(crate) given: Vec<usize>,
}

/// What a policy made of an object.
pub(crate) struct Mutated {
    pub(crate) object: usize,
    pub(crate) policy: usize,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

/// What the evaluation gives.
#[derive(Default)]
pub(crate) struct Evaluated {
    /// In the order of objects, then policies; accepted objects without findings are left out.
    pub(crate) verdicts: Vec<Verdict>,
    /// In the order of objects, and in the order in which policies changed each.
    pub(crate) mutations: Vec<Mutated>,
    /// For every object whether some policy saw it.
    pub(crate) seen: Vec<bool>,
    /// How many objects reached a policy although its namespace selector asks for labels that are not known.
    pub(crate) not_known: BTreeMap<usize, usize>,
    pub(crate) cost: Cost,
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
    pub(crate) requests: &'p [Request],
    pub(crate) user: &'p User,
    /// The interpreter of match conditions, where any policy has some, and the bounds of its host.
    pub(crate) cel: Option<(&'p Module, &'p Limits)>,
    pub(crate) threads: usize,
    pub(crate) runtime: Runtime,
    /// Whether modules may ask the index; without it they see what they would in a cluster.
    pub(crate) indexed: bool,
    /// Counts requests as they are done.
    pub(crate) progress: &'p AtomicUsize,
}

/// Requests handed to a worker at once: enough to make the shared counter cheap, few enough to share the work evenly.
const BATCH: usize = 32;

/// Runs every policy on every request that reaches it.
pub(crate) fn run(world: &World, plan: &Plan<'_>) -> Evaluated {
    let shared = Shared::default();
    let next = AtomicUsize::new(0);
    let work = || Worker::new(world, plan, &shared).run(&next);
    let joined: Vec<thread::Result<Part>> = thread::scope(|scope| {
        // This thread works, too: a machine that gives no further ones has it.
        let spawned = || thread::Builder::new().spawn_scoped(scope, work).ok();
        let handles: Vec<_> = (1..plan.threads).map_while(|_| spawned()).collect();
        let own = work();
        handles.into_iter().map(thread::ScopedJoinHandle::join).chain([Ok(own)]).collect()
    });
    let is_whole = joined.iter().all(Result::is_ok);
    let mut all = Evaluated { seen: vec![false; world.objects.len()], ..Evaluated::default() };
    for part in joined.into_iter().filter_map(Result::ok) {
        all.verdicts.extend(part.verdicts);
        all.mutations.extend(part.mutations);
        for object in part.seen {
            if let Some(seen) = all.seen.get_mut(object) {
                *seen = true;
            }
        }
        for (policy, count) in part.not_known {
            *all.not_known.entry(policy).or_default() += count;
        }
        all.cost.evaluations += part.cost.evaluations;
        all.cost.host_calls += part.cost.host_calls;
        all.cost.host_bytes += part.cost.host_bytes;
    }
    if !is_whole {
        all.verdicts.extend(lost(world, plan, &all.seen));
    }
    all.verdicts.sort_by_key(|verdict| (verdict.object, verdict.policy));
    all.mutations.sort_by_key(|mutated| mutated.object);
    all
}

/// What a thread had in hand that ended by a panic: nothing may pass because of it.
fn lost(world: &World, plan: &Plan<'_>, seen: &[bool]) -> Vec<Verdict> {
    let unseen = plan.requests.iter().filter(|request| seen.get(request.subject) == Some(&false));
    let verdict = |object, policy| {
        let reason = "fedward itself broke while it judged this or another object: please report it".to_owned();
        Verdict { object, policy, result: Err(reason), given: Vec::new() }
    };
    unseen
        .flat_map(|request| {
            let facts = Facts::new(world, request, true);
            let reaches = |policy: &Policy| facts.as_ref().is_some_and(|facts| policy.reach(&facts.attributes()) != Reach::No);
            let policies = plan.policies.iter().enumerate().filter(|(_, policy)| reaches(policy));
            policies.map(|(policy, _)| verdict(request.subject, policy)).collect::<Vec<_>>()
        })
        .collect()
}

#[derive(Default)]
struct Part {
    verdicts: Vec<Verdict>,
    mutations: Vec<Mutated>,
    seen: Vec<usize>,
    not_known: BTreeMap<usize, usize>,
    cost: Cost,
}

/// One thread's share.
struct Worker<'w> {
    world: &'w World,
    plan: &'w Plan<'w>,
    answers: Answers<'w>,
    runners: Vec<Runner<'w>>,
    /// Policies in the order of the API server: those that may change the object first, by name, then the others.
    order: Vec<usize>,
    with_labels: bool,
    conditions: Option<fedward_conditions::Evaluator>,
    part: Part,
    /// Buffers that are filled again for each request.
    facts: Vec<u8>,
    request: Vec<u8>,
}

impl<'w> Worker<'w> {
    fn new(world: &'w World, plan: &'w Plan<'w>, shared: &'w Shared) -> Self {
        let mut order: Vec<usize> = (0..plan.policies.len()).collect();
        order.sort_by_key(|index| plan.policies.get(*index).map(|policy| (!policy.mutating, policy.mutating.then_some(&policy.id))));
        let selects = |policy: &Policy| policy.matching.namespace_selector.is_some() || policy.matching.object_selector.is_some();
        Worker {
            world,
            plan,
            answers: Answers::new(world, shared),
            runners: plan.policies.iter().map(Runner::new).collect(),
            order,
            with_labels: plan.policies.iter().any(selects),
            conditions: plan.cel.map(|(module, limits)| fedward_conditions::Evaluator::new(module, limits)),
            part: Part::default(),
            facts: Vec::new(),
            request: Vec::new(),
        }
    }

    fn run(mut self, next: &AtomicUsize) -> Part {
        let requests = self.plan.requests;
        loop {
            let start = next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = requests.get(start..(start + BATCH).min(requests.len())).filter(|batch| !batch.is_empty()) else { break };
            for request in batch {
                self.plan.progress.fetch_add(1, Ordering::Relaxed);
                self.request(request);
            }
        }
        self.part.cost.host_calls = self.answers.calls;
        self.part.cost.host_bytes = self.answers.bytes;
        self.part
    }

    /// Sends one request through all policies that it reaches.
    fn request(&mut self, request: &Request) {
        let (world, plan) = (self.world, self.plan);
        let Some(facts) = Facts::new(world, request, self.with_labels) else { return };
        let attributes = facts.attributes();
        let number = request.subject;
        let draft = world.objects.get(number).is_some_and(|object| object.draft);
        // The object as the policies so far have made it.
        let mut now: Option<Vec<u8>> = None;
        let mut is_seen = false;
        self.facts.clear();
        self.request.clear();
        for position in 0..self.order.len() {
            let Some(index) = self.order.get(position).copied() else { continue };
            let Some(policy) = plan.policies.get(index) else { continue };
            let reach = policy.reach(&attributes);
            if reach == Reach::No {
                continue;
            }
            if self.facts.is_empty() {
                request::write_facts(world, request, plan.user, &mut self.facts);
            }
            self.answers.asker = number;
            self.answers.given.clear();
            let result = match self.holds(policy, request, now.as_deref()) {
                Ok(true) => {
                    if reach == Reach::NotKnown {
                        *self.part.not_known.entry(index).or_default() += 1;
                    }
                    if self.request.is_empty() {
                        request::write(world, request, &self.facts, now.as_deref(), &mut self.request);
                    }
                    if !is_seen {
                        is_seen = true;
                        self.part.seen.push(number);
                    }
                    self.part.cost.evaluations += 1;
                    let object = || json(world, request, now.as_deref());
                    let asked = Asked { request: &self.request, object: &object, draft, indexed: plan.indexed, runtime: plan.runtime };
                    match self.runners.get_mut(index) {
                        Some(runner) => runner.run(&asked, &mut self.answers),
                        None => Err("no such policy".to_owned()),
                    }
                }
                Ok(false) => continue,
                Err(Skipped::Rejected(message)) => Ok(Said { findings: vec![rejected_by_policy::finding(&message)], mutated: None }),
                Err(Skipped::NotKnown(reason)) => Err(reason),
            };
            let result = result.map(|said| {
                if let Some(after) = said.mutated {
                    let before = json(world, request, now.as_deref());
                    now = Some(after.to_string().into_bytes());
                    self.request.clear();
                    self.part.mutations.push(Mutated { object: number, policy: index, before, after });
                }
                said.findings
            });
            if !matches!(&result, Ok(findings) if findings.is_empty()) {
                let given = std::mem::take(&mut self.answers.given);
                self.part.verdicts.push(Verdict { object: number, policy: index, result, given });
            }
        }
    }

    /// Whether the match conditions of a policy hold.
    fn holds(&mut self, policy: &Policy, request: &Request, now: Option<&[u8]>) -> Result<bool, Skipped> {
        let Some(conditions) = &policy.conditions else { return Ok(true) };
        let Some(evaluator) = &mut self.conditions else { return Err(Skipped::NotKnown("no interpreter of conditions".to_owned())) };
        let (mut object, mut old) = (Vec::new(), Vec::new());
        match now {
            Some(text) => object.extend_from_slice(text),
            None => request::write_object(self.world, request, &mut object),
        }
        request::write_old(self.world, request, &mut old);
        let facts = [b"{", self.facts.as_slice(), b"}"].concat();
        // A webhook's conditions see no namespace: the API server gives them `null`.
        let variables = Variables { object: &object, old_object: &old, request: &facts, namespace_object: Some(b"null") };
        match evaluator.bind(&variables).evaluate(conditions) {
            fedward_conditions::Outcome::Match => Ok(true),
            fedward_conditions::Outcome::NoMatch { .. } => Ok(false),
            fedward_conditions::Outcome::Error { name, message } => {
                let text = format!("match condition `{name}` has no value: {message}");
                if message.contains(NOT_KNOWN_OFFLINE) {
                    Err(Skipped::NotKnown(text))
                } else if policy.failure_policy == FailurePolicy::Ignore {
                    Ok(false)
                } else {
                    Err(Skipped::Rejected(format!("{text}; with `failurePolicy: Fail` the request is rejected")))
                }
            }
        }
    }
}

/// Words of the interpreter for what a cluster knows and nobody else.
const NOT_KNOWN_OFFLINE: &str = "is not known offline";

/// Why a policy is not asked, and yet something has to be said.
enum Skipped {
    /// The API server rejects the request.
    Rejected(String),
    /// What the API server does depends on what is not known here.
    NotKnown(String),
}

/// The object of a request, as it is now.
fn json(world: &World, request: &Request, now: Option<&[u8]>) -> Value {
    let parsed = match now {
        Some(text) => serde_json::from_slice(text),
        None => {
            let mut text = Vec::new();
            request::write_object(world, request, &mut text);
            serde_json::from_slice(&text)
        }
    };
    parsed.unwrap_or_default()
}
