//! What is in a file of a cache: results of one request, each with the answers that it was made of.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::trace::Trace;

/// How every file begins. Another form has another beginning.
const BEGINNING: &[u8] = b"fedward render 1\n";

/// Bytes of a checksum.
const CHECKSUM: usize = 32;

/// Results of one request that are kept: a branch and the next, and the ones before.
const RESULTS: usize = 4;

/// Bytes of a file, at most. What is larger takes longer to read than to render.
pub(super) const MAX_BYTES: usize = 128 << 20;

/// The results of one request, the newest first.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry<'e> {
    #[serde(borrow)]
    pub(super) results: Vec<Held<'e>>,
}

/// A result, and what it depends on.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held<'e> {
    pub(super) trace: Cow<'e, Trace>,
    #[serde(borrow)]
    pub(super) response: &'e str,
}

impl<'e> Entry<'e> {
    /// A result, and those that were there before.
    pub(super) fn with(trace: &'e Trace, response: &'e str, before: Option<Entry<'e>>) -> Self {
        let others = before.into_iter().flat_map(|before| before.results).filter(|held| *held.trace != *trace);
        Entry { results: [Held { trace: Cow::Borrowed(trace), response }].into_iter().chain(others).take(RESULTS).collect() }
    }

    /// The bytes of the file; `None` if there are too many.
    pub(super) fn write(mut self, key: &[u8]) -> Option<Vec<u8>> {
        while !self.results.is_empty() {
            let content = postcard::to_allocvec(&self).ok()?;
            if content.len() <= MAX_BYTES - BEGINNING.len() - CHECKSUM {
                return Some([BEGINNING, &checksum(key, &content), &content].concat());
            }
            self.results.pop();
        }
        None
    }

    /// What the bytes of a file say; `None` if they are not all of what was written for the key, or of another form.
    pub(super) fn read(key: &[u8], bytes: &'e [u8]) -> Option<Self> {
        let (sum, content) = bytes.strip_prefix(BEGINNING)?.split_at_checked(CHECKSUM)?;
        if *sum != checksum(key, content) {
            return None;
        }
        postcard::from_bytes(content).ok()
    }
}

/// A file under the name of another key is none of its own.
fn checksum(key: &[u8], content: &[u8]) -> [u8; CHECKSUM] {
    Sha256::new().chain_update(key).chain_update(content).finalize().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn only_what_was_written_is_read() {
        let trace = Trace::default();
        let bytes = Entry::with(&trace, "answer", None).write(b"key").unwrap();
        let entry = Entry::read(b"key", &bytes).unwrap();
        assert_eq!(entry.results.iter().map(|held| held.response).collect::<Vec<_>>(), ["answer"]);
        assert_eq!(Entry::read(b"other key", &bytes), None);
        for length in 0..bytes.len() {
            assert_eq!(Entry::read(b"key", &bytes[..length]), None, "{length}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            assert_eq!(Entry::read(b"key", &changed), None, "{at}");
        }
        // Content that somebody else sealed: lengths that are not there must not be made room for.
        for content in [&[0xff; 9][..], &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], &[1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f], &[]]
        {
            assert_eq!(Entry::read(b"key", &[BEGINNING, &checksum(b"key", content), content].concat()), None);
        }
    }

    #[test]
    fn a_few_results_are_kept() {
        let trace = Trace::default();
        let first = Entry::with(&trace, "first", None).write(b"key").unwrap();
        let second = Entry::with(&trace, "second", Entry::read(b"key", &first)).write(b"key").unwrap();
        // The same files have one result.
        assert_eq!(Entry::read(b"key", &second).unwrap().results.len(), 1);
        let traces: Vec<Trace> = (0..10).map(Trace::of_number).collect();
        let mut bytes = second;
        for trace in &traces {
            bytes = Entry::with(trace, "again", Entry::read(b"key", &bytes)).write(b"key").unwrap();
        }
        let kept = Entry::read(b"key", &bytes).unwrap();
        assert_eq!(kept.results.len(), RESULTS);
        assert_eq!(*kept.results[0].trace, traces[9]);
    }
}
