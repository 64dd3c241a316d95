//! A JSON value that lives in an arena: nothing is freed piece by piece, strings without escapes borrow from the input.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use crate::json;

/// A JSON value. Objects keep their order; a repeated key keeps its last value, as Kubernetes' decoder does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Int(i64),
    /// Any other number. No rule reads which.
    Float,
    /// A string, unescaped.
    Str(&'a str),
    /// An array.
    Seq(&'a [Value<'a>]),
    /// An object, in the order of its text.
    Map(&'a [(&'a str, Value<'a>)]),
}

impl<'a> Value<'a> {
    /// Parses JSON text into `arena`.
    ///
    /// # Errors
    /// Text that is not one JSON value, or that nests 128 deep or more. The error never holds any of the text.
    pub fn from_json(text: &'a [u8], arena: &'a Bump) -> Result<Self, NotJson> {
        json::read(text, arena)
    }

    /// Copies a tree into `arena`; strings stay where they are.
    pub fn from_node(node: fedward_manifest::Node<'a>, arena: &'a Bump) -> Self {
        Self::copy(node, arena, &|text| text)
    }

    /// Copies a tree and its strings into `arena`, so that the document can go.
    pub fn detach(node: fedward_manifest::Node<'_>, arena: &'a Bump) -> Self {
        Self::copy(node, arena, &|text| &*arena.alloc_str(text))
    }

    fn copy<'d>(node: fedward_manifest::Node<'d>, arena: &'a Bump, text: &impl Fn(&'d str) -> &'a str) -> Self {
        use fedward_manifest::Kind;
        match node.kind() {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Int(value) => Value::Int(value),
            Kind::Uint(_) | Kind::Float(_) => Value::Float,
            Kind::Str(value) => Value::Str(text(value)),
            Kind::Seq => {
                let mut items = BumpVec::with_capacity_in(node.len(), arena);
                items.extend(node.items().map(|item| Value::copy(item, arena, text)));
                Value::Seq(items.into_bump_slice())
            }
            Kind::Map => {
                let mut entries = BumpVec::with_capacity_in(node.len(), arena);
                entries.extend(node.entries().map(|entry| (text(entry.key), Value::copy(entry.value, arena, text))));
                Value::Map(entries.into_bump_slice())
            }
        }
    }

    /// The JSON name of the value's type, for messages: `a string`, `a map` …
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float => "a number",
            Value::Str(_) => "a string",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Text that is not JSON. Holds the place and the kind of mistake, never the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotJson {
    /// 1-based line.
    pub line: usize,
    /// 1-based column in bytes.
    pub column: usize,
}

impl fmt::Display for NotJson {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not valid JSON at line {}, column {}", self.line, self.column)
    }
}

impl std::error::Error for NotJson {}
