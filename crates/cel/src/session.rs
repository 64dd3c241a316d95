//! What a module remembers between calls, so that an expression is read once and an object is read once. Neither changes a result:
//! a new instance answers alike, after the host has told it the variables again.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use cel::common::types::CelBool;
use cel::{Context, Env, Value};
use serde::{Deserialize, Serialize};

use crate::check::Uses;
use crate::errors;
use crate::library;
use crate::program::{Problem, Program};
use crate::values::Json;

/// Programs that are remembered: more than any cluster's policies have, and forgotten all at once.
const PROGRAMS: usize = 4096;

/// The state of a module.
pub struct Session {
    env: Arc<Env>,
    programs: HashMap<String, Rc<Program>>,
    /// The variables that were told last, under the host's number for them.
    variables: Option<(u64, Context<'static, 'static>)>,
}

/// The payload of `compile`.
#[derive(Deserialize)]
struct Compile {
    expressions: Vec<String>,
}

/// What came of one expression.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Compiled {
    Uses(Uses),
    Problems(Vec<Problem>),
}

/// The payload of `evaluate`. A variable that is not there is not known, or was told before under the same number.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evaluate<'a> {
    number: u64,
    /// Whether the number is new, and what was told before is to be forgotten.
    fresh: bool,
    #[serde(default, deserialize_with = "known")]
    object: Option<Json>,
    #[serde(default, deserialize_with = "known")]
    old_object: Option<Json>,
    #[serde(default, deserialize_with = "known")]
    request: Option<Json>,
    #[serde(default, deserialize_with = "known")]
    namespace_object: Option<Json>,
    /// The conditions of any number of policies.
    #[serde(borrow)]
    sets: Vec<Vec<std::borrow::Cow<'a, str>>>,
}

/// A variable that is there, be it `null`: Serde alone would take that for one that is not.
fn known<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// What came of the conditions: the index of the first that is false, else the first error, else a match.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Match,
    NoMatch(usize),
    Error(usize, String),
    /// The variables of that number are not here (any more).
    Forgotten,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// With nothing remembered.
    pub fn new() -> Self {
        Self { env: Arc::new(library::environment()), programs: HashMap::new(), variables: None }
    }

    /// The operation `compile`: `{"expressions": […]}` to a list with `{"uses": …}` or `{"problems": […]}` for each.
    ///
    /// # Errors
    /// A payload that is not what the host sends.
    pub fn compile(&mut self, payload: &[u8]) -> Result<Vec<u8>, String> {
        let request: Compile = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        let compiled: Vec<Compiled> = request
            .expressions
            .iter()
            .map(|expression| match self.program(expression) {
                Ok(program) => Compiled::Uses(program.uses.clone()),
                Err(problems) => Compiled::Problems(problems),
            })
            .collect();
        serde_json::to_vec(&compiled).map_err(|error| error.to_string())
    }

    /// The operation `evaluate`: variables and the conditions of policies to a verdict for each, as the API server gives it.
    ///
    /// # Errors
    /// A payload that is not what the host sends; an object that cannot be read.
    pub fn evaluate(&mut self, payload: &[u8]) -> Result<Vec<u8>, String> {
        // The error's text may repeat a value of the object; its place does not.
        let request: Evaluate<'_> = serde_json::from_slice(payload).map_err(|error| {
            let why = if error.is_data() || error.is_syntax() { "not usable JSON, or nested too deeply" } else { "cut off" };
            format!("the variables cannot be read: {why}")
        })?;
        let verdicts = self.judge(request);
        serde_json::to_vec(&verdicts).map_err(|error| error.to_string())
    }

    fn judge(&mut self, request: Evaluate<'_>) -> Vec<Verdict> {
        if request.fresh {
            self.variables = Some((request.number, Context::with_env(Arc::clone(&self.env))));
        }
        match &mut self.variables {
            Some((number, context)) if *number == request.number => {
                let told = [
                    ("object", request.object),
                    ("oldObject", request.old_object),
                    ("request", request.request),
                    ("namespaceObject", request.namespace_object),
                ];
                for (name, value) in told {
                    if let Some(Json(value)) = value {
                        context.add_variable_as_val(name, value);
                    }
                }
            }
            _ => return vec![Verdict::Forgotten],
        }
        request.sets.iter().map(|set| self.verdict(set)).collect()
    }

    fn verdict(&mut self, conditions: &[std::borrow::Cow<'_, str>]) -> Verdict {
        let mut error = None;
        for (index, expression) in conditions.iter().enumerate() {
            match self.condition(expression) {
                Ok(true) => {}
                Ok(false) => return Verdict::NoMatch(index),
                Err(text) => error = error.or(Some((index, text))),
            }
        }
        error.map_or(Verdict::Match, |(index, text)| Verdict::Error(index, text))
    }

    fn condition(&mut self, expression: &str) -> Result<bool, String> {
        let program = self.program(expression).map_err(|problems| {
            let texts: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
            texts.join("; ")
        })?;
        let Some((_, context)) = &self.variables else { return Err("no variables".to_owned()) };
        let value = Value::resolve_val(&program.expr, context).map_err(|error| errors::words(&error, expression))?;
        match value.downcast_ref::<CelBool>() {
            Some(value) => Ok(*value.inner()),
            None => Err(format!("a condition must be a `bool`, not `{}`", value.get_type().name())),
        }
    }

    fn program(&mut self, expression: &str) -> Result<Rc<Program>, Vec<Problem>> {
        if let Some(program) = self.programs.get(expression) {
            return Ok(Rc::clone(program));
        }
        let program = Rc::new(Program::compile(expression)?);
        if self.programs.len() >= PROGRAMS {
            self.programs.clear();
        }
        self.programs.insert(expression.to_owned(), Rc::clone(&program));
        Ok(program)
    }
}
