//! `fedward cmp`: a config management plugin of Argo CD that renders a source, checks what comes of it, and passes it on or fails.
//!
//! Argo CD runs it in the folder of the source and takes what is on standard output for the manifests, whatever there is of them: nothing is
//! written before all of it was judged. Of standard error it shows what a failed run wrote, on one line.

mod parameters;
mod source;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::{Context as _, Result, anyhow};
use fedward_config::words;
use fedward_engine::{INPUT_POLICY, Input, Options, Role};
use fedward_kit::finding::Severity;
use fedward_manifest::{Source, Span};
use fedward_outcome::{Location, NotEvaluated, Outcome, Skipped};
use fedward_report::{Gate, Room, Verdict, brief, printable};

use self::parameters::Parameters;
use self::source::{Manifests, Place};
use crate::args::Threshold;
use crate::exit::Exit;
use crate::setup::{self, Setup};
use crate::{inputs, outputs};

/// What Argo CD's interface has room for.
const ROOM: Room = Room { bytes: 4096, lines: 20 };
/// What messages call the manifests as a whole.
const NAME: &str = "manifests.yaml";

/// What Argo CD asks of a plugin.
#[derive(Debug, clap::Args)]
#[command(after_help = "deploy/argocd/cmp has the plugin's configuration, and the sidecar that runs it.")]
pub(crate) struct Cmp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the manifests of the working directory if they pass; else say why not, and fail.
    ///
    /// The working directory is a chart, a folder with a kustomization, or one with plain manifests and Jsonnet files. It is rendered for the
    /// Application that the environment names (ARGOCD_APP_NAME, ARGOCD_APP_NAMESPACE, KUBE_VERSION, KUBE_API_VERSIONS), with its parameters
    /// (ARGOCD_APP_PARAMETERS). Nothing that the repository says turns a check off: neither a `fedward.yaml` in it nor ignore comments count.
    Generate(Generate),
    /// Print what the working directory is, or nothing if there is nothing to render.
    Discover,
    /// Print the parameters that the working directory takes, for Argo CD's interface.
    Parameters,
}

#[derive(Debug, clap::Args)]
struct Generate {
    /// The configuration, from outside of the repository; without it, that of the built-in policies.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The least severity that fails; `error`, if the configuration has none either.
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Threshold>,
    /// Treat what is not among the manifests as not existing, not as unknown.
    #[arg(long)]
    closed_world: bool,
    /// Pass on manifests of which none was judged, or no manifest at all: Argo CD then deletes what was there.
    #[arg(long)]
    allow_empty: bool,
}

pub(crate) fn run(args: &Cmp) -> Result<Exit> {
    match &args.command {
        Command::Generate(args) => return generate(args),
        Command::Discover => {
            if let Some(kind) = source::Folder::working()?.kind()? {
                outputs::print(&format!("{}\n", source::name(kind)))?;
            }
        }
        Command::Parameters => outputs::print(&format!("{}\n", parameters::announcement(source::Folder::working()?.kind()?)))?,
    }
    Ok(Exit::Clean)
}

fn generate(args: &Generate) -> Result<Exit> {
    let parameters = Parameters::of_environment()?;
    let manifests = match source::Folder::working()?.render(&parameters)? {
        Ok(manifests) => manifests,
        Err(reason) => {
            eprintln!("fedward: not rendered: {}", printable(&reason));
            return Ok(Exit::NotJudged);
        }
    };
    let (outcome, gate) = judge(args, &manifests, &parameters)?;
    let verdict = gate.verdict(&outcome);
    let place = |location: &Location| place(&manifests, location);
    // On success this is only in the log of the sidecar, where warnings belong.
    eprint!("{}", brief(&outcome, &gate, ROOM, &place));
    if verdict == Verdict::Passed {
        // A part of the manifests is worse than none: Argo CD deletes what is missing. So this is no matter of a reader who had enough.
        let mut out = io::stdout().lock();
        out.write_all(manifests.text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| anyhow!("the manifests cannot be written: {}", words::io(&error)))?;
    }
    Ok(verdict.into())
}

/// Runs the policies on the manifests, as they are printed.
fn judge(args: &Generate, manifests: &Manifests, parameters: &Parameters) -> Result<(Outcome, Gate)> {
    let request = setup::Request { config: args.config.as_deref(), ..setup::Request::default() };
    let Setup { loaded, policies, .. } = Setup::new(&request)?;
    let config = &loaded.config;
    let context = inputs::read(&inputs::Request { context: &loaded.context(), folder: loaded.folder(), ..inputs::Request::default() })?;
    let mut files = context.files;
    files.push(Input { name: NAME.to_owned(), bytes: manifests.text.clone().into_bytes(), named: true, role: Role::Judged });
    let namespace = Some(parameters.namespace()).filter(|name| !name.is_empty());
    let options = Options { use_ignores: false, ..setup::configured_options(&loaded, namespace, args.closed_world) };
    let (mut outcome, _) = fedward_engine::run(files, &policies, &options, &AtomicUsize::new(0));
    outcome.unread = context.unread;
    // Here nothing is skipped on purpose: all of it goes to Argo CD.
    let left_out: Vec<Skipped> = std::mem::take(&mut outcome.skipped).into_iter().filter(|skipped| skipped.file == NAME).collect();
    if !left_out.is_empty() {
        let source = Arc::new(Source::from_text(NAME, manifests.text.clone()).context("the manifests are too large")?);
        outcome.not_evaluated.extend(left_out.into_iter().map(|skipped| {
            let span = skipped.line.map_or(Span::new(0, 0), |line| Span::at(source.line_span(line).start));
            NotEvaluated {
                location: Location { source: source.clone(), span, pointer: String::new() },
                object: None,
                policy: INPUT_POLICY.to_owned(),
                reason: skipped.reason,
            }
        }));
    }
    let fail_on = args.fail_on.map(Severity::from).or_else(|| config.fail_on.map(Severity::from)).unwrap_or(Severity::Error);
    Ok((outcome, Gate { fail_on, allow_empty: args.allow_empty, strict: true }))
}

/// Where somebody finds what was rendered: the file that it comes from, with the line if it is that file's own.
fn place(manifests: &Manifests, location: &Location) -> Option<String> {
    if &**location.source.name() != NAME {
        return None;
    }
    let Place { file, start, is_source } = manifests.place(location.span.start as usize)?;
    let at = location.start();
    let first = location.source.position(u32::try_from(start).ok()?).line;
    Some(if is_source { format!("{file}:{}:{}", at.line.saturating_sub(first) + 1, at.column) } else { file })
}
