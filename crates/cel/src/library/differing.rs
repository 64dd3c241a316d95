//! Functions that the `cel` crate has in another way than a cluster (cel-go 0.26). An overload cannot be declared twice, so calls of them are
//! written as calls of these, or get arguments with which both do the same: [`stand_in`].

use cel::common::ast::{CallExpr, Expr, IdedExpr};
use cel::common::types::{CelDouble, CelInt, CelList, CelString, DYN_TYPE, INT_TYPE, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::{Library, internal};
use crate::errors::failed;
use crate::{expand, unknown};

pub(super) const LIBRARY: Library = Library { global: &[], member: &[], register };

/// Elements of a list that `lists.range` makes. A cluster counts what they cost.
const RANGE: i64 = 1_000_000;

type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(internal::RANGE, "range", vec![INT_TYPE], range)?;
    env.add_overload(internal::NUMBER_TEXT, "number_text", vec![DYN_TYPE], number_text)?;
    env.add_overload(internal::TRUTH_TEXT, "truth_text", vec![DYN_TYPE], truth_text)?;
    env.add_overload(internal::NO_TEXT, "no_text", vec![DYN_TYPE], no_text)?;
    env.add_member_overload(internal::INDEX_OF, "string_index_of", STRING_TYPE, vec![STRING_TYPE, INT_TYPE], index_of)?;
    env.add_member_overload(internal::LAST_INDEX_OF, "string_last_index_of", STRING_TYPE, vec![STRING_TYPE, INT_TYPE], last_index_of)
}

/// Rewrites a call of such a function, with its macros expanded.
pub(crate) fn stand_in(expr: &mut IdedExpr) {
    let Expr::Call(call) = &mut expr.expr else { return };
    let is_range = |target: &IdedExpr| matches!(&target.expr, Expr::Ident(name) if name == "lists");
    match (call.func_name.as_str(), &mut call.target, call.args.as_mut_slice()) {
        ("string", None, [value]) => wrap(internal::NUMBER_TEXT, value),
        ("bool", None, [value]) => wrap(internal::TRUTH_TEXT, value),
        ("range", Some(target), [_]) if is_range(target) => {
            call.target = None;
            internal::RANGE.clone_into(&mut call.func_name);
        }
        ("indexOf", Some(_), [_, _]) => internal::INDEX_OF.clone_into(&mut call.func_name),
        ("lastIndexOf", Some(_), [_, _]) => internal::LAST_INDEX_OF.clone_into(&mut call.func_name),
        ("reverse", Some(target), []) => wrap(internal::NO_TEXT, target),
        ("format", Some(_), [_]) => expand::format(expr),
        _ => {}
    }
}

fn wrap(function: &str, value: &mut IdedExpr) {
    let inner = std::mem::take(value);
    value.expr = Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args: vec![inner] });
}

fn int(args: &[CowVal<'_, '_>], index: usize) -> i64 {
    args.get(index).and_then(|value| value.downcast_ref::<CelInt>()).map_or(0, |value| *value.inner())
}

fn text<'a, 'v>(args: &'a [CowVal<'_, 'v>], index: usize) -> &'a str {
    args.get(index).and_then(|value| value.downcast_ref::<CelString<'v>>()).map_or("", |text| text.inner())
}

/// What is below zero is an empty list.
fn range<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    // As the 64 bits that it has: the module's own numbers have 32.
    let end = int(&args, 0);
    if end > RANGE {
        return Err(unknown::value("lists.range", "lists of more than 1000000 elements are not made here"));
    }
    let items = (0..end).map(|item| Box::new(CelInt::from(item)) as Box<dyn Val + 'v>);
    Ok(CowVal::owned(CelList::from(items.collect::<Vec<_>>())))
}

/// A number with a fraction as text, everything else as it is.
fn number_text<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let value = args.into_iter().next().ok_or_else(|| failed("string", "an argument is missing"))?;
    let text = value.downcast_ref::<CelDouble>().map(|number| shortest(*number.inner()));
    Ok(text.map_or(value, |text| CowVal::owned(CelString::from(text))))
}

/// Go's `strconv.FormatFloat` with `'g'` and the fewest digits that tell a number from its neighbours.
pub(super) fn shortest(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// The two texts of a truth value that the crate does not know.
fn truth_text<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let known = match text(&args, 0) {
        "T" => Some("true"),
        "F" => Some("false"),
        _ => None,
    };
    match known {
        Some(text) => Ok(CowVal::owned(CelString::from(text))),
        None => args.into_iter().next().ok_or_else(|| failed("bool", "an argument is missing")),
    }
}

/// What is reversed: not a text, which version 2 of the extension for strings does not know.
fn no_text<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    match args.into_iter().next() {
        Some(value) if value.downcast_ref::<CelString<'v>>().is_none() => Ok(value),
        _ => Err(ExecutionError::no_such_member_overload("reverse", vec!["string".to_owned()])),
    }
}

/// Where the characters of `part` stand in those of `whole`, of which there are enough.
fn stands_at(whole: &[char], part: &[char], at: usize) -> bool {
    whole.get(at..).is_some_and(|rest| rest.starts_with(part))
}

fn index_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    search("indexOf", &args, |whole, part, offset| (offset..whole.len()).find(|at| stands_at(whole, part, *at)))
}

fn last_index_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    search("lastIndexOf", &args, |whole, part, offset| (0..=offset).rev().find(|at| stands_at(whole, part, *at)))
}

/// An empty text is found where it is looked for, and beyond the end nothing else is.
fn search<'b, 'v>(function: &str, args: &[CowVal<'b, 'v>], find: impl Fn(&[char], &[char], usize) -> Option<usize>) -> Answer<'b, 'v> {
    let offset = int(args, 2);
    if text(args, 1).is_empty() {
        return Ok(CowVal::owned(CelInt::from(offset)));
    }
    if offset < 0 {
        return Err(failed(function, "the index is out of range"));
    }
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let (whole, part): (Vec<char>, Vec<char>) = (text(args, 0).chars().collect(), text(args, 1).chars().collect());
    let found = if start >= whole.len() { None } else { find(&whole, &part, start) };
    Ok(CowVal::owned(CelInt::from(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))))
}
