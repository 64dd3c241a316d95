//! Charts of Helm repositories, where a person has them: archives as `helm pull` leaves them, or the same unpacked.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::checkout::{Checkout, Entry};
use crate::{path, url, versions};

/// Charts below one another that are looked at for dependencies.
pub const DEEPEST: usize = 8;

/// A chart that was found.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Where it is.
    pub checkout: Arc<Checkout>,
    /// Its archive, or its folder.
    pub path: String,
    /// What is worth saying of the choice.
    pub note: Option<String>,
}

/// Why there is no chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is none of that name.
    Name,
    /// There are other versions of it.
    Version(Vec<String>),
    /// The index of the repository says which version it would be, and that is not there.
    Indexed(String),
    /// There is none of that version, and no constraint is what is asked for.
    NotAConstraint,
}

/// A chart in a folder.
struct Kept {
    path: String,
    version: String,
}

/// A chart of a repository among those of a folder that holds charts of several repositories.
///
/// A folder in it that is called as the repository (`charts.example/stable`) has those of that repository. Otherwise the name of the chart
/// decides, and where an index of the repository is there, that its digest is the one of the archive.
pub(crate) fn of_repository(shelf: &Arc<Checkout>, repository: &str, name: &str, wanted: &str) -> Result<Chart, Missing> {
    let own = url::identity(repository);
    let own = own.trim_matches('/');
    if !own.is_empty() && shelf.entry(own) == Some(&Entry::Folder) {
        let index = direct(shelf, own).find(|file| is_index(file)).and_then(|file| index(shelf, file, None, path::name(name)));
        return pick(shelf, own, name, wanted, index);
    }
    let indexes = direct(shelf, "").filter(|file| is_index(file));
    let index = indexes.filter_map(|file| index(shelf, file, Some(own), path::name(name))).next();
    pick(shelf, "", name, wanted, index)
}

/// A chart in a folder that a repository is mapped to.
pub(crate) fn in_folder(checkout: &Arc<Checkout>, name: &str, wanted: &str) -> Result<Chart, Missing> {
    let index = direct(checkout, "").find(|file| is_index(file)).and_then(|file| index(checkout, file, None, path::name(name)));
    pick(checkout, "", name, wanted, index)
}

/// The field of a chart's own description.
pub(crate) fn field(checkout: &Checkout, folder: &str, key: &str) -> Option<String> {
    let parsed = checkout.documents(&path::join(folder, "Chart.yaml")?).ok()?;
    let document = parsed.only().ok()??;
    document.root().get(key)?.as_str().map(str::to_owned)
}

/// What an index has of one chart: versions, and digests of their archives where it has them.
type Index = Vec<(String, Option<String>)>;

fn pick(checkout: &Arc<Checkout>, folder: &str, name: &str, wanted: &str, index: Option<Index>) -> Result<Chart, Missing> {
    let mut kept = kept(checkout, folder, name);
    if let Some(index) = &index {
        kept.retain(|chart| is_of(checkout, chart, index));
    }
    if kept.is_empty() && index.is_none() {
        return Err(Missing::Name);
    }
    let here = || kept.iter().map(|chart| chart.version.as_str());
    let is_known = index.is_some();
    // With an index it is known what else there is.
    let all: Vec<String> = index.into_iter().flatten().map(|(version, _)| version).collect();
    let chosen = if is_known { versions::choose(wanted, all.iter().map(String::as_str)) } else { versions::choose(wanted, here()) };
    let version = match chosen {
        None => return Err(Missing::NotAConstraint),
        Some(None) => return Err(Missing::Version(here().map(str::to_owned).collect())),
        Some(Some(version)) => version,
    };
    let bare = |version: &str| version.trim_start_matches('v').to_owned();
    let Some(chart) = kept.iter().find(|chart| bare(&chart.version) == bare(version)) else {
        return Err(Missing::Indexed(version.to_owned()));
    };
    let note = (!is_known && versions::is_range(wanted)).then(|| {
        let shown = checkout.shown(folder);
        format!(
            "of chart `{name}`, version {version} was taken for `{wanted}`, the highest in `{}`: the repository may have higher ones",
            path::shown(shown.trim_end_matches('/'))
        )
    });
    Ok(Chart { checkout: Arc::clone(checkout), path: chart.path.clone(), note })
}

/// Whether a file may have a say in which chart of a name is taken: an archive of it, a file of the same unpacked, an index.
pub(crate) fn is_about(file: &str, name: &str) -> bool {
    let bare = path::name(name);
    is_index(file) || versions::of_archive(path::name(file), bare).is_some() || file.split('/').any(|part| part == bare)
}

/// The charts of a name in a folder.
fn kept(checkout: &Checkout, folder: &str, name: &str) -> Vec<Kept> {
    let bare = path::name(name);
    let folders: BTreeSet<String> = [name, bare, ""].iter().filter_map(|name| path::join(folder, name)).collect();
    let is_it = |folder: &String| field(checkout, folder, "name").is_some_and(|found| found == bare);
    let unpacked = folders.into_iter().filter(is_it);
    let mut kept: Vec<Kept> =
        unpacked.map(|folder| Kept { version: field(checkout, &folder, "version").unwrap_or_default(), path: folder }).collect();
    for file in direct(checkout, folder) {
        let version = versions::of_archive(path::name(file), bare);
        kept.extend(version.map(|version| Kept { path: file.to_owned(), version }));
    }
    kept
}

/// Files that are directly in a folder.
fn direct<'c>(checkout: &'c Checkout, folder: &'c str) -> impl Iterator<Item = &'c str> {
    let files = checkout.below(folder).filter(|(_, entry)| matches!(entry, Entry::File | Entry::Link(_))).map(|(file, _)| file);
    files.filter(move |file| path::folder(file) == folder)
}

fn is_index(file: &str) -> bool {
    matches!(path::name(file), "index.yaml") || file.ends_with("-index.yaml")
}

/// What an index has of a chart, if it is one of the repository: some archive of the chart has its address below that of the repository.
fn index(checkout: &Checkout, file: &str, repository: Option<&str>, name: &str) -> Option<Index> {
    let parsed = checkout.documents(file).ok()?;
    let entries = parsed.only().ok()??.root().get("entries")?.get(name)?.items();
    let text = |key: &str, entry: fedward_manifest::Node<'_>| entry.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let is_below = |address: &str, repository: &str| {
        let found = url::identity(address);
        found.strip_prefix(repository).is_some_and(|rest| rest.starts_with('/'))
    };
    let is_of = |repository: &str| {
        let mut addresses = entries.clone().flat_map(|entry| entry.get("urls").into_iter().flat_map(|urls| urls.items()));
        addresses.any(|address| address.as_str().is_some_and(|address| is_below(address, repository)))
    };
    if repository.is_some_and(|repository| !is_of(repository)) {
        return None;
    }
    Some(entries.clone().filter_map(|entry| Some((text("version", entry)?, text("digest", entry)))).collect())
}

/// Whether a chart that is there is the one of an index: the archive of another repository has another digest.
fn is_of(checkout: &Checkout, chart: &Kept, index: &Index) -> bool {
    let bare = |version: &str| version.trim_start_matches('v').to_owned();
    let mut entries = index.iter().filter(|(version, _)| bare(version) == bare(&chart.version));
    let is_archive = checkout.entry(&chart.path) != Some(&Entry::Folder);
    entries.any(|(_, digest)| match digest.as_ref().filter(|_| is_archive) {
        None => true,
        Some(digest) => checkout.digest(&chart.path).is_some_and(|own| digest.trim_start_matches("sha256:").eq_ignore_ascii_case(&own)),
    })
}
