//! Archives of charts, put beside the files of a checkout where the dependencies of a chart are looked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use fedward_gitops::{Chart, Checkout, DEEPEST, Entry, Repositories, fits, of_archive, path};
use fedward_manifest::Node;
use fedward_render::{FileError, FileType, Folder, Stat};

use crate::origins::join;
use crate::tracked::Tracked;

/// A checkout, and what is put into it.
pub(crate) struct Supplied {
    tracked: Tracked,
    checkout: Arc<Checkout>,
    archives: Mutex<BTreeMap<String, Chart>>,
    /// What became of the dependencies of charts, by folder: many Applications are of one.
    known: Mutex<HashMap<String, Supply>>,
}

impl Supplied {
    pub(crate) fn open(checkout: &Arc<Checkout>) -> std::io::Result<Self> {
        Ok(Supplied {
            tracked: Tracked::open(checkout)?,
            checkout: Arc::clone(checkout),
            archives: Mutex::default(),
            known: Mutex::default(),
        })
    }

    /// Puts the dependencies that a chart names and does not have into its `charts`, as far as they are here.
    pub(crate) fn supply(&self, chart: &str, repositories: &Repositories) -> Supply {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(chart).cloned();
        found.unwrap_or_else(|| {
            let mut supply = Supply::default();
            self.supply_in(chart, repositories, DEEPEST, &mut supply);
            known().insert(chart.to_owned(), supply.clone());
            supply
        })
    }

    fn supply_in(&self, chart: &str, repositories: &Repositories, depth: usize, supply: &mut Supply) {
        let Some(needed) = dependencies(&self.checkout, &join(chart, "Chart.yaml")).filter(|_| depth > 0) else { return };
        // What a lock says is what Helm fetches.
        let locked = dependencies(&self.checkout, &join(chart, "Chart.lock")).unwrap_or_default();
        let charts = join(chart, "charts");
        let held = Held::read(&self.checkout, &charts);
        let vendored: Vec<Vec<Vendored>> = needed.iter().map(|needed| held.of(&needed.name)).collect();
        let folders: BTreeSet<&String> = vendored.iter().flatten().filter_map(|have| have.folder.as_ref()).collect();
        for folder in folders {
            self.supply_in(folder, repositories, depth - 1, supply);
        }
        // Helm looks at names only: where it has them all, it fetches nothing, and leaves out what it has in another version.
        if vendored.iter().any(Vec::is_empty) {
            self.fetch(&charts, &needed, &locked, &vendored, repositories, supply);
        }
    }

    /// Finds what Helm would fetch for a chart some of whose dependencies are not there.
    fn fetch(
        &self,
        charts: &str,
        needed: &[Dependency],
        locked: &[Dependency],
        vendored: &[Vec<Vendored>],
        repositories: &Repositories,
        supply: &mut Supply,
    ) {
        let mut have: BTreeSet<&str> = BTreeSet::new();
        let mut lacking = Vec::new();
        for (dependency, vendored) in needed.iter().zip(vendored) {
            let Dependency { name, version, repository } = dependency;
            if !vendored.is_empty() {
                have.insert(name);
            }
            if vendored.iter().any(|vendored| vendored.is(version)) || repository.starts_with("file://") || repository.is_empty() {
                continue;
            }
            let version = dependency.locked(locked).map_or(version, |locked| &locked.version);
            let found = repositories.dependency(repository, name, version);
            let Some(found) = found else {
                lacking.push((name.as_str(), version));
                continue;
            };
            if found.checkout.entry(&found.path) == Some(&Entry::Folder) {
                let folder = found.checkout.shown(&found.path);
                let what = "is a folder, and charts that others need are taken from archives only: pack it with `helm package`";
                supply.notes.push(format!("chart `{name}` in `{folder}` {what}"));
                lacking.push((name.as_str(), version));
                continue;
            }
            have.insert(name);
            supply.notes.extend(found.note.clone());
            let at = join(charts, path::name(&found.path));
            // What the checkout has itself stays what it is.
            if self.checkout.entry(&at).is_none() {
                let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
                supply.archives.push(found.checkout.shown(&found.path));
                archives.insert(at, found);
            }
        }
        // Of a name of which there is nothing, whoever loads the chart says so.
        let lacking = lacking.into_iter().filter(|(name, _)| have.contains(name));
        supply.missing.extend(lacking.map(|(name, version)| format!("`{name}` {version}")));
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

    /// What was put at a path; `error`, if nothing was.
    fn put(&self, path: &str, error: FileError) -> Result<Stat, FileError> {
        match self.archive(path) {
            Some(chart) => Ok(Stat { file_type: FileType::File, size: size(&chart)? }),
            None if self.below(path).is_empty() => Err(error),
            None => Ok(Stat { file_type: FileType::Folder, size: 0 }),
        }
    }
}

/// Bytes of an archive.
fn size(chart: &Chart) -> Result<u64, FileError> {
    chart.checkout.root().join(&chart.path).metadata().map(|found| found.len()).map_err(|_| FileError::Unreadable)
}

impl Folder for Supplied {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        self.tracked.stat(path).or_else(|error| self.put(path, error))
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        self.tracked.link_stat(path).or_else(|error| self.put(path, error))
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let Some(chart) = self.archive(path) else { return self.tracked.read(path, limit) };
        // Its size is asked for before it is read.
        if size(&chart)? > limit as u64 {
            return Err(FileError::TooLarge);
        }
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

/// What became of the dependencies of a chart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Supply {
    /// What is worth saying of what was taken.
    pub(crate) notes: Vec<String>,
    /// Names and versions that are not here, though other versions of the same charts are: Helm's library would leave them out without a word.
    pub(crate) missing: Vec<String>,
    /// The archives that were taken, as outputs name them.
    pub(crate) archives: Vec<String>,
}

/// A chart that another needs.
struct Dependency {
    name: String,
    version: String,
    repository: String,
}

impl Dependency {
    /// What a lock says of it: a chart may be needed twice, in two versions or of two repositories.
    fn locked<'l>(&self, locked: &'l [Dependency]) -> Option<&'l Dependency> {
        let named = || locked.iter().filter(|locked| locked.name == self.name);
        let mut fitting = named().filter(|locked| fits(&self.version, &locked.version));
        let own = fitting.clone().find(|locked| locked.repository == self.repository);
        // A lock that is older than the dependency counts where nothing else of the name is in it.
        own.or_else(|| fitting.next()).or_else(|| named().next().filter(|_| named().count() == 1))
    }
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

/// A chart in the `charts` of another.
#[derive(Clone)]
struct Vendored {
    version: String,
    /// Its folder, if it is no archive.
    folder: Option<String>,
}

impl Vendored {
    /// Whether it is of a version that is wanted.
    fn is(&self, wanted: &str) -> bool {
        fits(wanted, &self.version)
    }
}

/// What is in the `charts` of a chart.
#[derive(Default)]
struct Held {
    archives: Vec<String>,
    /// By their own names: a folder may be called otherwise than its chart.
    folders: HashMap<String, Vec<Vendored>>,
}

impl Held {
    fn read(checkout: &Checkout, charts: &str) -> Self {
        let mut held = Held::default();
        for (entry, kind) in checkout.below(charts) {
            let Some(own) = path::below(charts, entry) else { continue };
            match own.split_once('/') {
                None if *kind != Entry::Folder => held.archives.push(own.to_owned()),
                Some((folder, "Chart.yaml")) => {
                    let source = checkout.text(entry).ok();
                    let Some(document) = source.and_then(|source| crate::origins::documents(&source).into_iter().next()) else { continue };
                    let text = |key: &str| document.root().get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
                    let vendored = Vendored { version: text("version"), folder: Some(join(charts, folder)) };
                    held.folders.entry(text("name")).or_default().push(vendored);
                }
                _ => {}
            }
        }
        held
    }

    /// The charts of a name.
    fn of(&self, name: &str) -> Vec<Vendored> {
        let archives = self.archives.iter().filter_map(|file| of_archive(file, name));
        let archives = archives.map(|version| Vendored { version, folder: None });
        archives.chain(self.folders.get(name).into_iter().flatten().cloned()).collect()
    }
}
