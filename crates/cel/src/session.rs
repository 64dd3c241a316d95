//! What a module remembers between calls, so that an expression is read once and an object is read once. Neither changes a result:
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
    /// The variables that were told last, under the host's number for them.
    variables: Option<(u64, Variables)>,
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
        Self { env: Arc::new(library::environment()), programs: Programs::default(), variables: None }
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
        if !request.asked.iter().all(|asked| self.programs.know(*asked)) {
            return Ok(vec![FORGOTTEN]);
        }
        if let Some(told) = request.variables {
            self.variables = Some((request.number, Variables::read(told)?));
        }
        let Some((_, variables)) = self.variables.as_ref().filter(|(number, _)| *number == request.number) else {
            return Ok(vec![FORGOTTEN]);
        };
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.set_variable_resolver(variables);
        let mut answer = Vec::with_capacity(8 * request.asked.len());
        self.programs.next_call();
        for asked in &request.asked {
            self.programs.verdict(*asked, &context).write(&mut answer);
        }
        Ok(answer)
    }
}
