//! Expressions of policy groups.

use serde::Deserialize;

use crate::conditions::Said;
use crate::{Broken, Evaluator, Problem, evaluator};

/// A step of a machine whose only register is a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Ask(usize),
    Not,
    SkipIfFalse(usize),
    SkipIfTrue(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Steps(Vec<Step>),
    Problems(Vec<Said>),
}

/// The expression of a policy group, checked: members called without arguments, `&&`, `||`, `!` and parentheses. Threads share it.
///
/// The module reads the text, but the steps run here: members are whole policies with limits of their own, and their time must not
/// be taken from the expression's. Steps only ever go forward, so there are no more of them than the text has characters.
#[derive(Debug, Clone)]
pub struct Group {
    steps: Vec<Step>,
    members: Vec<String>,
}

impl Group {
    /// Reads an expression.
    ///
    /// # Errors
    /// The inner error has what is wrong with it, unknown members too; the outer one is the sandbox's.
    pub fn compile(evaluator: &mut Evaluator, expression: &str, members: &[&str]) -> Result<Result<Self, Vec<Problem>>, Broken> {
        let payload = serde_json::to_vec(&serde_json::json!({ "expression": expression, "members": members }))?;
        let answer = match evaluator.call("group", &payload) {
            Err(error) if evaluator::is_limit(&error) => return Ok(Err(vec![Said::limit(&error).about("")])),
            answer => answer?,
        };
        Ok(match serde_json::from_slice(answer)? {
            Answer::Steps(steps) => Ok(Self { steps, members: members.iter().map(|member| (*member).to_owned()).collect() }),
            Answer::Problems(said) => Err(said.into_iter().map(|said| said.about("")).collect()),
        })
    }

    /// Evaluates it from the left, asking only for members whose verdict matters, and for each once.
    ///
    /// # Errors
    /// The first error of `ask`, which the policy server makes an error of the whole group.
    pub fn evaluate<E>(&self, mut ask: impl FnMut(&str) -> Result<bool, E>) -> Result<bool, E> {
        let mut known: Vec<Option<bool>> = vec![None; self.members.len()];
        let mut register = false;
        let mut next = 0;
        while let Some(step) = self.steps.get(next) {
            next += 1;
            match step {
                Step::Not => register = !register,
                Step::SkipIfFalse(end) if !register => next = next.max(*end),
                Step::SkipIfTrue(end) if register => next = next.max(*end),
                Step::SkipIfFalse(_) | Step::SkipIfTrue(_) => {}
                Step::Ask(member) => {
                    let (Some(name), Some(known)) = (self.members.get(*member), known.get_mut(*member)) else { continue };
                    register = match *known {
                        Some(verdict) => verdict,
                        None => *known.insert(ask(name)?),
                    };
                }
            }
        }
        Ok(register)
    }
}
