//! What tells inputs apart.

use fedward_engine::Input;
use sha2::{Digest, Sha256};

use crate::{Found, Request};

/// SHA-256 over all requests, whatever their settings.
pub(crate) fn requests(found: &Found) -> String {
    texts(found.requests.iter().map(Request::request))
}

/// SHA-256 over the settings of all requests.
pub(crate) fn settings(found: &Found) -> String {
    texts(found.requests.iter().map(Request::settings))
}

/// SHA-256 over files: their names, and what is in them.
pub(crate) fn files(files: &[Input]) -> String {
    texts(files.iter().flat_map(|file| [file.name.as_bytes(), &file.bytes]))
}

/// SHA-256, as `sha256sum` prints it.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

/// Over texts and their lengths, so that it matters where each ends.
fn texts<'t>(texts: impl Iterator<Item = &'t [u8]>) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    hex(digest.finalize().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Of the requests and of their settings.
    fn digests(text: &str) -> (String, String) {
        let file = fedward_engine::Input {
            name: "a.json".to_owned(),
            bytes: text.as_bytes().to_vec(),
            named: true,
            role: fedward_engine::Role::Judged,
        };
        let found = crate::read(vec![file], None).unwrap();
        (requests(&found), settings(&found))
    }

    #[test]
    fn requests_and_settings_are_told_apart() {
        let (one, plain) = digests(r#"{"request": 1}"#);
        let (same, other) = digests(r#"{"settings": {"a": 1}, "request": 1}"#);
        assert!(one == same && plain != other);
        assert_ne!(one, digests(r#"{"request": 2}"#).0);
        assert_ne!(digests(r#"{"request": 1}{"request": 12}"#).0, digests(r#"{"request": 11}{"request": 2}"#).0);
    }

    #[test]
    fn bytes_are_digested_as_everywhere() {
        assert_eq!(bytes(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
