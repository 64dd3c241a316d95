//! The interpreter's errors in our words, without any value of the object that was looked at.

use cel::ExecutionError;
use cel::objects::Value;

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
        ExecutionError::UndeclaredReference(name) => unknown(name),
        ExecutionError::UnexpectedType { got, want } => format!("`{}` where `{}` is needed", plain(got), plain(want)),
        ExecutionError::UnsupportedKeyType(value) => format!("`{}` cannot be a key of a map", kind(value)),
        ExecutionError::DuplicateKey(_) => "a key is repeated in a map".to_owned(),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "index out of bounds".to_owned(),
        ExecutionError::InvalidArgumentCount { expected, actual } => format!("{actual} arguments where {expected} are needed"),
        // What the interpreter's own functions say may repeat a value; ours never do.
        ExecutionError::FunctionError { function, message } if function.starts_with(OURS) => {
            format!("`{}`: {message}", function.trim_start_matches(OURS))
        }
        ExecutionError::FunctionError { function, .. } => format!("`{function}` cannot work on this value"),
        _ => "cannot be evaluated".to_owned(),
    }
}

/// Marks the errors of functions of this crate.
const OURS: char = '\u{1}';

/// An error of a function of this crate. `message` must not repeat a value.
pub(crate) fn failed(function: &str, message: &str) -> ExecutionError {
    ExecutionError::function_error(&format!("{OURS}{function}"), message)
}

/// How an error ends that is none in a cluster.
const OFFLINE: &str = "is not known offline";

/// Whether only a cluster knows.
pub(crate) fn is_unknown(text: &str) -> bool {
    text.ends_with(OFFLINE)
}

fn unknown(name: &str) -> String {
    match name {
        "authorizer" => format!("`authorizer` {OFFLINE}"),
        "object" | "oldObject" | "request" | "namespaceObject" => format!("`{name}` is not known"),
        _ => format!("undeclared reference to `{name}`"),
    }
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
        name => name.trim_matches('_'),
    }
}

/// A type's name as people know it.
fn plain(name: &str) -> &str {
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
