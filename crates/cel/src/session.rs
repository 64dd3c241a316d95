//! What a module remembers between calls, so that an expression is read once and an object is told once. Neither changes a result:
//! a new instance answers alike, after the host has told it everything again.

use std::sync::Arc;

use cel::{Context, Env};
use serde::{Deserialize, Serialize};

use crate::check::Uses;
use crate::library;
use crate::program::Problem;
use crate::programs::Programs;
use crate::variables::Variables;
use crate::wire::{FORGOTTEN, Request};

/// The state of a module.
pub struct Session {
    env: Arc<Env>,
    programs: Programs,
    /// The request that told variables last.
    told: Vec<u8>,
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

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// With nothing remembered.
    pub fn new() -> Self {
        Self { env: Arc::new(library::environment()), programs: Programs::default(), told: Vec::new() }
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
            .map(|expression| match self.programs.compile(expression) {
                Ok(program) => Compiled::Uses(program.uses.clone()),
                Err(problems) => Compiled::Problems(problems),
            })
            .collect();
        serde_json::to_vec(&compiled).map_err(|error| error.to_string())
    }

    /// The operation `evaluate`: variables and the conditions of policies to a verdict for each, as the API server gives it. `wire.rs`
    /// has the form of both.
    ///
    /// # Errors
    /// A payload that is not what the host sends; an object that cannot be read.
    pub fn evaluate(&mut self, payload: &[u8]) -> Result<Vec<u8>, String> {
        let request = Request::read(payload).ok_or("the variables cannot be read: cut off")?;
        self.programs.learn(&request.told);
        let told = if request.variables.is_some() {
            self.told.clear();
            self.told.extend_from_slice(payload);
            request.variables
        } else {
            Request::read(&self.told).filter(|before| before.number == request.number).and_then(|before| before.variables)
        };
        let Some(told) = told else { return Ok(vec![FORGOTTEN]) };
        let variables = Variables::read(told)?;
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.set_variable_resolver(&variables);
        let mut answer = Vec::with_capacity(8 * request.asked.len());
        self.programs.next_call();
        for asked in &request.asked {
            match self.programs.verdict(*asked, &context) {
                Some(verdict) => verdict.write(&mut answer),
                None => return Ok(vec![FORGOTTEN]),
            }
        }
        Ok(answer)
    }
}
