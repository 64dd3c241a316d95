//! Paths of fields as one name: what most conditions ask for, and what the interpreter takes longest for.
//!
//! For `object.metadata.name` the interpreter looks for variables called `object.metadata.name`, `object.metadata` and `object`, and
//! then for field after field. So a path of a variable, or a test whether it is there, becomes a single identifier, which no expression
//! can spell, and whoever answers for variables walks the path. Where it leads nowhere, the expression fails in the same place as
//! before, and [`error`] says why: as the interpreter says it of the path as it was written.

use cel::common::ast::{Expr, IdedExpr, SelectExpr};
use cel::{Context, ExecutionError, Value};

use crate::expand;

/// The variables, in the order of the host.
pub(crate) const NAMES: [&str; 4] = ["object", "oldObject", "request", "namespaceObject"];

/// Before each name of a path. Nobody can write it in an identifier, and between backticks neither.
const BEFORE: char = '@';
/// Before all of a test, and likewise.
const TEST: char = '?';

/// The names of a path: of a variable, and then of fields.
type Names<'a> = std::str::Split<'a, char>;

/// What an identifier stands for that no expression can spell.
pub(crate) enum Path<'a> {
    /// What a path leads to: `object.metadata.labels`.
    To(Names<'a>),
    /// Whether a path leads anywhere, where all but its last name do: `has(object.metadata.labels)`.
    Test(Names<'a>),
}

impl<'a> Path<'a> {
    /// Reads an identifier.
    pub(crate) fn read(identifier: &'a str) -> Option<Self> {
        let names = |path: &'a str| path.strip_prefix(BEFORE).map(|path| path.split(BEFORE));
        match identifier.strip_prefix(TEST) {
            Some(path) => names(path).map(Self::Test),
            None => names(identifier).map(Self::To),
        }
    }

    /// The identifier for an expression that is a path with a field, or a test for one.
    fn identifier(expr: &Expr, hidden: &[String]) -> Option<String> {
        let test = matches!(expr, Expr::Select(select) if select.test);
        let mut fields = Vec::new();
        let mut expr = expr;
        while let Expr::Select(select) = expr {
            if select.test && !fields.is_empty() || select.field.contains(BEFORE) {
                return None;
            }
            fields.push(select.field.as_str());
            expr = &select.operand.expr;
        }
        let Expr::Ident(name) = expr else { return None };
        if fields.is_empty() || !NAMES.contains(&name.as_str()) || hidden.contains(name) {
            return None;
        }
        let mut identifier = if test { String::from(TEST) } else { String::new() };
        for name in std::iter::once(name.as_str()).chain(fields.into_iter().rev()) {
            identifier.push(BEFORE);
            identifier.push_str(name);
        }
        Some(identifier)
    }

    /// The expression that was written.
    fn written(self) -> Option<IdedExpr> {
        let expr = |expr| IdedExpr { id: 0, expr };
        let (mut names, is_test) = match self {
            Self::To(names) => (names, false),
            Self::Test(names) => (names, true),
        };
        let variable = names.next().filter(|name| NAMES.contains(name))?;
        let mut path = expr(Expr::Ident(variable.to_owned()));
        while let Some(field) = names.next() {
            let test = is_test && names.clone().next().is_none();
            path = expr(Expr::Select(SelectExpr { operand: Box::new(path), field: field.to_owned(), test }));
        }
        Some(path)
    }
}

/// Writes paths of variables, and tests for them, as identifiers. Everything else, and what a variable of a comprehension hides, stays as
/// it is. `expr` has been checked, and so is not nested too deeply.
pub(crate) fn fold(expr: &mut IdedExpr) {
    fold_within(expr, &mut Vec::new());
}

fn fold_within(expr: &mut IdedExpr, hidden: &mut Vec<String>) {
    if let Some(identifier) = Path::identifier(&expr.expr, hidden) {
        expr.expr = Expr::Ident(identifier);
        return;
    }
    if let Expr::Comprehension(comprehension) = &mut expr.expr {
        fold_within(&mut comprehension.iter_range, hidden);
        fold_within(&mut comprehension.accu_init, hidden);
        let outside = hidden.len();
        hidden.extend([comprehension.iter_var.clone(), comprehension.accu_var.clone()]);
        hidden.extend(comprehension.iter_var2.clone());
        for part in [&mut comprehension.loop_cond, &mut comprehension.loop_step, &mut comprehension.result] {
            fold_within(part, hidden);
        }
        hidden.truncate(outside);
        return;
    }
    for child in expand::children(&mut expr.expr) {
        fold_within(child, hidden);
    }
    // After the parts, which it repeats.
    expand::presence(expr);
}

/// An error in terms of the expression that was written: of a path that leads nowhere, what is wrong with it.
pub(crate) fn error(error: ExecutionError, context: &Context<'_, '_>) -> ExecutionError {
    let ExecutionError::UndeclaredReference(identifier) = &error else { return error };
    match Path::read(identifier).and_then(Path::written).map(|path| Value::resolve_val(&path, context).err()) {
        Some(Some(error)) => error,
        _ => error,
    }
}
