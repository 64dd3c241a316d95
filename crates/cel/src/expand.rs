//! Macros beyond the standard ones, which the parser leaves as calls: optional types, sorting, comprehensions with two variables.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr, operators};

use crate::library::{differing, internal};
use crate::program::{MAX_DEPTH, Trouble};

/// The accumulator of a comprehension. No name in an expression begins with `@`.
const RESULT: &str = "@result";
/// What a comprehension with two variables goes over, evaluated once.
const RANGE: &str = "@range";
/// The target of a macro for optional values, evaluated once.
const TARGET: &str = "@target";
const UNUSED: &str = "@unused";

/// Expands the macros in `expr`, the inner ones first.
///
/// # Errors
/// A macro with arguments that it cannot take.
pub(crate) fn expand(expr: &mut IdedExpr, depth: usize) -> Result<(), Trouble> {
    if depth > 4 * MAX_DEPTH {
        return Err(Trouble::Deep);
    }
    for child in children(&mut expr.expr) {
        expand(child, depth + 1)?;
    }
    if let Expr::Call(call) = &mut expr.expr
        && let Some(target) = &mut call.target
        && let Some(expansion) = apply(&call.func_name, target, &mut call.args)?
    {
        *expr = expansion;
    }
    differing::stand_in(expr);
    Ok(())
}

/// `target.format(arguments)` with arguments that the interpreter writes as a cluster does.
pub(crate) fn format(expr: &mut IdedExpr) {
    let Expr::Call(call) = &mut expr.expr else { return };
    let (Some(target), Some(arguments)) = (call.target.take(), call.args.pop()) else { return };
    let arguments = self::call(internal::FORMAT_ARGUMENTS, vec![ident(TARGET), arguments]);
    *expr = bind(TARGET, *target, member(ident(TARGET), "format", vec![arguments]));
}

/// Has a test for a field be false where the operand is nothing that could have fields (cel-go's `refQualify`; Kubernetes
/// does not turn `EnableErrorOnBadPresenceTest` on). Of an object, and of what else there is, the interpreter knows.
pub(crate) fn presence(expr: &mut IdedExpr) {
    let Expr::Select(select) = &mut expr.expr else { return };
    if !select.test {
        return;
    }
    let operand = std::mem::replace(&mut *select.operand, ident(TARGET));
    let test = std::mem::replace(expr, boolean(false));
    *expr = bind(TARGET, operand, call(operators::CONDITIONAL, vec![call(internal::IS_PLAIN, vec![ident(TARGET)]), boolean(false), test]));
}

/// The direct parts of an expression.
pub(crate) fn children(expr: &mut Expr) -> Vec<&mut IdedExpr> {
    match expr {
        Expr::Call(call) => call.target.iter_mut().map(|target| &mut **target).chain(&mut call.args).collect(),
        Expr::Comprehension(fold) => {
            let ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, .. } = &mut **fold;
            vec![iter_range, accu_init, loop_cond, loop_step, result]
        }
        Expr::List(list) => list.elements.iter_mut().collect(),
        Expr::Map(MapExpr { entries }) => entries.iter_mut().flat_map(|entry| entry_parts(&mut entry.expr)).collect(),
        Expr::Struct(literal) => literal.entries.iter_mut().flat_map(|entry| entry_parts(&mut entry.expr)).collect(),
        Expr::Select(select) => vec![&mut select.operand],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entry_parts(entry: &mut EntryExpr) -> Vec<&mut IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&mut field.value],
        EntryExpr::MapEntry(entry) => vec![&mut entry.key, &mut entry.value],
    }
}

/// The expansion of a call on a target; `None` if it is no macro.
fn apply(function: &str, target: &mut IdedExpr, args: &mut Vec<IdedExpr>) -> Result<Option<IdedExpr>, Trouble> {
    match expansion(function, std::mem::take(target), std::mem::take(args))? {
        Expansion::Done(expr) => Ok(Some(expr)),
        Expansion::NoMacro(same, arguments) => {
            *target = same;
            *args = arguments;
            Ok(None)
        }
    }
}

enum Expansion {
    Done(IdedExpr),
    NoMacro(IdedExpr, Vec<IdedExpr>),
}

fn expansion(function: &str, target: IdedExpr, mut args: Vec<IdedExpr>) -> Result<Expansion, Trouble> {
    let count = args.len();
    let done = match (function, count) {
        ("optMap" | "optFlatMap", 2) => {
            let (Some(mapping), Some(variable)) = (args.pop(), args.pop()) else { return Ok(Expansion::NoMacro(target, args)) };
            let variable = name(variable, function)?;
            let mapped = bind(&variable, member(ident(TARGET), "value", vec![]), mapping);
            let some = if function == "optMap" { member(ident("optional"), "of", vec![mapped]) } else { mapped };
            let none = member(ident("optional"), "none", vec![]);
            let test = member(ident(TARGET), "hasValue", vec![]);
            bind(TARGET, target, call(operators::CONDITIONAL, vec![test, some, none]))
        }
        ("sortBy", 2) => {
            let (Some(key), Some(variable)) = (args.pop(), args.pop()) else { return Ok(Expansion::NoMacro(target, args)) };
            let variable = name(variable, function)?;
            let keys = Fold { variable, over: ident(RANGE), init: list(vec![]), until: truth(), step: append(key), result: ident(RESULT) };
            bind(RANGE, target, member(ident(RANGE), internal::SORT_BY_KEYS, vec![keys.into()]))
        }
        ("all" | "exists" | "exists_one" | "existsOne", 3) | ("transformList" | "transformMap" | "transformMapEntry", 3 | 4) => {
            two_variables(function, target, args)?
        }
        _ => return Ok(Expansion::NoMacro(target, args)),
    };
    Ok(Expansion::Done(done))
}

/// `target.f(k, v, …)`: a comprehension over the keys or indices of the target, with `v` bound to the element.
fn two_variables(function: &str, target: IdedExpr, args: Vec<IdedExpr>) -> Result<IdedExpr, Trouble> {
    let mut args = args.into_iter();
    let mut next = || args.next().unwrap_or_default();
    let key = name(next(), function)?;
    let element = name(next(), function)?;
    if key == element {
        return Err(Trouble::Wrong(format!("the two variables of `{function}` are the same"), Some(key)));
    }
    let (third, fourth) = (next(), args.next());
    let (guard, body) = match fourth {
        Some(body) => (Some(third), body),
        None => (None, third),
    };
    let bound = |body| bind(&element, call(operators::INDEX, vec![ident(RANGE), ident(&key)]), body);
    let not_strictly_false = |expr| call(operators::NOT_STRICTLY_FALSE, vec![expr]);
    let fold = |init, until, step, result| {
        Fold { variable: key.clone(), over: call(internal::KEYS, vec![ident(RANGE)]), init, until, step, result }.into()
    };
    let guarded = |step: IdedExpr, guard: Option<IdedExpr>| match guard {
        Some(guard) => call(operators::CONDITIONAL, vec![bound(guard), step, ident(RESULT)]),
        None => step,
    };
    let folded: IdedExpr = match function {
        "all" => {
            let step = call(operators::LOGICAL_AND, vec![ident(RESULT), bound(body)]);
            fold(boolean(true), not_strictly_false(ident(RESULT)), step, ident(RESULT))
        }
        "exists" => {
            let step = call(operators::LOGICAL_OR, vec![ident(RESULT), bound(body)]);
            fold(boolean(false), not_strictly_false(call(operators::LOGICAL_NOT, vec![ident(RESULT)])), step, ident(RESULT))
        }
        "transformList" => fold(list(vec![]), truth(), guarded(append(bound(body)), guard), ident(RESULT)),
        "transformMap" => {
            let step = call(internal::INSERT, vec![ident(RESULT), ident(&key), bound(body)]);
            fold(expr(Expr::Map(MapExpr::default())), truth(), guarded(step, guard), ident(RESULT))
        }
        "transformMapEntry" => {
            let step = call(internal::INSERT_ALL, vec![ident(RESULT), bound(body)]);
            fold(expr(Expr::Map(MapExpr::default())), truth(), guarded(step, guard), ident(RESULT))
        }
        _ => {
            let more = call(operators::ADD, vec![ident(RESULT), integer(1)]);
            let step = call(operators::CONDITIONAL, vec![bound(body), more, ident(RESULT)]);
            fold(integer(0), truth(), step, call(operators::EQUALS, vec![ident(RESULT), integer(1)]))
        }
    };
    Ok(bind(RANGE, target, folded))
}

/// A comprehension whose accumulator is [`RESULT`].
struct Fold {
    variable: String,
    over: IdedExpr,
    init: IdedExpr,
    until: IdedExpr,
    step: IdedExpr,
    result: IdedExpr,
}

impl From<Fold> for IdedExpr {
    fn from(fold: Fold) -> Self {
        expr(Expr::Comprehension(Box::new(ComprehensionExpr {
            iter_range: fold.over,
            iter_var: fold.variable,
            iter_var2: None,
            accu_var: RESULT.to_owned(),
            accu_init: fold.init,
            loop_cond: fold.until,
            loop_step: fold.step,
            result: fold.result,
        })))
    }
}

/// `body` with `variable` bound: a comprehension over nothing, which is how cel-go writes it too.
fn bind(variable: &str, value: IdedExpr, body: IdedExpr) -> IdedExpr {
    expr(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: list(vec![]),
        iter_var: UNUSED.to_owned(),
        iter_var2: None,
        accu_var: variable.to_owned(),
        accu_init: value,
        loop_cond: boolean(false),
        loop_step: ident(variable),
        result: body,
    })))
}

fn name(argument: IdedExpr, function: &str) -> Result<String, Trouble> {
    match argument.expr {
        Expr::Ident(name) => Ok(name),
        _ => Err(Trouble::Wrong(format!("a variable of `{function}` must be a simple name"), Some(function.to_owned()))),
    }
}

/// `@result + [element]`, which the interpreter knows as appending in place.
fn append(element: IdedExpr) -> IdedExpr {
    call(operators::ADD, vec![ident(RESULT), list(vec![element])])
}

fn expr(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

fn ident(name: &str) -> IdedExpr {
    expr(Expr::Ident(name.to_owned()))
}

fn list(elements: Vec<IdedExpr>) -> IdedExpr {
    expr(Expr::List(ListExpr::new(elements)))
}

fn boolean(value: bool) -> IdedExpr {
    expr(Expr::Literal(LiteralValue::Boolean(value.into())))
}

fn truth() -> IdedExpr {
    boolean(true)
}

fn integer(value: i64) -> IdedExpr {
    expr(Expr::Literal(LiteralValue::Int(value.into())))
}

fn call(function: &str, args: Vec<IdedExpr>) -> IdedExpr {
    expr(Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args }))
}

fn member(target: IdedExpr, function: &str, args: Vec<IdedExpr>) -> IdedExpr {
    expr(Expr::Call(CallExpr { func_name: function.to_owned(), target: Some(Box::new(target)), args }))
}
