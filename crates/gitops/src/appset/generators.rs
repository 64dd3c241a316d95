//! Which generator an entry is, what it is given by the one before it, and what is selected of what it gives.

use std::collections::HashMap;

use super::Set;
use super::selector::Selector;
use crate::parameters::Parameters;
use crate::reason::{Reason, Stop};
use crate::shape::{GENERATOR, mismatch};
use crate::value::{Data, Value};

/// The generators, in the order in which Argo CD takes those of one entry.
pub(super) const KINDS: [&str; 10] =
    ["list", "clusters", "git", "scmProvider", "clusterDecisionResource", "pullRequest", "matrix", "merge", "plugin", "oci"];

/// Those whose `values` are parameters, too.
const WITH_VALUES: [&str; 7] = ["clusters", "git", "scmProvider", "clusterDecisionResource", "pullRequest", "plugin", "oci"];

/// How deep in one another generators are. The third has no generators of generators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Top,
    Nested,
    Terminal,
}

impl Level {
    fn knows(self, kind: &str) -> bool {
        self != Level::Terminal || !matches!(kind, "matrix" | "merge")
    }

    pub(super) fn below(self) -> Level {
        if self == Level::Top { Level::Nested } else { Level::Terminal }
    }
}

/// How many generators of each kind there were before: fixtures name them by number.
pub(super) type Seen = HashMap<&'static str, usize>;

impl Set<'_> {
    /// What an entry of `spec.generators` gives, for each generator that it is.
    pub(super) fn top(&mut self, entry: &Value, seen: &mut Seen) -> Result<Vec<(&'static str, Vec<Parameters>)>, Stop> {
        let kinds = kinds(entry, Level::Top);
        if kinds.is_empty() {
            self.notes.push(Reason::at(&entry.place, format!("there is no such generator: {} are", KINDS.join(", "))));
        }
        let mut given = Vec::new();
        for kind in kinds {
            given.push((kind, self.transform(entry, kind, Level::Top, None, seen)?));
        }
        Ok(given)
    }

    /// What an entry of a matrix or a merge gives. `outer` are parameters of the generator before it.
    pub(super) fn nested(
        &mut self,
        entry: &Value,
        level: Level,
        outer: Option<&Parameters>,
        seen: &mut Seen,
    ) -> Result<Vec<Parameters>, Stop> {
        match kinds(entry, level).as_slice() {
            [kind] => self.transform(entry, kind, level, outer, seen),
            [] => {
                let deeper = (level == Level::Terminal).then_some(": no matrix and no merge in one that is in another");
                Err(Stop::failed(&entry.place, format!("there is no such generator here{}", deeper.unwrap_or_default())))
            }
            kinds => Err(Stop::failed(&entry.place, format!("one entry is several generators: {}", kinds.join(", ")))),
        }
    }

    fn transform(
        &mut self,
        entry: &Value,
        kind: &'static str,
        level: Level,
        outer: Option<&Parameters>,
        seen: &mut Seen,
    ) -> Result<Vec<Parameters>, Stop> {
        // The selector is read before parameters are put into the entry.
        let selector = entry.get("selector").map(Selector::read).transpose()?;
        let filled;
        let entry = match outer.filter(|outer| !outer.values.is_empty()) {
            Some(outer) => {
                filled = self.interpolate(entry, outer)?;
                &filled
            }
            None => entry,
        };
        if let Some((place, text)) = mismatch(entry, &GENERATOR, "") {
            return Err(Stop::failed(&place, text));
        }
        let Some(generator) = entry.get(kind) else { return Ok(Vec::new()) };
        let index = *seen.get(kind).unwrap_or(&0);
        // Each entry of the text has its number, however often it runs.
        let given = match kind {
            "list" => self.list(generator),
            "clusters" => self.clusters(generator),
            "git" => self.git(generator),
            "matrix" => self.matrix(generator, level, seen),
            "merge" => self.merge(generator, level, seen),
            "oci" => Err(Stop::deferred(&generator.place, "an OCI artifact has to be fetched")),
            kind => self.external(kind, generator, index),
        }?;
        seen.insert(kind, index + 1);
        // A matrix counts while it makes them.
        if kind != "matrix" {
            self.spend(given.len(), generator)?;
        }
        Ok(given.into_iter().filter(|set| selector.as_ref().is_none_or(|selector| selector.matches(&set.flat()))).collect())
    }

    /// Counts parameter sets that were made.
    pub(super) fn spend(&self, sets: usize, generator: &Value) -> Result<(), Stop> {
        match self.budget.get().checked_sub(sets) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => {
                let most = self.around.limits.parameter_sets;
                Err(Stop::deferred(&generator.place, format!("the generators make more than {most} sets of parameters")))
            }
        }
    }

    /// An entry with the parameters of the generator before it put in. What is missing in `values` is left for the parameters of the
    /// generator itself.
    fn interpolate(&self, entry: &Value, outer: &Parameters) -> Result<Value, Stop> {
        let mut keep = Vec::new();
        values_of(entry, "", &mut keep);
        let mut filled = self.engine.fill_value(entry, outer, &keep)?;
        let mut options: Vec<String> = self.engine.options.clone();
        if self.engine.go {
            options.retain(|option| !option.starts_with("missingkey="));
            options.push("missingkey=error".to_owned());
        }
        for pointer in keep {
            let Some(values) = at_pointer(&mut filled, &pointer) else { continue };
            let Data::Map(map) = &mut values.data else { continue };
            let texts: Vec<(&str, &crate::place::Place)> = map.values().filter_map(|value| Some((value.as_str()?, &value.place))).collect();
            let answers = self.engine.fill_all(&texts, outer, &options)?;
            let mut answers = answers.into_iter();
            for value in map.values_mut().filter(|value| value.as_str().is_some()) {
                match answers.next() {
                    Some(Ok(text)) => value.data = Data::String(text),
                    Some(Err(error)) if !is_missing_key(&error) => return Err(Stop::failed(&value.place, error)),
                    _ => {}
                }
            }
        }
        Ok(filled)
    }

    /// Adds a generator's own `values`, into which its parameters are put.
    pub(super) fn append_values(&self, generator: &Value, parameters: &mut Parameters) -> Result<(), Stop> {
        let Some(values) = generator.get("values").and_then(Value::as_map).filter(|values| !values.is_empty()) else { return Ok(()) };
        let texts: Vec<(&str, &crate::place::Place)> =
            values.values().map(|value| (value.as_str().unwrap_or_default(), &value.place)).collect();
        let answers = self.engine.fill_all(&texts, parameters, &self.engine.options)?;
        let mut filled = serde_json::Map::new();
        for ((key, value), answer) in values.iter().zip(answers) {
            filled.insert(key.clone(), answer.map_err(|error| Stop::failed(&value.place, error))?.into());
        }
        if self.engine.go {
            parameters.set("values", filled);
            parameters.mark_strings("/values");
        } else {
            filled.into_iter().for_each(|(key, value)| parameters.set(format!("values.{key}"), value));
        }
        Ok(())
    }
}

/// The generators that an entry is.
fn kinds(entry: &Value, level: Level) -> Vec<&'static str> {
    KINDS.into_iter().filter(|kind| level.knows(kind) && entry.get(kind).is_some()).collect()
}

/// Pointers to all `values` of generators in an entry.
fn values_of(entry: &Value, pointer: &str, found: &mut Vec<String>) {
    for kind in WITH_VALUES {
        if entry.at(&[kind, "values"]).is_some() {
            found.push(format!("{pointer}/{kind}/values"));
        }
    }
    for kind in ["matrix", "merge"] {
        for (index, nested) in entry.get(kind).into_iter().flat_map(|kind| kind.list("generators")).enumerate() {
            values_of(nested, &format!("{pointer}/{kind}/generators/{index}"), found);
        }
    }
}

fn at_pointer<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    pointer.split('/').skip(1).try_fold(value, |value, part| match &mut value.data {
        Data::Map(map) => map.get_mut(part),
        Data::List(items) => items.get_mut(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Whether Go's templates say that a parameter is missing.
fn is_missing_key(error: &str) -> bool {
    error.contains("map has no entry for key") || error.contains("can't evaluate field")
}
