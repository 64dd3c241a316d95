#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

type Make = fn(&str) -> Result<Glob, GlobError>;

/// Every kind of pattern against what the libraries that Argo CD uses say of it.
#[test]
fn patterns_match_what_was_recorded() {
    let kinds: [(&str, Make); 5] = [
        ("crossing", Glob::crossing),
        ("separated", Glob::separated),
        ("path", Glob::path),
        ("doublestar", Glob::doublestar),
        ("pathspec", Glob::pathspec),
    ];
    let mut lines = include_str!("recorded.tsv").lines().filter(|line| !line.starts_with("# "));
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    // What is a folder is no file that Git lists.
    let is_file = |name: &str| !names.iter().any(|other| other.starts_with(&format!("{name}/")));
    let (mut wrong, mut rows) = (Vec::new(), 0);
    for line in lines {
        let columns: Vec<&str> = line.split('\t').collect();
        let pattern = columns[0];
        for ((kind, make), expected) in kinds.iter().zip(&columns[1..]) {
            let got = match make(pattern) {
                Err(_) => "!".to_owned(),
                Ok(glob) => {
                    let is_match = |name: &str| glob.matches(name) && (*kind != "pathspec" || is_file(name));
                    let matching: Vec<String> =
                        names.iter().enumerate().filter(|(_, name)| is_match(name)).map(|(index, _)| index.to_string()).collect();
                    if matching.is_empty() { "-".to_owned() } else { matching.join(" ") }
                }
            };
            if *expected != "." && got != *expected {
                wrong.push(format!("{kind} `{pattern}`: {got}, recorded {expected}"));
            }
            rows += 1;
        }
    }
    assert!(rows > 1000, "{rows}");
    assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn hostile_patterns_are_refused() {
    assert_eq!(Glob::crossing(&"a".repeat(5000)).unwrap_err(), GlobError::TooLong);
    assert!(Glob::crossing(&"{a,".repeat(1300)).is_err());
    let nested = format!("{}{}", "{a*,".repeat(400), "}".repeat(400));
    let glob = Glob::crossing(&nested);
    assert!(glob.is_err() || !glob.unwrap().matches(&"b".repeat(10_000)));
    let stars = Glob::crossing(&"*a".repeat(200)).unwrap();
    assert!(!stars.matches(&"a".repeat(199)));
}

#[test]
fn pathspec_magic_is_not_read() {
    assert!(Glob::pathspec(":(glob)**/a").is_err());
    assert!(Glob::pathspec(":!a").is_err());
}
