//! The git generator: folders and files of a repository.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::Set;
use super::local::sanitise;
use crate::checkout::{Checkout, Entry};
use crate::glob::Glob;
use crate::parameters::{Parameters, display, flatten};
use crate::path::{go_base, go_dir};
use crate::reason::Stop;
use crate::repositories::Found;
use crate::value::Value;

impl Set<'_> {
    /// `directories` if there are any, `files` otherwise.
    pub(super) fn git(&self, generator: &Value) -> Result<Vec<Parameters>, Stop> {
        let (url, revision) = (generator.text("repoURL"), generator.text("revision"));
        let found = self.around.repositories.find(url, revision);
        let Found::Here(checkout) = &found else {
            let place = generator.get("repoURL").map_or(&generator.place, |url| &url.place);
            let why = self.around.repositories.explain(&found, url, revision).unwrap_or_default();
            return Err(Stop::deferred(place, why));
        };
        if generator.list("directories").next().is_some() {
            self.directories(generator, checkout)
        } else if generator.list("files").next().is_some() {
            self.files(generator, checkout)
        } else {
            Err(Stop::failed(&generator.place, "a git generator needs `directories` or `files`"))
        }
    }

    fn directories(&self, generator: &Value, checkout: &Checkout) -> Result<Vec<Parameters>, Stop> {
        // A pattern that is none only leaves its folders out.
        let patterns = generator.list("directories").filter_map(|item| Some((Glob::path(item.text("path")).ok()?, item.flag("exclude"))));
        let patterns: Vec<(Glob, bool)> = patterns.collect();
        let is_hidden = |path: &str| !self.around.settings.hidden_directories && path.split('/').any(|part| part.starts_with('.'));
        let is_chosen = |path: &str| {
            let hits = |excludes: bool| patterns.iter().any(|(glob, exclude)| *exclude == excludes && glob.matches(path));
            hits(false) && !hits(true)
        };
        let folders = checkout.entries().filter(|(_, entry)| **entry == Entry::Folder).map(|(path, _)| path);
        let mut sets = Vec::new();
        for folder in folders.filter(|folder| !is_hidden(folder) && is_chosen(folder)) {
            let mut set = Parameters::default();
            self.path(&mut set, generator, folder, None);
            self.append_values(generator, &mut set)?;
            sets.push(set);
        }
        Ok(sets)
    }

    fn files(&self, generator: &Value, checkout: &Checkout) -> Result<Vec<Parameters>, Stop> {
        let is_new = self.around.settings.new_file_globbing;
        let mut chosen = BTreeSet::new();
        for excludes in [false, true] {
            for item in generator.list("files").filter(|item| item.flag("exclude") == excludes) {
                let glob = if is_new { Glob::doublestar(item.text("path")) } else { Glob::pathspec(item.text("path")) };
                let place = item.get("path").map_or(&item.place, |path| &path.place);
                let glob = glob.map_err(|error| Stop::deferred(place, error.to_string()))?;
                let files = checkout.entries().filter(|(_, entry)| matches!(entry, Entry::File | Entry::Link(_)));
                for (path, _) in files.filter(|(path, _)| glob.matches(path)) {
                    if excludes {
                        chosen.remove(path);
                    } else {
                        chosen.insert(path);
                    }
                }
            }
        }
        let mut sets = Vec::new();
        for path in chosen {
            for values in self.contents(generator, checkout, path)? {
                let mut set = if self.engine.go {
                    Parameters::new(values)
                } else {
                    Parameters::new(flatten(&values).into_iter().map(|(key, value)| (key, display(&value).into())).collect())
                };
                set.made_of.insert(checkout.shown(path));
                self.path(&mut set, generator, go_dir(path), Some(go_base(path)));
                self.append_values(generator, &mut set)?;
                sets.push(set);
            }
        }
        Ok(sets)
    }

    /// The maps of a file: one, or a list of them. A file with nothing in it is an empty one.
    fn contents(&self, generator: &Value, checkout: &Checkout, path: &str) -> Result<Vec<Map<String, Json>>, Stop> {
        let fail = |what: String| Stop::failed(&generator.place, format!("`{}` {what}", checkout.shown(path)));
        let parsed = checkout.documents(path).map_err(|lost| fail(lost.to_string()))?;
        let Some(document) = parsed.only().map_err(|problem| fail(format!("is neither YAML nor JSON: {}", problem.message)))? else {
            return Ok(vec![Map::new()]);
        };
        let value = Value::read(document, document.root());
        match value.to_json() {
            Json::Null => Ok(vec![Map::new()]),
            Json::Object(map) => Ok(vec![map]),
            Json::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Json::Object(map) => Ok(map),
                    Json::Null => Ok(Map::new()),
                    _ => Err(fail("has something in its list that is no map".to_owned())),
                })
                .collect(),
            _ => Err(fail(format!("is {} and must be a map or a list of maps", value.kind()))),
        }
    }

    /// The parameters about a folder, and about a file in it.
    fn path(&self, set: &mut Parameters, generator: &Value, folder: &str, file: Option<&str>) {
        let prefix = generator.text("pathParamPrefix");
        let segments: Vec<&str> = folder.split('/').collect();
        let mut facts = vec![("basename", go_base(folder).to_owned()), ("basenameNormalized", sanitise(go_base(folder)))];
        if let Some(file) = file {
            facts.extend([("filename", file.to_owned()), ("filenameNormalized", sanitise(file))]);
        }
        if self.engine.go {
            let mut path: Map<String, Json> = facts.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
            path.insert("path".to_owned(), folder.into());
            path.insert("segments".to_owned(), segments.into());
            if prefix.is_empty() {
                set.set("path", path);
            } else {
                set.set(prefix, Map::from_iter([("path".to_owned(), Json::Object(path))]));
            }
        } else {
            let name = if prefix.is_empty() { "path".to_owned() } else { format!("{prefix}.path") };
            facts.into_iter().for_each(|(key, value)| set.set(format!("{name}.{key}"), value));
            for (index, segment) in segments.iter().enumerate().filter(|(_, segment)| !segment.is_empty()) {
                set.set(format!("{name}[{index}]"), *segment);
            }
            set.set(name, folder);
        }
    }
}
