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

/// Characters of one line of a message that are kept: a template that includes itself names each call. What is wrong stands at the end, where
/// it began at the beginning.
const LINE: usize = 1_500;
/// Lines that are kept.
const LINES: usize = 40;

/// A renderer's message, with paths as they are in the repository, and without the middle of what is too long to be read.
pub(crate) fn reworded(message: &str) -> String {
    let mut message = message.replace(&format!("{MOUNT}/"), "");
    message = message.replace(MOUNT, ".");
    for (theirs, ours) in FILES {
        message = message.replace(theirs, ours);
    }
    let lines: Vec<&str> = message.trim().lines().collect();
    let (before, after) = parts(lines.len(), LINES);
    let mut kept: Vec<String> = lines.iter().take(before).map(|line| cut(line)).collect();
    if before + after < lines.len() {
        kept.push(format!("… (+{} more lines)", lines.len() - before - after));
    }
    kept.extend(lines.iter().skip(lines.len() - after).map(|line| cut(line)));
    kept.join("\n")
}

/// How much is kept of the beginning and of the end of something that is so long.
fn parts(length: usize, most: usize) -> (usize, usize) {
    if length <= most { (length, 0) } else { (most - most / 2, most / 2) }
}

/// A line without its middle, if it is too long.
fn cut(line: &str) -> String {
    // As many bytes are as many characters at most.
    if line.len() <= LINE {
        return line.to_owned();
    }
    let length = line.chars().count();
    let (before, after) = parts(length, LINE);
    if after == 0 {
        return line.to_owned();
    }
    let (start, end): (String, String) = (line.chars().take(before).collect(), line.chars().skip(length - after).collect());
    format!("{start} … (+{} more characters) … {end}", length - before - after)
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

    #[test]
    fn the_middle_of_what_is_too_long_is_left_out() {
        let whole = "ü".repeat(LINE);
        assert_eq!(reworded(&whole), whole);
        let endless = format!("template: a.yaml:1:3: {} no such function", "error calling include: ".repeat(10_000));
        let said = reworded(&endless);
        assert!(said.starts_with("template: a.yaml:1:3: ") && said.ends_with(" no such function"), "{said}");
        assert!(said.contains(" … (+228539 more characters) … "), "{said}");
        assert!(said.chars().count() < LINE + 50);
        let lines: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let said = reworded(&lines.join("\n"));
        assert!(said.starts_with("0\n") && said.contains("\n19\n… (+60 more lines)\n80\n") && said.ends_with("\n99"), "{said}");
    }
}
