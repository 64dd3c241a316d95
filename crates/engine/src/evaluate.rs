//! Running the policies on the requests, on all cores, with results in a fixed order.

mod taken;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::{panic, thread};

use fedward_host::{Limits, Module};
use fedward_kit::finding::Finding;
use fedward_policyset::{AsksForLabels, Reach};
use serde_json::Value;

use crate::answers::Shared;
use crate::policies::Policy;
use crate::request::{Facts, Form, Request};
use crate::world::World;
use worker::{Part, Worker};

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
    /// For every object whether some policy judged it, or the API server for one.
    pub(crate) seen: Vec<bool>,
    /// How many objects reached a policy although its namespace selector asks for labels that are not known.
    pub(crate) not_known: BTreeMap<usize, usize>,
    /// How many objects a policy does not see because a condition has no value, and its failure policy lets them pass.
    pub(crate) ignored: BTreeMap<usize, usize>,
    /// How many objects each match condition of a policy keeps from it, where no object reaches any policy.
    pub(crate) unmatched: BTreeMap<usize, BTreeMap<String, usize>>,
    /// Policies that were given lists that may be incomplete, and do not know.
    pub(crate) with_gaps: BTreeSet<usize>,
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
    pub(crate) form: Form<'p>,
    /// The interpreter of match conditions, where any policy has some, and the bounds of its host.
    pub(crate) cel: Option<(&'p Module, &'p Limits)>,
    pub(crate) threads: usize,
    pub(crate) runtime: Runtime,
    /// Whether modules may ask the index; without it they see what they would in a cluster.
    pub(crate) indexed: bool,
    /// Counts requests as they are done.
    pub(crate) progress: &'p AtomicUsize,
}

/// Requests handed to a worker at once, at most: enough to make the shared counter cheap, few enough to share the work evenly.
const BATCH: usize = 32;

/// Runs every policy on every request that reaches it.
pub(crate) fn run(world: &World, plan: &Plan<'_>) -> Evaluated {
    let shared = Shared::default();
    let next = AtomicUsize::new(0);
    let late: Vec<AtomicUsize> = plan.policies.iter().map(|_| AtomicUsize::new(0)).collect();
    let batch = (plan.requests.len() / (plan.threads.max(1) * 8)).clamp(1, BATCH);
    let work = || Worker::new(world, plan, &shared, &late).run(&next, batch);
    let joined: Vec<thread::Result<Part>> = thread::scope(|scope| {
        // This thread works, too: a machine that gives no further ones has it.
        let spawned = || thread::Builder::new().spawn_scoped(scope, work).ok();
        let handles: Vec<_> = (1..plan.threads).map_while(|_| spawned()).collect();
        let own = panic::catch_unwind(panic::AssertUnwindSafe(work));
        handles.into_iter().map(thread::ScopedJoinHandle::join).chain([own]).collect()
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
        for (counts, more) in [(&mut all.not_known, part.not_known), (&mut all.ignored, part.ignored)] {
            for (policy, count) in more {
                *counts.entry(policy).or_default() += count;
            }
        }
        for (policy, names) in part.unmatched {
            let counts = all.unmatched.entry(policy).or_default();
            for (name, count) in names {
                *counts.entry(name).or_default() += count;
            }
        }
        all.with_gaps.extend(part.with_gaps);
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
            let facts = Facts::new(world, request, AsksForLabels::ALL);
            let reaches = |policy: &Policy| facts.as_ref().is_some_and(|facts| policy.reach(facts) != Reach::No);
            let policies = plan.policies.iter().enumerate().filter(|(_, policy)| reaches(policy));
            policies.map(|(policy, _)| verdict(request.subject, policy)).collect::<Vec<_>>()
        })
        .collect()
}
