//! JSON as CEL values. Texts are those of the JSON wherever they stand in it as they are.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A variable, or what a path of its fields leads to. Numbers are as in Kubernetes: `int` where they are whole and fit, else `double`.
///
/// Most of an object is only gone through, and the interpreter's maps cost more than all else of reading it. So an object becomes one
/// when an expression asks for it as a whole.
pub(crate) enum Tree<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(CelBool),
    /// A whole number.
    Int(CelInt),
    /// Any other number.
    Double(CelDouble),
    /// A text.
    Text(CelString<'a>),
    /// A list.
    Items(CelList<'a>),
    /// An object.
    Fields(Fields<'a>),
}

/// The fields of an object.
pub(crate) struct Fields<'a> {
    /// By name, each once.
    entries: Vec<(Cow<'a, str>, Tree<'a>)>,
    /// The object as a whole, once it has been asked for.
    whole: OnceLock<Box<dyn Val + 'a>>,
}

impl<'a> Tree<'a> {
    /// As the interpreter knows it.
    pub(crate) fn value(&self) -> &(dyn Val + 'a) {
        match self {
            Self::Null => &CelNull,
            Self::Bool(value) => value,
            Self::Int(value) => value,
            Self::Double(value) => value,
            Self::Text(value) => value,
            Self::Items(value) => value,
            Self::Fields(fields) => fields.whole.get_or_init(|| self.copy()).as_ref(),
        }
    }

    /// The fields, if it is an object.
    pub(crate) fn fields(&self) -> Option<&Fields<'a>> {
        if let Self::Fields(fields) = self { Some(fields) } else { None }
    }

    fn copy(&self) -> Box<dyn Val + 'a> {
        match self {
            Self::Fields(fields) => map(fields.entries.iter().map(|(name, tree)| (name.clone(), tree.copy()))),
            other => other.value().clone_as_boxed(),
        }
    }

    fn into_value(self) -> Box<dyn Val + 'a> {
        match self {
            Self::Null => Box::new(CelNull),
            Self::Bool(value) => Box::new(value),
            Self::Int(value) => Box::new(value),
            Self::Double(value) => Box::new(value),
            Self::Text(value) => Box::new(value),
            Self::Items(value) => Box::new(value),
            Self::Fields(fields) => map(fields.entries.into_iter().map(|(name, tree)| (name, tree.into_value()))),
        }
    }
}

fn map<'a>(entries: impl Iterator<Item = (Cow<'a, str>, Box<dyn Val + 'a>)>) -> Box<dyn Val + 'a> {
    let entries = entries.map(|(name, value)| (CelMapKey::String(text(name)), value));
    Box::new(CelMap::from(entries.collect::<HashMap<_, _>>()))
}

fn text(text: Cow<'_, str>) -> CelString<'_> {
    match text {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(text) => text.into(),
    }
}

impl<'a> Fields<'a> {
    /// Of fields with the same name, the last counts.
    fn new(mut entries: Vec<(Cow<'a, str>, Tree<'a>)>) -> Self {
        if !entries.is_sorted_by(|(one, _), (next, _)| one < next) {
            entries.reverse();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.dedup_by(|(later, _), (kept, _)| later == kept);
        }
        Self { entries, whole: OnceLock::new() }
    }

    /// The field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree<'a>> {
        let place = self.entries.binary_search_by(|(field, _)| (**field).cmp(name)).ok()?;
        self.entries.get(place).map(|(_, tree)| tree)
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

/// The name of a field.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Tree::Bool(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Tree::Int(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Tree::Double(value.into()))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::Text(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Tree::Text(value.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Tree<'de>>()? {
            list.push(item.into_value());
        }
        Ok(Tree::Items(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Name(name), tree)) = entries.next_entry()? {
            fields.push((name, tree));
        }
        Ok(Tree::Fields(Fields::new(fields)))
    }
}
