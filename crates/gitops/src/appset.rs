//! ApplicationSets: generators give sets of parameters, a template makes an Application of each.

mod application;
mod external;
mod generators;
mod git;
mod local;
mod merge;
mod patch;
pub(crate) mod selector;
mod slug;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use crate::clusters::Clusters;
use crate::fixtures::Fixtures;
use crate::limits::Limits;
use crate::reason::{Reason, Stop};
use crate::renderer::Renderer;
use crate::repositories::Repositories;
use crate::settings::Settings;
use crate::shape::{APPLICATION_SET, mismatch};
use crate::template::Engine;
use crate::value::Value;

/// What ApplicationSets are made of, besides of themselves.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) repositories: &'a Repositories,
    pub(crate) clusters: &'a Clusters,
    pub(crate) fixtures: &'a Fixtures,
    pub(crate) settings: &'a Settings,
    pub(crate) renderer: &'a dyn Renderer,
    pub(crate) limits: &'a Limits,
}

/// What became of an ApplicationSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetState {
    /// All its Applications are known.
    Resolved,
    /// The same, but what services would say was read from a file.
    FromFixture,
    /// Some of its generators cannot be known.
    Partial(Vec<Reason>),
    /// None of them can.
    Deferred(Vec<Reason>),
    /// Argo CD would make nothing of it.
    Failed(Reason),
}

/// What came of an ApplicationSet.
pub(crate) struct Generated {
    pub(crate) state: SetState,
    /// The Applications, in the order of the generators, and why one would not be created.
    pub(crate) applications: Vec<(Value, Option<Reason>)>,
    /// The files that generators read for each of them, as outputs name them.
    pub(crate) made_of: Vec<BTreeSet<String>>,
    /// Generators that nobody knows: they only make Argo CD warn.
    pub(crate) notes: Vec<Reason>,
}

/// One ApplicationSet at work.
struct Set<'a> {
    around: Surroundings<'a>,
    spec: &'a Value,
    name: &'a str,
    namespace: &'a str,
    engine: Engine<'a>,
    /// Parameter sets that may still be made.
    budget: Cell<usize>,
    notes: Vec<Reason>,
}

/// The Applications of a set. `namespace` is the set's own.
pub(crate) fn generate(set: &Value, namespace: &str, around: Surroundings<'_>) -> Generated {
    let failed = |reason| Generated { state: SetState::Failed(reason), applications: Vec::new(), made_of: Vec::new(), notes: Vec::new() };
    if let Some((place, text)) = mismatch(set, &APPLICATION_SET, "") {
        return failed(Reason { text, place: Some(place) });
    }
    let Some(spec) = set.get("spec") else { return failed(Reason::at(&set.place, "there is no `spec`")) };
    let engine = Engine {
        go: spec.flag("goTemplate"),
        options: spec.texts("goTemplateOptions").map(str::to_owned).collect(),
        renderer: around.renderer,
        max_bytes: around.limits.text_bytes,
        budget: Cell::new(around.limits.set_bytes),
    };
    let name = set.at(&["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
    let mut run = Set { around, spec, name, namespace, engine, budget: Cell::new(around.limits.parameter_sets), notes: Vec::new() };
    let mut seen = HashMap::new();
    let (mut applications, mut made_of, mut deferred, mut from_fixture) = (Vec::new(), Vec::new(), Vec::new(), false);
    for entry in spec.list("generators") {
        let parameters = match run.top(entry, &mut seen) {
            Ok(parameters) => parameters,
            Err(Stop::Deferred(reason)) => {
                deferred.push(reason.or_at(&entry.place));
                continue;
            }
            // One generator that fails keeps Argo CD from changing anything.
            Err(Stop::Failed(reason)) => return Generated { notes: run.notes, ..failed(reason.or_at(&entry.place)) },
        };
        for (kind, parameters) in parameters {
            let template = run.template(entry.get(kind));
            for parameters in parameters {
                from_fixture |= parameters.from_fixture;
                match run.application(&template, &parameters) {
                    Ok(application) => {
                        applications.push(application);
                        made_of.push(parameters.made_of);
                    }
                    Err(Stop::Deferred(reason)) => deferred.push(reason.or_at(&entry.place)),
                    Err(Stop::Failed(reason)) => return Generated { notes: run.notes, ..failed(reason.or_at(&entry.place)) },
                }
            }
        }
    }
    deferred.dedup_by(|left, right| left == right);
    let state = match (deferred.is_empty(), !applications.is_empty(), from_fixture) {
        (true, _, true) => SetState::FromFixture,
        (true, ..) => SetState::Resolved,
        (false, true, _) => SetState::Partial(deferred),
        (false, false, _) => SetState::Deferred(deferred),
    };
    Generated { state, applications: application::checked(applications), made_of, notes: run.notes }
}

#[cfg(test)]
mod tests;
