//! `fedward identities`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use fedward_config::Loaded;
use fedward_engine::{Survey, Surveyed};
use fedward_gitops::Wanted;
use fedward_inventory::model::Inventory;
use fedward_inventory::{Filter, dot, human, json, mermaid, take};
use fedward_kit::finding::ObjectId;
use fedward_kit::text::Glob;
use fedward_outcome::Outcome;
use fedward_report::{Gate, Tool, Verdict};

use crate::args::Identities;
use crate::exit::Exit;
use crate::setup::{self, Setup};
use crate::{argocd, cache, inputs, outputs};

/// What an inventory can be written as.
#[derive(Debug, Clone, Copy)]
enum Format {
    Human,
    Json,
    Mermaid,
    Dot,
}

impl outputs::Format for Format {
    const ALL: &'static [(&'static str, Self)] =
        &[("human", Format::Human), ("json", Format::Json), ("mermaid", Format::Mermaid), ("dot", Format::Dot)];
}

pub(crate) fn run(args: &Identities) -> Result<Exit> {
    let input = &args.input;
    setup::check_stdin(input)?;
    let wanted = outputs::wanted(&args.format, args.output.as_deref())?;
    let request = setup::Request { paths: &input.paths, config: input.config.as_deref(), ..setup::Request::default() };
    let Setup { loaded, .. } = Setup::new(&request)?;
    let mut outputs = outputs::open(wanted, &argocd::named(setup::named(input, &loaded), &args.argocd, &input.paths))?;
    let context = inputs::context(input, &loaded);
    let places = outputs.iter().filter_map(|output| output.place().map(PathBuf::from));
    let request = inputs::Request { threads: args.threads, ..inputs::Request::of(input, &loaded, &context, places) };
    let mut read = inputs::read(&request)?;
    let mut options = setup::options(input, args.threads, &loaded, &mut read);
    let cached = cache::Kept::open(args.argocd.cache.as_deref())?;
    let (found, untracked) =
        argocd::find(&args.argocd, &input.paths, &read.files, &read.judged, &options.namespace, Wanted::All, cached.cache())?;
    cached.finish(args.verbose);
    let deployed = argocd::beside(found, &outputs)?;
    let mut files = read.files;
    let joined = deployed.as_ref().map(|deployed| argocd::join(deployed, &mut files, &mut options));
    // What is said of charts that Applications deploy is said below of all that they do.
    options.renders_applications = true;
    let (mut survey, mut outcome) = Survey::new(files, &options);
    outcome.skipped.splice(0..0, read.skipped);
    outcome.notes.extend(untracked);
    if let (Some(deployed), Some(joined)) = (&deployed, &joined) {
        survey = survey.written(Box::new(deployed.written()));
        outcome.files = joined.order.len();
        deployed.finish(&joined.order, None, &mut outcome);
    } else {
        outcome.notes.extend(unrendered(&survey));
    }
    outcome.unread = read.unread;
    let globs = |texts: &[String]| texts.iter().map(Glob::new).collect();
    let filter = Filter { identities: globs(&args.identity), namespaces: globs(&args.in_namespace), shared: args.shared };
    let all = take(&survey, &federated(&loaded));
    let is_filtered = !all.identities.is_empty();
    let inventory = filter.apply(all);
    let nothing = inventory.identities.is_empty().then_some(if is_filtered {
        "no identity is one of those that are asked for"
    } else {
        "no identity is used or made in what was read"
    });
    outcome.notes.extend(nothing.map(str::to_owned));
    let gate = Gate { allow_empty: true, strict: args.argocd.strict, ..Gate::default() };
    let exit = exit(&inventory, &outcome, &gate, args.allow_empty);
    // Whoever gets the exit code sees why, where notes are left out as well.
    let why = nothing.filter(|_| args.quiet && exit == Exit::Nothing);
    let report = Report { inventory: &inventory, outcome: &outcome, gate: &gate, why };
    let mut is_text = false;
    for output in &mut outputs {
        let color = output.is_stdout() && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        output.write(|format, out| {
            is_text |= matches!(format, Format::Human | Format::Json);
            write(format, &report, args, color, out)
        })?;
    }
    for output in outputs {
        output.finish()?;
    }
    // A picture has no room for it.
    if let Some(why) = gate.why(&outcome).or(nothing.map(str::to_owned)).filter(|_| exit != Exit::Clean && !is_text) {
        anstream::eprintln!("error: {why}");
    }
    Ok(exit)
}

/// What is said of Applications: what they deploy is nowhere in the list.
fn unrendered(survey: &Survey) -> Option<String> {
    let is_it = |object: &Surveyed| {
        let ObjectId { api_version, kind, .. } = &object.id;
        object.is_judged && api_version.starts_with("argoproj.io/") && matches!(kind.as_str(), "Application" | "ApplicationSet")
    };
    let mut all = survey.numbers().filter_map(|number| survey.object(number)).filter(is_it);
    let ObjectId { kind, name, .. } = all.next()?.id;
    let more = match all.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(format!("what {kind} `{name}`{more} deploys is not rendered, and not in the list"))
}

/// The service accounts that the settings of any policy count as federated.
fn federated(loaded: &Loaded) -> Vec<Glob> {
    let mut found: Vec<String> = Vec::new();
    for builtin in fedward_modules::ALL {
        let settings = loaded.settings(&builtin.policy.describe());
        let globs = settings.get("federatedServiceAccounts").and_then(serde_json::Value::as_array).into_iter().flatten();
        found.extend(globs.filter_map(serde_json::Value::as_str).map(str::to_owned));
    }
    found.sort();
    found.dedup();
    found.into_iter().map(Glob::new).collect()
}

/// The first that applies, most serious first, as for `fedward check`.
fn exit(inventory: &Inventory, outcome: &Outcome, gate: &Gate, allow_empty: bool) -> Exit {
    match gate.verdict(outcome) {
        Verdict::Passed if inventory.identities.is_empty() && !allow_empty => Exit::Nothing,
        verdict => verdict.into(),
    }
}

/// What is written.
struct Report<'a> {
    inventory: &'a Inventory,
    outcome: &'a Outcome,
    gate: &'a Gate,
    /// Why there is nothing, where nobody else says it.
    why: Option<&'a str>,
}

fn write(format: Format, report: &Report<'_>, args: &Identities, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let Report { inventory, outcome, gate, why } = *report;
    match format {
        Format::Human => {
            let options = fedward_inventory::Options { color, verbose: args.verbose, quiet: args.quiet, ..Default::default() };
            human(inventory, outcome, gate, &options, out)?;
            if let Some(why) = why {
                writeln!(out, "error: {why}")?;
            }
        }
        Format::Json => json(inventory, outcome, &Tool { name: "fedward", version: env!("CARGO_PKG_VERSION"), home: None }, out)?,
        Format::Mermaid => mermaid(inventory, out)?,
        Format::Dot => dot(inventory, out)?,
    }
    out.flush()
}
