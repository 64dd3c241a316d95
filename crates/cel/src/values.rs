//! JSON as CEL values.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::Val;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A variable, or what a path of its fields leads to.
///
/// Most of an object is only gone through, and the interpreter's maps cost more than all else of reading it. So an object becomes one
/// when an expression asks for it as a whole.
pub(crate) enum Tree {
    /// Anything but an object.
    Value(Box<dyn Val>),
    /// An object.
    Fields(Fields),
}

/// The fields of an object.
pub(crate) struct Fields {
    /// By name, each once.
    entries: Vec<(String, Tree)>,
    /// The object as a whole, once it has been asked for.
    whole: OnceLock<Box<dyn Val>>,
}

impl Tree {
    /// As the interpreter knows it.
    pub(crate) fn value(&self) -> &dyn Val {
        match self {
            Self::Value(value) => value.as_ref(),
            Self::Fields(fields) => fields.whole.get_or_init(|| fields.copy()).as_ref(),
        }
    }

    /// The fields, if it is an object.
    pub(crate) fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Value(_) => None,
            Self::Fields(fields) => Some(fields),
        }
    }
}

impl Fields {
    /// Of fields with the same name, the last counts.
    fn new(mut entries: Vec<(String, Tree)>) -> Self {
        if !entries.is_sorted_by(|(one, _), (next, _)| one < next) {
            entries.reverse();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.dedup_by(|(later, _), (kept, _)| later == kept);
        }
        Self { entries, whole: OnceLock::new() }
    }

    /// The field of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree> {
        let place = self.entries.binary_search_by(|(field, _)| field.as_str().cmp(name)).ok()?;
        self.entries.get(place).map(|(_, tree)| tree)
    }

    fn copy(&self) -> Box<dyn Val> {
        let entries = self.entries.iter().map(|(name, tree)| {
            let value = match tree {
                Tree::Value(value) => value.clone_as_boxed(),
                Tree::Fields(fields) => fields.copy(),
            };
            (CelMapKey::from(name.clone()), value)
        });
        Box::new(CelMap::from(entries.collect::<HashMap<_, _>>()))
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        JsonVisitor.expecting(f)
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        JsonVisitor.visit_unit().map(Tree::Value)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        JsonVisitor.visit_bool(value).map(Tree::Value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        JsonVisitor.visit_i64(value).map(Tree::Value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        JsonVisitor.visit_u64(value).map(Tree::Value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        JsonVisitor.visit_f64(value).map(Tree::Value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        JsonVisitor.visit_str(value).map(Tree::Value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Tree, A::Error> {
        JsonVisitor.visit_seq(items).map(Tree::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Tree::Fields(Fields::new(fields)))
    }
}

/// A value read from JSON. Numbers are as in Kubernetes: `int` where they are whole and fit, else `double`.
pub(crate) struct Json(pub(crate) Box<dyn Val>);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Json)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Box<dyn Val>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Box::new(CelNull))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Box::new(CelBool::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Box::new(CelInt::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Box::new(CelInt::from(value)),
            Err(_) => Box::new(CelDouble::from(value as f64)),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Box::new(CelDouble::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Box::new(CelString::from(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Box::new(CelString::from(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Box::new(CelList::from(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = HashMap::new();
        while let Some((key, Json(value))) = entries.next_entry::<String, Json>()? {
            map.insert(CelMapKey::from(key), value);
        }
        Ok(Box::new(CelMap::from(map)))
    }
}
