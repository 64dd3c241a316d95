//! Which repository is where: URLs of sources to checkouts on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::charts::{self, Chart, Missing};
use crate::checkout::Checkout;
use crate::limits::Limits;
use crate::{git, path, url};

/// What a person says of a repository: `URL=PATH`, or `URL@REVISION=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The URL, in any form.
    pub url: String,
    /// Only this revision; every one otherwise.
    pub revision: Option<String>,
    /// Where its files are: a checkout, or a folder that is like one. For a Helm repository, a folder of charts.
    pub path: PathBuf,
    /// How outputs name that path.
    pub shown: String,
}

/// The checkouts that there are, and the URLs that they stand for.
#[derive(Debug)]
pub struct Repositories {
    /// The first is the one that is looked at for Applications.
    checkouts: Vec<Arc<Checkout>>,
    mapped: Vec<Mapped>,
    /// Further names of the revision that the first checkout is.
    revisions: Vec<String>,
    /// Charts of Helm repositories.
    charts: Option<Arc<Checkout>>,
}

/// What a URL is mapped to.
#[derive(Debug)]
struct Mapped {
    /// The URL's identity.
    url: String,
    revision: Option<String>,
    /// The checkout, by its number.
    at: usize,
    /// How messages name the URL and the revision.
    shown: String,
    /// Whether anything was of it.
    is_used: AtomicBool,
}

/// What is known of a repository at a revision.
#[derive(Debug)]
pub(crate) enum Found<'r> {
    /// It is there.
    Here(&'r Arc<Checkout>),
    /// The repository is there, but perhaps not that revision of it.
    OtherRevision,
    /// Nothing.
    Unknown,
}

impl Repositories {
    /// The checkout at `root`, which stands for its own remotes, and whatever is mapped.
    ///
    /// `revisions` are further names of the revision that is checked out at `root`; `HEAD`, the branch, the tags and the commit that are
    /// checked out, and the remote's default branch always are.
    ///
    /// # Errors
    /// A folder cannot be opened.
    pub fn open(root: &Path, shown: &str, mappings: &[Mapping], revisions: &[String], limits: &Limits) -> Result<Self, String> {
        let mut checkouts = vec![Arc::new(Checkout::open(root, shown, limits)?)];
        let mut mapped = Vec::new();
        for mapping in mappings {
            let real = mapping.path.canonicalize().map_err(|error| format!("cannot open `{}`: {error}", mapping.shown))?;
            let at = match checkouts.iter().position(|checkout| checkout.root() == real) {
                Some(at) => at,
                None => {
                    checkouts.push(Arc::new(Checkout::open(&mapping.path, &mapping.shown, limits)?));
                    checkouts.len() - 1
                }
            };
            let revision = mapping.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
            mapped.push(Mapped {
                url: url::identity(&mapping.url),
                revision: mapping.revision.clone(),
                at,
                shown: format!("{}{revision}", url::shown(&mapping.url)),
                is_used: AtomicBool::new(false),
            });
        }
        Ok(Repositories { checkouts, mapped, revisions: revisions.to_vec(), charts: None })
    }

    /// Takes charts of Helm repositories out of a folder, where they are not mapped. `shown` is how outputs name it.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn keep_charts(&mut self, folder: &Path, shown: &str, limits: &Limits) -> Result<(), String> {
        self.charts = Some(Arc::new(Checkout::open(folder, shown, limits)?));
        Ok(())
    }

    /// The chart that a dependency means, as far as charts of Helm repositories are here. An alias of a repository is known to Helm only: then
    /// the name of the chart decides.
    #[must_use]
    pub fn dependency(&self, repository: &str, name: &str, version: &str) -> Option<Chart> {
        self.chart(addressed(repository), name, version)?.ok()
    }

    /// Where charts of a Helm repository, as a dependency names it, are taken from.
    pub(crate) fn shelf(&self, repository: &str, version: &str) -> Option<&Arc<Checkout>> {
        if let Found::Here(checkout) = self.find(addressed(repository), version) { Some(checkout) } else { self.charts.as_ref() }
    }

    /// A chart of a Helm repository; `None` if nothing is known of any.
    pub(crate) fn chart(&self, repository: &str, name: &str, version: &str) -> Option<Result<Chart, Missing>> {
        if let Found::Here(checkout) = self.find(repository, version) {
            return Some(charts::in_folder(checkout, name, version));
        }
        self.charts.as_ref().map(|shelf| charts::of_repository(shelf, repository, name, version))
    }

    /// The folder that charts are taken out of.
    #[must_use]
    pub fn kept_charts(&self) -> Option<&Arc<Checkout>> {
        self.charts.as_ref()
    }

    /// Whether charts are taken out of a folder.
    pub(crate) fn keeps_charts(&self) -> bool {
        self.charts.is_some()
    }

    /// The checkout that is looked at for Applications.
    #[must_use]
    pub fn main(&self) -> Option<&Arc<Checkout>> {
        self.checkouts.first()
    }

    /// All checkouts.
    #[must_use]
    pub fn checkouts(&self) -> &[Arc<Checkout>] {
        &self.checkouts
    }

    /// Where a repository is at a revision. What is mapped counts before the checkout's own remotes, and a mapping of the revision before
    /// one of every revision.
    pub(crate) fn find(&self, repository: &str, revision: &str) -> Found<'_> {
        let identity = url::identity(repository);
        let at = |wanted: Option<&str>| {
            let mut fitting = self.mapped.iter().filter(|mapped| mapped.url == identity && mapped.revision.as_deref() == wanted);
            fitting.next().and_then(|mapped| {
                mapped.is_used.store(true, Ordering::Relaxed);
                self.checkouts.get(mapped.at)
            })
        };
        if let Some(checkout) = at(Some(revision)).or_else(|| at(None)) {
            return Found::Here(checkout);
        }
        let is_mapped = self.mapped.iter().any(|mapped| mapped.url == identity);
        let is_own = |checkout: &&Arc<Checkout>| {
            checkout.known().is_some_and(|known| known.remotes.iter().any(|remote| url::identity(remote) == identity))
        };
        match self.main().filter(is_own) {
            Some(main) if self.is_checked_out(main, revision) => Found::Here(main),
            Some(_) => Found::OtherRevision,
            None if is_mapped => Found::OtherRevision,
            None => Found::Unknown,
        }
    }

    /// What is mapped, as messages name it, and what nobody has asked for so far.
    pub fn unmatched(&self) -> impl Iterator<Item = &str> {
        self.mapped.iter().filter(|mapped| !mapped.is_used.load(Ordering::Relaxed)).map(|mapped| mapped.shown.as_str())
    }

    /// Whether a revision is the one that is checked out, as far as anybody knows.
    fn is_checked_out(&self, checkout: &Checkout, revision: &str) -> bool {
        let name = git::short(revision).unwrap_or(revision);
        if matches!(name, "" | "HEAD") || self.revisions.iter().any(|known| known == name) {
            return true;
        }
        let Some(known) = checkout.known() else { return false };
        let is_commit = name.len() >= 7
            && name.bytes().all(|byte| byte.is_ascii_hexdigit())
            && known.commit.as_ref().is_some_and(|commit| commit.starts_with(&name.to_ascii_lowercase()));
        let is_default = match &known.default_branch {
            Some(default) => name == default,
            // A checkout of a single branch does not say, and these two are what nearly all are called.
            None => matches!(name, "main" | "master"),
        };
        is_commit || is_default || known.names.contains(name)
    }

    /// A file by the name that outputs give it.
    #[must_use]
    pub fn locate<'n>(&self, shown: &'n str) -> Option<(&Arc<Checkout>, &'n str)> {
        self.checkouts.iter().find_map(|checkout| Some((checkout, checkout.path_of(shown)?)))
    }

    /// Why a source of a repository cannot be looked at.
    pub(crate) fn explain(&self, found: &Found<'_>, repository: &str, revision: &str) -> Option<String> {
        let url = url::shown(repository);
        match found {
            Found::Here(_) => None,
            Found::OtherRevision => Some(format!(
                "revision `{revision}` of `{url}` is not known to be the one that is checked out: map it with `--repo {url}@{revision}=PATH`, or say `--revision {revision}`"
            )),
            Found::Unknown => Some(format!("repository `{url}` is not here: map it with `--repo {url}=PATH`")),
        }
    }
}

/// The address of a Helm repository; none of an alias.
fn addressed(repository: &str) -> &str {
    if repository.starts_with('@') || repository.starts_with("alias:") { "" } else { repository }
}

/// Takes `URL=PATH` or `URL@REVISION=PATH` apart. An `@` belongs to a revision if it comes after the last slash of the URL.
///
/// # Errors
/// It is none of these.
pub fn mapping(text: &str) -> Result<Mapping, String> {
    let (left, right) = text.split_once('=').ok_or_else(|| format!("`{text}` is not `URL=PATH`"))?;
    let (url, revision) = match left.rsplit_once('@') {
        Some((url, revision)) if url.contains('/') => (url, Some(revision.to_owned())),
        _ => (left, None),
    };
    if url.is_empty() || right.is_empty() || revision.as_deref() == Some("") {
        return Err(format!("`{text}` is not `URL=PATH`"));
    }
    // A revision may have slashes: then the URL's own `@` would be taken for its beginning.
    let (url, revision) = match &revision {
        Some(revision) if revision.contains(':') => (left, None),
        _ => (url, revision),
    };
    Ok(Mapping { url: url.to_owned(), revision, path: PathBuf::from(right), shown: path::shown(right).to_owned() })
}

#[cfg(test)]
mod tests;
