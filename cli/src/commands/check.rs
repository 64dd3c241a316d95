//! `fedward check`.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fedward_deployed::Ignoring;
use fedward_engine::{Input, Options, RENDER_POLICIES, Role, Sets, User};
use fedward_gitops::Wanted;
use fedward_kit::finding::Severity;
use fedward_kit::policy::RuleDescriptor;
use fedward_outcome::{Finding, Outcome};
use fedward_report::{Gate, RuleInfo, Tool};

use super::explain;
use crate::args::Check;
use crate::changed::Change;
use crate::exit::Exit;
use crate::modules::{self, Store};
use crate::setup::{self, Setup};
use crate::{argocd, cache, inputs, old, outputs, progress};

/// What a check can write.
#[derive(Debug, Clone, Copy)]
enum Format {
    Human,
    Json,
    Sarif,
    Github,
    Gitlab,
    Junit,
    Azure,
    TerminationLog,
}

impl outputs::Format for Format {
    const ALL: &'static [(&'static str, Self)] = &[
        ("human", Format::Human),
        ("json", Format::Json),
        ("sarif", Format::Sarif),
        ("github", Format::Github),
        ("gitlab", Format::Gitlab),
        ("junit", Format::Junit),
        ("azure", Format::Azure),
        ("termination-log", Format::TerminationLog),
    ];
}

pub(crate) fn run(args: &Check) -> Result<Exit> {
    let input = &args.input;
    setup::check_stdin(input)?;
    let wanted = outputs::wanted(&args.format, args.output.as_deref())?;
    let request = setup::Request { paths: &input.paths, config: input.config.as_deref(), policies: &args.policy, settings: &args.settings };
    let Setup { loaded, policies, only_repository, host } = Setup::new(&request)?;
    let (given, only_builtin) = policy_sets(&args.policies)?;
    let (old_paths, revisions): (Vec<PathBuf>, Vec<PathBuf>) = args.old.iter().cloned().partition(|old| old.exists());
    if let Some(revision) = revisions.first().filter(|_| input.paths.iter().all(|path| path == Path::new("-"))) {
        bail!(
            "`--old {0}` is no path, and standard input has no revision to compare with: give `--old PATH`, with what is applied already",
            revision.display()
        );
    }
    let config = &loaded.config;
    let named = setup::named(input, &loaded).and(&given).and(&args.old).and(setup::settings_files(&args.settings));
    let mut outputs = outputs::open(wanted, &argocd::named(named, &args.argocd, &input.paths))?;
    let context = inputs::context(input, &loaded);
    let places = outputs.iter().filter_map(|output| output.place().map(PathBuf::from));
    let request = inputs::Request {
        old: &old_paths,
        policies: &given,
        threads: args.threads,
        ..inputs::Request::of(input, &loaded, &context, places)
    };
    let mut read = inputs::read(&request)?;
    for revision in &revisions {
        read.files.extend(old::read(&request, &read.judged, &revision.to_string_lossy())?);
    }
    let mut options = Options {
        raw: args.raw,
        operation: args.operation.into(),
        user: User { name: args.user.clone().unwrap_or_default(), groups: Some(args.groups.clone()).filter(|groups| !groups.is_empty()) },
        ..setup::options(input, args.threads, &loaded, &mut read)
    };
    let roots: Vec<PathBuf> = input.paths.iter().chain(&given).cloned().collect();
    let store = Store::new(loaded.modules(&super::descriptors()), &roots, given.is_empty());
    let change = args.changed_since.as_deref().map(|revision| Change::find(revision, args, &loaded, &read)).transpose()?;
    let wanted = change.as_ref().map_or(Wanted::All, Change::wanted);
    let cached = cache::Kept::open(args.argocd.cache.as_deref())?;
    let (found, untracked) = if args.raw {
        (None, None)
    } else {
        argocd::find(&args.argocd, &input.paths, &read.files, &read.judged, &options.namespace, wanted, cached.cache())?
    };
    cached.finish(args.verbose);
    let deployed = argocd::beside(found, &outputs)?;
    options.unjudged = change.as_ref().map(|change| change.untouched(&read)).unwrap_or_default();
    let mut files = read.files;
    let joined = deployed.as_ref().map(|deployed| {
        let is_on = |rule: &str| options.input_severities.get(rule) != Some(&None);
        options.native = deployed.native(&is_on, change.as_ref().and_then(Change::narrowing));
        argocd::join(deployed, &mut files, &mut options)
    });
    let untouched_files = joined.as_ref().map_or(options.unjudged.len(), |joined| joined.untouched);
    let is_policies = |file: &&Input| file.role == Role::Policies;
    let of_policies: HashSet<String> = files.iter().filter(is_policies).map(|file| file.name.clone()).collect();
    let (mut outcome, _) = progress::shown(args.quiet, "checking", "objects", |count| {
        if only_builtin || only_repository {
            return fedward_engine::run(files, &policies, &options, count);
        }
        let sets = Sets { host: &host, modules: &store, only_given: !given.is_empty() };
        fedward_engine::run_sets(files, policies, sets, &options, count)
    });
    // A file that is wrong says so itself.
    let is_wrong = |finding: &Finding| finding.severity == Severity::Error && of_policies.contains(&**finding.location.source.name());
    if !given.is_empty() && outcome.policies == 0 && !outcome.findings.iter().any(is_wrong) {
        let paths: Vec<String> = given.iter().map(|path| format!("`{}`", path.display())).collect();
        let unbuilt = outcome.skipped.iter().find(|skipped| skipped.reason.ends_with(RENDER_POLICIES));
        let folder = unbuilt.map(|skipped| match skipped.file.rsplit_once('/') {
            Some((folder, _)) => folder,
            None => ".",
        });
        let how = folder.map(|folder| {
            format!(
                "; the kustomization in `{folder}` has to be rendered first: `fedward render FOLDER > policies.yaml`, then `--policies policies.yaml`"
            )
        });
        bail!(
            "no policy manifest, and no policy server's file, in {}: nothing would be judged{}",
            paths.join(", "),
            how.unwrap_or_default()
        );
    }
    outcome.skipped.splice(0..0, read.skipped);
    outcome.notes.extend(untracked);
    if let (Some(deployed), Some(joined)) = (&deployed, &joined) {
        outcome.files = joined.order.len();
        outcome.rendered_files = joined.rendered_files;
        let ignoring = Ignoring {
            known_rules: &options.known_rules,
            severities: &options.input_severities,
            is_narrowed: change.as_ref().is_some_and(|change| change.narrowing().is_some()),
        };
        deployed.finish(&joined.order, options.use_ignores.then_some(&ignoring), &mut outcome);
        if only_repository {
            outcome.evaluated = deployed.objects();
        }
    }
    outcome.unread = read.unread;
    if let Some(change) = &change {
        change.tell(&mut outcome, untouched_files);
    }
    if args.verbose {
        modules::tell(&store);
    }
    outputs::check(&outputs, &store.read())?;
    let threshold = args.fail_on.map(Severity::from).or_else(|| config.fail_on.map(Severity::from)).unwrap_or(Severity::Error);
    let gate = Gate { fail_on: threshold, allow_empty: args.allow_empty, strict: args.argocd.strict };
    for output in &mut outputs {
        let color = output.is_stdout() && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        output.write(|format, out| write(format, &outcome, args, &gate, color, out))?;
    }
    for output in outputs {
        output.finish()?;
    }
    Ok(gate.verdict(&outcome).into())
}

/// The paths of `--policies`, or that only built-in policies run.
fn policy_sets(given: &[PathBuf]) -> Result<(Vec<PathBuf>, bool)> {
    let builtin = Path::new("builtin");
    if !given.iter().any(|path| path == builtin) {
        return Ok((given.to_vec(), false));
    }
    if given.len() > 1 {
        bail!("`--policies builtin` runs nothing else: a path beside it would do nothing");
    }
    Ok((Vec::new(), true))
}

fn write(format: Format, outcome: &Outcome, args: &Check, gate: &Gate, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let tool = Tool { name: "fedward", version: env!("CARGO_PKG_VERSION"), home: None };
    match format {
        Format::Junit => fedward_report::junit(outcome, gate, out)?,
        Format::Github => fedward_report::github(outcome, gate, out)?,
        Format::Gitlab => fedward_report::gitlab(outcome, gate, out)?,
        Format::Azure => fedward_report::azure(outcome, gate, out)?,
        Format::TerminationLog => fedward_report::termination_log(outcome, gate, out)?,
        Format::Human => {
            let options = fedward_report::Options {
                color,
                verbose: args.verbose,
                quiet: args.quiet,
                mutations: args.show_mutations,
                ..fedward_report::Options::default()
            };
            fedward_report::human(outcome, gate, &options, out)?;
        }
        Format::Json => fedward_report::json(outcome, gate, &tool, out)?,
        Format::Sarif => {
            let policies = super::descriptors();
            let page = |rule: &RuleDescriptor| (format!("docs/rules/{}.md", rule.id), explain::standalone(rule.id));
            let pages: HashMap<&str, (String, String)> =
                policies.iter().flat_map(|policy| &policy.rules).map(|rule| (rule.id, page(rule))).collect();
            let rules: Vec<RuleInfo<'_>> = policies
                .iter()
                .flat_map(|policy| policy.rules.iter().map(move |rule| (policy.id, rule)))
                .map(|(policy, rule)| RuleInfo {
                    id: rule.id,
                    policy,
                    summary: rule.summary,
                    default_severity: rule.conditions.iter().map(|condition| condition.severity).max().unwrap_or(Severity::Info),
                    docs: pages.get(rule.id).map_or("", |(docs, _)| docs),
                    page: pages.get(rule.id).map_or("", |(_, page)| page),
                })
                .collect();
            fedward_report::sarif(outcome, gate, &tool, &rules, out)?;
        }
    }
    out.flush()
}
