//! The interpreter's errors in our words, without any value of the object that was looked at.

use cel::ExecutionError;
use cel::objects::Value;

use crate::library;

/// Why a condition has no value.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// It has none here, although it may have one in a cluster: what is not known, or not computed.
    NotKnown(String),
    /// It has none in a cluster either.
    Error(String),
}

/// An error's text. `expression` is what was evaluated: what stands in it is no secret of the object's and may be repeated.
pub(crate) fn words(error: &ExecutionError, expression: &str) -> String {
    match error {
        ExecutionError::NoSuchKey(key) if !key.is_empty() && expression.contains(key.as_str()) => format!("no such key: `{key}`"),
        ExecutionError::NoSuchKey(_) => "no such key".to_owned(),
        ExecutionError::NoSuchOverload(overload) => {
            let (function, types) = (overload.function(), overload.argument_types());
            no_overload(function, types.iter().map(|name| plain(name)))
        }
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            let operator = match *operator {
                "add" => "+",
                "sub" => "-",
                "mul" => "*",
                "div" => "/",
                "rem" | "mod" => "%",
                other => other,
            };
            no_overload(operator, [kind(left), kind(right)].into_iter())
        }
        ExecutionError::ValuesNotComparable(left, right) => no_overload("comparison", [kind(left), kind(right)].into_iter()),
        ExecutionError::UnsupportedIndex(index, value) => no_overload("_[_]", [kind(value), kind(index)].into_iter()),
        ExecutionError::UndeclaredReference(name) => format!("undeclared reference to `{name}`"),
        ExecutionError::UnexpectedType { got, want } => format!("`{}` where `{}` is needed", plain(got), plain(want)),
        ExecutionError::UnsupportedKeyType(value) => format!("`{}` cannot be a key of a map", kind(value)),
        ExecutionError::DuplicateKey(_) => "a key is repeated in a map".to_owned(),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "index out of bounds".to_owned(),
        ExecutionError::InvalidArgumentCount { expected, actual } => format!("{actual} arguments where {expected} are needed"),
        ExecutionError::FunctionError { function, message } if function.starts_with(OURS) => {
            format!("`{}`: {message}", function.trim_start_matches(OURS))
        }
        ExecutionError::FunctionError { function, message } => format!("`{function}` has no value for {}", argument(function, message)),
        _ => "cannot be evaluated".to_owned(),
    }
}

/// What a function of the interpreter got, by its type: its message may repeat the value, and only what it begins or ends with is
/// always the same.
fn argument(function: &str, message: &str) -> String {
    let known = match function {
        "int" | "uint" if message.starts_with("string") => "this `string`",
        "double" | "bool" => "this `string`",
        "int" => "this `double` or `uint`, which is out of range",
        "uint" => "this `double` or `int`, which is out of range",
        "string" => "these `bytes`, which are no UTF-8",
        "value" => "this `optional_type`, which is empty",
        "charAt" | "substring" => "these indices of a `string`",
        "slice" => "these indices of a `list`",
        "flatten" => "this depth of a `list`",
        "sort" | "sortBy" => "this `list`, whose elements cannot be compared with each other",
        "format" => {
            let given = message.rsplit_once("was given ").map(|(_, kind)| kind).and_then(known_type);
            return given.map_or_else(
                || "this `string` and `list`: a clause is not one, or has no argument".to_owned(),
                |kind| format!("this `list`: a clause does not take a `{}`", plain(kind)),
            );
        }
        _ => "what it got",
    };
    known.to_owned()
}

/// A type's name, if it is one.
fn known_type(name: &str) -> Option<&'static str> {
    library::TYPES.into_iter().find(|known| *known == name)
}

/// Marks the errors of functions of this crate.
const OURS: char = '\u{1}';

/// An error of a function of this crate. `message` must not repeat a value.
pub(crate) fn failed(function: &str, message: &str) -> ExecutionError {
    ExecutionError::function_error(&format!("{OURS}{function}"), message)
}

fn no_overload<'t>(function: &str, types: impl Iterator<Item = &'t str>) -> String {
    let types: Vec<&str> = types.collect();
    format!("no matching overload of `{}` for ({})", operator(function), types.join(", "))
}

/// `_==_` as it is written.
fn operator(name: &str) -> &str {
    match name {
        "@in" => "in",
        "@keys" => "comprehension",
        "_[_]" | "_[?_]" => "[]",
        "_?._" | "_._" => ".",
        name => name.trim_start_matches('@').trim_matches('_'),
    }
}

/// A type's name as people know it.
pub(crate) fn plain(name: &str) -> &str {
    name.strip_prefix("missing trait ").or_else(|| name.strip_prefix("google.protobuf.")).unwrap_or(name)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Int(_) => "int",
        Value::UInt(_) => "uint",
        Value::Float(_) => "double",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Bool(_) => "bool",
        Value::Null => "null",
        _ => "object",
    }
}
