//! What a run needs before it reads anything: the configuration and the policies with their settings. `check` and `config` share it, so
//! that both refuse the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use fedward_config::{Draft, Level, Loaded, ModulePlace, Placed, today, words};
use fedward_engine::{EngineError, INPUT_POLICY, Options, Part, Policy};
use fedward_gitops::rules::POLICY as REPOSITORY_POLICY;
use fedward_host::{Host, Limits};
use fedward_modules::Builtin;
use serde_json::{Map, Value};

use crate::args;
use crate::commands::descriptors;
use crate::inputs::Inputs;
use crate::outputs;

/// What the command line says.
#[derive(Default)]
pub(crate) struct Request<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) config: Option<&'a Path>,
    /// The policies to run; empty for all that are enabled.
    pub(crate) policies: &'a [String],
    /// `POLICY=FILE`.
    pub(crate) settings: &'a [String],
}

/// The configuration, and the policies that run.
pub(crate) struct Setup {
    pub(crate) loaded: Loaded,
    pub(crate) policies: Vec<Policy>,
    /// Whether nothing runs but the rules about a repository.
    pub(crate) only_repository: bool,
    pub(crate) host: Host,
}

impl Setup {
    /// Reads the configuration and asks every policy about its settings, those that do not run included.
    pub(crate) fn new(request: &Request<'_>) -> Result<Self> {
        for path in request.paths.iter().filter(|path| *path != Path::new("-")) {
            path.metadata().map_err(|error| unreadable(path, &error))?;
        }
        let draft = Draft::find(request.config, request.paths, &descriptors())?;
        let loaded = draft.loaded();
        let chosen = chosen(request.policies, loaded)?;
        let runs = |builtin: &Builtin| chosen.contains(&builtin.id);
        let files = files(request.settings, runs)?;
        let host = Host::new(Limits::default());
        let part = |builtin: &'static Builtin| {
            let mut settings = loaded.settings(&builtin.policy.describe());
            settings.extend(files.get(builtin.id).map(|(_, own)| own.clone()).unwrap_or_default());
            Part { builtin, settings: settings.into(), runs: runs(builtin) }
        };
        let (mut policies, mut mistakes) = (Vec::new(), Vec::new());
        match Policy::suite(&host, fedward_modules::ALL.iter().map(part).collect()) {
            Ok(suite) => policies.push(suite),
            Err(errors) => {
                for error in errors {
                    let EngineError::Settings { policy, message } = error else { return Err(error.into()) };
                    let file = files.get(policy.as_str()).map(|(file, _)| file);
                    mistakes.extend(message.lines().map(|told| loaded.mistake(&policy, file, told)));
                }
            }
        }
        let only_repository = !request.policies.is_empty() && request.policies.iter().all(|id| id == REPOSITORY_POLICY);
        Ok(Setup { loaded: draft.finish(mistakes)?, policies, only_repository, host })
    }
}

/// Refuses a name for standard input where that is not read.
pub(crate) fn check_stdin(input: &args::Input) -> Result<()> {
    if input.stdin_filename.is_some() && !input.paths.iter().chain(&input.context).any(|path| path == Path::new("-")) {
        bail!("`--stdin-filename` names standard input, which is not read: give `-` as a path to read it");
    }
    Ok(())
}

/// What the options name that all commands share which look at manifests, and the configuration: no output may replace it.
pub(crate) fn named(input: &args::Input, loaded: &Loaded) -> outputs::Inputs {
    configured(loaded).and(input.paths.iter().chain(&input.context))
}

/// The configuration, and the files that it names.
pub(crate) fn configured(loaded: &Loaded) -> outputs::Inputs {
    let modules = loaded.modules(&descriptors()).into_iter().filter_map(|(_, place)| match place {
        ModulePlace::File(file) => Some(file),
        ModulePlace::Builtin(_) => None,
    });
    outputs::Inputs::of(loaded.context().into_iter().chain(loaded.file.clone())).and(modules)
}

/// How the engine reads, as the command line and the configuration say. What was read says which names ignore entries mean.
pub(crate) fn options(input: &args::Input, threads: usize, loaded: &Loaded, read: &mut Inputs) -> Options {
    let options = configured_options(loaded, input.namespace.as_deref(), input.closed_world);
    Options {
        ignores: loaded.ignores(),
        ignore_names: std::mem::take(&mut read.config_names),
        templates: std::mem::take(&mut read.templates),
        use_ignores: !input.no_ignores,
        threads: if threads > 0 { threads } else { options.threads },
        ..options
    }
}

/// The same without any file that ignore entries could mean. `namespace` and `closed_world` are what the command line says.
pub(crate) fn configured_options(loaded: &Loaded, namespace: Option<&str>, closed_world: bool) -> Options {
    let config = &loaded.config;
    let mut options = Options {
        namespace: namespace.or(config.namespace.as_deref()).unwrap_or("default").to_owned(),
        closed_world: closed_world || config.closed_world.unwrap_or(false),
        known_rules: descriptors().iter().flat_map(|policy| &policy.rules).map(|rule| rule.id.to_owned()).collect(),
        today: today(),
        input_severities: config.severities.iter().map(|(rule, level)| (rule.clone(), Level::severity(*level))).collect(),
        ..Options::default()
    };
    config.limits.apply(&mut options.limits, &mut options.max_objects);
    options
}

/// What is said of a path of the command line that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot read `{}`: {}", path.display(), words::io(error))
}

/// The policies that run: those that are named, or else those that the configuration does not turn off.
fn chosen(named: &[String], loaded: &Loaded) -> Result<Vec<&'static str>> {
    if named.is_empty() {
        let is_on = |id: &str| loaded.config.policies.get(id).and_then(|policy| policy.enabled).unwrap_or(true);
        return Ok(fedward_modules::ALL.iter().map(|builtin| builtin.id).filter(|id| is_on(id)).collect());
    }
    // The rules about a repository run in any case.
    named.iter().filter(|id| *id != REPOSITORY_POLICY).map(|id| known(id)).collect()
}

fn known(id: &str) -> Result<&'static str> {
    if id == INPUT_POLICY {
        bail!("`{INPUT_POLICY}` cannot be chosen: its rules always run; `severities` in the configuration has their severities");
    }
    if id == REPOSITORY_POLICY {
        bail!("`{REPOSITORY_POLICY}` has no settings; `severities` in the configuration has the severities of its rules");
    }
    fedward_modules::find(id).map(|builtin| builtin.id).with_context(|| {
        let ids: Vec<&str> = fedward_modules::ALL.iter().map(|builtin| builtin.id).collect();
        let near = words::did_you_mean(id, ids.iter().copied());
        let hint = if near.is_empty() { format!(" (there are {})", ids.join(", ")) } else { near };
        format!("no such policy: `{id}`{hint}")
    })
}

/// A file of settings, and what it says.
type Settings = (Placed, Map<String, Value>);

/// The files of `--settings`, as they are named.
pub(crate) fn settings_files(settings: &[String]) -> impl Iterator<Item = PathBuf> {
    settings.iter().filter_map(|text| Some(text.split_once('=')?.1.into()))
}

/// The files of `--settings`, by policy.
fn files(settings: &[String], runs: impl Fn(&Builtin) -> bool) -> Result<BTreeMap<&'static str, Settings>> {
    let mut files = BTreeMap::new();
    for text in settings {
        let (policy, file) = text.split_once('=').with_context(|| format!("`{text}` is not of the form POLICY=FILE"))?;
        let policy = known(policy)?;
        if !fedward_modules::ALL.iter().any(|builtin| builtin.id == policy && runs(builtin)) {
            bail!(
                "`{policy}` does not run here, so `{file}` would do nothing (the configuration turns it off, or `--policy` leaves it out)"
            );
        }
        let (values, placed) = Placed::read(Path::new(file))?.get()?;
        if files.insert(policy, (placed, values)).is_some() {
            bail!("`{policy}` has two files of settings");
        }
    }
    Ok(files)
}
