//! The folder of a cache.
//!
//! It is made for this user alone, and holds what charts make of secret values: so are its files. A folder that belongs to somebody else, or that
//! others may write to, is not used, since whoever writes there says what is rendered. `CACHEDIR.TAG` tells backups to pass it over and us that it
//! is a cache, `.gitignore` keeps it out of repositories. Files are written aside and renamed, so that no reader sees half a file.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use super::CacheError;
use super::entry::MAX_BYTES;

/// The file that says that a folder is a cache, and how it begins everywhere (<https://bford.info/cachedir/>).
const TAG: (&str, &str) = (
    "CACHEDIR.TAG",
    "Signature: 8a477f597d28d172789f06886806bc55\n# What `fedward --cache` has rendered. It may be removed at any time. It may hold secret values.\n",
);

/// The file that keeps Git from seeing it.
const IGNORED: (&str, &str) = (".gitignore", "*\n");

/// Bytes of all files; of what is more, what was not used longest is removed.
const MAX_TOTAL: u64 = 512 << 20;

/// What a file takes on the disk, at least.
const BLOCK: u64 = 4096;

/// What the name of a file ends with that is not whole yet.
const ASIDE: &str = ".new";

/// After this, a file that is not whole will never be.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A file that was used is marked so again only after this.
const FRESH: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
pub(super) struct Store {
    /// The folder; without links above it, if that is known.
    path: PathBuf,
    /// The open folder, so that it stays the one that was checked; `None` until there is something to keep, or if it is of no use.
    folder: OnceLock<Option<Dir>>,
    /// Bytes that were written.
    written: AtomicU64,
    /// The first thing that was in the way.
    problem: Mutex<Option<String>>,
    max_total: u64,
}

impl Store {
    /// # Errors
    /// There is something that is no cache.
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        let path = std::path::absolute(path)?;
        let path = match (path.parent().map(Path::canonicalize), path.file_name()) {
            (Some(Ok(above)), Some(name)) => above.join(name),
            _ => path,
        };
        let store = Store { path, folder: OnceLock::new(), written: AtomicU64::new(0), problem: Mutex::default(), max_total: MAX_TOTAL };
        match Dir::open_ambient_dir(&store.path, ambient_authority()) {
            Ok(folder) => {
                if is_cache(&folder) {
                    let ours = foreign(&folder).map_or(Some(folder), |why| {
                        store.note(why);
                        None
                    });
                    let _ = store.folder.set(ours);
                } else if folder.entries()?.next().is_some() {
                    return Err(CacheError::Taken);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        Ok(store)
    }

    pub(super) fn places(&self) -> [PathBuf; 2] {
        [self.path.clone(), self.path.canonicalize().unwrap_or_else(|_| self.path.clone())]
    }

    /// The bytes of a file, which is marked as used.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut file = self.folder.get()?.as_ref()?.open(name).ok()?.into_std();
        let metadata = file.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= MAX_BYTES as u64)?;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?.saturating_add(1));
        (&mut file).take(metadata.len()).read_to_end(&mut bytes).ok()?;
        if metadata.modified().is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > FRESH)) {
            // Where that is not allowed, the file only goes sooner.
            let _ = file.set_modified(SystemTime::now());
        }
        Some(bytes)
    }

    /// Puts a file there; a problem costs the file, nothing else.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        let folder = self.folder.get_or_init(|| self.make().map_err(|error| self.note(error.to_string())).ok());
        let Some(folder) = folder else { return };
        match write(folder, name, bytes) {
            Ok(()) => _ = self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed),
            Err(error) => self.note(error.to_string()),
        }
    }

    fn make(&self) -> io::Result<Dir> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path)?;
        // One that was there may be open to others.
        #[cfg(unix)]
        fs::set_permissions(&self.path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let folder = Dir::open_ambient_dir(&self.path, ambient_authority())?;
        if let Some(why) = foreign(&folder) {
            return Err(io::Error::other(why));
        }
        for (name, text) in [IGNORED, TAG] {
            write(&folder, name, text.as_bytes())?;
        }
        Ok(folder)
    }

    /// Removes what was not used longest, until there is no more than there may be; and what was never finished.
    pub(super) fn prune(&self) {
        if self.written.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(Some(folder)) = self.folder.get() else { return };
        let Ok(entries) = folder.entries() else { return };
        let (mut files, mut total) = (Vec::new(), 0_u64);
        for entry in entries.flatten() {
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
            let Ok(changed) = metadata.modified().map(cap_std::time::SystemTime::into_std) else { continue };
            if name.ends_with(ASIDE) && changed.elapsed().is_ok_and(|age| age > ABANDONED) {
                let _ = folder.remove_file(&name);
            } else if is_entry(&name) {
                let size = metadata.len().checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
                total = total.saturating_add(size);
                files.push((changed, name, size));
            }
        }
        files.sort_unstable();
        for (_, name, size) in files {
            if total <= self.max_total {
                break;
            }
            // Another process may have been faster.
            let _ = folder.remove_file(name);
            total = total.saturating_sub(size);
        }
    }

    /// What was in the way first.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, why: String) {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }
}

/// Writes a file aside and gives it its name.
fn write(folder: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let aside = format!("{}-{}{ASIDE}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    // A process that was killed may have left one of that name.
    let _ = folder.remove_file(&aside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        folder.open_with(&aside, &options).and_then(|mut file| file.write_all(bytes)).and_then(|()| folder.rename(&aside, folder, name));
    written.inspect_err(|_| _ = folder.remove_file(&aside))
}

/// Whether a folder is a cache of ours.
fn is_cache(folder: &Dir) -> bool {
    folder.read_to_string(TAG.0).is_ok_and(|text| text == TAG.1)
}

/// Whether a name is that of an entry.
fn is_entry(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Why others may have written what is in a folder.
fn foreign(folder: &Dir) -> Option<String> {
    #[cfg(unix)]
    {
        use cap_std::fs::MetadataExt as _;
        let Ok(metadata) = folder.dir_metadata() else { return Some("it cannot be looked at".to_owned()) };
        if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
            return Some("it must belong to you, with nobody else allowed to write to it".to_owned());
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_was_not_used_longest_goes_first() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("cache");
        let mut store = Store::open(&folder).unwrap();
        store.max_total = 3 * BLOCK;
        let name = |number: u32| format!("{number:064x}");
        let age = |name: &str, hours: u64| {
            let file = fs::File::options().append(true).open(folder.join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
        };
        for number in 0..5 {
            store.write(&name(number), b"x");
            age(&name(number), 50 - u64::from(number));
        }
        // The oldest but one was of use just now; one file was never finished, and one may be yet.
        store.read(&name(1)).unwrap();
        for (file, hours) in [("7-0.new", 2), ("8-0.new", 0)] {
            fs::write(folder.join(file), "").unwrap();
            age(file, hours);
        }
        store.prune();
        let mut left: Vec<String> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [".gitignore", &name(1), &name(3), &name(4), "8-0.new", TAG.0].map(str::to_owned));
        assert_eq!(store.problem(), None);
    }
}
