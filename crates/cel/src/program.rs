//! An expression's way from text to what can be evaluated.

use cel::common::ast::{Expr, IdedExpr};
use cel::parser::PrattParser;
use serde::Serialize;

use crate::check::{self, Uses};
use crate::{expand, paths};

/// How deep an expression may be nested: cel-go's limit.
pub(crate) const MAX_DEPTH: usize = 250;

/// Characters of an expression: cel-go's limit.
const MAX_CHARACTERS: usize = 100_000;

/// What is wrong with an expression.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) message: String,
    /// Bytes before the place, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<usize>,
    /// Whether it is only here that this is wrong: a bound of ours, and none of cel-go's.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) is_ours: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What is wrong with an expression with its macros expanded.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A message, and the word that it is about.
    Wrong(String, Option<String>),
    /// It is nested deeper than we go, although cel-go may go deeper.
    Deep,
}

impl Trouble {
    fn problem(self, source: &str) -> Problem {
        match self {
            Self::Wrong(message, name) => Problem { message, offset: name.and_then(|name| word(source, &name)), is_ours: false },
            Self::Deep => Problem { message: "nested too deeply to be read here".to_owned(), offset: None, is_ours: true },
        }
    }
}

/// An expression that can be evaluated.
pub(crate) struct Program {
    pub(crate) expr: IdedExpr,
    pub(crate) uses: Uses,
}

impl Program {
    /// Reads a condition: its syntax, its names, its type as far as it is plain.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn compile(source: &str) -> Result<Self, Vec<Problem>> {
        let mut expr = parse(source)?;
        if longest_chain(&mut expr) > MAX_DEPTH {
            dismantle(expr);
            return Err(vec![too_deep()]);
        }
        let at = |trouble: Trouble| vec![trouble.problem(source)];
        expand::expand(&mut expr, 0).map_err(at)?;
        let uses = check::check(&expr).map_err(at)?;
        paths::fold(&mut expr);
        Ok(Self { expr, uses })
    }
}

/// Reads an expression's syntax.
///
/// # Errors
/// What the parser says, each with its place.
pub(crate) fn parse(source: &str) -> Result<IdedExpr, Vec<Problem>> {
    if source.chars().nth(MAX_CHARACTERS).is_some() {
        return Err(vec![Problem { message: format!("longer than {MAX_CHARACTERS} characters"), offset: None, is_ours: false }]);
    }
    let parser = PrattParser::new()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .max_recursion_depth(MAX_DEPTH as u16)
        .error_reporting_limit(10);
    parser.parse(source).map_err(|errors| {
        // What else it says then is of where it stopped.
        if errors.errors.iter().any(|error| error.msg.contains("recursion limit exceeded")) {
            return vec![too_deep()];
        }
        let mut problems: Vec<Problem> = errors
            .errors
            .iter()
            .map(|error| {
                let message = error.msg.lines().next().unwrap_or_default();
                let message = message.strip_prefix("Syntax error: ").unwrap_or(message).replace('\'', "`");
                Problem { message, offset: offset(source, error.pos), is_ours: false }
            })
            .collect();
        if problems.is_empty() {
            problems.push(Problem { message: "not an expression".to_owned(), offset: None, is_ours: false });
        }
        problems
    })
}

fn too_deep() -> Problem {
    Problem { message: "nested too deeply".to_owned(), offset: None, is_ours: false }
}

/// The longest chain of fields, calls, indices and operators in an expression, which the parser reads without going deeper. cel-go counts
/// them as depth. Of `&&` and `||` both make a tree that is as flat as it can be.
fn longest_chain(expr: &mut IdedExpr) -> usize {
    let (mut longest, mut starts) = (0, vec![expr]);
    while let Some(mut next) = starts.pop() {
        let mut links = 0;
        loop {
            let is_link = matches!(next.expr, Expr::Call(_) | Expr::Select(_));
            let mut children = expand::children(&mut next.expr).into_iter();
            let first = children.next();
            starts.extend(children);
            match first {
                Some(first) if is_link => (next, links) = (first, links + 1),
                first => break starts.extend(first),
            }
        }
        longest = longest.max(links);
    }
    longest
}

/// Drops an expression without going as deep as it is.
fn dismantle(expr: IdedExpr) {
    let mut parts = vec![expr];
    while let Some(mut part) = parts.pop() {
        parts.extend(expand::children(&mut part.expr).into_iter().map(std::mem::take));
    }
}

/// A line and column, both from 1, as bytes from the start.
fn offset(source: &str, (line, column): (isize, isize)) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let column = usize::try_from(column).ok()?.saturating_sub(1);
    Some(source.floor_char_boundary(before + column))
}

/// Where a name first stands as a word.
pub(crate) fn word(source: &str, name: &str) -> Option<usize> {
    let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = source.as_bytes();
    source
        .match_indices(name)
        .map(|(at, _)| at)
        .find(|at| !part(at.checked_sub(1).and_then(|before| bytes.get(before))) && !part(bytes.get(at + name.len())))
}
