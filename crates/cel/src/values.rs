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
/// Most of an object is only gone through or not looked at, and the interpreter's maps cost more than all else of reading it. So what
/// has parts becomes a value of the interpreter when an expression asks for it as a whole.
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
    Items(Parts<'a, Tree<'a>>),
    /// An object.
    Fields(Fields<'a>),
}

/// The parts of a list or an object.
pub(crate) struct Parts<'a, P> {
    parts: Vec<P>,
    /// The value as a whole, once it has been asked for.
    whole: OnceLock<Box<dyn Val + 'a>>,
}

/// The fields of an object by name, each once.
pub(crate) type Fields<'a> = Parts<'a, (Cow<'a, str>, Tree<'a>)>;

impl<'a> Tree<'a> {
    /// As the interpreter knows it.
    pub(crate) fn value(&self) -> &(dyn Val + 'a) {
        match self {
            Self::Null => &CelNull,
            Self::Bool(value) => value,
            Self::Int(value) => value,
            Self::Double(value) => value,
            Self::Text(value) => value,
            Self::Items(items) => items.whole.get_or_init(|| self.copy()).as_ref(),
            Self::Fields(fields) => fields.whole.get_or_init(|| self.copy()).as_ref(),
        }
    }

    /// The fields, if it is an object.
    pub(crate) fn fields(&self) -> Option<&Fields<'a>> {
        if let Self::Fields(fields) = self { Some(fields) } else { None }
    }

    fn copy(&self) -> Box<dyn Val + 'a> {
        match self {
            Self::Items(items) => Box::new(CelList::from(items.parts.iter().map(Self::copy).collect::<Vec<_>>())),
            Self::Fields(fields) => {
                let entries = fields.parts.iter().map(|(name, tree)| (CelMapKey::String(text(name.clone())), tree.copy()));
                Box::new(CelMap::from(entries.collect::<HashMap<_, _>>()))
            }
            plain => plain.value().clone_as_boxed(),
        }
    }
}

fn text(text: Cow<'_, str>) -> CelString<'_> {
    match text {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(text) => text.into(),
    }
}

impl<P> From<Vec<P>> for Parts<'_, P> {
    fn from(parts: Vec<P>) -> Self {
        Self { parts, whole: OnceLock::new() }
    }
}

impl<'a> Fields<'a> {
    /// Of fields with the same name, the last counts.
    fn new(mut fields: Vec<(Cow<'a, str>, Tree<'a>)>) -> Self {
        if !fields.is_sorted_by(|(one, _), (next, _)| one < next) {
            fields.reverse();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            fields.dedup_by(|(later, _), (kept, _)| later == kept);
        }
        fields.into()
    }

    /// The field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree<'a>> {
        let place = self.parts.binary_search_by(|(field, _)| (**field).cmp(name)).ok()?;
        self.parts.get(place).map(|(_, tree)| tree)
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
        while let Some(item) = items.next_element()? {
            list.push(item);
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
