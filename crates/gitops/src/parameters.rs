//! What a generator of an ApplicationSet gives: a set of parameters for each Application.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value as Json};

/// One set of parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parameters {
    pub(crate) values: Map<String, Json>,
    /// Pointers to the maps that have only strings by their type in Go.
    string_maps: BTreeSet<String>,
    /// Whether any of it comes from a file of fixtures.
    pub(crate) from_fixture: bool,
    /// The files that it was read from, as outputs name them.
    pub(crate) made_of: BTreeSet<String>,
}

impl Parameters {
    pub(crate) fn new(values: Map<String, Json>) -> Self {
        Parameters { values, string_maps: BTreeSet::new(), from_fixture: false, made_of: BTreeSet::new() }
    }

    pub(crate) fn set(&mut self, key: impl Into<String>, value: impl Into<Json>) {
        self.values.insert(key.into(), value.into());
    }

    /// Says that the map at a pointer has only strings by its type.
    pub(crate) fn mark_strings(&mut self, pointer: &str) {
        self.string_maps.insert(pointer.to_owned());
    }

    /// The maps that have only strings by their type, and are still there.
    pub(crate) fn string_maps(&self) -> Vec<String> {
        let values = Json::Object(self.values.clone());
        self.string_maps.iter().filter(|pointer| values.pointer(pointer).is_some_and(Json::is_object)).cloned().collect()
    }

    /// Puts another set on top of this one: maps are merged, everything else is replaced, by a null, too. This is what `mergo` does with
    /// `WithOverride`.
    pub(crate) fn override_with(&mut self, other: &Parameters) {
        merge(&mut self.values, &other.values);
        self.string_maps.extend(other.string_maps.iter().cloned());
        self.from_fixture |= other.from_fixture;
        self.made_of.extend(other.made_of.iter().cloned());
    }

    /// Everything as one flat map of texts, as selectors see it.
    pub(crate) fn flat(&self) -> BTreeMap<String, String> {
        flatten(&self.values).into_iter().map(|(key, value)| (key, display(&value))).collect()
    }
}

fn merge(below: &mut Map<String, Json>, above: &Map<String, Json>) {
    for (key, value) in above {
        match (below.get_mut(key), value) {
            (Some(Json::Object(below)), Json::Object(above)) if !below.is_empty() => merge(below, above),
            _ => _ = below.insert(key.clone(), value.clone()),
        }
    }
}

/// Maps and lists in one another as one map with dots between the keys; empty ones are lost.
pub(crate) fn flatten(values: &Map<String, Json>) -> Map<String, Json> {
    let mut flat = Map::new();
    let mut waiting: Vec<(String, &Json)> = values.iter().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((key, value)) = waiting.pop() {
        match value {
            Json::Object(map) => waiting.extend(map.iter().map(|(below, value)| (format!("{key}.{below}"), value))),
            Json::Array(items) => waiting.extend(items.iter().enumerate().map(|(index, value)| (format!("{key}.{index}"), value))),
            scalar => _ = flat.insert(key, scalar.clone()),
        }
    }
    flat
}

/// A value as Go's `fmt` writes it with `%v`.
pub(crate) fn display(value: &Json) -> String {
    match value {
        Json::Null => "<nil>".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => display_number(number),
        Json::String(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(display).collect::<Vec<_>>().join(" ")),
        Json::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", display(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// A `float64`, which every number is: with an exponent below 0.0001 and from 1,000,000 on, so that `2097152` is `2.097152e+06`.
fn display_number(number: &Number) -> String {
    let Some(value) = number.as_f64() else { return number.to_string() };
    let shortest = format!("{value:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    fn set(text: &str) -> Parameters {
        Parameters::new(json(text).as_object().unwrap().clone())
    }

    /// Recorded from Go.
    #[test]
    fn values_are_written_as_go_does() {
        for (value, expected) in [
            ("8080", "8080"),
            ("123456", "123456"),
            ("1000000", "1e+06"),
            ("8080000", "8.08e+06"),
            ("123456789", "1.23456789e+08"),
            ("1e21", "1e+21"),
            ("1.5", "1.5"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-3", "-3"),
            ("3.0", "3"),
            ("0", "0"),
            ("12345678901234567890", "1.2345678901234567e+19"),
            ("2097152", "2.097152e+06"),
            ("true", "true"),
            ("null", "<nil>"),
            (r#"{"a":{"b":[1,"x",null,true,{}],"c":{}}}"#, "map[a:map[b:[1 x <nil> true map[]] c:map[]]]"),
        ] {
            assert_eq!(display(&json(value)), expected, "{value}");
        }
    }

    #[test]
    fn flat_maps_have_dots_and_lose_what_is_empty() {
        let flat = set(r#"{"a":{"b":[1,{"c":null}],"d":{},"e":[]},"f":"x"}"#).flat();
        let flat: Vec<(&str, &str)> = flat.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(flat, [("a.b.0", "1"), ("a.b.1.c", "<nil>"), ("f", "x")]);
    }

    #[test]
    fn one_set_over_another() {
        let mut below = set(r#"{"a":{"x":1,"y":2},"b":[1],"c":"c","d":"d","e":{}}"#);
        below.override_with(&set(r#"{"a":{"y":3,"z":4},"b":[],"c":null,"d":"","e":{"k":1}}"#));
        assert_eq!(Json::Object(below.values), json(r#"{"a":{"x":1,"y":3,"z":4},"b":[],"c":null,"d":"","e":{"k":1}}"#));
    }

    #[test]
    fn maps_of_strings_are_told_while_they_are_there() {
        let mut parameters = set(r#"{"values":{"a":"b"}}"#);
        parameters.mark_strings("/values");
        assert_eq!(parameters.string_maps(), ["/values"]);
        parameters.set("values", "gone");
        assert!(parameters.string_maps().is_empty());
    }
}
