//! The conditions of one policy.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use fedward_host::CallError;
use serde::Deserialize;

use crate::{Broken, Evaluator, Outcome, evaluator};

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The condition's name; empty for a group's expression.
    pub name: String,
    /// What is wrong.
    pub message: String,
    /// Bytes of the expression before the place, where it is known.
    pub offset: Option<usize>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() { f.write_str(&self.message) } else { write!(f, "condition `{}`: {}", self.name, self.message) }
    }
}

/// A problem as the module says it.
#[derive(Deserialize)]
pub(crate) struct Said {
    message: String,
    #[serde(default)]
    offset: Option<usize>,
    /// Whether a bound of ours is met, and none that a cluster has.
    #[serde(default)]
    is_ours: bool,
}

impl Said {
    /// An expression that broke the sandbox while it was read.
    pub(crate) fn limit(error: &CallError) -> Self {
        Self { message: evaluator::words(error), offset: None, is_ours: true }
    }

    pub(crate) fn about(self, name: &str) -> Problem {
        Problem { name: name.to_owned(), message: self.message, offset: self.offset }
    }
}

/// The variables that expressions mention.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Uses {
    /// The object as a whole.
    pub object: bool,
    /// What of the object is mentioned otherwise: paths of fields with dots between them.
    pub object_paths: BTreeSet<String>,
    pub(crate) old_object: bool,
    pub(crate) request: bool,
    pub(crate) namespace_object: bool,
}

impl Uses {
    /// What one of both mentions.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.object |= other.object;
        self.object_paths.extend(other.object_paths.iter().cloned());
        self.old_object |= other.old_object;
        self.request |= other.request;
        self.namespace_object |= other.namespace_object;
        self
    }

    /// Whether the AdmissionRequest is mentioned.
    #[must_use]
    pub fn request(&self) -> bool {
        self.request
    }

    /// What of the object is enough: paths of fields, each with all that is below; `None` for everything.
    pub fn paths(&self) -> Option<&BTreeSet<String>> {
        (!self.object).then_some(&self.object_paths)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Compiled {
    Uses(Uses),
    Problems(Vec<Said>),
}

fn read(evaluator: &mut Evaluator, expressions: &[&str]) -> Result<Vec<Compiled>, Broken> {
    let payload = serde_json::to_vec(&serde_json::json!({ "expressions": expressions }))?;
    Ok(serde_json::from_slice(evaluator.call("compile", &payload)?)?)
}

/// Reads one expression; that it broke a limit is told of it alone.
fn read_one(evaluator: &mut Evaluator, expression: &str) -> Result<Compiled, Broken> {
    match read(evaluator, &[expression]) {
        Ok(mut compiled) => Ok(compiled.pop().unwrap_or_else(|| Compiled::Problems(Vec::new()))),
        Err(Broken::Call(error)) if evaluator::is_limit(&error) => Ok(Compiled::Problems(vec![Said::limit(&error)])),
        Err(broken) => Err(broken),
    }
}

/// The next number of an expression. No two have the same, whichever evaluators they are given to.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The `matchConditions` of one policy, checked. Threads share it.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// What instances of the module know the first expression by, once they have been told; the others follow on it.
    pub(crate) number: u64,
    names: Vec<String>,
    pub(crate) expressions: Vec<String>,
    uses: Uses,
    /// The first of those that go over a bound of ours when they are read, and which: it is not among the others.
    unread: Option<(String, String)>,
}

impl Conditions {
    /// Reads conditions, each a name and an expression.
    ///
    /// Like the API server it refuses bad syntax, unknown names and functions, and what is plainly no `bool`; it has no types, so
    /// that an operator which does not fit its operands is an error only when it is evaluated. What only a bound of ours keeps from being
    /// read is no problem either: what comes of it is not known.
    ///
    /// # Errors
    /// The inner error has everything that is wrong with the expressions; the outer one is the sandbox's.
    pub fn compile(evaluator: &mut Evaluator, conditions: &[(&str, &str)]) -> Result<Result<Self, Vec<Problem>>, Broken> {
        let expressions: Vec<&str> = conditions.iter().map(|(_, expression)| *expression).collect();
        let compiled = match read(evaluator, &expressions) {
            // One by one, to tell which it is.
            Err(Broken::Call(error)) if evaluator::is_limit(&error) => {
                expressions.iter().map(|expression| read_one(evaluator, expression)).collect::<Result<Vec<_>, _>>()?
            }
            compiled => compiled?,
        };
        let mut all = Self { number: 0, names: Vec::new(), expressions: Vec::new(), uses: Uses::default(), unread: None };
        let mut problems = Vec::new();
        for ((name, expression), compiled) in conditions.iter().zip(compiled) {
            match compiled {
                Compiled::Uses(more) => {
                    all.uses = all.uses.and(&more);
                    all.names.push((*name).to_owned());
                    all.expressions.push((*expression).to_owned());
                }
                Compiled::Problems(said) => match said.iter().find(|said| said.is_ours) {
                    Some(said) => all.unread = all.unread.or_else(|| Some(((*name).to_owned(), said.message.clone()))),
                    None => problems.extend(said.into_iter().map(|said| said.about(name))),
                },
            }
        }
        if !problems.is_empty() {
            return Ok(Err(problems));
        }
        all.number = NEXT.fetch_add(all.expressions.len() as u64, Ordering::Relaxed);
        Ok(Ok(all))
    }

    /// What comes of all of them if that came of those that could be read: one that could not may be false, which counts before errors.
    pub(crate) fn with_unread(&self, outcome: Outcome) -> Outcome {
        match (&self.unread, outcome) {
            (Some((name, message)), Outcome::Match | Outcome::Error { .. }) => {
                Outcome::NotKnown { name: name.clone(), message: message.clone(), is_late: false }
            }
            (_, outcome) => outcome,
        }
    }

    /// What they look at.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// The name of a condition, of those that could be read, counted from 0.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_default()
    }
}
