//! `fedward bench`.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fedward_bench::{Comparison, Context, Document, Failure, Instance, Plan, Report, Skipped, Stop};
use fedward_config::{Placed, words};
use fedward_engine::{Input, Role};
use fedward_host::Limits;
use serde_json::{Map, Value};

use crate::args::{Bench, ListFormat};
use crate::exit::Exit;
use crate::setup::unreadable;
use crate::{inputs, outputs, progress};

/// A baseline is not larger: there is an end to the requests of a run.
const MAX_BASELINE: usize = 64 << 20;

pub(crate) fn run(args: &Bench) -> Result<Exit> {
    let wasm = module(&args.module)?;
    let settings = args.settings.as_deref().map(settings).transpose()?;
    let baseline = args.baseline.as_deref().map(baseline).transpose()?;
    let settings_file = args.settings.as_ref().map(PathBuf::from).filter(|file| file.is_file());
    let own: Vec<PathBuf> = [Some(PathBuf::from(&args.module)), args.baseline.clone(), settings_file].into_iter().flatten().collect();
    let named = outputs::Inputs::of(args.requests.iter().chain(&args.context).chain(&own));
    let saved = args.save.clone().map(|file| (ListFormat::Json, Some(file)));
    let mut outputs = outputs::open([Some((args.format, None)), saved].into_iter().flatten().collect(), &named)?;

    let read = inputs::read(&inputs::Request {
        paths: &args.requests,
        context: &args.context,
        stdin_filename: "stdin.json",
        gitignore: true,
        own: own.into_iter().chain(outputs.iter().filter_map(|output| output.place().map(PathBuf::from))).collect(),
        ..inputs::Request::default()
    })?;
    // As `fedward check` takes them.
    let is_template = |file: &Input| read.templates.contains_key(&file.name);
    let (templates, files): (Vec<Input>, Vec<Input>) = read.files.into_iter().partition(is_template);
    let (requests, context): (Vec<Input>, Vec<Input>) = files.into_iter().partition(|file| file.role == Role::Judged);
    let mut found = fedward_bench::read(requests, settings.as_ref())?;
    let (context, failed) = Some(context).filter(|_| !args.context.is_empty()).map(Context::read).unzip();
    found.failed.extend(failed.into_iter().flatten());
    found.skipped.extend(read.skipped.into_iter().map(|skipped| Skipped::new(&skipped.file, &skipped.reason)));
    found
        .skipped
        .extend(templates.iter().map(|file| Skipped::new(&file.name, "a template of a Helm chart: name the chart to have it rendered")));
    found.failed.extend(read.unread.iter().map(|unread| Failure::new(&unread.file, &unread.reason)));

    let threads = if args.threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { args.threads };
    let plan = Plan {
        name: &args.module,
        wasm: &wasm,
        context: context.as_ref(),
        instance: if args.kept { Instance::Kept } else { Instance::Fresh },
        threads,
        stop: args.rounds.map_or(Stop::After(Duration::from_secs(args.seconds.into())), Stop::Rounds),
    };
    if let Some(baseline) = &baseline {
        fedward_bench::is_comparable(baseline, &plan, &found)?;
    }
    let report = progress::shown(false, "measuring", "evaluations", |count| fedward_bench::measure(&plan, found, count))?;
    let comparison = match &baseline {
        Some(baseline) if report.failed.is_empty() => Some(fedward_bench::compare(baseline, &report, args.threshold)?),
        // Times of some requests are not those of all.
        Some(_) => {
            anstream::eprintln!("note: not compared with the baseline, since not everything could be evaluated");
            None
        }
        None => None,
    };

    for output in &mut outputs {
        let is_saved = !output.is_stdout();
        output.write(|format, out| write(format, &report, comparison.as_ref().filter(|_| !is_saved), out))?;
    }
    for output in outputs {
        output.finish()?;
    }
    Ok(exit(&report, comparison.as_ref()))
}

/// The first that applies, most serious first.
fn exit(report: &Report, comparison: Option<&Comparison>) -> Exit {
    if !report.failed.is_empty() {
        Exit::NotJudged
    } else if comparison.is_some_and(Comparison::is_worse) {
        Exit::Findings
    } else if report.requests.count == 0 {
        Exit::Nothing
    } else {
        Exit::Clean
    }
}

fn write(format: ListFormat, report: &Report, comparison: Option<&Comparison>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        ListFormat::Human => fedward_bench::human(report, comparison, out),
        ListFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &Document { report, comparison })?;
            writeln!(out)
        }
    }
}

/// The bytes of a module: a file, or a built-in policy's.
fn module(name: &str) -> Result<Vec<u8>> {
    if let Some(builtin) = fedward_modules::module(name) {
        if builtin.wasm.is_empty() {
            bail!("policy `{name}`: this build has no modules (it was built with FEDWARD_MODULES=skip)");
        }
        return Ok(builtin.wasm.to_vec());
    }
    let path = Path::new(name);
    let is_path = path.extension().is_some() || path.components().count() > 1 || path.exists();
    if !is_path {
        let ids = || fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]).map(|builtin| builtin.id);
        let near = words::did_you_mean(name, ids());
        let hint = if near.is_empty() { format!(" (there are {})", ids().collect::<Vec<_>>().join(", ")) } else { near };
        bail!("no such policy and no such file: `{name}`{hint}");
    }
    bounded(path, Limits::default().module_bytes)
}

/// The settings that the command line has or names.
fn settings(text: &str) -> Result<Map<String, Value>> {
    let placed = if text.trim_start().starts_with('{') {
        Placed::new("--settings", text.as_bytes().to_vec())?
    } else {
        Placed::read(Path::new(text))?
    };
    Ok(placed.get()?.0)
}

fn baseline(path: &Path) -> Result<Report> {
    Report::from_json(&bounded(path, MAX_BASELINE)?).with_context(|| format!("`{}`", path.display()))
}

/// A file that must not be larger than so many bytes.
fn bounded(path: &Path, most: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() > most {
        bail!("cannot read `{}`: larger than {} MiB", path.display(), most >> 20);
    }
    Ok(bytes)
}
