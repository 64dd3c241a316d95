//! Expressions of policy groups.
//!
//! The policy server evaluates them with one engine (rhai), the controller checks them with another (CEL): what both read alike is
//! calls of members without arguments, `&&`, `||`, `!` and parentheses, and nothing else is taken. What comes out is a list of steps
//! for a machine with one register, which the host runs itself: members take the time that policies take, and a host call would
//! spend this module's.

use cel::common::ast::{Expr, IdedExpr, operators};
use serde::{Deserialize, Serialize};

use crate::program::{self, Problem};

/// What is to be compiled.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    expression: std::borrow::Cow<'a, str>,
    members: Vec<String>,
}

/// A step. `Skip*` jumps forward to the step of that index if the register holds the value.
#[derive(Serialize, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// The register becomes the verdict of a member.
    Ask(usize),
    /// The register is inverted.
    Not,
    SkipIfFalse(usize),
    SkipIfTrue(usize),
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Steps(Vec<Step>),
    Problems(Vec<Problem>),
}

/// The operation `group`: `{"expression": …, "members": […]}` to `{"steps": […]}` or `{"problems": […]}`.
///
/// # Errors
/// A payload that is not what the host sends.
pub fn compile(payload: &[u8]) -> Result<Vec<u8>, String> {
    let request: Request<'_> = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    let answer = match steps(&request.expression, &request.members) {
        Ok(steps) => Answer::Steps(steps),
        Err(problems) => Answer::Problems(problems),
    };
    serde_json::to_vec(&answer).map_err(|error| error.to_string())
}

fn steps(source: &str, members: &[String]) -> Result<Vec<Step>, Vec<Problem>> {
    let parsed = program::parse(source)?;
    let mut steps = Vec::new();
    write(&parsed, members, &mut steps, 0).map_err(|message| {
        let offset = message.1.and_then(|name| program::word(source, &name));
        vec![Problem { message: message.0, offset, is_ours: false }]
    })?;
    Ok(steps)
}

fn write(expr: &IdedExpr, members: &[String], steps: &mut Vec<Step>, depth: usize) -> Result<(), (String, Option<String>)> {
    if depth > program::MAX_DEPTH {
        return Err(("nested too deeply".to_owned(), None));
    }
    let Expr::Call(call) = &expr.expr else {
        return Err(unsupported());
    };
    match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, None, [left, right]) => {
            write(left, members, steps, depth + 1)?;
            let skip = steps.len();
            steps.push(Step::Not);
            write(right, members, steps, depth + 1)?;
            let end = steps.len();
            if let Some(step) = steps.get_mut(skip) {
                *step = if call.func_name == operators::LOGICAL_AND { Step::SkipIfFalse(end) } else { Step::SkipIfTrue(end) };
            }
            Ok(())
        }
        (operators::LOGICAL_NOT, None, [inner]) => {
            write(inner, members, steps, depth + 1)?;
            steps.push(Step::Not);
            Ok(())
        }
        (name, None, []) if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') => {
            let member = members.iter().position(|member| member == name);
            steps.push(Step::Ask(member.ok_or_else(|| (format!("no member of the group is called `{name}`"), Some(name.to_owned())))?));
            Ok(())
        }
        _ => Err(unsupported()),
    }
}

fn unsupported() -> (String, Option<String>) {
    ("only calls of members without arguments, `&&`, `||`, `!` and parentheses are allowed".to_owned(), None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_right_side_is_skipped_when_the_left_decides() {
        let members = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let found = steps("a() && (b() || !c())", &members).unwrap();
        use Step::{Ask, Not, SkipIfFalse, SkipIfTrue};
        assert_eq!(found, [Ask(0), SkipIfFalse(6), Ask(1), SkipIfTrue(6), Ask(2), Not]);
    }
}
