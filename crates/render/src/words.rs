//! What ended a render, in words for people.

use fedward_host::CallError;

use crate::paths::MOUNT;

/// The errors of files, as Go words the numbers that crates/host gives for them, and what they mean to somebody with a repository.
const FILES: [(&str, &str); 5] = [
    // A link out of the root; a path that climbs out of it.
    ("Capabilities insufficient", "it leads out of the repository"),
    ("Bad file number", "it leads out of the repository"),
    ("File too large", "the file is too large"),
    // As everywhere else.
    ("No such file or directory", "no such file or directory"),
    ("Not a directory", "not a directory"),
];

/// A renderer's message, with paths as they are in the repository.
pub(crate) fn reworded(message: &str) -> String {
    let mut message = message.replace(&format!("{MOUNT}/"), "");
    message = message.replace(MOUNT, ".");
    for (theirs, ours) in FILES {
        message = message.replace(theirs, ours);
    }
    message.trim().to_owned()
}

/// What ended the guest, which had logged this first, and whether it was a limit.
pub(crate) fn ended(error: &CallError, log: &str) -> (String, bool) {
    const MIB: usize = 1 << 20;
    match error {
        CallError::Deadline { limit, .. } => (format!("it takes longer than {} s", limit.as_secs()), true),
        CallError::Memory { limit } => (format!("it needs more than {} MiB of memory", limit / MIB), true),
        CallError::ResponseTooLarge { limit } => (format!("the output is larger than {} MiB", limit / MIB), true),
        CallError::Stack { .. } => (RECURSION.to_owned(), true),
        CallError::Exit { .. } | CallError::Trap { .. } => {
            if log.contains("stack exceeds") || log.contains("stack overflow") {
                return (RECURSION.to_owned(), true);
            }
            if log.contains("out of memory") || log.contains("cannot allocate memory") {
                return ("it needs more memory than it may have".to_owned(), true);
            }
            let first = log.lines().find(|line| !line.trim().is_empty());
            (format!("the renderer broke down: {}", first.map_or_else(|| error.to_string(), reworded)), false)
        }
        CallError::LogBytes { .. } | CallError::LogLines { .. } => ("it prints too many warnings".to_owned(), true),
        other => (other.to_string(), false),
    }
}

/// What endless recursion is called.
const RECURSION: &str = "it calls itself too deeply: a template or an import that includes itself does so without end";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_repository() {
        for (message, expected) in [
            ("open /@root/a/values.yaml: No such file or directory", "open a/values.yaml: no such file or directory"),
            ("lstat /@root/a/link: Capabilities insufficient", "lstat a/link: it leads out of the repository"),
            ("no kustomization in /@root", "no kustomization in ."),
        ] {
            assert_eq!(reworded(message), expected);
        }
    }
}
