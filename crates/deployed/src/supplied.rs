//! Archives of charts, put beside the files of a checkout where the dependencies of a chart are looked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use fedward_gitops::{Chart, Checkout, Entry, Repositories, path};
use fedward_manifest::Node;
use fedward_render::{FileError, FileType, Folder, Stat};

use crate::origins::join;
use crate::tracked::Tracked;

/// Charts below one another that are looked at for dependencies.
const DEPTH: usize = 8;

/// A checkout, and what is put into it.
pub(crate) struct Supplied {
    tracked: Tracked,
    checkout: Arc<Checkout>,
    archives: Mutex<BTreeMap<String, Chart>>,
}

impl Supplied {
    pub(crate) fn open(checkout: &Arc<Checkout>) -> std::io::Result<Self> {
        Ok(Supplied { tracked: Tracked::open(checkout)?, checkout: Arc::clone(checkout), archives: Mutex::default() })
    }

    /// Puts the dependencies that a chart names and does not have into its `charts`, as far as they are here. Returns what is worth saying of
    /// them.
    pub(crate) fn supply(&self, chart: &str, repositories: &Repositories) -> Vec<String> {
        let mut notes = Vec::new();
        self.supply_in(chart, repositories, DEPTH, &mut notes);
        notes
    }

    fn supply_in(&self, chart: &str, repositories: &Repositories, depth: usize, notes: &mut Vec<String>) {
        let Some(needed) = dependencies(&self.checkout, &join(chart, "Chart.yaml")).filter(|_| depth > 0) else { return };
        // What a lock says is what Helm fetches.
        let locked = dependencies(&self.checkout, &join(chart, "Chart.lock")).unwrap_or_default();
        for Dependency { name, version, repository } in needed {
            let charts = join(chart, "charts");
            if let Some(folder) = vendored(&self.checkout, &charts, &name) {
                if let Some(folder) = folder {
                    self.supply_in(&folder, repositories, depth - 1, notes);
                }
                continue;
            }
            if repository.starts_with("file://") || repository.is_empty() {
                continue;
            }
            let version = locked.iter().find(|locked| locked.name == name).map_or(version, |locked| locked.version.clone());
            let Some(found) = repositories.dependency(&repository, &name, &version) else { continue };
            // A folder would have to be packed first.
            if found.checkout.entry(&found.path) == Some(&Entry::Folder) {
                continue;
            }
            notes.extend(found.note.clone());
            let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
            archives.insert(join(&charts, path::name(&found.path)), found);
        }
    }

    /// Where a file that was put here really is.
    pub(crate) fn real(&self, file: &str) -> Option<(Arc<Checkout>, String)> {
        self.archive(file).map(|chart| (chart.checkout, chart.path))
    }

    fn archive(&self, path: &str) -> Option<Chart> {
        let archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        archives.get(&path::clean(path)?).cloned()
    }

    /// The names of what is put into a folder, or into folders of it.
    fn below(&self, folder: &str) -> BTreeMap<String, FileType> {
        let archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(folder) = path::clean(folder).filter(|_| !archives.is_empty()) else { return BTreeMap::new() };
        let inside = archives.keys().filter_map(|path| path::below(&folder, path)).filter(|rest| !rest.is_empty());
        let name = |rest: &str| match rest.split_once('/') {
            Some((first, _)) => (first.to_owned(), FileType::Folder),
            None => (rest.to_owned(), FileType::File),
        };
        inside.map(name).collect()
    }

    fn put(&self, path: &str) -> Option<Result<Stat, FileError>> {
        if let Some(chart) = self.archive(path) {
            let size = chart.checkout.root().join(&chart.path).metadata().map(|found| found.len());
            return Some(size.map(|size| Stat { file_type: FileType::File, size }).map_err(|_| FileError::Unreadable));
        }
        (!self.below(path).is_empty()).then_some(Ok(Stat { file_type: FileType::Folder, size: 0 }))
    }
}

impl Folder for Supplied {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        self.tracked.stat(path).or_else(|error| self.put(path).unwrap_or(Err(error)))
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        self.tracked.link_stat(path).or_else(|error| self.put(path).unwrap_or(Err(error)))
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let Some(chart) = self.archive(path) else { return self.tracked.read(path, limit) };
        let bytes = chart.checkout.bytes(&chart.path).map_err(|_| FileError::Unreadable)?;
        if bytes.len() > limit { Err(FileError::TooLarge) } else { Ok(bytes) }
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError> {
        let put = self.below(path);
        match self.tracked.list(path) {
            Ok(mut names) => {
                names.extend(put.into_iter().filter(|(name, _)| self.checkout.entry(&join(path, name)).is_none()));
                names.sort_by(|(one, _), (other, _)| one.cmp(other));
                names.dedup_by(|(one, _), (other, _)| one == other);
                Ok(names)
            }
            Err(error) if put.is_empty() => Err(error),
            Err(_) => Ok(put.into_iter().collect()),
        }
    }

    fn link(&self, path: &str) -> Result<String, FileError> {
        self.tracked.link(path)
    }
}

/// A chart that another needs.
struct Dependency {
    name: String,
    version: String,
    repository: String,
}

/// The dependencies that a file lists; `None` if there is no such file, or nothing that can be read.
fn dependencies(checkout: &Checkout, file: &str) -> Option<Vec<Dependency>> {
    let source = checkout.text(file).ok()?;
    let document = crate::origins::documents(&source).into_iter().next()?;
    let text = |entry: Node<'_>, key: &str| entry.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
    let entry =
        |entry: Node<'_>| Dependency { name: text(entry, "name"), version: text(entry, "version"), repository: text(entry, "repository") };
    Some(document.root().get("dependencies")?.items().map(entry).collect())
}

/// Whether a chart is in the `charts` of another: its folder, or `None` for an archive.
fn vendored(checkout: &Checkout, charts: &str, name: &str) -> Option<Option<String>> {
    for (entry, kind) in checkout.below(charts) {
        let Some(own) = path::below(charts, entry) else { continue };
        let is_archive = |rest: &str| rest.starts_with('-') && rest.ends_with(".tgz");
        match own.split_once('/') {
            None if *kind != Entry::Folder && own.strip_prefix(name).is_some_and(is_archive) => return Some(None),
            // A folder may be called otherwise than its chart.
            Some((folder, "Chart.yaml")) => {
                let source = checkout.text(entry).ok();
                let document = source.and_then(|source| crate::origins::documents(&source).into_iter().next());
                if document.is_some_and(|document| document.root().get("name").and_then(Node::as_str) == Some(name)) {
                    return Some(Some(join(charts, folder)));
                }
            }
            _ => {}
        }
    }
    None
}
