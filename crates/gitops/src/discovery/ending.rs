//! What is told, and left out, once nothing new turns up.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Application, Discovery, Parent};
use crate::application::State;
use crate::rules::{DEFAULT_PROJECT, meant_project};
use crate::touched::Touching;

/// The first of some notes, and how many there are.
pub(super) fn some(notes: BTreeSet<String>, what: &str) -> Vec<String> {
    const FEW: usize = 3;
    let more = notes.len().saturating_sub(FEW);
    let mut first: Vec<String> = notes.into_iter().take(FEW).collect();
    if more > 0 {
        first.push(format!("the same is true of {more} more {what}{}", if more == 1 { "" } else { "s" }));
    }
    first
}

/// Marks the sets that a change does not touch, and that make no Application which it does.
pub(super) fn leave_out_sets(out: &mut Discovery, touching: Option<&Touching<'_>>) {
    let Some(touching) = touching else { return };
    // What a set would not even make was never looked at.
    let is_unmade = |app: &Application| app.sources.is_empty() && matches!(app.state, State::Failed(_)) && !app.is_left_out;
    let unmade: Vec<bool> = out.applications.iter().map(|app| is_unmade(app) && !touching.is_defined_anew(app, out)).collect();
    for (app, _) in out.applications.iter_mut().zip(unmade).filter(|(_, is_left_out)| *is_left_out) {
        app.is_left_out = true;
    }
    let parents = out.applications.iter().filter(|app| !app.is_left_out).flat_map(|app| &app.parents);
    let makes: HashSet<usize> = parents.filter_map(|parent| if let Parent::Set(at) = parent { Some(*at) } else { None }).collect();
    let left: Vec<bool> = out.sets.iter().enumerate().map(|(at, set)| !touching.set(set, out) && !makes.contains(&at)).collect();
    for (set, is_left_out) in out.sets.iter_mut().zip(left) {
        set.is_left_out = is_left_out;
    }
}

/// Notes on projects that Applications name and that are not here, where there are any: each may be somewhere else, so that it is no finding.
pub(super) fn missing_projects(out: &Discovery) -> Vec<String> {
    // What was not rendered may have them.
    if out.projects.is_empty() || out.applications.iter().any(|app| app.is_left_out) {
        return Vec::new();
    }
    let known: BTreeSet<&str> = out.projects.iter().map(|project| project.name.as_str()).collect();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for app in &out.applications {
        let name = app.project.as_str();
        // A slip is a finding.
        if name != DEFAULT_PROJECT && !known.contains(name) && (users.contains_key(name) || meant_project(name, &known).is_none()) {
            users.entry(name).or_default().push(&app.name);
        }
    }
    let note = |(name, users): (&str, Vec<&str>)| {
        let first = users.first().copied().unwrap_or_default();
        let (more, verb) = if users.len() > 1 { (format!(" and {} more", users.len() - 1), "name") } else { (String::new(), "names") };
        format!(
            "there is no project `{name}` here, which Application `{first}`{more} {verb}: Argo CD refuses that, unless the project comes from elsewhere"
        )
    };
    some(users.into_iter().map(note).collect(), "project")
}
