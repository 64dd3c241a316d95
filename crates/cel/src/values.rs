//! JSON as CEL values, and the variables that have them.

use std::collections::HashMap;
use std::fmt;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::paths::{self, VARIABLES};

/// The variables that are known.
pub(crate) struct Variables([Option<Box<dyn Val>>; 4]);

impl Variables {
    /// Reads what is known from JSON.
    ///
    /// # Errors
    /// JSON that cannot be read. Why may repeat a value of the object, and is not said.
    pub(crate) fn read(told: [Option<&[u8]>; 4]) -> Result<Self, String> {
        let mut values = [const { None }; 4];
        for (value, json) in values.iter_mut().zip(told) {
            let Some(json) = json else { continue };
            let Json(read) = serde_json::from_slice(json)
                .map_err(|_| "the variables cannot be read: not usable JSON, or nested too deeply".to_owned())?;
            *value = Some(read);
        }
        Ok(Self(values))
    }

    fn variable(&self, name: &str) -> Option<&dyn Val> {
        let index = VARIABLES.iter().position(|variable| *variable == name)?;
        self.0.get(index)?.as_deref()
    }

    /// What a path leads to.
    fn walk<'p>(&self, mut names: impl Iterator<Item = &'p str>) -> Option<&dyn Val> {
        let mut value = self.variable(names.next()?)?;
        for field in names {
            value = match value.as_indexer()?.get(&CelString::from(field)) {
                Ok(CowVal::Borrowed(found)) => found,
                _ => return None,
            };
        }
        Some(value)
    }
}

impl VariableResolver for Variables {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let value = match paths::names(name) {
            Some(names) => self.walk(names),
            None => self.variable(name),
        };
        value.map(CowVal::Borrowed)
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
