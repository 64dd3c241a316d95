//! A JSON value that lives in an arena: nothing is freed piece by piece, strings without escapes borrow from the input.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// A JSON value. Objects keep their order; a repeated key keeps its last value, as Kubernetes' decoder does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
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
    /// Text that is not one JSON value, or that nests deeper than 128 levels. The error never holds any of the text.
    pub fn from_json(text: &'a [u8], arena: &'a Bump) -> Result<Self, NotJson> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let value = Seed(arena).deserialize(&mut reader).map_err(NotJson::from)?;
        reader.end().map_err(NotJson::from)?;
        Ok(value)
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
            #[expect(clippy::cast_precision_loss, reason = "no rule reads numbers this large; only their being a number matters")]
            Kind::Uint(value) => Value::Float(value as f64),
            Kind::Float(value) => Value::Float(value),
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
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Str(_) => "a string",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl serde::Serialize for Value<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => out.serialize_unit(),
            Value::Bool(value) => out.serialize_bool(*value),
            Value::Int(value) => out.serialize_i64(*value),
            Value::Float(value) => out.serialize_f64(*value),
            Value::Str(value) => out.serialize_str(value),
            Value::Seq(items) => out.collect_seq(*items),
            Value::Map(entries) => out.collect_map(entries.iter().map(|(key, value)| (key, value))),
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

impl From<serde_json::Error> for NotJson {
    fn from(error: serde_json::Error) -> Self {
        NotJson { line: error.line(), column: error.column() }
    }
}

impl fmt::Display for NotJson {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not valid JSON at line {}, column {}", self.line, self.column)
    }
}

impl std::error::Error for NotJson {}

#[derive(Clone, Copy)]
struct Seed<'a>(&'a Bump);

impl<'a> DeserializeSeed<'a> for Seed<'a> {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<Value<'a>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Seed<'a> {
    type Value = Value<'a>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'a>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'a>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'a>, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'a>, E> {
        #[expect(clippy::cast_precision_loss, reason = "no rule reads numbers this large; only their being a number matters")]
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'a>, E> {
        Ok(Value::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::Str(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'a>, E> {
        Ok(Value::Str(self.0.alloc_str(value)))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut from: A) -> Result<Value<'a>, A::Error> {
        let mut items = BumpVec::new_in(self.0);
        while let Some(item) = from.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Seq(items.into_bump_slice()))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut from: A) -> Result<Value<'a>, A::Error> {
        let mut entries = BumpVec::new_in(self.0);
        while let Some(key) = from.next_key_seed(self)? {
            let Value::Str(key) = key else { return Err(A::Error::custom("a key is a string")) };
            entries.push((key, from.next_value_seed(self)?));
        }
        Ok(Value::Map(entries.into_bump_slice()))
    }
}
