//! `fedward render --app` and `--list`: what Argo CD would deploy.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use fedward_config::words;
use fedward_deployed::Deployed;
use fedward_gitops::Wanted;
use fedward_outcome::{Deployed as Entry, State};
use fedward_report::printable;

use super::{placed, relative};
use crate::argocd::{Given, shown_root};
use crate::args::Render;
use crate::exit::Exit;
use crate::outputs;

/// Names that a message lists at most.
const NAMED: usize = 20;

/// Prints what Argo CD would deploy of an Application.
pub(super) fn print(args: &Render, name: &str) -> Result<Exit> {
    let is_it = |namespace: &str, own: &str| match name.split_once('/') {
        Some((space, bare)) => space == namespace && bare == own,
        None => own == name,
    };
    let (deployed, names) = find(args, Wanted::Named(&is_it))?;
    let (all, sets) = account(&deployed);
    // A name has no slash in it.
    let is_named = |entry: &Entry| entry.name == name || entry.name.rsplit_once('/').is_some_and(|(_, own)| own == name);
    let found: Vec<(usize, &Entry)> = all.iter().enumerate().filter(|(_, entry)| is_named(entry)).collect();
    let (number, entry) = match found.as_slice() {
        [] => bail!("{}", unknown(name, &all, &sets, &names)),
        [only] => *only,
        several => {
            let each = several.iter().take(NAMED).map(|(_, entry)| format!("\n  {}", line(entry, &names)));
            let is_same = several.iter().all(|(_, entry)| several.first().is_some_and(|(_, first)| first.name == entry.name));
            let advice = if is_same {
                "of the same namespace and name, of which a cluster has one: give a PATH that has one of them alone"
            } else {
                "give one's namespace and name, or a PATH that has one of them alone"
            };
            bail!(
                "there are {} Applications `{}`{} {advice}{}{}",
                several.len(),
                printable(name),
                if is_same { "" } else { ":" },
                each.collect::<String>(),
                more(several.len())
            );
        }
    };
    for note in deployed.notes() {
        anstream::eprintln!("note: {}", printable(&names.near(&note)));
    }
    if matches!(entry.state, State::Rendered | State::Partial) {
        outputs::print(&deployed.text(number, &|file| names.near(file)))?;
    }
    if entry.state == State::Rendered {
        return Ok(Exit::Clean);
    }
    let place = entry.location.as_ref().map(|location| {
        let start = location.start();
        format!("{}:{}:{}: ", names.near(location.source.name()), start.line, start.column)
    });
    let place = place.unwrap_or_default();
    for reason in &entry.reasons {
        anstream::eprintln!("{place}Application {} is {}: {}", printable(&entry.name), entry.state.name(), printable(&names.near(reason)));
    }
    Ok(Exit::NotJudged)
}

/// Lists the Applications, and the ApplicationSets of which not all is known.
pub(super) fn list(args: &Render) -> Result<Exit> {
    let (deployed, names) = find(args, Wanted::All)?;
    let (all, sets) = account(&deployed);
    if all.is_empty() && sets.is_empty() {
        bail!("{}", none(args));
    }
    for note in deployed.notes() {
        anstream::eprintln!("note: {}", printable(&names.near(&note)));
    }
    let lines: String = all.iter().chain(&sets).map(|entry| format!("{}\n", with_reasons(entry, &names))).collect();
    outputs::print(&lines)?;
    Ok(Exit::Clean)
}

/// The Applications, and the ApplicationSets that may make more of them than are known.
fn account(deployed: &Deployed) -> (Vec<Entry>, Vec<Entry>) {
    let (all, mut sets) = deployed.account();
    sets.retain(|set| matches!(set.state, State::Partial | State::Deferred | State::Failed));
    (all, sets)
}

/// A line of the list, and below it why it is not rendered.
fn with_reasons(entry: &Entry, names: &Names) -> String {
    let reasons = entry.reasons.iter().map(|reason| format!("\n          {}", printable(&names.near(reason))));
    format!("{}{}", line(entry, names), reasons.collect::<String>())
}

/// An Application, or an ApplicationSet, as a line of a list.
fn line(entry: &Entry, names: &Names) -> String {
    let place = entry
        .location
        .as_ref()
        .map_or_else(String::new, |location| format!("{}:{}", names.near(location.source.name()), location.start().line));
    let to = if entry.destination.is_empty() { String::new() } else { format!(" to {}", entry.destination) };
    let kind = if entry.kind == "Application" { "" } else { "ApplicationSet " };
    printable(&format!("{:<8}  {kind}{}{to}  {place}", entry.state.name(), entry.name)).into_owned()
}

fn find(args: &Render, wanted: Wanted<'_>) -> Result<(Deployed, Names)> {
    let given = Given::read(&args.known)?;
    let path = args.path.as_deref().unwrap_or(Path::new("."));
    let (real, root, inside) = placed(path, args.root.as_deref())?;
    let is_below =
        |file: &str| inside.is_empty() || file.strip_prefix(&inside).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let shown = shown_root(path, &real, &root);
    let deployed = Deployed::find(given.request(&args.known, &root, &shown, &is_below, wanted));
    Ok((deployed.map_err(|error| anyhow!("{error}"))?, Names::new(&root, &shown)))
}

/// How files of the repository are called, as seen from the working directory.
struct Names {
    /// What outputs put before those that are in the working directory, where it lies deeper than the root.
    long: Option<String>,
}

impl Names {
    fn new(root: &Path, shown: &str) -> Self {
        let working = std::env::current_dir().and_then(|folder| folder.canonicalize()).ok();
        let below = working.and_then(|working| relative(root, &working)).filter(|below| !below.is_empty());
        Names { long: below.filter(|_| !shown.is_empty()).map(|below| format!("{shown}/{below}/")) }
    }

    /// A text with names that are as short as they can be.
    fn near(&self, text: &str) -> String {
        self.long.as_ref().map_or_else(|| text.to_owned(), |long| text.replace(long, ""))
    }
}

/// What is said of a name that no Application has.
fn unknown(name: &str, all: &[Entry], sets: &[Entry], names_of: &Names) -> String {
    let names = || all.iter().map(|entry| entry.name.as_str());
    let bare = || names().filter_map(|name| name.rsplit_once('/')).map(|(_, own)| own);
    let hint = match words::did_you_mean(name, names().chain(bare())) {
        near if !near.is_empty() => near,
        _ if all.is_empty() && !sets.is_empty() => String::new(),
        _ if all.is_empty() => " (there is none at all; what Git does not track Argo CD does not see)".to_owned(),
        _ => {
            let some: Vec<String> = names().take(NAMED).map(|name| format!("`{}`", printable(name))).collect();
            format!(" (there are {}{})", some.join(", "), more(all.len()))
        }
    };
    let mut said = format!("there is no Application `{}`{hint}", printable(name));
    if !sets.is_empty() {
        said.push_str(
            "; what makes it may be an ApplicationSet of which not all is known (`--generators FILE` says what a generator would find)",
        );
        said.extend(sets.iter().take(NAMED).map(|set| format!("\n  {}", with_reasons(set, names_of))));
    }
    said
}

fn more(all: usize) -> String {
    if all > NAMED { format!(" and {} more: `--list` has them all", all - NAMED) } else { String::new() }
}

fn none(args: &Render) -> String {
    let path = args.path.as_deref().unwrap_or(Path::new("."));
    format!("there is no Application of Argo CD in `{}` (what Git does not track Argo CD does not see)", path.display())
}
