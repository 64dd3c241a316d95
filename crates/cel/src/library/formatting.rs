//! `format` of strings as a cluster has it (version 2 of cel-go's extension): the `cel` crate follows a later version. What both write
//! alike the crate writes, once the arguments are such that they do.

use cel::common::types::{CelBytes, CelDouble, CelList, CelString, DYN_TYPE, Kind, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::lists::elements;
use super::{Library, differing, internal, time};
use crate::errors::failed;
use crate::unknown;

pub(super) const LIBRARY: Library = Library { global: &[], member: &[], register };

/// Digits after the point that the crate writes.
const PRECISION: usize = 100;

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(internal::FORMAT_ARGUMENTS, "format_arguments", vec![STRING_TYPE, DYN_TYPE], arguments)
}

/// The arguments of a format, so that the crate writes what a cluster writes.
fn arguments<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    if args.get(1).is_none_or(|list| list.downcast_ref::<CelList<'v>>().is_none()) {
        // Nothing that `format` takes.
        return args.into_iter().nth(1).ok_or_else(|| failed("format", "an argument is missing"));
    }
    let mut clauses = clauses(args.first().and_then(|format| format.downcast_ref::<CelString<'v>>()).map_or("", |format| format.inner()));
    let written = elements(&args, 1).iter().map(|value| match clauses.next() {
        Some(clause) => argument(&clause, value.as_ref()).map(|text| match text {
            Some(text) => Box::new(CelString::from(text)) as Box<dyn Val + 'v>,
            None => value.clone_as_boxed(),
        }),
        None => Ok(value.clone_as_boxed()),
    });
    Ok(CowVal::owned(CelList::from(written.collect::<Result<Vec<_>, _>>()?)))
}

/// What stands between `%` and its letter, and the letter.
struct Clause<'f> {
    precision: &'f str,
    letter: char,
}

/// The clauses of a format up to the first that is none: that one is an error anyway.
fn clauses(format: &str) -> impl Iterator<Item = Clause<'_>> {
    let mut rest = format;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('%')?;
            if let Some(after) = after.strip_prefix('%') {
                rest = after;
                continue;
            }
            let length = after.find(|character: char| !character.is_ascii_digit() && character != '.')?;
            let (precision, after) = after.split_at_checked(length)?;
            let letter = after.chars().next()?;
            rest = after.get(letter.len_utf8()..)?;
            return Some(Clause { precision: precision.strip_prefix('.').unwrap_or(precision), letter });
        }
    })
}

/// The text of an argument where a cluster writes it otherwise than the crate; `None` where both do the same.
fn argument(clause: &Clause<'_>, value: &dyn Val) -> Result<Option<String>, ExecutionError> {
    let kind = value.get_type();
    let number = value.downcast_ref::<CelDouble>().map(|number| *number.inner());
    let precision = if clause.precision.is_empty() { 6 } else { clause.precision.parse().unwrap_or(usize::MAX) };
    if precision > PRECISION {
        return Err(unknown::value("format", "more than 100 digits after the point are not written here"));
    }
    match clause.letter {
        's' if matches!(kind.kind(), Kind::List | Kind::Map) => Err(unknown::value("format", "lists and maps are not written here")),
        's' if value.downcast_ref::<CelBytes<'_>>().is_some_and(|bytes| str::from_utf8(bytes.inner()).is_err()) => {
            Err(failed("format", "the `bytes` are no text"))
        }
        's' => Ok(number.map(differing::shortest).or_else(|| time::text(value))),
        'd' if number.is_some() => Err(failed("format", "`%d` does not take a `double`")),
        'f' | 'e' if kind.kind() == Kind::String => Err(unknown::value("format", "numbers in texts are not written here")),
        'f' | 'e' if number.is_none() => {
            Err(failed("format", &format!("`%{}` takes a `double`, not a `{}`", clause.letter, crate::errors::plain(kind.name()))))
        }
        'e' => Err(unknown::value("format", "`%e` is not written here")),
        // With a comma between thousands, and signs for what is no number.
        'f' if number.is_some_and(|number| !number.is_finite() || number.abs() >= 999.0) => {
            Err(unknown::value("format", "numbers of thousands are not written here"))
        }
        _ => Ok(None),
    }
}
