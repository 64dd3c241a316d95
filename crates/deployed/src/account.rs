//! What became of each Application.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fedward_engine::{BUILD, RENDER};
use fedward_gitops::{Place, Reason, SetState, SourceType, State, Stop, rules};
use fedward_kit::finding::ObjectId;
use fedward_outcome::{Deployed as Entry, Location, Skipped, State as Became};

use crate::Deployed;
use crate::failures;
use crate::origins::Origins;
use crate::worlds::title;

/// One entry for each Application and each ApplicationSet, in the order of discovery.
pub(crate) fn account(deployed: &Deployed, origins: &mut Origins<'_>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (number, application) in deployed.discovery.applications.iter().enumerate() {
        let (state, reasons) = match &application.state {
            State::Rendered => (Became::Rendered, Vec::new()),
            State::Partial(reasons) => (Became::Partial, told(reasons)),
            State::Deferred(reasons) => (Became::Deferred, told(reasons)),
            State::Failed(reason) => (Became::Failed, told(std::slice::from_ref(reason))),
        };
        let (state, reasons) = if application.is_left_out { (Became::Untouched, Vec::new()) } else { (state, reasons) };
        let failed = if let State::Failed(reason) = &application.state { Some(reason) } else { None };
        let moved = failed.and_then(|reason| failures::of_application(origins, number, &reason.text));
        let cause = moved.or_else(|| cause(origins, failed, application.place()));
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
            cause,
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
        let failure = reasons.first().filter(|_| state == Became::Failed);
        let location = failure.and_then(|text| failures::of_folder(origins, loose, text));
        entries.push(Entry {
            kind: loose.kind,
            name: loose.name(),
            destination: String::new(),
            state,
            reasons,
            location,
            cause: None,
            objects,
        });
    }
    entries
}

/// Says of files that an Application deploys why they are not rendered: naming them would not help.
pub(crate) fn explain(deployed: &Deployed, skipped: &mut [Skipped]) {
    let hints = [RENDER, BUILD];
    if !skipped.iter().any(|skipped| hints.iter().any(|hint| skipped.reason.ends_with(hint))) {
        return;
    }
    let (mut met, mut unrendered) = (HashSet::new(), HashMap::new());
    for (number, application) in deployed.discovery.applications.iter().enumerate().filter(|(_, application)| !application.is_left_out) {
        for source in &application.sources {
            let (Err(stop), Some((checkout, folder)), Some(kind)) = (&source.result, &source.place, source.kind) else { continue };
            let is_chart = kind == SourceType::Helm;
            if (!is_chart && kind != SourceType::Kustomize) || !met.insert((Arc::as_ptr(checkout).addr(), folder, is_chart)) {
                continue;
            }
            let became = if matches!(stop, Stop::Failed(_)) { Became::Failed } else { Became::Deferred };
            for file in fedward_gitops::files_of(checkout, folder, is_chart) {
                unrendered.entry(deployed.name(&file)).or_insert((number, became));
            }
        }
    }
    let applications = deployed.discovery.applications.len();
    for (number, loose) in deployed.loose.iter().enumerate() {
        let Err((became, _)) = &loose.result else { continue };
        for file in fedward_gitops::files_of(&loose.checkout, &loose.folder, loose.kind == "chart") {
            unrendered.entry(deployed.name(&file)).or_insert((applications + number, *became));
        }
    }
    for one in skipped {
        let Some(what) = hints.iter().find_map(|hint| one.reason.strip_suffix(hint)) else { continue };
        let Some((title, became)) = unrendered.get(&one.file).and_then(|(number, became)| Some((deployed.title(*number)?, became))) else {
            continue;
        };
        one.reason = format!("{what}: {title}, which has it, is {}", became.name());
    }
}

/// Where the rules about a repository tell of a failure.
fn cause(origins: &mut Origins<'_>, reason: Option<&Reason>, own: &Place) -> Option<Location> {
    let (location, object) = rules::written_at(reason?.place.as_ref().unwrap_or(own));
    Some(moved(origins, location, object.as_ref()))
}

fn told(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|reason| reason.text.clone()).collect()
}

/// A place, in the file that a person edits.
fn located(origins: &mut Origins<'_>, place: &Place) -> Location {
    moved(origins, Location { source: Arc::clone(place.source()), span: place.span(), pointer: String::new() }, None)
}

/// The same, of something in an object.
fn moved(origins: &mut Origins<'_>, location: Location, object: Option<&ObjectId>) -> Location {
    if let Some(placed) = origins.place(&location, object) {
        return placed.location;
    }
    let mut location = location;
    origins.deployed.rename(&mut location, &mut HashMap::new());
    location
}
