//! What was rendered, kept on the disk until something changes that it was made of.
//!
//! What a render depends on is what the guest asked for and saw: its request, and the answers of its folder. All of these are noted while it
//! runs ([`trace`]), those about files that are not there too. Later the same request has the same result if every answer is still the same;
//! a file that nobody asked for does not matter. Kept is what the module answered, word for word: how this program reads it may change.
//!
//! Not kept is what may come out otherwise without a file that changes: what a limit ended, and what may ask for the time ([`clock`]).
//!
//! An entry is as trusted as the folder that it lies in ([`store`]): whoever can write there can say what is rendered.

mod clock;
mod entry;
mod store;
mod trace;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedward_host::Folder;
use sha2::{Digest as _, Sha256};

pub(crate) use clock::{NONE, TIME, TIME_AND_CHANCE, Words};
use entry::Entry;
use store::Store;
use trace::{Answers, Recorded, Recording};

/// Changes whenever something else than the module and the request decides what comes of it: what a guest sees of a file, say.
const FORMAT: u32 = 2;

/// A folder in which results are kept. Several processes may use it at the same time.
#[derive(Debug)]
pub struct Cache {
    store: Store,
    found: AtomicUsize,
    rendered: AtomicUsize,
}

/// How often a cache was of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Results that it had.
    pub found: usize,
    /// What was rendered.
    pub rendered: usize,
}

/// Why a folder cannot be a cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// It is there, and cannot be looked at.
    #[error("cannot be opened: {0}")]
    Io(#[from] io::Error),
    /// Somebody's files are in it.
    #[error("has other files in it: a cache needs a folder of its own, one that is empty or does not exist yet")]
    Taken,
}

impl Cache {
    /// The cache in a folder. What is not there is made when there is something to keep.
    ///
    /// # Errors
    /// [`CacheError`].
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        Ok(Self { store: Store::open(folder)?, found: AtomicUsize::new(0), rendered: AtomicUsize::new(0) })
    }

    /// The paths that the folder has: the one that it was given, as far as links above it are followed, and the one without any links. Whoever
    /// can write to what either names says what is rendered.
    #[must_use]
    pub fn places(&self) -> [PathBuf; 2] {
        self.store.places()
    }

    /// How often it was of use so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { found: self.found.load(Ordering::Relaxed), rendered: self.rendered.load(Ordering::Relaxed) }
    }

    /// Removes what was not used longest, if there is too much. Returns why nothing more could be read or kept, if something was in the way.
    pub fn finish(&self) -> Option<String> {
        self.store.prune();
        self.store.problem()
    }
}

/// A cache as the renderer of one folder uses it.
pub(crate) struct Kept {
    cache: Arc<Cache>,
    /// The folder, noting what it is asked.
    recorded: Arc<Recorded>,
    /// What the folder answers in this run.
    answers: Answers,
}

/// Identifies a request to this very module under these limits.
pub(crate) struct Key([u8; 32]);

impl Kept {
    /// `cache` for what is rendered out of `folder`, and the folder as guests must be given it: so that what they ask for is noted.
    pub(crate) fn new(cache: Arc<Cache>, folder: Arc<dyn Folder>, limits: &fedward_host::Limits) -> (Self, Arc<dyn Folder>) {
        let recorded = Arc::new(Recorded::new(Arc::clone(&folder)));
        (Self { cache, recorded: Arc::clone(&recorded), answers: Answers::new(folder, limits.file_bytes) }, recorded)
    }

    /// Begins to note, on this thread, what the guest asks of the folder. In its request, and in what it reads, `words` are looked for: what uses
    /// one of them is not kept.
    pub(crate) fn record(&self, words: Words, payload: &str) -> Recording {
        self.recorded.record(words, payload)
    }

    /// The key of a request.
    pub(crate) fn key(&self, payload: &str, limits: &fedward_host::Limits) -> Key {
        let limits = [limits.memory_bytes, limits.response_bytes, limits.file_bytes, limits.open_files];
        let mut hasher = Sha256::new();
        hasher.update(FORMAT.to_le_bytes());
        for part in [env!("CARGO_PKG_VERSION").as_bytes(), fedward_renderers::DIGEST.as_bytes(), payload.as_bytes()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        limits.into_iter().for_each(|limit| hasher.update((limit as u64).to_le_bytes()));
        Key(hasher.finalize().into())
    }

    /// What `read` makes of the module's answer to a request, if the cache has one that still holds.
    pub(crate) fn find<T>(&self, key: &Key, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let found = self.look_up(key, read);
        let count = if found.is_some() { &self.cache.found } else { &self.cache.rendered };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn look_up<T>(&self, key: &Key, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let bytes = self.cache.store.read(&key.name())?;
        let entry = Entry::read(&key.0, &bytes)?;
        let held = entry.results.iter().find(|result| self.answers.repeat(&result.trace))?;
        read(held.response)
    }

    /// Keeps what the module answered, if that depends on nothing but what was recorded.
    pub(crate) fn keep(&self, key: &Key, recording: Recording, response: &[u8]) {
        let (Some(trace), Ok(response)) = (recording.finish(), std::str::from_utf8(response)) else { return };
        let name = key.name();
        // What other states of the files came to: a branch is left, and come back to.
        let before = self.cache.store.read(&name);
        let before = before.as_deref().and_then(|bytes| Entry::read(&key.0, bytes));
        if let Some(bytes) = Entry::with(&trace, response, before).write(&key.0) {
            self.cache.store.write(&name, &bytes);
        }
    }
}

impl Key {
    /// The name of its file.
    fn name(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
