//! Which files a change touches: what differs from the commit that a revision and the one that is checked out come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::git;
use crate::path;

/// The files of a repository that differ.
#[derive(Debug, Default)]
pub struct Changed {
    /// Without links.
    root: PathBuf,
    /// From the root: changed, new, gone; committed or not; and whether it was there before.
    files: BTreeMap<String, bool>,
    /// The commit that it differs from.
    base: String,
    /// What Git tracks, and whether each is a submodule. Anything else is new.
    tracked: BTreeMap<String, bool>,
}

impl Changed {
    /// Asks Git what differs, in the repository that has its root at a folder.
    ///
    /// # Errors
    /// Git does not know the revision, or of no commit that both come from.
    pub fn since(root: &Path, revision: &str) -> Result<Self, String> {
        let root = root.canonicalize().map_err(|error| format!("cannot open `{}`: {error}", root.display()))?;
        let changes = git::changes(&root, revision)?;
        Ok(Changed { root, files: changes.files.into_iter().collect(), base: changes.base, tracked: changes.tracked.into_iter().collect() })
    }

    /// The root of the repository, without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The commit that what lies there differs from.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The files that differ, by their paths from the root, and whether they were there before. Those that Git does not track are not among them.
    pub fn files(&self) -> impl Iterator<Item = (&str, bool)> {
        self.files.iter().map(|(file, was_there)| (file.as_str(), *was_there))
    }

    /// Whether a file is touched, by its path without links. What lies outside of the repository, and what Git does not track, is.
    #[must_use]
    pub fn touches(&self, file: &Path) -> bool {
        let Some(inside) = file.strip_prefix(&self.root).ok().and_then(slashed) else { return true };
        let above = |known: &BTreeMap<String, bool>| {
            let mut folder = path::folder(&inside);
            while !folder.is_empty() {
                if let Some(true) = known.get(folder) {
                    return Some(folder.to_owned());
                }
                folder = path::folder(folder);
            }
            None
        };
        if self.tracked.contains_key(&inside) {
            return self.files.contains_key(&inside);
        }
        // Of a submodule, its commit is what is known.
        above(&self.tracked).is_none_or(|submodule| self.files.contains_key(&submodule))
    }

    /// What is touched of a folder, by paths from it; the folder itself is empty.
    pub(crate) fn within(&self, folder: &Path) -> Within {
        let mut files = BTreeSet::new();
        if let Some(inside) = folder.strip_prefix(&self.root).ok().and_then(slashed) {
            for file in self.files.keys() {
                if let Some(rest) = path::below(&inside, file) {
                    files.insert(rest.to_owned());
                } else if path::below(file, &inside).is_some() {
                    files.insert(String::new());
                }
            }
        } else if let Some(above) = self.root.strip_prefix(folder).ok().and_then(slashed) {
            files.extend(self.files.keys().map(|file| format!("{above}/{file}")));
        }
        Within(files)
    }
}

fn slashed(path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> = path.components().map(|name| name.as_os_str().to_str()).collect();
    names.map(|names| names.join("/"))
}

/// The files of one checkout that are touched.
#[derive(Debug, Default)]
pub(crate) struct Within(BTreeSet<String>);

impl Within {
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// What is touched of a path: the path itself, or what is above it: a link, or a submodule.
    pub(crate) fn at<'w>(&'w self, path: &str) -> Option<&'w str> {
        let mut above = path;
        loop {
            if let Some(found) = self.0.get(above) {
                return Some(found);
            }
            if above.is_empty() {
                return None;
            }
            above = path::folder(above);
        }
    }

    /// The first file that is touched of a path, or below it.
    pub(crate) fn below<'w>(&'w self, folder: &str) -> Option<&'w str> {
        self.at(folder).or_else(|| self.all_below(folder).next())
    }

    /// All that is touched below a folder.
    pub(crate) fn all_below<'w, 'f>(&'w self, folder: &'f str) -> impl Iterator<Item = &'w str> + use<'w, 'f> {
        let from = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.0.range(from..).map(String::as_str).take_while(move |file| path::below(folder, file).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(files: &[&str]) -> Changed {
        let tracked = ["a/b.yaml", "a/c.yaml", "link"].map(|file| (file.to_owned(), false));
        let mut tracked: BTreeMap<String, bool> = tracked.into_iter().collect();
        tracked.insert("sub".to_owned(), true);
        let files = files.iter().map(|&file| (file.to_owned(), true)).collect();
        Changed { root: PathBuf::from("/r"), files, base: String::new(), tracked }
    }

    #[test]
    fn files_are_touched_if_they_differ_or_nobody_knows() {
        let one = changed(&["a/b.yaml"]);
        let touches = |file: &str| one.touches(Path::new(file));
        assert!(touches("/r/a/b.yaml") && !touches("/r/a/c.yaml"));
        assert!(touches("/r/new.yaml") && touches("/elsewhere/a.yaml"));
        assert!(!touches("/r/sub/x.yaml") && changed(&["sub"]).touches(Path::new("/r/sub/x.yaml")));
    }

    #[test]
    fn paths_of_a_folder_are_seen_from_it() {
        let one = changed(&["a/b.yaml", "a-b/c.yaml", "a/z/d.yaml", "link"]);
        let root = one.within(Path::new("/r"));
        assert_eq!(root.below("a"), Some("a/b.yaml"));
        assert_eq!(root.all_below("a").collect::<Vec<_>>(), ["a/b.yaml", "a/z/d.yaml"]);
        assert_eq!(root.at("link/below/it"), Some("link"));
        assert_eq!((root.at("a"), root.below("b"), root.below("")), (None, None, Some("a-b/c.yaml")));
        assert_eq!(one.within(Path::new("/r/a")).files().collect::<Vec<_>>(), ["b.yaml", "z/d.yaml"]);
        assert_eq!(one.within(Path::new("/r/link/in")).at("x"), Some(""));
        assert_eq!(one.within(Path::new("/")).at("r/link"), Some("r/link"));
        assert_eq!(one.within(Path::new("/other")).below(""), None);
    }
}
