//! `docs/kubewarden-parity.md` names every field that there is, and only tests that exist.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fedward_policyset::{Kind, fields};

/// A row of a table: its section and its cells.
struct Row {
    section: String,
    cells: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/kubewarden-parity.md")).unwrap();
    let mut rows = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut section);
        }
        let is_heading = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if line.starts_with("| ") && !is_heading {
            let hidden = line.replace("`||`", "`or`");
            let cells: Vec<String> = hidden.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            assert_eq!(cells.len(), 4, "{line}");
            rows.push(Row { section: section.clone(), cells });
        }
    }
    assert!(rows.len() > 80, "only {}", rows.len());
    rows
}

/// What stands in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The names of all functions of the repository's tests.
fn functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = ["crates", "tests", "cli", "policies"].iter().map(|name| root().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&entry).unwrap();
                let tests = text.split("#[test]").skip(1);
                found.extend(tests.filter_map(|test| Some(test.split_once("fn ")?.1.split_once('(')?.0.to_owned())));
            }
        }
    }
    found
}

#[test]
fn every_test_that_the_page_names_exists() {
    let functions = functions();
    let mut wrong = Vec::new();
    for row in rows() {
        let tests = quoted(&row.cells[3]);
        wrong.extend(tests.iter().filter(|test| !functions.contains(**test)).map(|test| format!("there is no test `{test}`")));
        if tests.is_empty() != row.cells[2].split([' ', ':']).next().is_some_and(|word| word == "no") {
            wrong.push(format!("{}: a row has tests, or says no: {}", row.section, row.cells[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = fs::read_to_string(root().join("docs/kubewarden-parity.md")).unwrap();
    let prose = page.lines().filter(|line| !line.starts_with('|')).flat_map(quoted).filter(|word| word.matches('_').count() > 2);
    for word in prose {
        assert!(functions.contains(word), "there is no test `{word}`");
    }
}

#[test]
fn every_field_has_a_row() {
    let rows = rows();
    let has = |section: &str, field: &str| rows.iter().any(|row| row.section == section && quoted(&row.cells[0]).contains(&field));
    let mut missing = Vec::new();
    for kind in [Kind::Cluster, Kind::Namespaced, Kind::ClusterGroup, Kind::NamespacedGroup] {
        missing.extend(fields(kind).into_iter().filter(|field| !has("Fields of policies", field)));
    }
    for list in [&fields::MEMBER[..], &fields::RULE, &fields::CONDITION, &fields::RESOURCE] {
        missing.extend(list.iter().filter(|field| !has("Fields of policies", field)));
    }
    missing.extend(fields(Kind::Server).into_iter().filter(|field| !has("A policy server's `policies.yml`", field)));
    assert!(missing.is_empty(), "{missing:?}");
}

/// A row for a field that nobody has would be as wrong.
#[test]
fn the_rows_of_policies_are_fields() {
    let kinds = [Kind::Cluster, Kind::Namespaced, Kind::ClusterGroup, Kind::NamespacedGroup];
    let mut known: BTreeSet<&str> = kinds.into_iter().flat_map(fields).collect();
    known.extend(fields::RULE);
    let rows = rows();
    let own = rows.iter().filter(|row| {
        row.section == "Fields of policies"
            && !row.cells[0].contains(" of ")
            && !row.cells[0].contains("metadata")
            && !row.cells[0].contains("status")
    });
    for field in own.flat_map(|row| quoted(&row.cells[0])) {
        assert!(known.contains(field), "{field}");
    }
}
