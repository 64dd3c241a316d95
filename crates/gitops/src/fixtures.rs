//! What generators would find elsewhere, written down: for those of ApplicationSets that ask a service.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use fedward_manifest::Document;

use crate::place::Place;
use crate::reason::Reason;
use crate::value::Value;

/// The generators that ask a service.
pub(crate) const KINDS: [&str; 4] = ["scmProvider", "pullRequest", "plugin", "clusterDecisionResource"];

/// What generators find.
#[derive(Clone, Debug, Default)]
pub struct Fixtures {
    entries: Vec<Entry>,
    /// The numbers of those that some generator asked for.
    used: Arc<Mutex<BTreeSet<usize>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Name, or namespace and name, of the ApplicationSet.
    set: String,
    kind: String,
    /// Which of the generators of this kind, in the order of the text.
    index: Option<i64>,
    /// A list of what is found.
    found: Vec<Value>,
    /// For decisions about clusters: the key that has a cluster's name.
    match_key: Option<String>,
    place: Place,
}

/// What one generator finds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'f> {
    pub(crate) items: &'f [Value],
    pub(crate) match_key: Option<&'f str>,
}

impl Fixtures {
    /// Reads a document with `generators`, a list of `applicationSet`, `generator`, `found`, and where needed `index` and `matchKey`.
    ///
    /// # Errors
    /// It is none.
    pub fn read(document: &Arc<Document>) -> Result<Self, Reason> {
        const FIELDS: [&str; 5] = ["applicationSet", "generator", "index", "found", "matchKey"];
        let root = Value::read(document, document.root());
        let Some(generators) = root.get("generators").and_then(Value::as_list) else {
            return Err(Reason::at(&root.place, "there is no list `generators`"));
        };
        let mut entries = Vec::new();
        for item in generators {
            if let Some((key, value)) = item.as_map().into_iter().flatten().find(|(key, _)| !FIELDS.contains(&key.as_str())) {
                return Err(Reason::at(&value.place, format!("`{key}` is none of {}", FIELDS.join(", "))));
            }
            let (set, kind) = (item.text("applicationSet"), item.text("generator"));
            if set.is_empty() {
                return Err(Reason::at(&item.place, "`applicationSet` is missing: the name of one, or its namespace and name"));
            }
            if !KINDS.contains(&kind) {
                let place = item.get("generator").map_or(&item.place, |kind| &kind.place);
                return Err(Reason::at(place, format!("`generator` is none of {}", KINDS.join(", "))));
            }
            let Some(found) = item.get("found").and_then(Value::as_list) else {
                return Err(Reason::at(&item.place, "`found` is missing: the list of what the generator finds"));
            };
            if let Some(other) = found.iter().find(|found| found.as_map().is_none()) {
                return Err(Reason::at(&other.place, format!("an item of `found` is {} and must be a map", other.kind())));
            }
            let index = match item.get("index") {
                None => None,
                Some(index) => Some(index.to_json().as_i64().ok_or_else(|| Reason::at(&index.place, "`index` is no whole number"))?),
            };
            entries.push(Entry {
                set: set.to_owned(),
                kind: kind.to_owned(),
                index,
                found: found.to_vec(),
                match_key: item.get("matchKey").and_then(Value::as_str).map(str::to_owned),
                place: item.place.clone(),
            });
        }
        Ok(Fixtures { entries, used: Arc::default() })
    }

    /// What a generator finds: `index` is its number among those of its kind.
    pub(crate) fn find(&self, namespace: &str, name: &str, kind: &str, index: usize) -> Option<Found<'_>> {
        let is_set = |set: &str| match set.split_once('/') {
            Some((space, set)) => space == namespace && set == name,
            None => set == name,
        };
        let fitting = |exact: bool| {
            let mut entries = self.entries.iter().enumerate().filter(|(_, entry)| entry.kind == kind && is_set(&entry.set));
            entries.find(|(_, entry)| if exact { entry.index == i64::try_from(index).ok() } else { entry.index.is_none() })
        };
        let (at, entry) = fitting(true).or_else(|| fitting(false))?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(at);
        Some(Found { items: &entry.found, match_key: entry.match_key.as_deref() })
    }

    /// The entries that no generator has asked for so far, as messages name them.
    pub fn unmatched(&self) -> impl Iterator<Item = String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let entries = self.entries.iter().enumerate().filter(move |(at, _)| !used.contains(at));
        entries.map(|(_, entry)| format!("`{}` of `{}` ({})", entry.kind, entry.set, entry.place))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::test_text::value;

    #[test]
    fn fixtures_are_found_for_their_set_and_generator() {
        let (document, _) = value(
            "generators:\n- {applicationSet: a, generator: plugin, found: [{k: any}]}\n- {applicationSet: a, generator: plugin, index: 1, found: [{k: second}]}\n\
             - {applicationSet: team/b, generator: pullRequest, found: []}\n",
        );
        let fixtures = Fixtures::read(&document).unwrap();
        let first = |namespace, name, kind, index| {
            fixtures.find(namespace, name, kind, index).map(|found| found.items.first().map_or("", |item| item.text("k")).to_owned())
        };
        assert_eq!(first("x", "a", "plugin", 0).as_deref(), Some("any"));
        assert_eq!(first("x", "a", "plugin", 1).as_deref(), Some("second"));
        assert_eq!(first("team", "b", "pullRequest", 0).as_deref(), Some(""));
        assert_eq!(first("other", "b", "pullRequest", 0), None);
        assert_eq!(first("x", "a", "scmProvider", 0), None);
        let fresh = Fixtures::read(&document).unwrap();
        assert!(fresh.find("x", "a", "plugin", 1).is_some());
        let unmatched: Vec<String> = fresh.unmatched().collect();
        assert!(unmatched[0].starts_with("`plugin` of `a` (") && unmatched[1].starts_with("`pullRequest` of `team/b` ("), "{unmatched:?}");
        assert_eq!((unmatched.len(), fixtures.unmatched().count()), (2, 0));
    }

    #[test]
    fn what_is_no_fixture_is_said() {
        for (text, expected) in [
            ("a: b", "there is no list `generators`"),
            ("generators: [{generator: plugin, found: []}]", "`applicationSet` is missing: the name of one, or its namespace and name"),
            (
                "generators: [{applicationSet: a, generator: git, found: []}]",
                "`generator` is none of scmProvider, pullRequest, plugin, clusterDecisionResource",
            ),
            ("generators: [{applicationSet: a, generator: plugin}]", "`found` is missing: the list of what the generator finds"),
            ("generators: [{applicationSet: a, generator: plugin, found: [x]}]", "an item of `found` is a string and must be a map"),
            (
                "generators: [{applicationSet: a, generator: plugin, found: [], x: y}]",
                "`x` is none of applicationSet, generator, index, found, matchKey",
            ),
        ] {
            assert_eq!(Fixtures::read(&value(text).0).unwrap_err().text, expected);
        }
    }
}
