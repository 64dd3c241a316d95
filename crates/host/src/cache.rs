//! Compiled modules on disk, so that a third party's module is compiled once.
//!
//! A compiled module is machine code and is run without a check that it is what a compiler made. The directory is therefore as
//! trusted as the program itself: whoever can write to it can run code as this user. So it must belong to this user and nobody else
//! may write to it, which is checked on the open directory; the files are reached through that handle, never through a symbolic
//! link, and each must belong to this user in the same way. Someone who passes these checks (this user, or root) could replace the
//! program as well. The name and the end of a file hold its key, a SHA-256 over the WebAssembly bytes, the engine's version and its
//! configuration: a file that was renamed, cut short or made by another version is compiled anew. Files are written aside, synced
//! and renamed, so that no reader sees half a file and none changes while it is mapped.
//!
//! A module that is packed into the program ([`Packed`]) has a key that was made when it was compiled.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::{Host, LoadError, Module, Packed, Strategy};

/// A directory of compiled modules.
#[derive(Debug)]
pub struct Cache {
    #[cfg(unix)]
    directory: unix::Directory,
    /// The first thing that was in the way.
    problem: OnceLock<String>,
}

/// A module that a [`Cache`] loaded.
pub struct Cached {
    /// The module. Its [`Origin`](crate::Origin) says whether the cache had it.
    pub module: Module,
    /// Why the cache could not keep it, so that it will be compiled again next time.
    pub problem: Option<CacheError>,
}

/// Why a cache is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The directory cannot be made, read or written to.
    #[error("module cache `{}`: {source}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The directory belongs to somebody else, or others may write to it.
    #[error("module cache `{}` must belong to you, with nobody else allowed to write to it", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// This system has no file owners that could be checked.
    #[error("a module cache is not supported on this system")]
    Unsupported,
}

/// After this, a file that is not whole will never be.
#[cfg(unix)]
const ABANDONED: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// Files beyond this many are removed, the oldest first: every version of the engine has files of its own.
const MAX_FILES: usize = 100;

impl Cache {
    /// Opens the cache in `directory`, which is made, for this user alone, if it does not exist.
    ///
    /// # Errors
    /// [`CacheError::Io`]; [`CacheError::Foreign`] if others could have put files there; [`CacheError::Unsupported`].
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, CacheError> {
        Self::holding(MAX_FILES, directory)
    }

    /// Why something could not be kept, if there was something: the first of it.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problem.get().cloned()
    }

    /// The module, and what was in the way, which is noted.
    #[cfg(unix)]
    fn cached(&self, module: Module, problem: Option<CacheError>) -> Cached {
        if let Some(problem) = &problem {
            let _ = self.problem.set(problem.to_string());
        }
        Cached { module, problem }
    }
}

#[cfg(not(unix))]
impl Cache {
    /// Opens the cache in `directory`, of `files` at most.
    ///
    /// # Errors
    /// [`CacheError::Unsupported`].
    pub fn holding(_files: usize, _directory: impl Into<PathBuf>) -> Result<Self, CacheError> {
        Err(CacheError::Unsupported)
    }

    /// Unpacks the module.
    ///
    /// # Safety
    /// As for [`Module::from_packed`].
    ///
    /// # Errors
    /// As for [`Module::from_packed`].
    #[expect(unsafe_code, reason = "machine code can only be taken on trust, and only the caller knows where it is from")]
    pub unsafe fn load_packed(&self, host: &Host, strategy: Strategy, packed: &Packed<'_>) -> Result<Cached, LoadError> {
        // SAFETY: passed on to the caller.
        let module = unsafe { Module::from_packed(host, strategy, packed) }?;
        Ok(Cached { module, problem: Some(CacheError::Unsupported) })
    }

    /// Takes the compiled form of `wasm` from the cache, or compiles it.
    ///
    /// # Errors
    /// As for [`Module::from_wasm`].
    pub fn load(&self, host: &Host, strategy: Strategy, wasm: &[u8]) -> Result<Cached, LoadError> {
        Ok(Cached { module: Module::from_wasm(host, strategy, wasm)?, problem: Some(CacheError::Unsupported) })
    }
}

#[cfg(unix)]
impl Cache {
    /// The same with room for so many files, where one is large.
    ///
    /// # Errors
    /// As for [`Cache::open`].
    pub fn holding(files: usize, directory: impl Into<PathBuf>) -> Result<Self, CacheError> {
        Ok(Self { directory: unix::Directory::open(directory.into(), files)?, problem: OnceLock::new() })
    }

    /// Takes the compiled form of `wasm` from the cache, or compiles it and puts it there. A cache that fails costs time, never the
    /// module.
    ///
    /// # Errors
    /// As for [`Module::from_wasm`].
    pub fn load(&self, host: &Host, strategy: Strategy, wasm: &[u8]) -> Result<Cached, LoadError> {
        let key = unix::Key::new(&host.engine(strategy)?, wasm);
        if let Some(file) = self.directory.read(&key) {
            #[expect(unsafe_code, reason = "a file of the cache is as trusted as this program: see the module's documentation")]
            // SAFETY: `read` has checked that this user wrote the file under this key, which names the engine and its
            // configuration, and that nobody else could; nothing writes to a file once it has its name.
            if let Some(module) = unsafe { Module::from_cached(host, strategy, file) } {
                return Ok(Cached { module: module?, problem: None });
            }
        }
        let module = Module::from_wasm(host, strategy, wasm)?;
        let compiled = module.serialize()?;
        Ok(self.cached(module, self.directory.write(&key, compiled.len(), &|put| put(0, &compiled)).err()))
    }

    /// Maps a packed module from the cache, where it is put first if it is not there. A cache that fails costs time, never the module.
    ///
    /// # Safety
    /// As for [`Module::from_packed`].
    ///
    /// # Errors
    /// As for [`Module::from_packed`].
    #[expect(unsafe_code, reason = "machine code can only be taken on trust, and only the caller knows where it is from")]
    pub unsafe fn load_packed(&self, host: &Host, strategy: Strategy, packed: &Packed<'_>) -> Result<Cached, LoadError> {
        let key = unix::Key::of(packed);
        let kept = || {
            let file = self.directory.read(&key)?;
            // SAFETY: as in `load`; what the file holds is the caller's.
            unsafe { Module::from_cached(host, strategy, file) }?.ok()
        };
        if let Some(module) = kept() {
            return Ok(Cached { module, problem: None });
        }
        let problem = self.directory.write(&key, packed.size, packed.unpack).err();
        if problem.is_none()
            && let Some(module) = kept()
        {
            return Ok(Cached { module, problem });
        }
        // SAFETY: passed on to the caller.
        let module = unsafe { Module::from_packed(host, strategy, packed) }?;
        Ok(self.cached(module, problem))
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, File};
    use std::hash::{Hash, Hasher};
    use std::io::{self, Read, Seek, SeekFrom};
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::{DirBuilderExt, FileExt};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::SystemTime;

    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, open, openat, renameat, statat, unlinkat};
    use sha2::{Digest, Sha256};
    use wasmtime::Engine;

    use super::{ABANDONED, CacheError};
    use crate::packed::{self, Packed, Unpack};

    /// Names the format; changes whenever the key or the end of the file does.
    const FORMAT: &[u8; 16] = b"fedward cwasm 1\n";

    /// What the name of a compiled module ends with.
    const SUFFIX: &str = ".cwasm";

    /// What the name of a file ends with that is not whole yet.
    const ASIDE: &str = ".new";

    /// What a compiled module depends on.
    pub(super) struct Key([u8; 32]);

    impl Key {
        pub(super) fn new(engine: &Engine, wasm: &[u8]) -> Self {
            let mut state = Feed(Sha256::new());
            state.write(FORMAT);
            engine.precompile_compatibility_hash().hash(&mut state);
            state.write(wasm);
            Self(state.0.finalize().into())
        }

        /// That of a packed module.
        pub(super) fn of(packed: &Packed<'_>) -> Self {
            let mut state = Feed(Sha256::new());
            state.write(FORMAT);
            state.write(packed.key.as_bytes());
            Self(state.0.finalize().into())
        }

        fn file_name(&self) -> String {
            let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
            hex + SUFFIX
        }

        /// The end of the file.
        fn end(&self) -> [u8; 48] {
            let mut end = [0; 48];
            let (format, key) = end.split_at_mut(FORMAT.len());
            format.copy_from_slice(FORMAT);
            key.copy_from_slice(&self.0);
            end
        }
    }

    /// Takes in what Wasmtime only gives to a hasher.
    struct Feed(Sha256);

    impl Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            self.0.clone().finalize().first_chunk().copied().map_or(0, u64::from_le_bytes)
        }
    }

    /// The cache's directory, held open so that it stays the one that was checked.
    #[derive(Debug)]
    pub(super) struct Directory {
        path: PathBuf,
        handle: OwnedFd,
        max_files: usize,
    }

    impl Directory {
        pub(super) fn open(path: PathBuf, max_files: usize) -> Result<Self, CacheError> {
            let opened = DirBuilder::new().recursive(true).mode(0o700).create(&path).and_then(|()| {
                let handle = open(&path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
                let stat = fstat(&handle)?;
                Ok((handle, stat))
            });
            match opened {
                Ok((handle, stat)) if is_ours(&stat) => Ok(Self { path, handle, max_files }),
                Ok(_) => Err(CacheError::Foreign { path }),
                Err(source) => Err(CacheError::Io { path, source }),
            }
        }

        /// The file for `key`, if it is there, ours and whole.
        pub(super) fn read(&self, key: &Key) -> Option<File> {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = openat(&self.handle, key.file_name(), flags, Mode::empty()).ok()?;
            let stat = fstat(&file).ok()?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_ours(&stat) {
                return None;
            }
            let mut file = File::from(file);
            let mut end = [0; 48];
            file.seek(SeekFrom::End(-48)).ok()?;
            file.read_exact(&mut end).ok()?;
            (end == key.end()).then_some(file)
        }

        /// Puts what `unpack` gives, so many bytes, there for `key`.
        pub(super) fn write(&self, key: &Key, size: usize, unpack: &Unpack<'_>) -> Result<(), CacheError> {
            static COUNTER: AtomicU32 = AtomicU32::new(0);
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let aside = format!("{}-{count}{ASIDE}", std::process::id());
            let written = self.write_aside(&aside, size, unpack, &key.end()).and_then(|()| {
                renameat(&self.handle, &aside, &self.handle, key.file_name())?;
                self.prune()
            });
            written.map_err(|source| {
                // It may not exist; then there is nothing to clean up.
                let _ = unlinkat(&self.handle, &aside, AtFlags::empty());
                CacheError::Io { path: self.path.clone(), source }
            })
        }

        fn write_aside(&self, name: &str, size: usize, unpack: &Unpack<'_>, end: &[u8]) -> io::Result<()> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            // A crash may have left a file of the same name behind.
            let _ = unlinkat(&self.handle, name, AtFlags::empty());
            let file = File::from(openat(&self.handle, name, flags, Mode::RUSR | Mode::WUSR)?);
            packed::fill(&file, size, unpack)?;
            file.write_all_at(end, size as u64)?;
            file.sync_data()
        }

        /// Removes the oldest files, if there are too many, and what was never finished.
        fn prune(&self) -> io::Result<()> {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let abandoned = i64::try_from(now.saturating_sub(ABANDONED).as_secs()).unwrap_or_default();
            let mut files = Vec::new();
            for entry in Dir::read_from(&self.handle)? {
                let entry = entry?;
                let name = entry.file_name().to_owned();
                let (is_whole, is_aside) = (name.to_bytes().ends_with(SUFFIX.as_bytes()), name.to_bytes().ends_with(ASIDE.as_bytes()));
                if !is_whole && !is_aside {
                    continue;
                }
                let Ok(stat) = statat(&self.handle, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
                if is_whole {
                    files.push((stat.st_mtime, name));
                } else if stat.st_mtime < abandoned {
                    // Another process may have been faster, here and below.
                    let _ = unlinkat(&self.handle, name, AtFlags::empty());
                }
            }
            files.sort();
            let excess = files.len().saturating_sub(self.max_files);
            for (_, name) in files.into_iter().take(excess) {
                let _ = unlinkat(&self.handle, name, AtFlags::empty());
            }
            Ok(())
        }
    }

    /// Whether only this user, and root, can have written what `stat` describes.
    fn is_ours(stat: &Stat) -> bool {
        let others = Mode::WGRP | Mode::WOTH;
        stat.st_uid == rustix::process::geteuid().as_raw() && !Mode::from_raw_mode(stat.st_mode).intersects(others)
    }
}
