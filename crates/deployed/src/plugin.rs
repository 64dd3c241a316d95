//! Sources that a config management plugin builds, where a person names a program that stands for it (`--plugin NAME=COMMAND`).
//!
//! The program runs with the rights of the person, as everything that they start does: it is no sandbox. What the repository decides is kept
//! small all the same: not which program runs, and not where it is found; it gets a copy of the repository, and variables with names that
//! nothing else reads.

mod cluster;
mod copy;
mod piece;
mod process;

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fedward_gitops::plugin::{Kubernetes, Plugin};
use fedward_gitops::renderer::SourceRequest;
use tempfile::TempDir;

use copy::Uncopied;
use process::Ended;

/// What a person says of a plugin: `NAME=COMMAND`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginCommand {
    /// The name that sources have for it.
    pub name: String,
    /// The program, and what it is given.
    words: Vec<String>,
}

impl PluginCommand {
    /// Takes `NAME=COMMAND` apart. The command is taken apart as a shell does it, and no shell runs it.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').ok_or_else(|| format!("`{text}` is not `NAME=COMMAND`"))?;
        if name.is_empty() {
            return Err(format!("`{text}` has no name before the `=`"));
        }
        let words = shlex::split(command).ok_or_else(|| format!("`{command}` has a quote or a backslash that nothing closes"))?;
        if words.first().is_none_or(String::is_empty) {
            return Err(format!("`{text}` has no command after the `=`"));
        }
        Ok(PluginCommand { name: name.to_owned(), words })
    }

    /// Whether it stands for the plugin of a source by name and version, as Argo CD puts them together.
    fn has_version(&self, name: &str) -> bool {
        let version = name.strip_prefix(&self.name).and_then(|rest| rest.strip_prefix('-'));
        let digits = version.map(|version| version.strip_prefix('v').unwrap_or(version));
        digits.is_some_and(|digits| digits.starts_with(|first: char| first.is_ascii_digit()))
    }
}

/// What one run may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Argo CD's own, unless its `ARGOCD_EXEC_TIMEOUT` says otherwise (90 s).
    time: Duration,
    /// Bytes of what it prints (64 MiB, as of every render).
    output_bytes: usize,
    /// Files and links of the repository (100,000).
    files: usize,
    /// Bytes of the repository (1 GiB, as Argo CD unpacks for a plugin).
    bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let output_bytes = fedward_render::Limits::default().output_bytes;
        Limits { time: Duration::from_secs(90), output_bytes, files: 100_000, bytes: 1 << 30 }
    }
}

/// Why a source has no objects that its plugin would build.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It cannot be known here.
    Deferred(String),
    /// Argo CD would fail, too.
    Failed(String),
}

/// The programs that stand for plugins.
#[derive(Default)]
pub(crate) struct Plugins {
    commands: Vec<PluginCommand>,
    limits: Limits,
    used: Mutex<BTreeSet<usize>>,
    cluster: Kubernetes,
}

impl Plugins {
    pub(crate) fn new(commands: &[PluginCommand]) -> Self {
        let cluster = if commands.is_empty() { Kubernetes::default() } else { cluster::ask() };
        Plugins { commands: commands.to_vec(), cluster, ..Plugins::default() }
    }

    /// The names of those that nothing was built with.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &str> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.commands.iter().enumerate().filter(move |(at, _)| !used.contains(at)).map(|(_, command)| command.name.as_str())
    }

    /// What stands for a plugin, by its whole name, or by that without the version.
    fn command(&self, name: &str) -> Option<&PluginCommand> {
        let numbered = || self.commands.iter().enumerate();
        let exact = numbered().find(|(_, command)| command.name == name);
        let versioned = || numbered().filter(|(_, command)| command.has_version(name)).max_by_key(|(_, command)| command.name.len());
        let (at, command) = exact.or_else(versioned)?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(at);
        Some(command)
    }

    /// What a plugin prints of a source.
    pub(crate) fn run(&self, request: &SourceRequest<'_>, plugin: &Plugin) -> Result<String, Stopped> {
        let name = &plugin.name;
        let Some(command) = self.command(name) else {
            return Err(Stopped::Deferred(format!(
                "plugin `{name}` builds it, and no program that a repository names is run here: `--plugin {name}=COMMAND` says what to run"
            )));
        };
        let variables = plugin.variables(&self.cluster);
        if variables.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(Stopped::Failed(format!("a variable for plugin `{name}` has a zero byte in it")));
        }
        let place =
            Place::new().map_err(|error| Stopped::Deferred(format!("there is no folder for plugin `{name}` to work in: {error}")))?;
        copy::copy(request.checkout, &place.repository, self.limits.files, self.limits.bytes).map_err(|error| match error {
            Uncopied::Outside(path) => Stopped::Failed(format!(
                "`{}` leads out of the repository: no plugin gets a repository with such a link",
                request.checkout.shown(&path)
            )),
            Uncopied::Limit(what) => Stopped::Deferred(format!("the repository has more than {what}: it is not copied for a plugin")),
            Uncopied::Disk(error) => Stopped::Deferred(format!("the repository cannot be copied for plugin `{name}`: {error}")),
        })?;
        let flag = format!("`--plugin {}`", command.name);
        let program = command.words.first().map(String::as_str).unwrap_or_default();
        let mut ready = Command::new(located(program).map_err(|error| cannot_start(program, &flag, &error))?);
        ready.args(command.words.iter().skip(1)).current_dir(place.repository.join(request.path)).env_clear();
        ready.envs(variables).env("PATH", search_path(env::var_os("PATH"))).env("HOME", &place.home).env("TMPDIR", &place.temporary);
        ready.stdin(Stdio::null());
        let printed = match process::run(ready, self.limits.time, self.limits.output_bytes) {
            Ended::Well(printed) => printed,
            Ended::NotStarted(error) => return Err(cannot_start(program, &flag, &error)),
            Ended::Badly(status, said) => {
                let said = place.redacted(&said);
                let said = if said.is_empty() { "it says nothing on standard error".to_owned() } else { said };
                return Err(Stopped::Failed(format!("{flag} fails with {}: {said}", process::told(status))));
            }
            Ended::Late => {
                let time = self.limits.time.as_secs_f32();
                return Err(Stopped::Failed(format!("{flag} does not end within {time} s, and was stopped")));
            }
            Ended::TooMuch => {
                let bytes = self.limits.output_bytes;
                let most = if bytes < 1 << 20 { format!("{bytes} bytes") } else { format!("{} MiB", bytes >> 20) };
                return Err(Stopped::Deferred(format!("{flag} prints more than {most}")));
            }
        };
        String::from_utf8(printed).map_err(|_| Stopped::Failed(format!("what {flag} prints is not UTF-8")))
    }
}

fn cannot_start(program: &str, flag: &str, error: &io::Error) -> Stopped {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such program".to_owned(),
        io::ErrorKind::PermissionDenied => "it is not a program that may be run".to_owned(),
        _ => error.to_string(),
    };
    let how = "name one that is found by PATH, or by its path from the working directory";
    Stopped::Failed(format!("`{program}` of {flag} cannot be started: {why} ({how})"))
}

/// A program by its path from the working directory of this process, or by its name. The other process begins in a copy of the repository: a
/// relative path would be looked for there, and the repository would choose what runs.
fn located(program: &str) -> io::Result<PathBuf> {
    let path = Path::new(program);
    let is_name = path.components().count() == 1 && path.file_name() == Some(OsStr::new(program));
    if is_name { Ok(path.to_owned()) } else { std::path::absolute(path) }
}

/// Where programs are looked for by name: relative folders are left out, for the same reason.
fn search_path(path: Option<OsString>) -> OsString {
    let folders = path.iter().flat_map(|path| env::split_paths(path)).filter(|folder| folder.is_absolute());
    // Where nothing is left, an empty text would mean the working directory.
    env::join_paths(folders).ok().filter(|path| !path.is_empty()).unwrap_or_else(|| "/usr/bin:/bin".into())
}

/// Folders for one run, gone with it.
struct Place {
    folder: TempDir,
    repository: PathBuf,
    home: PathBuf,
    temporary: PathBuf,
}

/// Lines of standard error that are told, from the end.
const LINES: usize = 3;
/// Characters of these.
const CHARACTERS: usize = 600;

impl Place {
    fn new() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("fedward-plugin-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir()?;
        // As the program sees it: on some systems, what is called a temporary folder is a link to one.
        let real = folder.path().canonicalize()?;
        let [repository, home, temporary] = ["repository", "home", "tmp"].map(|name| real.join(name));
        for folder in [&repository, &home, &temporary] {
            fs::create_dir(folder)?;
        }
        Ok(Place { folder, repository, home, temporary })
    }

    /// The last lines of what a program said, without the names of these folders.
    fn redacted(&self, said: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(said).into_owned();
        let repository = self.repository.display().to_string();
        text = text.replace(&format!("{repository}/"), "").replace(&repository, ".");
        for folder in [self.repository.parent(), Some(self.folder.path())].into_iter().flatten() {
            text = text.replace(&folder.display().to_string(), "…");
        }
        let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).rev().take(LINES).collect();
        lines.reverse();
        let told = lines.join(" / ");
        let more = told.chars().count().saturating_sub(CHARACTERS);
        if more > 0 { format!("…{}", told.chars().skip(more).collect::<String>()) } else { told }
    }
}

#[cfg(all(test, unix))]
mod tests;
