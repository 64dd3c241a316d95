//! Data in which every value knows its place, and that can be changed: templates filled in, patches merged.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedward_manifest::{Document, Kind, Node};
use serde_json::Number;

use crate::place::Place;

/// A value with its place. After a change it keeps the place of what made it: the template, or the patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The value.
    pub data: Data,
    /// Where it is written.
    pub place: Place,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// A value at a place.
    #[must_use]
    pub fn new(data: Data, place: &Place) -> Self {
        Value { data, place: place.clone() }
    }

    /// A string at a place.
    #[must_use]
    pub fn string(text: impl Into<String>, place: &Place) -> Self {
        Value::new(Data::String(text.into()), place)
    }

    /// An empty map at a place.
    #[must_use]
    pub fn map(place: &Place) -> Self {
        Value::new(Data::Map(BTreeMap::new()), place)
    }

    /// A node with all below it. Depth is bounded by that of the document.
    #[must_use]
    pub fn read(document: &Arc<Document>, node: Node<'_>) -> Self {
        let data = match node.kind() {
            Kind::Null => Data::Null,
            Kind::Bool(value) => Data::Bool(value),
            Kind::Int(value) => Data::Number(value.into()),
            Kind::Uint(value) => Data::Number(value.into()),
            Kind::Float(value) => Number::from_f64(value).map_or(Data::Null, Data::Number),
            Kind::Str(text) => Data::String(text.to_owned()),
            Kind::Seq => Data::List(node.items().map(|item| Value::read(document, item)).collect()),
            // Of a key that stands twice, the last one wins.
            Kind::Map => Data::Map(node.entries().map(|entry| (entry.key.to_owned(), Value::read(document, entry.value))).collect()),
        };
        Value { data, place: Place::new(document, node) }
    }

    /// JSON at one place.
    #[must_use]
    pub fn from_json(json: &serde_json::Value, place: &Place) -> Self {
        let data = match json {
            serde_json::Value::Null => Data::Null,
            serde_json::Value::Bool(value) => Data::Bool(*value),
            serde_json::Value::Number(number) => Data::Number(number.clone()),
            serde_json::Value::String(text) => Data::String(text.clone()),
            serde_json::Value::Array(items) => Data::List(items.iter().map(|item| Value::from_json(item, place)).collect()),
            serde_json::Value::Object(map) => {
                Data::Map(map.iter().map(|(key, value)| (key.clone(), Value::from_json(value, place))).collect())
            }
        };
        Value { data, place: place.clone() }
    }

    /// The value without its places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.data {
            Data::Null => serde_json::Value::Null,
            Data::Bool(value) => (*value).into(),
            Data::Number(number) => serde_json::Value::Number(number.clone()),
            Data::String(text) => text.as_str().into(),
            Data::List(items) => items.iter().map(Value::to_json).collect(),
            Data::Map(map) => serde_json::Value::Object(map.iter().map(|(key, value)| (key.clone(), value.to_json())).collect()),
        }
    }

    /// The value of a key; a null counts as absent, as it does for the API server.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key).filter(|value| !value.is_null())
    }

    /// The value at the end of keys; see [`Value::get`].
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text of a key, empty if there is none.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether a key is `true`.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key).map(|value| &value.data), Some(Data::Bool(true)))
    }

    /// The items of a list under a key; none if there is no such list.
    pub fn list(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.get(key).and_then(Value::as_list).into_iter().flatten()
    }

    /// The strings of a list under a key.
    pub fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.list(key).filter_map(Value::as_str)
    }

    /// The strings of a map under a key.
    pub fn entries(&self, key: &str) -> impl Iterator<Item = (&str, &str)> {
        let map = self.get(key).and_then(Value::as_map).into_iter().flatten();
        map.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Data::String(text) = &self.data { Some(text) } else { None }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Data::List(items) = &self.data { Some(items) } else { None }
    }

    /// The entries, if it is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        if let Data::Map(map) = &self.data { Some(map) } else { None }
    }

    /// Sets a key. What is no map becomes one.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) {
        if let Data::Map(map) = &mut self.data {
            map.insert(key.into(), value);
        } else {
            self.data = Data::Map(BTreeMap::from([(key.into(), value)]));
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if let Data::Map(map) = &mut self.data { map.remove(key) } else { None }
    }

    /// The value of a key, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        if let Data::Map(map) = &mut self.data { map.get_mut(key) } else { None }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// Whether Go has it for a field's zero value: absent, `false`, `0`, no text, no items. A map is one if all in it are.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match &self.data {
            Data::Null => true,
            Data::Bool(value) => !value,
            Data::Number(number) => number.as_f64() == Some(0.0),
            Data::String(text) => text.is_empty(),
            Data::List(items) => items.is_empty(),
            Data::Map(map) => map.values().all(Value::is_zero),
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// Every text in it, keys of maps included.
    pub fn any_text(&self, test: &mut impl FnMut(&str) -> bool) -> bool {
        match &self.data {
            Data::String(text) => test(text),
            Data::List(items) => items.iter().any(|item| item.any_text(test)),
            Data::Map(map) => map.iter().any(|(key, value)| test(key) || value.any_text(test)),
            _ => false,
        }
    }
}
