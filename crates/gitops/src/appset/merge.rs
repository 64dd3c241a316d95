//! The merge generator, and templates that generators bring.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::Set;
use super::generators::{Level, Seen};
use crate::parameters::Parameters;
use crate::reason::Stop;
use crate::value::{Data, Value};

impl Set<'_> {
    /// The sets of the first generator, changed by those of the others that have the same merge keys. In the order of the first, where
    /// Argo CD has none.
    pub(super) fn merge(&mut self, generator: &Value, level: Level, seen: &mut Seen) -> Result<Vec<Parameters>, Stop> {
        let children: Vec<&Value> = generator.list("generators").collect();
        let [first, others @ ..] = children.as_slice() else {
            return Err(Stop::failed(&generator.place, "a merge has at least two generators, this one none"));
        };
        if others.is_empty() {
            return Err(Stop::failed(&generator.place, "a merge has at least two generators, this one 1"));
        }
        let keys: BTreeSet<&str> = generator.texts("mergeKeys").collect();
        let level = level.below();
        let mut base = self.nested(first, level, None, seen)?;
        let overrides = others.iter().map(|other| self.nested(other, level, None, seen)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(Stop::failed(&generator.place, "a merge needs `mergeKeys`"));
        }
        let index = by_key(&keys, &base, first)?;
        for (sets, entry) in overrides.iter().zip(others) {
            for (key, at) in by_key(&keys, sets, entry)? {
                let (Some(set), Some(base)) = (sets.get(at), index.get(&key).and_then(|at| base.get_mut(*at))) else { continue };
                if self.engine.go {
                    base.override_with(set);
                } else {
                    base.values.extend(set.values.clone());
                    base.from_fixture |= set.from_fixture;
                    base.made_of.extend(set.made_of.iter().cloned());
                }
            }
        }
        Ok(base)
    }

    /// The template of a generator, filled up from that of the set.
    pub(super) fn template(&self, generator: Option<&Value>) -> Value {
        let own = generator.and_then(|generator| generator.get("template"));
        let shared = self.spec.get("template");
        match (own, shared) {
            (Some(own), Some(shared)) => {
                let mut template = own.clone();
                fill_up(&mut template, shared);
                template
            }
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => Value::map(&self.spec.place),
        }
    }
}

/// Parameter sets by the values of keys; a key that is missing has the value null.
fn by_key(keys: &BTreeSet<&str>, sets: &[Parameters], entry: &Value) -> Result<BTreeMap<String, usize>, Stop> {
    let mut index = BTreeMap::new();
    for (at, set) in sets.iter().enumerate() {
        let key: Map<String, Json> =
            keys.iter().map(|key| ((*key).to_owned(), set.values.get(*key).cloned().unwrap_or_default())).collect();
        let key = Json::Object(key).to_string();
        if index.insert(key.clone(), at).is_some() {
            return Err(Stop::failed(&entry.place, format!("two sets of parameters of one generator have the merge keys `{key}`")));
        }
    }
    Ok(index)
}

/// What is absent or empty is taken from another value; the entries of maps one by one. This is what `mergo` does without any options.
fn fill_up(value: &mut Value, from: &Value) {
    if value.is_zero() {
        *value = from.clone();
        return;
    }
    let (Data::Map(map), Some(from)) = (&mut value.data, from.as_map()) else { return };
    for (key, other) in from.iter().filter(|(_, other)| !other.is_zero()) {
        match map.get_mut(key) {
            // Values of charts are one thing to it.
            Some(own) if key == "valuesObject" && !own.is_null() => {}
            Some(own) => fill_up(own, other),
            None => _ = map.insert(key.clone(), other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_text::value;

    #[test]
    fn a_generators_template_is_filled_up() {
        let mut own = value(
            "{metadata: {name: own, labels: {a: x}}, spec: {source: {path: own, helm: {valuesObject: {a: 1}, skipCrds: false}}, sources: [{path: own}]}}",
        )
        .1;
        let shared = value(
            "{metadata: {name: shared, labels: {a: w, b: z}}, spec: {project: p, source: {path: shared, repoURL: r, helm: {valuesObject: {b: 2}, skipCrds: true}}, sources: [{path: shared, ref: r}]}}",
        )
        .1;
        fill_up(&mut own, &shared);
        let expected = value(
            "{metadata: {name: own, labels: {a: x, b: z}}, spec: {project: p, source: {path: own, repoURL: r, helm: {valuesObject: {a: 1}, skipCrds: true}}, sources: [{path: own}]}}",
        )
        .1;
        assert_eq!(own.to_json(), expected.to_json());
    }
}
