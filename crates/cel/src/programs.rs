//! The expressions that a module remembers.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use cel::common::types::CelBool;
use cel::{Context, Value};

use crate::errors::{self, Failure};
use crate::paths;
use crate::program::{Problem, Program};
use crate::unknown;
use crate::wire::{Asked, Verdict};

/// Programs that are remembered: more than any cluster's policies have, and forgotten all at once.
const PROGRAMS: usize = 4096;

/// Conditions that are remembered. Those of different policies often have the same text, so there are more of these.
const CONDITIONS: usize = 1 << 16;

/// Programs, each once however many policies have its text.
#[derive(Default)]
pub(crate) struct Programs {
    known: Vec<Known>,
    by_text: HashMap<Rc<str>, usize>,
    /// What was told, under the host's numbers: which of the programs a condition is, or why it is none.
    conditions: BTreeMap<u64, Result<usize, String>>,
    /// Counts calls.
    call: u64,
}

/// A program, and what came of it.
struct Known {
    source: Rc<str>,
    program: Program,
    /// In which call, and what.
    outcome: Option<(u64, Result<bool, Failure>)>,
}

impl Programs {
    /// The program of an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn compile(&mut self, expression: &str) -> Result<&Program, Vec<Problem>> {
        if self.known.len() >= PROGRAMS {
            self.forget();
        }
        let place = self.place(expression)?;
        self.known.get(place).map(|known| &known.program).ok_or_else(Vec::new)
    }

    /// Remembers expressions. What one call tells is all remembered, however much it is: else the call could not be answered.
    pub(crate) fn learn(&mut self, told: &[(u64, &str)]) {
        if !told.is_empty() && (self.known.len() >= PROGRAMS || self.conditions.len() >= CONDITIONS) {
            self.forget();
        }
        for (number, expression) in told {
            let condition = self.place(expression).map_err(|problems| texts(&problems));
            self.conditions.insert(*number, condition);
        }
    }

    /// Variables may have changed: outcomes of before do not count.
    pub(crate) fn next_call(&mut self) {
        self.call += 1;
    }

    /// What the API server makes of conditions: false if one is, else what only a cluster knows, else the first error, else a match.
    /// `None` if one that matters was not told, or has been forgotten.
    pub(crate) fn verdict(&mut self, asked: Asked, context: &Context<'_, '_>) -> Option<Verdict> {
        let (mut error, mut unknown) = (None, None);
        let mut told = self.conditions.range(asked.first..);
        for index in 0..asked.count {
            let (_, condition) = told.next().filter(|(number, _)| **number == asked.first.saturating_add(index.into()))?;
            let outcome = match condition {
                Ok(place) => self.known.get_mut(*place)?.outcome(self.call, context),
                Err(text) => Err(Failure::Error(text.clone())),
            };
            match outcome {
                Ok(true) => {}
                Ok(false) => return Some(Verdict::NoMatch(index)),
                // It may be false in a cluster, and false wins over every error.
                Err(Failure::NotKnown(text)) => unknown = unknown.or(Some(Verdict::NotKnown(index, text))),
                Err(Failure::Error(text)) => error = error.or(Some(Verdict::Error(index, text))),
            }
        }
        Some(unknown.or(error).unwrap_or(Verdict::Match))
    }

    fn place(&mut self, expression: &str) -> Result<usize, Vec<Problem>> {
        if let Some(place) = self.by_text.get(expression) {
            return Ok(*place);
        }
        let source: Rc<str> = expression.into();
        let program = Program::compile(expression)?;
        let place = self.known.len();
        self.known.push(Known { source: Rc::clone(&source), program, outcome: None });
        self.by_text.insert(source, place);
        Ok(place)
    }

    fn forget(&mut self) {
        *self = Self { call: self.call, ..Self::default() };
    }
}

impl Known {
    /// The value of a condition, which is evaluated once in a call.
    fn outcome(&mut self, call: u64, context: &Context<'_, '_>) -> Result<bool, Failure> {
        match &self.outcome {
            Some((of, outcome)) if *of == call => outcome.clone(),
            _ => {
                let outcome = self.evaluate(context);
                self.outcome = Some((call, outcome.clone()));
                outcome
            }
        }
    }

    fn evaluate(&self, context: &Context<'_, '_>) -> Result<bool, Failure> {
        unknown::forget();
        let value = Value::resolve_val(&self.program.expr, context).map_err(|error| match unknown::met() {
            // Whatever the error is: with another value of what is not known there might be none.
            Some(text) => Failure::NotKnown(text),
            None => Failure::Error(errors::words(&paths::error(error, context), &self.source)),
        })?;
        match value.downcast_ref::<CelBool>() {
            Some(value) => Ok(*value.inner()),
            None => Err(Failure::Error(format!("a condition must be a `bool`, not `{}`", value.get_type().name()))),
        }
    }
}

fn texts(problems: &[Problem]) -> String {
    let texts: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    texts.join("; ")
}
