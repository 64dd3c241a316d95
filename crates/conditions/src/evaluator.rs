//! Evaluating conditions on a request.

use std::ops::Range;
use std::time::Duration;

use fedward_host::{CallError, Limits, Module, NoHostCalls};

use crate::Conditions;
use crate::conditions::Uses;
use crate::wire::{self, Answer, Verdict};

/// Time for the conditions of one policy on one object. The API server counts steps instead, and what it allows takes far less.
const TIME: Duration = Duration::from_millis(500);

/// What conditions can look at, each as JSON, or `null` where the request has none. All but `namespace_object` are always known.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'a> {
    /// The object, or as much of it as conditions mention; `null` for a deletion.
    pub object: &'a [u8],
    /// The object before; `null` for a creation.
    pub old_object: &'a [u8],
    /// The AdmissionRequest, without `uid`, `object` and `oldObject`, which Kubernetes does not show to conditions.
    pub request: &'a [u8],
    /// The Namespace of the object, `null` for one without, or `None` where it is not known: what asks for it is then not known. An API
    /// server gives it to policies of its own; to the conditions of a webhook it always gives `null`.
    pub namespace_object: Option<&'a [u8]>,
}

/// What the API server makes of conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All are true: the policy sees the request.
    Match,
    /// One is false: it does not. Errors of others do not count then.
    NoMatch {
        /// The first that is false: see [`Conditions::name`].
        index: usize,
    },
    /// None is false, and one has no value: the failure policy decides.
    Error {
        /// The first with an error.
        name: String,
        /// Why.
        message: String,
    },
    /// None is false, and one has no value here although it may have one in a cluster: it asks what only a cluster knows or what is not
    /// computed here, or went over a bound of ours, which a busy machine may reach sooner than an idle one.
    NotKnown {
        /// The first of that kind.
        name: String,
        /// Why.
        message: String,
        /// Whether it was ended because of its time.
        is_late: bool,
    },
}

/// Calls the CEL module, from one thread at a time.
pub struct Evaluator {
    inner: fedward_host::Evaluator,
    payload: Vec<u8>,
    /// Counts what was bound, so that the module can tell old variables from new ones.
    number: u64,
}

impl Evaluator {
    /// Takes the module, which must be loaded as [`Strategy::Kept`](fedward_host::Strategy::Kept) to be fast. Memory is limited as
    /// for every module of its host, time more narrowly.
    #[must_use]
    pub fn new(module: &Module, limits: &Limits) -> Self {
        Self::within(module, limits, TIME)
    }

    /// The same with another time for a call, for whoever has to know that no other limit is met first.
    #[must_use]
    pub fn within(module: &Module, limits: &Limits, time: Duration) -> Self {
        let mut limits = limits.clone();
        limits.call_time = limits.call_time.min(time);
        // It asks for nothing and says a line when it panics.
        limits.host_calls = 0;
        Self { inner: module.evaluator_with(limits), payload: Vec::new(), number: 0 }
    }

    /// Lends variables for the conditions of policies, which mention no others than `uses` says: those that are mentioned cross the
    /// border once.
    pub fn bind<'e>(&'e mut self, variables: &'e Variables<'e>, uses: &'e Uses) -> Bound<'e> {
        self.number += 1;
        Bound { evaluator: self, variables, uses, told: false }
    }

    pub(crate) fn call(&mut self, operation: &str, payload: &[u8]) -> Result<&[u8], CallError> {
        self.inner.call(operation, payload, &mut NoHostCalls)
    }
}

/// An evaluator with variables.
pub struct Bound<'e> {
    evaluator: &'e mut Evaluator,
    variables: &'e Variables<'e>,
    uses: &'e Uses,
    /// Whether the module has been told them; not so before the first time, and after its instance was lost.
    told: bool,
}

/// Conditions of a policy: some of its expressions, by number.
type Chosen<'c> = (&'c Conditions, Range<usize>);

impl Bound<'_> {
    /// Evaluates the conditions of policies, of each for itself.
    pub fn evaluate_all(&mut self, policies: &[&Conditions]) -> Vec<Outcome> {
        if policies.len() > 1 {
            let sets: Vec<Chosen<'_>> = policies.iter().map(|conditions| (*conditions, 0..conditions.expressions.len())).collect();
            if let Ok(outcomes) = self.call(&sets) {
                return policies.iter().zip(outcomes).map(|(conditions, outcome)| conditions.with_unread(outcome)).collect();
            }
        }
        // Alone, or one by one to tell which of them broke the sandbox.
        policies.iter().map(|conditions| self.evaluate(conditions)).collect()
    }

    /// Evaluates the conditions of one policy.
    pub fn evaluate(&mut self, conditions: &Conditions) -> Outcome {
        let count = conditions.expressions.len();
        conditions.with_unread(match self.call_one(conditions, 0..count) {
            Ok(outcome) => outcome,
            Err(error) if count == 1 => not_known(conditions.name(0), &error),
            Err(_) => self.evaluate_each(conditions, count),
        })
    }

    /// One by one, after something broke the sandbox: to tell which, and because one that is false decides whatever the others do.
    /// A condition that takes too long ends it, as one that spends the API server's budget does.
    fn evaluate_each(&mut self, conditions: &Conditions, count: usize) -> Outcome {
        let mut first = None;
        for index in 0..count {
            let (error, last) = match self.call_one(conditions, index..index + 1) {
                Ok(Outcome::Match) => continue,
                Ok(outcome @ Outcome::NoMatch { .. }) => return outcome,
                Ok(outcome) => (outcome, false),
                Err(error) => {
                    let last = matches!(error, CallError::Deadline { .. });
                    (not_known(conditions.name(index), &error), last)
                }
            };
            if last {
                return first.unwrap_or(error);
            }
            first = first.or(Some(error));
        }
        first.unwrap_or(Outcome::Match)
    }

    fn call_one(&mut self, conditions: &Conditions, which: Range<usize>) -> Result<Outcome, CallError> {
        self.call(&[(conditions, which)])?.pop().ok_or_else(forgotten)
    }

    /// An outcome for each of the sets.
    fn call(&mut self, sets: &[Chosen<'_>]) -> Result<Vec<Outcome>, CallError> {
        let mut answer = self.ask(sets, false)?;
        if answer == Answer::Forgotten {
            // The instance is new, or has not met these expressions.
            self.told = false;
            answer = self.ask(sets, true)?;
        }
        let Answer::Verdicts(verdicts) = answer else { return Err(forgotten()) };
        if verdicts.len() != sets.len() {
            return Err(forgotten());
        }
        let outcome = |((conditions, which), verdict): (&Chosen<'_>, Verdict)| {
            let name = |index: usize| conditions.name(which.start.saturating_add(index));
            match verdict {
                Verdict::Match => Outcome::Match,
                Verdict::NoMatch(index) => Outcome::NoMatch { index: which.start.saturating_add(index) },
                Verdict::NotKnown(index, message) => Outcome::NotKnown { name: name(index), message, is_late: false },
                Verdict::Error(index, message) => Outcome::Error { name: name(index), message },
            }
        };
        Ok(sets.iter().zip(verdicts).map(outcome).collect())
    }

    /// Asks for the verdicts of sets, of which the module has only to be told the numbers after it was told the texts once.
    fn ask(&mut self, sets: &[Chosen<'_>], with_texts: bool) -> Result<Answer, CallError> {
        let payload = &mut self.evaluator.payload;
        let Variables { object, old_object, request, namespace_object } = *self.variables;
        let Uses { object: whole, object_paths: paths, .. } = self.uses;
        wire::begin(
            payload,
            self.evaluator.number,
            (!self.told).then(|| {
                [
                    Some(object).filter(|_| *whole || !paths.is_empty()),
                    Some(old_object).filter(|_| self.uses.old_object),
                    Some(request).filter(|_| self.uses.request),
                    namespace_object.filter(|_| self.uses.namespace_object),
                ]
            }),
        );
        // Only what is asked for: to read an expression may be what breaks the sandbox.
        let told = if with_texts { sets } else { &[] };
        wire::int(payload, told.iter().map(|(_, which)| which.len()).sum());
        for (conditions, which) in told {
            for (number, expression) in (conditions.number..).zip(&conditions.expressions).skip(which.start).take(which.len()) {
                wire::long(payload, number);
                wire::text(payload, expression.as_bytes());
            }
        }
        wire::int(payload, sets.len());
        for (conditions, which) in sets {
            wire::long(payload, conditions.number + which.start as u64);
            wire::int(payload, which.len());
        }
        let answer = self.evaluator.inner.call("evaluate", payload, &mut NoHostCalls);
        let answer = answer.and_then(|answer| wire::read(answer).ok_or_else(|| CallError::Guest { text: "an unknown answer".to_owned() }));
        // Any error but the guest's own has cost the instance; telling everything again is always right.
        self.told = answer.is_ok();
        answer
    }
}

fn not_known(name: String, error: &CallError) -> Outcome {
    Outcome::NotKnown { name, message: words(error), is_late: matches!(error, CallError::Deadline { .. }) }
}

fn forgotten() -> CallError {
    CallError::Guest { text: "the variables were forgotten".to_owned() }
}

/// Whether an expression itself brought this about.
pub(crate) fn is_limit(error: &CallError) -> bool {
    matches!(error, CallError::Deadline { .. } | CallError::Memory { .. } | CallError::Stack { .. } | CallError::Trap { .. })
}

/// What broke the sandbox, as an error of an expression.
pub(crate) fn words(error: &CallError) -> String {
    match error {
        CallError::Deadline { limit, .. } => format!("takes longer than {} ms", limit.as_millis()),
        CallError::Memory { limit } => format!("takes more memory than {} MiB", limit >> 20),
        CallError::Stack { .. } => "nested too deeply".to_owned(),
        CallError::Guest { text } => text.clone(),
        // Its log says where in the interpreter, which helps nobody who wrote an expression.
        CallError::Trap { .. } => "cannot be evaluated: the interpreter gave up".to_owned(),
        other => other.to_string(),
    }
}
