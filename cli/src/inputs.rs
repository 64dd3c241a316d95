//! Which files are read: walking as people expect it, never out of the given roots.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use fedward_config::{Loaded, words};
use fedward_engine::{Input, Role};
use fedward_outcome::{Skipped, Unread};
use ignore::{DirEntry, WalkBuilder};
use rayon::prelude::*;

use crate::args;
use crate::charts::{self, Charts};
use crate::filter::{Below, Filter};
use crate::setup::unreadable;

/// A file larger than this is not read: no manifest is.
const MAX_FILE: u64 = 512 << 20;

/// Fewer files than this are read by one thread.
const FEW: usize = 64;

/// What the command line and the configuration ask for.
#[derive(Default)]
pub(crate) struct Request<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) context: &'a [PathBuf],
    /// What is applied already.
    pub(crate) old: &'a [PathBuf],
    /// Policies.
    pub(crate) policies: &'a [PathBuf],
    pub(crate) stdin_filename: &'a str,
    /// Globs of the command line, relative to the folder that is walked.
    pub(crate) include: &'a [String],
    pub(crate) exclude: &'a [String],
    /// Globs of the configuration, relative to `folder`.
    pub(crate) config_include: &'a [String],
    pub(crate) config_exclude: &'a [String],
    /// The folder of the configuration.
    pub(crate) folder: Option<&'a Path>,
    /// Whether hidden files are read.
    pub(crate) hidden: bool,
    /// Whether `.gitignore` and `.ignore` count.
    pub(crate) gitignore: bool,
    /// Files that are no input: the configuration, the outputs.
    pub(crate) own: Vec<PathBuf>,
    /// Only the names are wanted: nothing is read.
    pub(crate) only_names: bool,
    /// How many threads read; 0 takes all cores.
    pub(crate) threads: usize,
}

impl<'a> Request<'a> {
    /// What the options ask for that all commands share which look at manifests. `context` is [`context`]'s, `own` are files that are no input.
    pub(crate) fn of(input: &'a args::Input, loaded: &'a Loaded, context: &'a [PathBuf], own: impl Iterator<Item = PathBuf>) -> Self {
        Request {
            paths: &input.paths,
            context,
            stdin_filename: input.stdin_filename.as_deref().unwrap_or("stdin.yaml"),
            include: &input.include,
            exclude: &input.exclude,
            config_include: &loaded.config.paths.include,
            config_exclude: &loaded.config.paths.exclude,
            folder: loaded.folder(),
            hidden: input.hidden,
            gitignore: !input.no_gitignore,
            own: loaded.file.iter().cloned().chain(own).collect(),
            ..Request::default()
        }
    }
}

/// What is only looked at: what the configuration names, then what the command line does.
pub(crate) fn context(input: &args::Input, loaded: &Loaded) -> Vec<PathBuf> {
    loaded.context().into_iter().chain(input.context.iter().cloned()).collect()
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) files: Vec<Input>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) unread: Vec<Unread>,
    /// The files that are judged, without links, with the names that outputs show.
    pub(crate) judged: HashMap<PathBuf, String>,
    /// The path of a file relative to the folder of the configuration, by the name that outputs show, where the two differ.
    pub(crate) config_names: HashMap<String, String>,
    /// The folder of the Helm chart that a file is a template of, by the name that outputs show, as outputs show it.
    pub(crate) templates: HashMap<String, String>,
}

/// Reads everything asked for, in the order asked for, folders sorted by path. A file is read once, however often it is named.
///
/// What is named and cannot be read is an error; what is met on the way and cannot be read is listed.
pub(crate) fn read(request: &Request<'_>) -> Result<Inputs> {
    let own: HashSet<PathBuf> = request.own.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let mut reader = Reader {
        filter: Filter::new(request)?,
        request,
        inputs: Inputs::default(),
        seen: own.clone(),
        stdin: None,
        charts: Charts::default(),
        waiting: Vec::new(),
    };
    let groups =
        [(request.paths, Role::Judged), (request.context, Role::Context), (request.policies, Role::Policies), (request.old, Role::Old)];
    for (paths, role) in groups {
        // What is judged may be applied already, and hold policies, too.
        if matches!(role, Role::Policies | Role::Old) {
            reader.seen.clone_from(&own);
        }
        for path in paths {
            if path == Path::new("-") {
                reader.stdin(role)?;
            } else if path.is_dir() {
                reader.walk(path, role)?;
            } else {
                let real = path.canonicalize().unwrap_or_else(|_| path.clone());
                if reader.seen.contains(&real) {
                    continue;
                }
                let content = if request.only_names { Ok(Vec::new()) } else { content(path) };
                let bytes = content.map_err(|error| unreadable(path, &error))?;
                if is_archive(&bytes) {
                    bail!(
                        "`{0}` is an archive, and no manifest: of a packed chart, `fedward render {0} | fedward check -` judges what it renders to",
                        path.display()
                    );
                }
                reader.file(path, real, bytes, true, role);
            }
        }
    }
    reader.fill();
    Ok(reader.inputs)
}

struct Reader<'a> {
    filter: Filter,
    request: &'a Request<'a>,
    inputs: Inputs,
    seen: HashSet<PathBuf>,
    /// What standard input was read for.
    stdin: Option<Role>,
    charts: Charts,
    /// What was met on the way and is still to be read: where it is among the files, and its path.
    waiting: Vec<(usize, PathBuf)>,
}

impl Reader<'_> {
    fn stdin(&mut self, role: Role) -> Result<()> {
        match self.stdin.replace(role) {
            None => {}
            // A file is read once, however often it is named; what is judged is looked at, too.
            Some(before) if before == role || role == Role::Context => return Ok(()),
            Some(_) => bail!("`-` is given for two things, and standard input is read once: write one of them into a file"),
        }
        let bytes = bounded(io::stdin().lock(), 0).map_err(|error| anyhow::anyhow!("cannot read standard input: {}", words::io(&error)))?;
        self.inputs.files.push(Input { name: self.request.stdin_filename.to_owned(), bytes, named: true, role });
        Ok(())
    }

    fn walk(&mut self, root: &Path, role: Role) -> Result<()> {
        let canonical = root.canonicalize().map_err(|error| unreadable(root, &error))?;
        fs::read_dir(root).map_err(|error| unreadable(root, &error))?;
        // Globs choose among what is checked; a folder of policies is meant as it is.
        let below = Arc::new(if matches!(role, Role::Policies) { Below::default() } else { self.filter.below(&canonical) });
        let (own_root, own_below) = (root.to_owned(), Arc::clone(&below));
        let enters = move |entry: &DirEntry| {
            let relative = entry.path().strip_prefix(&own_root).unwrap_or(entry.path());
            entry.depth() == 0 || (own_below.enters(relative) && entry.file_name() != ".git")
        };
        // `.gitignore` counts outside a checkout, too; links are followed by hand, so that none leads out of the root.
        let walk = WalkBuilder::new(root)
            .standard_filters(self.request.gitignore)
            .hidden(!self.request.hidden)
            .require_git(false)
            .follow_links(false)
            .filter_entry(enters)
            .sort_by_file_path(Path::cmp)
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => self.entry(&entry, root, &canonical, &below, role),
                Err(error) => self.broken(root, &error),
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, root: &Path, canonical: &Path, below: &Below, role: Role) {
        let path = entry.path();
        let is_wanted = below.takes(path.strip_prefix(root).unwrap_or(path));
        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_dir()) {
            return;
        }
        if kind.is_some_and(|kind| kind.is_symlink()) {
            match path.canonicalize() {
                Ok(target) if !target.starts_with(canonical) => {
                    if is_wanted || target.is_dir() {
                        self.skip(path, "a link that leads out of the folder");
                    }
                    return;
                }
                // The walk comes by what it holds.
                Ok(target) if target.is_dir() => return,
                Ok(_) => {}
                Err(_) => {
                    if is_wanted {
                        self.skip(path, "a link that leads nowhere");
                    }
                    return;
                }
            }
        }
        if !is_wanted {
            if below.is_chart(path.strip_prefix(root).unwrap_or(path)) {
                self.skip(path, "a packed chart, of which `fedward render FILE | fedward check -` judges what it renders to");
            }
            return;
        }
        // The walk follows no link, so that the path of a file below the root is the root's and its own.
        let is_file = kind.is_some_and(|kind| kind.is_file());
        if !is_file && !path.is_file() {
            self.skip(path, "not an ordinary file");
            return;
        }
        let real = match path.strip_prefix(root) {
            Ok(below) if is_file => canonical.join(below),
            _ => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        };
        let number = self.inputs.files.len();
        if self.file(path, real, Vec::new(), false, role) {
            self.waiting.push((number, path.to_owned()));
        }
    }

    /// Reads what was met on the way, on all threads: opening thousands of small files takes longer than parsing them.
    fn fill(&mut self) {
        if self.request.only_names {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let read = || waiting.par_iter().map(|(_, path)| content(path)).collect::<Vec<_>>();
        let threads = self.request.threads.min(fedward_engine::max_threads());
        let is_worth_it = threads != 1 && waiting.len() >= FEW;
        let contents = match is_worth_it.then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build()) {
            Some(Ok(pool)) => pool.install(read),
            // A machine that gives no threads has the one that runs already.
            _ => waiting.iter().map(|(_, path)| content(path)).collect(),
        };
        let mut unread = HashSet::new();
        for ((number, path), content) in waiting.iter().zip(contents) {
            match (content, self.inputs.files.get_mut(*number)) {
                (Ok(bytes), Some(file)) => file.bytes = bytes,
                (Ok(_), None) => {}
                (Err(error), _) => {
                    unread.insert(*number);
                    self.inputs.unread.push(Unread { file: shown(path), reason: words::io(&error) });
                }
            }
        }
        let mut number = 0..;
        self.inputs.files.retain(|_| number.next().is_none_or(|number| !unread.contains(&number)));
    }

    /// Something below the root that the walk cannot enter.
    fn broken(&mut self, root: &Path, error: &ignore::Error) {
        let file = path_of(error).unwrap_or(root);
        let reason = error.io_error().map_or_else(|| error.to_string(), words::io);
        self.inputs.unread.push(Unread { file: shown(file), reason });
    }

    /// Takes a file, unless it is there already.
    fn file(&mut self, path: &Path, real: PathBuf, bytes: Vec<u8>, named: bool, role: Role) -> bool {
        if self.seen.contains(&real) {
            return false;
        }
        let name = shown(path);
        if let Some(chart) = self.charts.of(&real) {
            self.inputs.templates.insert(name.clone(), shown(&charts::seen_from(&name, &real, &chart)));
        }
        if let Some(relative) = self.filter.folder.as_deref().and_then(|folder| real.strip_prefix(folder).ok()).map(shown)
            && relative != name
        {
            self.inputs.config_names.insert(name.clone(), relative);
        }
        if matches!(role, Role::Judged) {
            self.inputs.judged.insert(real.clone(), name.clone());
        }
        self.seen.insert(real);
        self.inputs.files.push(Input { name, bytes, named, role });
        true
    }

    fn skip(&mut self, path: &Path, reason: &str) {
        self.inputs.skipped.push(Skipped { file: shown(path), line: None, reason: reason.to_owned() });
    }
}

/// What is in a file. A pipe (`<(command)`) is one, too.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_FILE { Err(too_large()) } else { bounded(file, length) }
}

/// Whether bytes are a compressed archive (gzip, zip), by how they begin.
fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"PK\x03\x04")
}

/// All there is to read, unless it is too much: a device may have no end. `length` is how much is expected.
fn bounded(from: impl Read, length: u64) -> io::Result<Vec<u8>> {
    // A buffer that grows copies itself, and touches twice the memory.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    from.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE { Err(too_large()) } else { Ok(bytes) }
}

/// What is in a file that says something of a run, such as values of a chart: far less than manifests can have.
pub(crate) fn small(path: &Path) -> io::Result<Vec<u8>> {
    let most = fedward_gitops::Limits::default().file_bytes;
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(larger_than(most)) } else { Ok(bytes) }
}

fn too_large() -> io::Error {
    larger_than(MAX_FILE)
}

fn larger_than(bytes: u64) -> io::Error {
    io::Error::other(format!("larger than {} MiB", bytes >> 20))
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

/// The path as outputs show it: as it was given, with `/` and without `./`.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
