//! Every folder of `fixtures/gitops/repos` is a test: what is discovered in its `repo` must be what its `expected` says, word for word
//! (`UPDATE_EXPECT=1` writes that). `case.json` says what else there is, see [`Case`]; `rendered` has what the real tools printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(dead_code, reason = "what other tests use as well")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use common::{Replay, print, scope, sorted};
use fedward_gitops::{Clusters, Fixtures, Limits, Mapping, Options, Repositories, Wanted, discover, mapping};
use fedward_manifest::{Document, Source, parse, split};
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;

/// What stands around a repository.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Other repositories: URLs, with or without a revision, to folders of the case.
    #[serde(default)]
    repos: BTreeMap<String, String>,
    /// A file with clusters.
    clusters: Option<String>,
    /// A file with what services would say.
    generators: Option<String>,
    #[serde(default)]
    limits: CaseLimits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseLimits {
    nesting: Option<usize>,
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gitops/repos");
    let trials: Vec<Trial> = sorted(&root)
        .into_iter()
        .map(|path| Trial::test(path.file_name().unwrap().to_string_lossy().into_owned(), move || test(&path)))
        .collect();
    assert!(!trials.is_empty(), "no repositories under {}", root.display());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn test(folder: &Path) -> Result<(), Failed> {
    let found = run(folder)?;
    // What depends on the order of threads, or of a map, would differ from one time to another.
    for _ in 0..3 {
        if run(folder)? != found {
            return Err("another run finds something else".into());
        }
    }
    let path = folder.join("expected");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, found)?;
        return Ok(());
    }
    let expected = fs::read_to_string(path)?;
    if found == expected { Ok(()) } else { Err(difference(&expected, &found).into()) }
}

fn run(folder: &Path) -> Result<String, Failed> {
    let case: Case = match fs::read_to_string(folder.join("case.json")) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Case::default(),
    };
    let mut limits = Limits::default();
    limits.nesting = case.limits.nesting.unwrap_or(limits.nesting);
    let map = |url: &str, name: &str| -> Result<Mapping, Failed> {
        let mapping = mapping(&format!("{url}={}", folder.join(name).display()))?;
        Ok(Mapping { shown: if name == "repo" { String::new() } else { name.to_owned() }, ..mapping })
    };
    let mut mappings = vec![map("https://git.example/team/repo", "repo")?];
    for (url, name) in &case.repos {
        mappings.push(map(url, name)?);
    }
    let repositories = Repositories::open(&folder.join("repo"), "", &mappings, &[], &limits)?;
    let clusters = match &case.clusters {
        Some(name) => Some(Clusters::read(&documents(&folder.join(name))?).map_err(|reason| reason.text)?),
        None => None,
    };
    let fixtures = match &case.generators {
        Some(name) => {
            let documents = documents(&folder.join(name))?;
            Fixtures::read(documents.first().ok_or("no fixtures")?).map_err(|reason| reason.text)?
        }
        None => Fixtures::default(),
    };
    let replay = Replay::new(folder.join("rendered"));
    let discovery = discover(Options {
        repositories: &repositories,
        renderer: &replay,
        scopes: &scope,
        clusters: clusters.as_ref(),
        fixtures: &fixtures,
        settings: None,
        takes: &|_| true,
        wanted: Wanted::All,
        limits: &limits,
    });
    Ok(print(&discovery, &replay))
}

fn documents(path: &PathBuf) -> Result<Vec<Arc<Document>>, Failed> {
    let limits = fedward_manifest::Limits::default();
    let source = Arc::new(Source::new(path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path)?)?);
    let chunks = split(&source, &limits).chunks;
    chunks.into_iter().map(|chunk| parse(&source, chunk, &limits).document.map(Arc::new).ok_or_else(|| "not YAML".into())).collect()
}

fn difference(expected: &str, found: &str) -> String {
    let mut out = String::new();
    let (mut old, mut new) = (expected.lines().peekable(), found.lines().peekable());
    while old.peek().is_some() || new.peek().is_some() {
        if old.peek() == new.peek() {
            old.next();
            new.next();
            continue;
        }
        old.next().into_iter().for_each(|line| out.push_str(&format!("- {line}\n")));
        new.next().into_iter().for_each(|line| out.push_str(&format!("+ {line}\n")));
    }
    out
}
