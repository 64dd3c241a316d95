//! Paths of fields as one name: what most conditions ask for, and what the interpreter takes longest for.
//!
//! For `object.metadata.name` the interpreter looks for variables called `object.metadata.name`, `object.metadata` and `object`, and
//! then for field after field. So a path of a variable becomes a single identifier, which no expression can spell, and whoever answers
//! for variables walks the path. Where it leads nowhere, the expression fails in the same place as before, and [`error`] says why: as
//! the interpreter says it of the path as it was written.

use cel::common::ast::{Expr, IdedExpr, SelectExpr};
use cel::{Context, ExecutionError, Value};

use crate::expand;

/// Before each name of a path. Nobody can write it in an identifier, and between backticks neither.
const BEFORE: char = '@';

/// The variables, in the order of the host.
pub(crate) const VARIABLES: [&str; 4] = ["object", "oldObject", "request", "namespaceObject"];

/// Writes paths of variables as identifiers. Everything else, and what a variable of a comprehension hides, stays as it is. `expr`
/// has been checked, and so is not nested too deeply.
pub(crate) fn fold(expr: &mut IdedExpr) {
    fold_within(expr, &mut Vec::new());
}

fn fold_within(expr: &mut IdedExpr, hidden: &mut Vec<String>) {
    if let Some(path) = folded(&expr.expr, hidden) {
        expr.expr = Expr::Ident(path);
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
}

/// The identifier for a path with a field, if an expression is one.
fn folded(expr: &Expr, hidden: &[String]) -> Option<String> {
    let mut fields = Vec::new();
    let mut expr = expr;
    while let Expr::Select(select) = expr {
        if select.test || select.field.contains(BEFORE) {
            return None;
        }
        fields.push(select.field.as_str());
        expr = &select.operand.expr;
    }
    let Expr::Ident(name) = expr else { return None };
    if fields.is_empty() || !VARIABLES.contains(&name.as_str()) || hidden.contains(name) {
        return None;
    }
    Some(std::iter::once(name.as_str()).chain(fields.into_iter().rev()).flat_map(|name| ["@", name]).collect())
}

/// The names of a path, if an identifier stands for one.
pub(crate) fn names(identifier: &str) -> Option<std::str::Split<'_, char>> {
    identifier.strip_prefix(BEFORE).map(|path| path.split(BEFORE))
}

/// An error in terms of the expression that was written: of a path that leads nowhere, what is wrong with it.
pub(crate) fn error(error: ExecutionError, context: &Context<'_, '_>) -> ExecutionError {
    let ExecutionError::UndeclaredReference(identifier) = &error else { return error };
    match names(identifier).and_then(written).map(|path| Value::resolve_val(&path, context).err()) {
        Some(Some(error)) => error,
        _ => error,
    }
}

/// A path as it was written.
fn written(mut names: std::str::Split<'_, char>) -> Option<IdedExpr> {
    let expr = |expr| IdedExpr { id: 0, expr };
    let variable = names.next().filter(|name| VARIABLES.contains(name))?;
    Some(names.fold(expr(Expr::Ident(variable.to_owned())), |operand, field| {
        expr(Expr::Select(SelectExpr { operand: Box::new(operand), field: field.to_owned(), test: false }))
    }))
}
