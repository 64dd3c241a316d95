//! `fedward test`.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};
use fedward_config::{Draft, words};
use fedward_engine::{Input, Role};
use fedward_host::{Host, Limits};
use fedward_policytest::{Behind, CaseFile, CaseResult, Counts, FIRST, Files, Pattern, Runner, human, json, junit, schema, update};
use fedward_report::printable;

use crate::args::Test;
use crate::exit::Exit;
use crate::modules::{Roots, Store};
use crate::outputs::{self, Output};
use crate::{inputs, progress, setup};

/// What case files are called.
const NAMES: &str = "*.policy-test.{yaml,yml,json}";
/// How such names end.
const ENDS: [&str; 3] = [".policy-test.yaml", ".policy-test.yml", ".policy-test.json"];
/// Notes on what was met and is no case file, or was not read, at most.
const MAX_NOTES: usize = 5;

/// What results can be written as.
#[derive(Debug, Clone, Copy)]
enum Format {
    Human,
    Json,
    Junit,
}

impl outputs::Format for Format {
    const ALL: &'static [(&'static str, Self)] = &[("human", Format::Human), ("json", Format::Json), ("junit", Format::Junit)];
}

pub(crate) fn run(args: &Test) -> Result<Exit> {
    if args.schema {
        outputs::print(&format!("{:#}\n", schema()))?;
        return Ok(Exit::Clean);
    }
    if let Some(file) = &args.init {
        return init(file);
    }
    let wanted = outputs::wanted(&args.format, None)?;
    let filters: Vec<Pattern> =
        args.filter.iter().map(|text| Pattern::new(text.clone()).map_err(anyhow::Error::msg)).collect::<Result<_>>()?;
    for path in &args.paths {
        path.metadata().map_err(|error| setup::unreadable(path, &error))?;
    }
    let descriptors = super::descriptors();
    let loaded = Draft::find(args.config.as_deref(), &args.paths, &descriptors)?.finish(Vec::new())?;
    let include = [NAMES.to_owned()];
    let all = || inputs::Request {
        paths: &args.paths,
        config_exclude: &loaded.config.paths.exclude,
        folder: loaded.folder(),
        hidden: args.hidden,
        gitignore: !args.no_gitignore,
        ..inputs::Request::default()
    };
    let read = inputs::read(&inputs::Request { include: &include, ..all() })?;
    if let Some(unread) = read.unread.first() {
        bail!("cannot read `{}`: {}", unread.file, unread.reason);
    }
    let mut strange: Vec<String> =
        read.skipped.iter().map(|skipped| format!("`{}` is not read: {}", skipped.file, skipped.reason)).collect();
    let met = inputs::read(&inputs::Request { only_names: true, ..all() })?.files;
    let near = met.iter().filter(|file| !file.named && is_near(&file.name));
    strange.extend(near.map(|file| format!("`{}` is no case file, by its name: those are called `NAME.policy-test.yaml`", file.name)));
    let files: Vec<CaseFile> = read.files.into_iter().map(case_file).collect();
    let named = setup::configured(&loaded).and(files.iter().map(|file| &file.name)).and(files.iter().flat_map(CaseFile::paths));
    let mut outputs = outputs::open(wanted, &named)?;
    let store = Store::new(loaded.modules(&descriptors), &args.paths, false);
    let host = Host::new(Limits::default());
    let roots = Roots::new(&args.paths);
    let threads = if args.threads > 0 { args.threads } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let runner = Runner { host: &host, modules: &store, files: &Disk(roots), threads };
    let is_wanted = |file: &str, name: &str| filters.is_empty() || filters.iter().any(|filter| filter.is_in(file) || filter.is_in(name));
    let mut results = progress::shown(false, "testing", "cases", |count| runner.run(&files, &is_wanted, count));
    outputs::check(&outputs, &store.read())?;
    if args.update {
        for rewritten in update(&files, &mut results) {
            let name = files.get(rewritten.file).map_or("", |file| &file.name);
            write(Path::new(name), &rewritten.text)?;
        }
    }
    for output in &mut outputs {
        tell(output, &results)?;
    }
    for output in outputs {
        output.finish()?;
    }
    let more = strange.len().saturating_sub(MAX_NOTES);
    strange.truncate(MAX_NOTES);
    strange.extend((more > 0).then(|| format!("(+{more} more such files)")));
    for note in &strange {
        anstream::eprintln!("note: {}", printable(note));
    }
    if results.is_empty() {
        let why = if files.iter().any(|file| !file.is_empty()) {
            "no case fits --filter"
        } else {
            "no file called *.policy-test.yaml has a case; `fedward test --init` writes a first one"
        };
        anstream::eprintln!("note: {why}");
    }
    Ok(exit(&Counts::of(&results)))
}

/// Reads a case file. What is wrong with it is what comes of it.
fn case_file(input: Input) -> CaseFile {
    match CaseFile::read(&input.name, input.bytes) {
        Ok(file) => CaseFile { is_named: input.named, ..file },
        Err(mistakes) => CaseFile::mistaken(&input.name, mistakes),
    }
}

/// Whether a file is called like a case file.
fn is_case_file(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

/// Whether a file is called nearly like a case file.
fn is_near(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let letters: String = stem.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    !is_case_file(name) && (letters.ends_with("policytest") || letters.ends_with("policytests"))
}

/// Writes the first case file.
fn init(file: &Path) -> Result<Exit> {
    let name = file.to_string_lossy();
    if !is_case_file(&name) || name.ends_with(".json") {
        let stem = ENDS.iter().find_map(|end| name.strip_suffix(end));
        let stem = stem.or_else(|| [".yaml", ".yml", ".json"].iter().find_map(|end| name.strip_suffix(end))).unwrap_or(&name);
        bail!("`fedward test` would not run `{name}`, by its name: call it `{}.policy-test.yaml`", stem.trim_end_matches('/'));
    }
    let made = OpenOptions::new().write(true).create_new(true).open(file).and_then(|mut made| made.write_all(FIRST.as_bytes()));
    match made {
        Ok(()) => {
            outputs::print(&format!("wrote {}; `fedward test` runs it\n", file.display()))?;
            Ok(Exit::Clean)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!("`{}` is there already: it is not replaced", file.display()),
        Err(error) => bail!("cannot write `{}`: {}", file.display(), words::io(&error)),
    }
}

/// Replaces a case file as a whole, or not at all.
fn write(file: &Path, text: &str) -> Result<()> {
    let mut outputs = outputs::open(vec![((), Some(file.to_owned()))], &outputs::Inputs::default())?;
    for output in &mut outputs {
        output.write(|_, out| out.write_all(text.as_bytes()))?;
    }
    outputs.into_iter().try_for_each(Output::finish)
}

fn tell(output: &mut Output<Format>, results: &[CaseResult]) -> Result<()> {
    let color = output.is_stdout() && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    output.write(|format, out| {
        match format {
            Format::Human => human(results, color, out)?,
            Format::Json => json(results, out)?,
            Format::Junit => junit(results, out)?,
        }
        out.flush()
    })
}

fn exit(counts: &Counts) -> Exit {
    if counts.broken > 0 {
        Exit::Usage
    } else if counts.failed > 0 {
        Exit::Findings
    } else if counts.passed + counts.updated == 0 {
        Exit::Nothing
    } else {
        Exit::Clean
    }
}

/// The files behind the paths of cases, below the folders of the command line.
struct Disk(Roots);

impl Files for Disk {
    fn read(&self, suite: &str, path: &str, role: Role) -> Result<Behind, String> {
        let wanted = plain(&Path::new(suite).parent().unwrap_or(Path::new("")).join(path));
        if self.0.contains(&wanted)?.is_none() {
            return Err(format!(
                "`{0}` is outside of what is tested: name its folder on the command line, too (`fedward test TESTS {1}`)",
                wanted.display(),
                wanted.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")).display()
            ));
        }
        let paths = std::slice::from_ref(&wanted);
        let none = || inputs::Request { stdin_filename: "-", gitignore: true, ..inputs::Request::default() };
        let request = match role {
            Role::Judged => inputs::Request { paths, ..none() },
            Role::Context | Role::Deployed(_) | Role::Aside => inputs::Request { context: paths, ..none() },
            Role::Old => inputs::Request { old: paths, ..none() },
            Role::Policies => inputs::Request { policies: paths, ..none() },
        };
        let read = inputs::read(&request).map_err(|error| error.to_string())?;
        if let Some(unread) = read.unread.first() {
            return Err(format!("cannot read `{}`: {}", unread.file, unread.reason));
        }
        let mut behind = Behind { is_folder: wanted.is_dir(), templates: read.templates, ..Behind::default() };
        // A folder with objects may hold tests of them, too.
        behind.inputs = read.files.into_iter().filter(|file| file.named || !is_case_file(&file.name)).collect();
        behind.left_out = read.skipped.into_iter().map(|skipped| format!("{}: {}", skipped.file, skipped.reason)).collect();
        if behind.is_folder {
            let all = inputs::Request { hidden: true, gitignore: false, only_names: true, paths, ..none() };
            let all = inputs::read(&all).map_err(|error| error.to_string())?.files;
            let known: HashSet<&str> = behind.inputs.iter().map(|file| file.name.as_str()).collect();
            let left_out = all.iter().filter(|file| !known.contains(file.name.as_str()) && !is_case_file(&file.name));
            let left_out: Vec<String> = left_out.map(|file| format!("{}: hidden or git-ignored, not read", file.name)).collect();
            behind.left_out.extend(left_out);
        }
        Ok(behind)
    }
}

/// A path without `.`, and without `..` after a folder that it leaves again: as places in it are compared, and as it is shown. A link on
/// the way makes another file of it; whether that may be read is asked of what is read.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}
