//! What became of each Application.

use std::collections::HashMap;
use std::sync::Arc;

use fedward_gitops::{Place, Reason, SetState, State};
use fedward_outcome::{Deployed as Entry, Location, State as Became};

use crate::Deployed;
use crate::origins::Origins;
use crate::worlds::title;

/// One entry for each Application and each ApplicationSet, in the order of discovery.
pub(crate) fn account(deployed: &Deployed, origins: &mut Origins<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for application in &deployed.discovery.applications {
        let (state, reasons) = match &application.state {
            State::Rendered => (Became::Rendered, Vec::new()),
            State::Partial(reasons) => (Became::Partial, told(reasons)),
            State::Deferred(reasons) => (Became::Deferred, told(reasons)),
            State::Failed(reason) => (Became::Failed, told(std::slice::from_ref(reason))),
        };
        let (state, reasons) = if application.is_left_out { (Became::Untouched, Vec::new()) } else { (state, reasons) };
        let destination = &application.destination;
        let cluster = if destination.server.is_empty() { &destination.name } else { &destination.server };
        entries.push(Entry {
            kind: "Application",
            name: title(application),
            destination: [cluster.as_str(), &destination.namespace]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
            state,
            reasons,
            location: Some(located(origins, application.place())),
            cause: cause(origins, if let State::Failed(reason) = &application.state { Some(reason) } else { None }, application.place()),
            objects: application.resources.len(),
        });
    }
    for set in &deployed.discovery.sets {
        let (state, reasons) = match &set.state {
            SetState::Resolved | SetState::FromFixture => (Became::Rendered, Vec::new()),
            SetState::Partial(reasons) => (Became::Partial, told(reasons)),
            SetState::Deferred(reasons) => (Became::Deferred, told(reasons)),
            SetState::Failed(reason) => (Became::Failed, told(std::slice::from_ref(reason))),
        };
        let (state, reasons) = if set.is_left_out { (Became::Untouched, Vec::new()) } else { (state, reasons) };
        let name = if set.namespace.is_empty() { set.name.clone() } else { format!("{}/{}", set.namespace, set.name) };
        let location = Some(located(origins, &set.object.place));
        let cause = cause(origins, if let SetState::Failed(reason) = &set.state { Some(reason) } else { None }, &set.object.place);
        entries.push(Entry {
            kind: "ApplicationSet",
            name,
            destination: String::new(),
            state,
            reasons,
            location,
            cause,
            objects: set.applications,
        });
    }
    for loose in &deployed.loose {
        let (state, reasons, objects) = match &loose.result {
            Ok(manifests) => (Became::Rendered, Vec::new(), manifests.len()),
            Err((state, why)) => (*state, vec![why.clone()], 0),
        };
        entries.push(Entry {
            kind: loose.kind,
            name: loose.name(),
            destination: String::new(),
            state,
            reasons,
            location: None,
            cause: None,
            objects,
        });
    }
    entries
}

/// Where the rules about a repository tell of a failure.
fn cause(origins: &mut Origins<'_>, reason: Option<&Reason>, own: &Place) -> Option<Location> {
    reason.map(|reason| located(origins, reason.place.as_ref().unwrap_or(own)))
}

fn told(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|reason| reason.text.clone()).collect()
}

/// A place, in the file that a person edits.
fn located(origins: &mut Origins<'_>, place: &Place) -> Location {
    let location = Location { source: Arc::clone(place.source()), span: place.span(), pointer: String::new() };
    if let Some(placed) = origins.place(&location, None) {
        return placed.location;
    }
    let mut location = location;
    origins.deployed.rename(&mut location, &mut HashMap::new());
    location
}
