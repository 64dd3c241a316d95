//! Prints what Argo CD would deploy from a checkout: `cargo run --release -p fedward-gitops --example applications -- REPO [URL=PATH]...`.
//! Charts, kustomizations and Go templates are deferred: nothing here builds them.

#![allow(clippy::print_stdout, reason = "an example")]

use std::path::Path;

use fedward_gitops::{Fixtures, Limits, NoRenderer, Options, Repositories, SetState, State, discover, mapping, rules};

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("which checkout?")?;
    let mappings = arguments.map(|text| mapping(&text)).collect::<Result<Vec<_>, _>>()?;
    let limits = Limits::default();
    let repositories = Repositories::open(Path::new(&root), &root, &mappings, &[], &limits)?;
    let discovery = discover(Options {
        repositories: &repositories,
        renderer: &NoRenderer,
        scopes: &|_, _| None,
        clusters: None,
        fixtures: &Fixtures::default(),
        settings: None,
        takes: &|_| true,
        limits: &limits,
    });
    for application in &discovery.applications {
        let (state, why) = match &application.state {
            State::Rendered => ("rendered", format!("{} objects", application.resources.len())),
            State::Partial(reasons) => ("partial", reasons.first().map_or_else(String::new, |reason| reason.text.clone())),
            State::Deferred(reasons) => ("deferred", reasons.first().map_or_else(String::new, |reason| reason.text.clone())),
            State::Failed(reason) => ("failed", reason.text.clone()),
        };
        println!("{state:<9} {}/{} {} {why}", application.namespace, application.name, application.place());
    }
    for set in &discovery.sets {
        let (state, why) = match &set.state {
            SetState::Resolved => ("resolved", String::new()),
            SetState::FromFixture => ("fixture", String::new()),
            SetState::Partial(reasons) => ("partial", reasons.first().map_or_else(String::new, |reason| reason.text.clone())),
            SetState::Deferred(reasons) => ("deferred", reasons.first().map_or_else(String::new, |reason| reason.text.clone())),
            SetState::Failed(reason) => ("failed", reason.text.clone()),
        };
        println!("{state:<9} set {}/{}: {} applications {why}", set.namespace, set.name, set.applications);
    }
    for finding in rules::check(&discovery, &repositories) {
        let start = finding.location.start();
        println!("{} {} {}:{}: {}", finding.severity.name(), finding.rule, finding.location.source.name(), start.line, finding.message);
    }
    discovery.notes.iter().for_each(|note| println!("note: {note}"));
    discovery.unread.iter().for_each(|(file, why)| println!("unread {file}: {why}"));
    println!("{} roots, {} projects, {:?}", discovery.roots.len(), discovery.projects.len(), discovery.summary());
    Ok(())
}
