//! What a person said for nothing: repositories, plugins and generators that nothing in a run is. Such a name may be mistyped.

use std::collections::BTreeSet;

use fedward_gitops::{Discovery, Fixtures, Repositories};

use crate::sandbox::Sandbox;

/// How many of each sort are named.
const NAMED: usize = 3;

/// A note for each sort of which something matches nothing.
pub(crate) fn notes(repositories: &Repositories, fixtures: &Fixtures, sandbox: &Sandbox, discovery: &Discovery) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(all) = listed(repositories.unmatched().map(|mapping| format!("`--repo {mapping}=…`"))) {
        notes.push(format!("{all}: nothing that was looked at is of such a repository or revision"));
    }
    if let Some(all) = listed(sandbox.plugins().unused().map(|name| format!("`--plugin {name}`"))) {
        let sources = discovery.applications.iter().flat_map(|application| &application.sources);
        let plugins: BTreeSet<&str> = sources.filter_map(|source| source.plugin()).collect();
        let there = listed(plugins.into_iter().map(|name| format!("`{name}`")));
        let there = there.map_or_else(|| "there is none at all".to_owned(), |there| format!("there is {there}"));
        notes.push(format!("{all}: no source that was looked at has such a plugin ({there})"));
    }
    if let Some(all) = listed(fixtures.unmatched()) {
        notes.push(format!("entries of `--generators` that fit no generator of an ApplicationSet: {all}"));
    }
    notes
}

/// The first of them, and how many more there are.
fn listed(all: impl Iterator<Item = String>) -> Option<String> {
    let mut all = all;
    let first: Vec<String> = all.by_ref().take(NAMED).collect();
    let more = all.count();
    let listed = first.join(", ");
    if first.is_empty() { None } else { Some(if more > 0 { format!("{listed} and {more} more") } else { listed }) }
}
