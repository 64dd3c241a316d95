//! One thread: requests through the policies that they reach.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use fedward_conditions::{Conditions, Uses, Variables};
use fedward_policyset::{FailurePolicy, Reach};
use serde_json::Value;

use super::{Cost, Mutated, Plan, Verdict};
use crate::answers::{Answers, Shared};
use crate::input::rejected_by_policy;
use crate::judge::{Asked, Runner, Said};
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
    with_labels: bool,
    conditions: Option<fedward_conditions::Evaluator>,
    /// What the conditions of all policies look at.
    uses: Uses,
    part: Part,
    /// Which policies see the request.
    reached: Vec<Reached>,
    /// Buffers that are filled again for each request.
    facts: Vec<u8>,
    request: Vec<u8>,
}

impl<'w> Worker<'w> {
    pub(super) fn new(world: &'w World, plan: &'w Plan<'w>, shared: &'w Shared, late: &'w [AtomicUsize]) -> Self {
        let mut order: Vec<usize> = (0..plan.policies.len()).collect();
        order.sort_by_key(|index| plan.policies.get(*index).map(|policy| (!policy.mutating, policy.mutating.then_some(&policy.id))));
        let selects = |policy: &Policy| policy.matching.namespace_selector.is_some() || policy.matching.object_selector.is_some();
        Worker {
            world,
            plan,
            answers: Answers::new(world, shared),
            runners: plan.policies.iter().zip(late).map(|(policy, late)| Runner::new(policy, late)).collect(),
            order,
            with_labels: plan.policies.iter().any(selects),
            uses: plan
                .policies
                .iter()
                .filter_map(|policy| policy.conditions.as_ref())
                .fold(Uses::default(), |all, one| all.and(one.uses())),
            conditions: plan.cel.map(|(module, limits)| fedward_conditions::Evaluator::new(module, limits)),
            part: Part::default(),
            reached: Vec::new(),
            facts: Vec::new(),
            request: Vec::new(),
        }
    }

    pub(super) fn run(mut self, next: &AtomicUsize, batch: usize) -> Part {
        let requests = self.plan.requests;
        loop {
            let start = next.fetch_add(batch, Ordering::Relaxed);
            let Some(batch) = requests.get(start..(start + batch).min(requests.len())).filter(|batch| !batch.is_empty()) else { break };
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
        let Some(mut facts) = Facts::new(world, request, self.with_labels) else { return };
        let number = request.subject;
        let draft = world.objects.get(number).is_some_and(|object| object.draft);
        // The object as the policies so far have made it.
        let mut now: Option<Value> = None;
        let mut is_seen = false;
        self.facts.clear();
        self.reach(request, &facts, 0, None);
        let mut position = 0;
        while let Some(index) = self.order.get(position).copied() {
            position += 1;
            let reached = self.reached.get_mut(index).map_or(Reached::No, std::mem::take);
            let result = match reached {
                Reached::No => continue,
                Reached::Yes { certain } => {
                    if !certain {
                        *self.part.not_known.entry(index).or_default() += 1;
                    }
                    if self.request.is_empty() {
                        self.write_request(request, now.as_ref());
                    }
                    is_seen = true;
                    self.part.cost.evaluations += 1;
                    self.answers.asker = number;
                    self.answers.given.clear();
                    let object = || now.clone().unwrap_or_else(|| object(world, request));
                    let asked = Asked { request: &self.request, object: &object, draft, indexed: plan.indexed, runtime: plan.runtime };
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
                    is_seen = true;
                    Ok(Said { findings: vec![rejected_by_policy::finding(&message)], mutated: None })
                }
                Reached::NotKnown(reason) => Err(reason),
            };
            let result = result.map(|said| {
                if let Some(after) = said.mutated {
                    let before = now.take().unwrap_or_else(|| object(world, request));
                    // The policies that follow see, and are selected by, what it is now.
                    facts.relabel(&after);
                    self.reach(request, &facts, position, Some(&after));
                    self.part.mutations.push(Mutated { object: number, policy: index, before, after: after.clone() });
                    now = Some(after);
                }
                said.findings
            });
            if !matches!(&result, Ok(findings) if findings.is_empty()) {
                let given = std::mem::take(&mut self.answers.given);
                self.part.verdicts.push(Verdict { object: number, policy: index, result, given });
            }
        }
        if is_seen {
            self.part.seen.push(number);
        }
    }

    fn write_request(&mut self, request: &Request, now: Option<&Value>) {
        self.write_facts(request);
        let now = now.map(|now| now.to_string().into_bytes());
        request::write(self.world, request, &self.facts, now.as_deref(), &mut self.request);
    }

    fn write_facts(&mut self, request: &Request) {
        if self.facts.is_empty() {
            request::write_facts(self.world, request, &self.plan.form, &mut self.facts);
        }
    }

    /// Decides which of the policies from a place in the order on see the request, with the object as it is now. Variables of
    /// conditions cross into the sandbox once for all of them.
    fn reach(&mut self, request: &Request, facts: &Facts<'_>, from: usize, now: Option<&Value>) {
        self.request.clear();
        self.reached.clear();
        self.reached.resize_with(self.plan.policies.len(), Reached::default);
        let mut conditional = Vec::new();
        for index in self.order.iter().skip(from).copied() {
            let Some(policy) = self.plan.policies.get(index) else { continue };
            let reach = policy.reach(facts);
            if reach == Reach::No {
                continue;
            }
            let certain = reach == Reach::Yes;
            if let Some(conditions) = &policy.conditions {
                conditional.push((index, policy, conditions, certain));
            } else if let Some(reached) = self.reached.get_mut(index) {
                *reached = Reached::Yes { certain };
            }
        }
        if conditional.is_empty() {
            return;
        }
        self.write_facts(request);
        let (mut object, mut old) = (Vec::new(), Vec::new());
        request::write_mentioned(self.world, request, now, self.uses.fields(), &mut object);
        request::write_old(self.world, request, &mut old);
        let facts = [b"{", self.facts.as_slice(), b"}"].concat();
        // A webhook's conditions see no namespace: the API server gives them `null`.
        let variables = Variables { object: &object, old_object: &old, request: &facts, namespace_object: Some(b"null") };
        let Some(evaluator) = &mut self.conditions else {
            for (index, ..) in conditional {
                if let Some(reached) = self.reached.get_mut(index) {
                    *reached = Reached::NotKnown("no interpreter of conditions was loaded".to_owned());
                }
            }
            return;
        };
        let all: Vec<&Conditions> = conditional.iter().map(|(_, _, conditions, _)| *conditions).collect();
        let outcomes = evaluator.bind(&variables, &self.uses).evaluate_all(&all);
        for ((index, policy, _, certain), outcome) in conditional.into_iter().zip(outcomes) {
            let decided = match outcome {
                fedward_conditions::Outcome::Match => Reached::Yes { certain },
                fedward_conditions::Outcome::NoMatch { .. } => Reached::No,
                fedward_conditions::Outcome::Error { name, message } => without_value(policy, &name, &message),
                fedward_conditions::Outcome::NotKnown { name, message } => {
                    Reached::NotKnown(format!("match condition `{name}` has no value here: {message}"))
                }
            };
            if let Some(reached) = self.reached.get_mut(index) {
                *reached = decided;
            }
        }
    }
}

/// What becomes of a request when a condition of a policy has no value.
fn without_value(policy: &Policy, name: &str, message: &str) -> Reached {
    if policy.failure_policy == FailurePolicy::Ignore {
        return Reached::No;
    }
    Reached::Rejected(format!("match condition `{name}` has no value: {message}; with `failurePolicy: Fail` the request is rejected"))
}

/// Whether a policy sees a request.
#[derive(Default)]
enum Reached {
    #[default]
    No,
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
