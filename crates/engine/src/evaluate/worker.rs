//! One thread: requests through the policies that they reach.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use fedward_conditions::{Conditions, Uses, Variables};
use fedward_policyset::{AsksForLabels, FailurePolicy, Reach};
use serde_json::Value;

use super::taken::Taken;
use super::{Cost, Mutated, Plan, Verdict};
use crate::answers::{Answers, Shared};
use crate::input::rejected_by_policy;
use crate::judge::{Asked, MAX_LATE, Runner, Said, too_late};
use crate::payload::Masks;
use crate::policies::Policy;
use crate::request::{self, Facts, Request};
use crate::world::World;

/// What a thread found.
#[derive(Default)]
pub(super) struct Part {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) mutations: Vec<Mutated>,
    pub(super) seen: Vec<usize>,
    pub(super) not_known: BTreeMap<usize, usize>,
    pub(super) ignored: BTreeMap<usize, usize>,
    pub(super) unmatched: BTreeMap<usize, BTreeMap<String, usize>>,
    pub(super) with_gaps: BTreeSet<usize>,
    pub(super) cost: Cost,
}

/// One thread's share.
pub(super) struct Worker<'w> {
    world: &'w World,
    plan: &'w Plan<'w>,
    answers: Answers<'w>,
    runners: Vec<Runner<'w>>,
    /// Policies in the order of the API server: those that may change the object first, by name, then the others.
    order: Vec<usize>,
    /// Whose labels decide which policies see a request.
    labels: AsksForLabels,
    taken: Taken,
    /// How often each policy, or its conditions, ran out of time, on all threads.
    late: &'w [AtomicUsize],
    conditions: Option<fedward_conditions::Evaluator>,
    /// What the conditions of all policies look at.
    uses: Uses,
    /// The same of the object; `None` for everything.
    mentioned: Option<Masks<'w>>,
    part: Part,
}

/// A request on its way through the policies.
struct Pending<'w> {
    request: &'w Request,
    facts: Facts<'w>,
    /// The object as the policies so far have made it.
    now: Option<Value>,
    /// Which policies see the request.
    reached: Vec<Reached>,
    is_seen: bool,
    /// The facts and the request as JSON, where somebody has asked for them.
    facts_json: Vec<u8>,
    json: Vec<u8>,
}

impl<'w> Pending<'w> {
    fn write(&mut self, world: &World, plan: &Plan<'_>) {
        self.write_facts(world, plan);
        let now = self.now.as_ref().map(|now| now.to_string().into_bytes());
        request::write(world, self.request, &self.facts_json, now.as_deref(), &mut self.json);
    }

    fn write_facts(&mut self, world: &World, plan: &Plan<'_>) {
        if self.facts_json.is_empty() {
            request::write_facts(world, self.request, &plan.form, &mut self.facts_json);
        }
    }

    fn set(&mut self, policy: usize, reached: Reached) {
        if let Some(place) = self.reached.get_mut(policy) {
            *place = reached;
        }
    }

    /// The object as it is now.
    fn object(&self, world: &World) -> Value {
        self.now.clone().unwrap_or_else(|| object(world, self.request))
    }
}

impl<'w> Worker<'w> {
    pub(super) fn new(world: &'w World, plan: &'w Plan<'w>, shared: &'w Shared, late: &'w [AtomicUsize]) -> Self {
        let mut order: Vec<usize> = (0..plan.policies.len()).collect();
        order.sort_by_key(|index| plan.policies.get(*index).map(|policy| (!policy.mutating, policy.mutating.then_some(&policy.id))));
        let conditions = || plan.policies.iter().filter_map(|policy| policy.conditions.as_ref());
        let mentioned: Option<Vec<_>> = conditions().map(|conditions| conditions.uses().paths()).collect();
        Worker {
            world,
            plan,
            answers: Answers::new(world, shared),
            runners: plan.policies.iter().zip(late).map(|(policy, late)| Runner::new(policy, late)).collect(),
            order,
            taken: Taken::default(),
            late,
            labels: plan.policies.iter().map(|policy| policy.matching.asks_for_labels()).fold(AsksForLabels::default(), AsksForLabels::or),
            uses: conditions().fold(Uses::default(), |all, one| all.and(one.uses())),
            mentioned: mentioned.map(|paths| Masks::of_paths(paths.into_iter().flatten().map(String::as_str))),
            conditions: plan.cel.map(|(module, limits)| fedward_conditions::Evaluator::new(module, limits)),
            part: Part::default(),
        }
    }

    pub(super) fn run(mut self, next: &AtomicUsize, batch: usize) -> Part {
        let requests = self.plan.requests;
        loop {
            let start = next.fetch_add(batch, Ordering::Relaxed);
            let Some(batch) = requests.get(start..(start + batch).min(requests.len())).filter(|batch| !batch.is_empty()) else { break };
            self.batch(batch);
        }
        self.part.cost.host_calls = self.answers.calls;
        self.part.cost.host_bytes = self.answers.bytes;
        self.part
    }

    /// Sends some requests through all policies that they reach: each policy gets all of them before the next one does, so that the machine
    /// goes less often from the code of one module to that of another.
    fn batch(&mut self, requests: &'w [Request]) {
        let (world, plan) = (self.world, self.plan);
        let pending = |request| {
            let facts = Facts::new(world, request, self.labels)?;
            let (reached, facts_json, json) = (Vec::new(), Vec::new(), Vec::new());
            Some(Pending { request, facts, now: None, reached, is_seen: false, facts_json, json })
        };
        let mut batch: Vec<Pending<'w>> = requests.iter().filter_map(pending).collect();
        for pending in &mut batch {
            self.reach(pending, 0);
        }
        for position in 0..self.order.len() {
            for pending in &mut batch {
                self.ask(pending, position);
            }
        }
        self.part.seen.extend(batch.iter().filter(|pending| pending.is_seen).map(|pending| pending.request.subject));
        plan.progress.fetch_add(requests.len(), Ordering::Relaxed);
    }

    /// Has the policy that comes at a position judge a request, if it sees it.
    fn ask(&mut self, pending: &mut Pending<'w>, position: usize) {
        let (world, plan) = (self.world, self.plan);
        let Some(index) = self.order.get(position).copied() else { return };
        let number = pending.request.subject;
        let result = match pending.reached.get_mut(index).map_or(Reached::No, std::mem::take) {
            Reached::No => return,
            Reached::Ignored => {
                *self.part.ignored.entry(index).or_default() += 1;
                return;
            }
            Reached::Yes { certain } => {
                if !certain {
                    *self.part.not_known.entry(index).or_default() += 1;
                }
                if pending.json.is_empty() {
                    pending.write(world, plan);
                }
                pending.is_seen = true;
                self.part.cost.evaluations += 1;
                self.answers.asker = number;
                self.answers.given.clear();
                let object = || pending.object(world);
                let draft = world.objects.get(number).is_some_and(|object| object.draft);
                let asked = Asked { request: &pending.json, object: &object, draft, indexed: plan.indexed, runtime: plan.runtime };
                let said = match self.runners.get_mut(index) {
                    Some(runner) => runner.run(&asked, &mut self.answers),
                    None => Err("no such policy".to_owned()),
                };
                if std::mem::take(&mut self.answers.has_gaps) {
                    self.part.with_gaps.insert(index);
                }
                said
            }
            Reached::Rejected(message) => {
                // The API server has judged it.
                pending.is_seen = true;
                Ok(Said { findings: vec![rejected_by_policy::finding(&message)], mutated: None })
            }
            Reached::NotKnown(reason) => Err(reason),
        };
        let result = result.map(|said| {
            if let Some(after) = said.mutated {
                let before = pending.object(world);
                // The policies that follow see, and are selected by, what it is now.
                pending.facts.relabel(&after);
                self.part.mutations.push(Mutated { object: number, policy: index, before, after: after.clone() });
                pending.now = Some(after);
                self.reach(pending, position + 1);
            }
            said.findings
        });
        if !matches!(&result, Ok(findings) if findings.is_empty()) {
            let given = std::mem::take(&mut self.answers.given);
            self.part.verdicts.push(Verdict { object: number, policy: index, result, given });
        }
    }

    /// Decides which of the policies from a place in the order on see the request, with the object as it is now. Variables of
    /// conditions cross into the sandbox once for all of them.
    fn reach(&mut self, pending: &mut Pending<'w>, from: usize) {
        let (world, plan) = (self.world, self.plan);
        pending.json.clear();
        pending.reached.clear();
        pending.reached.resize_with(plan.policies.len(), Reached::default);
        let mut conditional = Vec::new();
        let request = pending.facts.attributes();
        let taken = self.taken.by(plan.policies, &pending.facts, &request);
        for index in self.order.iter().skip(from).copied() {
            let (Some(policy), Some(takes)) = (plan.policies.get(index), taken.get(index)) else { continue };
            let reach = policy.select(*takes, &request);
            if reach == Reach::No {
                continue;
            }
            let certain = reach == Reach::Yes;
            let is_late = || self.late.get(index).is_some_and(|late| late.load(Ordering::Relaxed) >= MAX_LATE);
            match (&policy.conditions, pending.reached.get_mut(index)) {
                (Some(_), Some(reached)) if is_late() => *reached = Reached::NotKnown(too_late()),
                (Some(conditions), _) => conditional.push((index, policy, conditions, certain)),
                (None, Some(reached)) => *reached = Reached::Yes { certain },
                (None, None) => {}
            }
        }
        if conditional.is_empty() {
            return;
        }
        let Some(evaluator) = &mut self.conditions else {
            for (index, ..) in conditional {
                pending.set(index, Reached::NotKnown("no interpreter of conditions was loaded".to_owned()));
            }
            return;
        };
        pending.write_facts(world, plan);
        let (mut object, mut old) = (Vec::new(), Vec::new());
        request::write_mentioned(world, pending.request, pending.now.as_ref(), self.mentioned.as_ref(), &mut object);
        request::write_old(world, pending.request, &mut old);
        let facts = if self.uses.request() { [b"{", pending.facts_json.as_slice(), b"}"].concat() } else { Vec::new() };
        // A webhook's conditions see no namespace: the API server gives them `null`.
        let variables = Variables { object: &object, old_object: &old, request: &facts, namespace_object: Some(b"null") };
        let all: Vec<&Conditions> = conditional.iter().map(|(_, _, conditions, _)| *conditions).collect();
        let outcomes = evaluator.bind(&variables, &self.uses).evaluate_all(&all);
        for ((index, policy, conditions, certain), outcome) in conditional.into_iter().zip(outcomes) {
            pending.set(
                index,
                match outcome {
                    fedward_conditions::Outcome::Match => Reached::Yes { certain },
                    fedward_conditions::Outcome::NoMatch { index: condition } => {
                        // Nobody asks once a policy has seen something.
                        if self.part.seen.is_empty() {
                            let names = self.part.unmatched.entry(index).or_default();
                            *names.entry(conditions.name(condition)).or_default() += 1;
                        }
                        Reached::No
                    }
                    fedward_conditions::Outcome::Error { name, message } => without_value(policy, &name, &message),
                    fedward_conditions::Outcome::NotKnown { name, message, is_late } => {
                        if let Some(late) = self.late.get(index).filter(|_| is_late) {
                            late.fetch_add(1, Ordering::Relaxed);
                        }
                        Reached::NotKnown(format!("match condition `{name}` has no value here: {message}"))
                    }
                },
            );
        }
    }
}

/// What becomes of a request when a condition of a policy has no value.
fn without_value(policy: &Policy, name: &str, message: &str) -> Reached {
    if policy.failure_policy == FailurePolicy::Ignore {
        return Reached::Ignored;
    }
    Reached::Rejected(format!("match condition `{name}` has no value: {message}; with `failurePolicy: Fail` the request is rejected"))
}

/// Whether a policy sees a request.
#[derive(Default)]
enum Reached {
    #[default]
    No,
    /// It does not, since a condition has no value and the failure policy lets the request pass.
    Ignored,
    /// It does; not `certain` if labels of the namespace decide, and are not known.
    Yes { certain: bool },
    /// It is not asked, and the API server rejects the request.
    Rejected(String),
    /// What the API server does depends on what is not known here.
    NotKnown(String),
}

/// The object of a request, as the input has it.
fn object(world: &World, request: &Request) -> Value {
    let mut text = Vec::new();
    request::write_object(world, request, &mut text);
    serde_json::from_slice(&text).unwrap_or_default()
}
