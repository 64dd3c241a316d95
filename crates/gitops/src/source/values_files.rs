//! Which files `valueFiles` and `fileParameters` mean.

use std::collections::HashSet;
use std::sync::Arc;

use super::At;
use crate::checkout::{Checkout, Entry, Lost};
use crate::glob::{Glob, is_pattern};
use crate::path;
use crate::place::Place;
use crate::reason::Stop;
use crate::renderer::ValuesFile;
use crate::repositories::Found;
use crate::value::Value;

/// A file, or files, that a path means.
enum Target {
    /// A clean path in a repository; it may be a pattern.
    Path(Arc<Checkout>, String),
    /// A URL.
    Remote,
}

impl At<'_> {
    /// The values files of a chart in the order in which they count.
    pub(super) fn values_files(&self, helm: &Value) -> Result<Vec<ValuesFile>, Stop> {
        let may_be_missing = helm.flag("ignoreMissingValueFiles");
        let written: Vec<&Value> = helm.list("valueFiles").collect();
        // All of them, whichever of them stops this.
        written.iter().for_each(|file| self.note_read(file));
        // A file that is also named as such keeps that place, whatever patterns say.
        let named: HashSet<(usize, String)> = written.iter().filter_map(|file| named(&self.target(file).ok()?)).collect();
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for file in written {
            let text = file.as_str().unwrap_or_default();
            let (checkout, target) = match self.target(file)? {
                Target::Path(checkout, target) => (checkout, target),
                Target::Remote => return Err(Stop::deferred(&file.place, format!("values file `{text}` has to be fetched"))),
            };
            let paths = if is_pattern(&target) {
                let paths = matching(&checkout, &target, &file.place, text)?;
                if paths.is_empty() && !may_be_missing {
                    return Err(Stop::failed(&file.place, format!("no file matches `{text}`")));
                }
                paths.into_iter().filter(|path| !named.contains(&key(&checkout, path))).collect()
            } else if may_be_missing && matches!(checkout.follow(&target), Err(Lost::Missing)) {
                continue;
            } else {
                vec![target]
            };
            for path in paths {
                if seen.insert(key(&checkout, &path)) {
                    files.push(read(&checkout, &path, text, &file.place)?);
                }
            }
            if files.len() > self.around.limits.value_files {
                return Err(Stop::deferred(&file.place, format!("more than {} values files", self.around.limits.value_files)));
            }
        }
        Ok(files)
    }

    /// The file of a parameter.
    pub(super) fn parameter_file(&self, path: &Value) -> Result<ValuesFile, Stop> {
        let text = path.as_str().unwrap_or_default();
        self.note_read(path);
        match self.target(path)? {
            Target::Path(checkout, target) => read(&checkout, &target, text, &path.place),
            Target::Remote => Err(Stop::deferred(&path.place, format!("file `{text}` has to be fetched"))),
        }
    }

    /// Remembers what a path means.
    fn note_read(&self, file: &Value) {
        if let Ok(Target::Path(checkout, target)) = self.target(file) {
            self.reads.borrow_mut().push((checkout, target));
        }
    }

    /// What a path means: `$ref/…` from the root of that source's repository, `/…` from the root of this one, and anything else from the
    /// chart's folder. The environment is put in before, but after `$ref` was looked at.
    fn target(&self, file: &Value) -> Result<Target, Stop> {
        let text = file.as_str().unwrap_or_default();
        if let Some((source, rest)) = self.owner.refs.of(text) {
            let (repository, revision) = (source.text("repoURL"), source.text("targetRevision"));
            let found = self.around.repositories.find(repository, revision);
            let Found::Here(checkout) = &found else {
                let why = self.around.repositories.explain(&found, repository, revision).unwrap_or_default();
                return Err(Stop::deferred(&file.place, why));
            };
            let rest = self.environment.expand(rest);
            return Ok(Target::Path(Arc::clone(checkout), inside("", &rest, text, &file.place)?));
        }
        let expanded = self.environment.expand(text);
        if let Some(scheme) = scheme(&expanded) {
            let schemes = &self.around.settings.values_file_schemes;
            return if schemes.iter().any(|allowed| allowed.eq_ignore_ascii_case(scheme)) {
                Ok(Target::Remote)
            } else {
                Err(Stop::failed(&file.place, format!("`{text}` has the URL scheme `{scheme}`: {} are allowed", schemes.join(", "))))
            };
        }
        if super::is_archive(self.checkout, self.folder) {
            let archive = self.checkout.shown(self.folder);
            return Err(Stop::deferred(&file.place, format!("`{text}` is in `{archive}`, which only Helm reads: unpack it there")));
        }
        let folder = if expanded.starts_with('/') { "" } else { self.folder };
        Ok(Target::Path(Arc::clone(self.checkout), inside(folder, &expanded, text, &file.place)?))
    }
}

fn inside(folder: &str, target: &str, text: &str, place: &Place) -> Result<String, Stop> {
    let target = path::join(folder, target).ok_or_else(|| Stop::failed(place, format!("`{text}` leads out of the repository")))?;
    if target.is_empty() { Err(Stop::failed(place, format!("`{text}` is the repository's root, not a file"))) } else { Ok(target) }
}

/// Names a file of a checkout.
fn key(checkout: &Arc<Checkout>, path: &str) -> (usize, String) {
    (Arc::as_ptr(checkout).addr(), path.to_owned())
}

fn named(target: &Target) -> Option<(usize, String)> {
    match target {
        Target::Path(checkout, path) if !is_pattern(path) => Some(key(checkout, path)),
        _ => None,
    }
}

/// The files and folders that match a pattern, in the order of a walk.
fn matching(checkout: &Checkout, pattern: &str, place: &Place, text: &str) -> Result<Vec<String>, Stop> {
    let glob = Glob::doublestar(pattern).map_err(|error| Stop::failed(place, format!("`{text}`: {error}")))?;
    let paths: Vec<String> = checkout.entries().filter(|(path, _)| glob.matches(path)).map(|(path, _)| path.to_owned()).collect();
    for path in &paths {
        if let Err(Lost::Outside) = checkout.follow(path) {
            return Err(Stop::failed(place, format!("`{}`, which matches `{text}`, leads out of the repository", checkout.shown(path))));
        }
    }
    Ok(paths)
}

fn read(checkout: &Checkout, path: &str, text: &str, place: &Place) -> Result<ValuesFile, Stop> {
    match checkout.follow(path) {
        Ok((_, Entry::Folder)) => {
            return Err(Stop::failed(place, format!("`{}`, which `{text}` means, is a folder", checkout.shown(path))));
        }
        Err(Lost::Missing) => return Err(Stop::failed(place, format!("`{text}` does not exist: there is no `{}`", checkout.shown(path)))),
        _ => {}
    }
    let bytes = checkout.bytes(path).map_err(|lost| {
        let what = format!("`{text}` {lost}");
        if matches!(lost, Lost::TooLarge(_)) { Stop::deferred(place, what) } else { Stop::failed(place, what) }
    })?;
    Ok(ValuesFile { name: checkout.shown(path), bytes: bytes.into() })
}

/// The scheme of a URL, if a text is one.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_first = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    (is_first && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))).then_some(scheme)
}
