//! An expression's way from text to what can be evaluated.

use cel::common::ast::IdedExpr;
use cel::parser::PrattParser;
use serde::Serialize;

use crate::check::{self, Uses};
use crate::{expand, paths};

/// How deep an expression may be nested: cel-go's limit.
pub(crate) const MAX_DEPTH: usize = 250;

/// Characters of an expression: cel-go's limit.
const MAX_CHARACTERS: usize = 100_000;

/// Nodes of an expression, after macros. Two-variable macros repeat nothing, so this grows with the text.
const MAX_NODES: usize = 200_000;

/// What is wrong with an expression.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) message: String,
    /// Bytes before the place, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<usize>,
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
        let at = |(message, name): (String, Option<String>)| {
            let offset = name.and_then(|name| word(source, &name));
            vec![Problem { message, offset }]
        };
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
        return Err(vec![Problem { message: format!("longer than {MAX_CHARACTERS} characters"), offset: None }]);
    }
    let parser = PrattParser::new()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .max_recursion_depth(MAX_DEPTH as u16)
        .max_expression_node_count(MAX_NODES)
        .error_reporting_limit(10);
    parser.parse(source).map_err(|errors| {
        let mut problems: Vec<Problem> = errors
            .errors
            .iter()
            .map(|error| {
                let message = error.msg.lines().next().unwrap_or_default();
                let message = message.strip_prefix("Syntax error: ").unwrap_or(message).replace('\'', "`");
                Problem { message, offset: offset(source, error.pos) }
            })
            .collect();
        if problems.is_empty() {
            problems.push(Problem { message: "not an expression".to_owned(), offset: None });
        }
        problems
    })
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
