//! The files of one repository, as Argo CD would have them: those in Git's index, where there is one. Nothing outside of the root is ever
//! looked at: links are followed by name, inside of what is known.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use fedward_manifest::Source;
use sha2::{Digest as _, Sha256};

use crate::documents::Parsed;
use crate::git::{self, Known};
use crate::layout::Layout;
use crate::limits::Limits;
use crate::path;

/// A checkout of a repository.
#[derive(Debug)]
pub struct Checkout {
    root: PathBuf,
    /// The folder itself: nothing outside of it can be opened through it.
    folder: Dir,
    /// What outputs put before its paths; empty or with a slash at the end.
    prefix: String,
    /// Sorted as a walk comes by them.
    entries: Vec<(String, Entry)>,
    known: Option<Known>,
    notes: Vec<String>,
    limits: Limits,
    parsed: Mutex<HashMap<String, Arc<Parsed>>>,
    /// The SHA-256 of files, in hexadecimal digits.
    digests: Mutex<HashMap<String, Option<String>>>,
    /// The files that were read.
    read: Mutex<HashSet<String>>,
    /// The answer of [`Checkout::stray_link`], for which all entries are looked at: every source asks.
    stray: OnceLock<Option<String>>,
    layout: OnceLock<Layout>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder,
    /// An ordinary file.
    File,
    /// A link, with what it says.
    Link(String),
    /// Something else: a device, a pipe.
    Other,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// There is nothing.
    #[error("does not exist")]
    Missing,
    /// It leads out of the repository.
    #[error("leads out of the repository")]
    Outside,
    /// Links lead to one another without end.
    #[error("leads through too many links")]
    Loop,
    /// It is no file.
    #[error("is not a file")]
    NotFile,
    /// It is larger than is read.
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    /// It is not text.
    #[error("is not UTF-8")]
    NotText,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

impl Checkout {
    /// The checkout with its root at a folder. `shown` is how outputs name that folder.
    ///
    /// # Errors
    /// It is no folder, or has more in it than the limits allow.
    pub fn open(root: &Path, shown: &str, limits: &Limits) -> Result<Self, String> {
        let root = root.canonicalize().map_err(|error| format!("cannot open `{shown}`: {error}"))?;
        if !root.is_dir() {
            return Err(format!("`{shown}` is not a folder"));
        }
        let folder = Dir::open_ambient_dir(&root, ambient_authority()).map_err(|error| format!("cannot open `{shown}`: {error}"))?;
        let shown = shown.trim_end_matches('/');
        let shown = shown.strip_prefix("./").unwrap_or(shown);
        let prefix = if matches!(shown, "" | ".") { String::new() } else { format!("{shown}/") };
        let mut notes = Vec::new();
        let known = git::ask(&root).unwrap_or_else(|error| {
            notes.push(format!("Git does not say which files of `{}` are tracked, so all count: {error}", path::shown(shown)));
            None
        });
        let mut walk = Walk { root: &root, limits, entries: Vec::new() };
        match &known {
            Some(known) => {
                walk.tracked(known).map_err(|error| format!("cannot list `{}`: {error}", path::shown(shown)))?;
                if known.not_utf8 > 0 {
                    notes.push(format!(
                        "{} files of `{}` have names that are not UTF-8 and were left out",
                        known.not_utf8,
                        path::shown(shown)
                    ));
                }
            }
            None => walk.folder("", 0).map_err(|error| format!("cannot list `{}`: {error}", path::shown(shown)))?,
        }
        let mut entries = walk.entries;
        entries.sort_by(|(left, _), (right, _)| path::walk_order(left, right));
        entries.dedup_by(|(left, _), (right, _)| left == right);
        Ok(Checkout {
            root,
            folder,
            prefix,
            entries,
            known,
            notes,
            limits: *limits,
            parsed: Mutex::default(),
            digests: Mutex::default(),
            read: Mutex::default(),
            stray: OnceLock::new(),
            layout: OnceLock::new(),
        })
    }

    /// The folder, without links. A renderer must not look outside of it.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a folder of the disk, named without links above it, is a part of it: what lies there comes from whoever writes the repository.
    #[must_use]
    pub fn holds(&self, folder: &Path) -> bool {
        // Where Git does not say what is of it, all is.
        let is_ours = |inside: &Path| self.known.is_none() || inside.to_str().is_none_or(|inside| self.entry(inside).is_some());
        folder.strip_prefix(&self.root).is_ok_and(is_ours)
    }

    /// What outputs call a path of it.
    #[must_use]
    pub fn shown(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The path that an output's name means, if it is one of this checkout.
    #[must_use]
    pub fn path_of<'n>(&self, shown: &'n str) -> Option<&'n str> {
        let path = shown.strip_prefix(&self.prefix)?;
        self.entry(path).map(|_| path)
    }

    /// What is worth saying of how it was read.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What Git knows of it.
    pub(crate) fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// The commit that is checked out.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        self.known.as_ref()?.commit.as_deref()
    }

    /// Every path, in the order of a walk.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// What is below a folder, in the order of a walk. Links to folders are not followed.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = (&str, &Entry)> {
        let from = self.entries.partition_point(|(path, _)| path::walk_order(path, folder) != Ordering::Greater);
        let rest = self.entries.get(if folder.is_empty() { 0 } else { from }..).unwrap_or_default();
        rest.iter().map(|(path, entry)| (path.as_str(), entry)).take_while(move |(path, _)| path::below(folder, path).is_some())
    }

    /// What stands at a clean path itself.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        if path.is_empty() {
            return Some(&Entry::Folder);
        }
        let found = self.entries.binary_search_by(|(other, _)| path::walk_order(other, path)).ok()?;
        self.entries.get(found).map(|(_, entry)| entry)
    }

    /// Where a path leads through links: a path without any, and what is there.
    ///
    /// # Errors
    /// It leads nowhere in this repository.
    pub fn follow(&self, path: &str) -> Result<(String, &Entry), Lost> {
        let mut real: Vec<String> = Vec::new();
        let mut waiting: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(part) = waiting.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    real.pop().ok_or(Lost::Outside)?;
                    continue;
                }
                _ => real.push(part),
            }
            if let Some(Entry::Link(target)) = self.entry(&real.join("/")) {
                links += 1;
                if links > self.limits.links {
                    return Err(Lost::Loop);
                }
                if is_absolute(target) {
                    return Err(Lost::Outside);
                }
                real.pop();
                waiting.extend(target.split(['/', std::path::MAIN_SEPARATOR]).rev().map(str::to_owned));
            }
        }
        let real = real.join("/");
        let entry = self.entry(&real).ok_or(Lost::Missing)?;
        Ok((real, entry))
    }

    /// Whether there is a file, through links or not.
    #[must_use]
    pub fn is_file(&self, path: &str) -> bool {
        matches!(self.follow(path), Ok((_, Entry::File)))
    }

    /// The first link, in the order of a walk, that is absolute or any of whose steps leaves the repository. Argo CD renders nothing of a
    /// repository that has one.
    #[must_use]
    pub fn stray_link(&self) -> Option<&str> {
        self.stray.get_or_init(|| self.find_stray_link().map(str::to_owned)).as_deref()
    }

    /// What its files are for; found out once.
    pub(crate) fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| Layout::of(self))
    }

    fn find_stray_link(&self) -> Option<&str> {
        let is_stray = |path: &str, target: &str| {
            let mut depth = path::parts(path::folder(path)).count();
            is_absolute(target)
                || target.split('/').any(|part| match part {
                    "" | "." => false,
                    ".." => {
                        depth = depth.wrapping_sub(1);
                        depth == usize::MAX
                    }
                    _ => {
                        depth += 1;
                        false
                    }
                })
        };
        let mut links =
            self.entries().filter_map(|(path, entry)| if let Entry::Link(target) = entry { Some((path, target)) } else { None });
        links.find(|(path, target)| is_stray(path, target)).map(|(path, _)| path)
    }

    /// Notes that somebody reads a file, by its path without links, in another way than with [`Checkout::bytes`].
    pub fn note_read(&self, real: &str) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !read.contains(real) {
            read.insert(real.to_owned());
        }
    }

    /// The files that were read so far, without links.
    #[must_use]
    pub fn read(&self) -> Vec<PathBuf> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|file| self.root.join(file)).collect()
    }

    /// The bytes of a file, through links.
    ///
    /// # Errors
    /// There is no such file in this repository, or it is too large.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Lost> {
        let (real, entry) = self.follow(path)?;
        if *entry != Entry::File {
            return Err(Lost::NotFile);
        }
        self.note_read(&real);
        // What was a file in a folder when it was listed may be a link by now, or a pipe: it then leads nowhere else, and nothing is waited for.
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let file = self.folder.open_with(&real, &options).map_err(|error| lost(&error))?;
        let metadata = file.metadata().map_err(|error| lost(&error))?;
        if !metadata.is_file() {
            return Err(Lost::NotFile);
        }
        // With room for what is there, it is read in one go.
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(self.limits.file_bytes)).unwrap_or(0).saturating_add(1));
        file.take(self.limits.file_bytes + 1).read_to_end(&mut bytes).map_err(|error| lost(&error))?;
        if bytes.len() as u64 > self.limits.file_bytes { Err(Lost::TooLarge(self.limits.file_bytes)) } else { Ok(bytes) }
    }

    /// The SHA-256 of a file, in hexadecimal digits, which is found out once; `None` if it cannot be read.
    pub(crate) fn digest(&self, path: &str) -> Option<String> {
        let known = || self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(path).cloned();
        found.unwrap_or_else(|| {
            let digest = self.bytes(path).ok().map(|bytes| Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect());
            known().insert(path.to_owned(), digest.clone());
            digest
        })
    }

    /// The text of a file, through links.
    ///
    /// # Errors
    /// As [`Checkout::bytes`], or it is no text.
    pub fn text(&self, path: &str) -> Result<Arc<Source>, Lost> {
        let bytes = self.bytes(path)?;
        let (real, _) = self.follow(path)?;
        Source::new(self.shown(&real), bytes).map(Arc::new).map_err(|_| Lost::NotText)
    }

    /// The documents of a file, through links. They are parsed once: a place in one of them is the same whoever asks.
    ///
    /// # Errors
    /// As [`Checkout::text`]. What is wrong with the text is in the result.
    pub(crate) fn documents(&self, path: &str) -> Result<Arc<Parsed>, Lost> {
        let (real, _) = self.follow(path)?;
        let known = self.parsed.lock().ok().and_then(|parsed| parsed.get(&real).cloned());
        if let Some(known) = known {
            return Ok(known);
        }
        let bytes = self.bytes(&real)?;
        self.parse(real, bytes)
    }

    /// The same of a file that was read already; its path has no links.
    ///
    /// # Errors
    /// It is no text.
    pub(crate) fn parse(&self, real: String, bytes: Vec<u8>) -> Result<Arc<Parsed>, Lost> {
        let source = Source::new(self.shown(&real), bytes).map_err(|_| Lost::NotText)?;
        let parsed = Arc::new(Parsed::new(Arc::new(source), &self.limits.documents));
        let Ok(mut all) = self.parsed.lock() else { return Ok(parsed) };
        Ok(Arc::clone(all.entry(real).or_insert(parsed)))
    }
}

fn lost(error: &std::io::Error) -> Lost {
    match error.kind() {
        std::io::ErrorKind::NotFound => Lost::Missing,
        // That of a system has a number; without one it is cap-std's word for a way out.
        std::io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Lost::Outside,
        _ => Lost::Unreadable(error.to_string()),
    }
}

fn is_absolute(target: &str) -> bool {
    target.starts_with('/') || Path::new(target).is_absolute()
}

struct Walk<'a> {
    root: &'a Path,
    limits: &'a Limits,
    entries: Vec<(String, Entry)>,
}

impl Walk<'_> {
    fn add(&mut self, path: String, entry: Entry) -> Result<(), String> {
        if self.entries.len() >= self.limits.entries {
            return Err(format!("more than {} files and folders", self.limits.entries));
        }
        self.entries.push((path, entry));
        Ok(())
    }

    /// What is tracked and there, and the folders above.
    fn tracked(&mut self, known: &Known) -> Result<(), String> {
        let mut last = String::new();
        for (path, is_submodule) in &known.tracked {
            let Some(clean) = path::clean(path).filter(|clean| clean == path && !is_git(clean)) else { continue };
            let depth = path::parts(&clean).count();
            if depth > self.limits.folders {
                return Err(format!("folders nested more than {} deep", self.limits.folders));
            }
            // Paths come sorted, so that most folders are above the one before, too.
            let mut above = path::folder(&clean);
            let mut new = Vec::new();
            while !above.is_empty() && path::below(above, &last).is_none() {
                new.push(above.to_owned());
                above = path::folder(above);
            }
            // A folder that has become a link since would lead anywhere.
            let mut is_there = true;
            for folder in new.into_iter().rev() {
                is_there = is_there && self.look(&folder)? == Some(Entry::Folder);
                if is_there {
                    self.add(folder, Entry::Folder)?;
                }
            }
            if !is_there {
                continue;
            }
            if *is_submodule {
                self.add(clean.clone(), Entry::Folder)?;
                self.folder(&clean, depth)?;
            } else if let Some(entry) = self.look(&clean)? {
                self.add(clean.clone(), entry)?;
            }
            last = clean;
        }
        Ok(())
    }

    /// All that is in a folder.
    fn folder(&mut self, folder: &str, depth: usize) -> Result<(), String> {
        if depth > self.limits.folders {
            return Err(format!("folders nested more than {} deep", self.limits.folders));
        }
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            // A submodule that is not checked out.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if is_git(&path) {
                continue;
            }
            let Some(found) = self.look(&path)? else { continue };
            let is_folder = found == Entry::Folder;
            self.add(path.clone(), found)?;
            if is_folder {
                self.folder(&path, depth + 1)?;
            }
        }
        Ok(())
    }

    fn look(&self, path: &str) -> Result<Option<Entry>, String> {
        let full = self.root.join(path);
        let kind = match full.symlink_metadata() {
            Ok(metadata) => metadata.file_type(),
            // Tracked and deleted.
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(format!("`{path}`: {error}")),
        };
        Ok(Some(if kind.is_symlink() {
            let target = fs::read_link(&full).map_err(|error| format!("`{path}`: {error}"))?;
            Entry::Link(target.to_string_lossy().into_owned())
        } else if kind.is_dir() {
            Entry::Folder
        } else if kind.is_file() {
            Entry::File
        } else {
            Entry::Other
        }))
    }
}

/// Whether it is Git's own.
fn is_git(path: &str) -> bool {
    path::name(path).eq_ignore_ascii_case(".git")
}

#[cfg(test)]
mod tests;
