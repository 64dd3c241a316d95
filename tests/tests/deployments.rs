//! The pages in `docs/deployments`: every scenario has one, and what it says of the scenario's files is so.
//!
//! A page quotes the lines of `as-published.findings` in its `text` blocks: all of them, each once, and no others. It names every file of
//! `secure/`, links to nothing that is not there, and the values of its table stand in the files: all ids that do, among others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The scenarios, by name.
fn scenarios() -> Vec<String> {
    let root = root().join("fixtures/scenarios");
    let names: Vec<String> = names(&root).into_iter().filter(|name| root.join(name).is_dir()).collect();
    assert!(!names.is_empty(), "no scenarios under {}", root.display());
    names
}

fn page(name: &str) -> String {
    let path = root().join(format!("docs/deployments/{name}.md"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands in a page's fenced blocks of a language, line by line.
fn block_lines<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let (mut lines, mut inside) = (Vec::new(), None);
    for line in page.lines() {
        match (inside, line.strip_prefix("```")) {
            (None, Some(opened)) => inside = Some(opened == language),
            (Some(_), Some(_)) => inside = None,
            (Some(true), None) => lines.push(line),
            (Some(false) | None, None) => {}
        }
    }
    assert!(inside.is_none(), "a fenced block has no end");
    lines
}

/// The targets of a page's links that lead to files, without anchors.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets
        .filter(|target| !target.contains("://"))
        .map(|target| target.split('#').next().unwrap())
        .filter(|target| !target.is_empty())
        .collect()
}

/// The files of a folder, with the path from it.
fn files(folder: &Path, prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names(folder) {
        let (path, below) = (folder.join(&name), format!("{prefix}{name}"));
        if path.is_dir() {
            found.extend(files(&path, &format!("{below}/")));
        } else {
            found.push((below, fs::read_to_string(path).unwrap()));
        }
    }
    found
}

/// The first cell of each row of the table below `## Values`, without backticks.
fn values(page: &str) -> Vec<&str> {
    let section = page.split("\n## Values\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or("");
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(value, _)| value);
    cells.collect()
}

#[test]
fn every_scenario_has_a_page_and_the_index_lists_it() {
    let pages: Vec<String> =
        names(&root().join("docs/deployments")).iter().filter_map(|name| Some(name.strip_suffix(".md")?.to_owned())).collect();
    let mut expected = scenarios();
    expected.push("README".to_owned());
    expected.sort();
    assert_eq!(pages, expected);
    let index = page("README");
    for name in scenarios() {
        assert!(links(&index).contains(&format!("{name}.md").as_str()), "docs/deployments/README.md does not link to {name}.md");
    }
}

#[test]
fn every_finding_is_quoted_and_nothing_else() {
    for name in scenarios() {
        let found = fs::read_to_string(root().join(format!("fixtures/scenarios/{name}/as-published.findings"))).unwrap();
        let text = page(&name);
        let mut quoted = block_lines(&text, "text");
        quoted.sort_unstable();
        let mut expected: Vec<&str> = found.lines().collect();
        expected.sort_unstable();
        let missing: Vec<_> = expected.iter().filter(|line| !quoted.contains(line)).collect();
        let stale: Vec<_> = quoted.iter().filter(|line| !expected.contains(line)).collect();
        assert!(missing.is_empty() && stale.is_empty(), "docs/deployments/{name}.md\nlacks {missing:#?}\nand quotes in vain {stale:#?}");
        assert_eq!(quoted, expected, "docs/deployments/{name}.md quotes a finding twice");
        for line in expected {
            let rule = line.split(' ').nth(2).unwrap();
            assert!(text.contains(&format!("](../rules/{rule}.md)")), "docs/deployments/{name}.md does not link to the page of `{rule}`");
        }
    }
}

#[test]
fn every_file_of_the_secure_set_is_walked_through() {
    for name in scenarios() {
        let text = page(&name);
        let links: BTreeSet<&str> = links(&text).into_iter().collect();
        for (file, _) in files(&root().join(format!("fixtures/scenarios/{name}/secure")), "") {
            let target = format!("../../fixtures/scenarios/{name}/secure/{file}");
            assert!(links.contains(target.as_str()), "docs/deployments/{name}.md does not link to {target}");
        }
    }
}

#[test]
fn links_lead_to_files() {
    let folder = root().join("docs/deployments");
    for name in names(&folder) {
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        for target in links(&text) {
            assert!(folder.join(target).exists(), "docs/deployments/{name} links to {target}, which is not there");
        }
    }
}

#[test]
fn the_values_to_replace_stand_in_the_secure_set() {
    for name in scenarios() {
        let (text, files) = (page(&name), files(&root().join(format!("fixtures/scenarios/{name}/secure")), ""));
        let values = values(&text);
        assert!(!values.is_empty(), "docs/deployments/{name}.md has no table of values");
        for value in values {
            assert!(
                files.iter().any(|(_, file)| file.contains(value)),
                "docs/deployments/{name}.md: no file of the secure set has `{value}`"
            );
        }
    }
}

/// The GUIDs in a text.
fn guids(text: &str) -> BTreeSet<String> {
    let is_guid = |window: &[u8]| {
        window.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    text.as_bytes().windows(36).filter(|window| is_guid(window)).map(|window| String::from_utf8_lossy(window).into_owned()).collect()
}

#[test]
fn every_id_of_the_secure_set_is_a_value_to_replace() {
    for name in scenarios() {
        let text = page(&name);
        let known: BTreeSet<String> = values(&text).into_iter().flat_map(guids).collect();
        for (file, content) in files(&root().join(format!("fixtures/scenarios/{name}/secure")), "") {
            let unknown: Vec<String> = guids(&content).difference(&known).cloned().collect();
            assert!(unknown.is_empty(), "docs/deployments/{name}.md has no value for {unknown:?} of secure/{file}");
        }
    }
}
