//! What a guest asked of its folder, and what it was told.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fedward_host::{FileError, FileType, Folder, Stat};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::clock::Words;

/// The SHA-256 of an answer.
type Answer = [u8; 32];

/// Bytes of all paths of a trace; what asks for more is not kept.
const MAX_PATHS: usize = 16 << 20;

/// What can be asked of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Ask {
    Stat,
    LinkStat,
    Read,
    List,
    Link,
}

/// All that was asked of a folder, with the answers. Which came first does not matter: a guest that gets the same answers asks the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trace {
    steps: BTreeMap<(String, Ask), Answer>,
}

#[cfg(test)]
impl Trace {
    /// One that is another for every number.
    pub(super) fn of_number(number: u8) -> Self {
        Trace { steps: [((String::new(), Ask::Read), [number; 32])].into() }
    }
}

/// What the guest of this thread asks for while it runs.
struct Running {
    trace: Trace,
    /// Bytes of all paths of the trace.
    path_bytes: usize,
    /// Files that were read.
    read: Vec<String>,
    /// Whether the same can be expected to be asked and answered once more.
    is_repeatable: bool,
    words: Words,
}

thread_local! {
    /// Instances are kept from call to call, with the folder that they were given: what one call asks for is told by the thread that it runs on.
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// A recording of this thread, from when it is made until it is finished or dropped.
pub(crate) struct Recording {
    /// How often the folder was asked by nobody who records, and how often that was when the recording began.
    unheard: Arc<AtomicUsize>,
    before: usize,
}

impl Recording {
    /// The trace; `None` if it is not sure that the same would be answered again.
    pub(super) fn finish(self) -> Option<Trace> {
        let running = RUNNING.take().filter(|running| running.is_repeatable)?;
        // Who it was asked for is not known: perhaps by the guest, on a thread of its own.
        if self.unheard.load(Ordering::SeqCst) != self.before {
            return None;
        }
        let Trace { mut steps } = running.trace;
        // Who reads a file sees that it is one, and its size.
        for path in running.read {
            steps.remove(&(path, Ask::Stat));
        }
        Some(Trace { steps })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        RUNNING.set(None);
    }
}

/// A folder that notes what is asked of it.
pub(super) struct Recorded {
    folder: Arc<dyn Folder>,
    /// How often it was asked on a thread that records nothing.
    unheard: Arc<AtomicUsize>,
}

impl Recorded {
    pub(super) fn new(folder: Arc<dyn Folder>) -> Self {
        Self { folder, unheard: Arc::default() }
    }

    /// Begins a recording of this thread, of a request. In it, and in what is read, `words` are looked for: who uses one of them is not kept.
    pub(super) fn record(&self, words: Words, payload: &str) -> Recording {
        let is_repeatable = !words.are_in_json(payload);
        let running = Running { trace: Trace::default(), path_bytes: 0, read: Vec::new(), is_repeatable, words };
        RUNNING.with_borrow_mut(|slot| *slot = Some(running));
        Recording { unheard: Arc::clone(&self.unheard), before: self.unheard.load(Ordering::SeqCst) }
    }

    fn note<T>(&self, path: &str, ask: Ask, answer: &Result<T, FileError>, digest: impl FnOnce(&T) -> Answer) {
        RUNNING.with_borrow_mut(|running| {
            let Some(running) = running else {
                self.unheard.fetch_add(1, Ordering::SeqCst);
                return;
            };
            if !running.is_repeatable {
                return;
            }
            let answer = answer.as_ref().map_or_else(|error| failed(*error), digest);
            let before = running.trace.steps.insert((path.to_owned(), ask), answer);
            if before.is_none() {
                running.path_bytes = running.path_bytes.saturating_add(path.len());
            }
            // A file that changes under a guest's eyes is one of no moment. What is too large depends on what else is open.
            running.is_repeatable =
                running.path_bytes <= MAX_PATHS && before.is_none_or(|before| before == answer) && answer != failed(FileError::TooLarge);
        });
    }
}

impl Folder for Recorded {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        let answer = self.folder.stat(path);
        self.note(path, Ask::Stat, &answer, of_stat);
        answer
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        let answer = self.folder.link_stat(path);
        self.note(path, Ask::LinkStat, &answer, of_stat);
        answer
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let answer = self.folder.read(path, limit);
        if let Ok(bytes) = &answer {
            RUNNING.with_borrow_mut(|running| {
                if let Some(running) = running.as_mut().filter(|running| running.is_repeatable) {
                    running.is_repeatable = !running.words.are_in_file(bytes);
                    running.read.push(path.to_owned());
                }
            });
        }
        self.note(path, Ask::Read, &answer, |bytes| of_bytes(bytes));
        answer
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError> {
        let answer = self.folder.list(path);
        self.note(path, Ask::List, &answer, |names| of_names(names));
        answer
    }

    fn link(&self, path: &str) -> Result<String, FileError> {
        let answer = self.folder.link(path);
        self.note(path, Ask::Link, &answer, |target| of_bytes(target.as_bytes()));
        answer
    }
}

/// What a folder answers in this run: each file is looked at once, however many requests depend on it.
pub(super) struct Answers {
    folder: Arc<dyn Folder>,
    /// Bytes of a file that a guest may read.
    max_file: usize,
    known: Mutex<HashMap<Ask, HashMap<String, Answer>>>,
}

impl Answers {
    pub(super) fn new(folder: Arc<dyn Folder>, max_file: usize) -> Self {
        Self { folder, max_file, known: Mutex::default() }
    }

    /// Whether the folder answers all of a trace as it did.
    pub(super) fn repeat(&self, trace: &Trace) -> bool {
        trace.steps.iter().all(|((path, ask), answer)| self.ask(path, *ask) == *answer)
    }

    fn ask(&self, path: &str, ask: Ask) -> Answer {
        let known = |known: &HashMap<Ask, HashMap<String, Answer>>| known.get(&ask).and_then(|known| known.get(path)).copied();
        if let Some(answer) = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner)) {
            return answer;
        }
        let answer = match ask {
            Ask::Stat => self.folder.stat(path).map(|stat| of_stat(&stat)),
            Ask::LinkStat => self.folder.link_stat(path).map(|stat| of_stat(&stat)),
            Ask::Read => self.folder.read(path, self.max_file).map(|bytes| of_bytes(&bytes)),
            Ask::List => self.folder.list(path).map(|names| of_names(&names)),
            Ask::Link => self.folder.link(path).map(|target| of_bytes(target.as_bytes())),
        };
        let answer = answer.unwrap_or_else(failed);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(ask).or_default().insert(path.to_owned(), answer);
        answer
    }
}

/// An answer out of its parts. Each has its length before it, so that no two answers are alike by chance.
fn digest<'p>(kind: u8, parts: impl IntoIterator<Item = &'p [u8]>) -> Answer {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn failed(error: FileError) -> Answer {
    let number = match error {
        FileError::Missing => 0,
        FileError::NotFolder => 1,
        FileError::IsFolder => 2,
        FileError::Loop => 3,
        FileError::Outside => 4,
        FileError::TooLarge => 5,
        FileError::Unreadable => 6,
    };
    digest(1, [[number].as_slice()])
}

fn number(file_type: FileType) -> u8 {
    match file_type {
        FileType::Other => 0,
        FileType::Folder => 1,
        FileType::File => 2,
        FileType::Link => 3,
    }
}

fn of_stat(stat: &Stat) -> Answer {
    digest(0, [[number(stat.file_type)].as_slice(), stat.size.to_le_bytes().as_slice()])
}

fn of_bytes(bytes: &[u8]) -> Answer {
    digest(0, [bytes])
}

fn of_names(names: &[(String, FileType)]) -> Answer {
    let types: Vec<u8> = names.iter().map(|(_, file_type)| number(*file_type)).collect();
    digest(0, names.iter().map(|(name, _)| name.as_bytes()).chain([types.as_slice()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::clock::NONE;

    /// A folder with one file.
    struct One;

    impl Folder for One {
        fn stat(&self, _path: &str) -> Result<Stat, FileError> {
            Err(FileError::Missing)
        }

        fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
            self.stat(path)
        }

        fn read(&self, _path: &str, _limit: usize) -> Result<Vec<u8>, FileError> {
            Ok(b"one".to_vec())
        }

        fn list(&self, _path: &str) -> Result<Vec<(String, FileType)>, FileError> {
            Err(FileError::Missing)
        }

        fn link(&self, _path: &str) -> Result<String, FileError> {
            Err(FileError::Missing)
        }
    }

    #[test]
    fn what_another_thread_asks_is_not_known_to_be_repeated() {
        let folder = Recorded::new(Arc::new(One));
        let recording = folder.record(NONE, "");
        let _ = folder.read("one", 10);
        assert_eq!(recording.finish().map(|trace| trace.steps.len()), Some(1));
        let recording = folder.record(NONE, "");
        let _ = folder.read("one", 10);
        let elsewhere = || _ = folder.read("other", 10);
        std::thread::scope(|scope| _ = scope.spawn(elsewhere).join());
        assert_eq!(recording.finish(), None);
        // That was then.
        let recording = folder.record(NONE, "");
        assert_eq!(recording.finish(), Some(Trace::default()));
    }

    #[test]
    fn a_path_counts_once() {
        let folder = Recorded::new(Arc::new(One));
        let path = "x".repeat(MAX_PATHS / 2);
        let recording = folder.record(NONE, "");
        for _ in 0..3 {
            let _ = folder.stat(&path);
        }
        assert!(recording.finish().is_some());
        let recording = folder.record(NONE, "");
        for ask in 0..3 {
            let _ = folder.stat(&format!("{path}{ask}"));
        }
        assert_eq!(recording.finish(), None);
    }
}
