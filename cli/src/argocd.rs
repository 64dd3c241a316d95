//! Argo CD repositories among what is checked: which one, and what is said of it on the command line.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use fedward_config::{around, repository, words};
use fedward_deployed::{Deployed, PluginCommand, Request};
use fedward_engine::{Input, Options, Role};
use fedward_gitops::{Clusters, Fixtures, Mapping, Reason, Wanted, mapping};
use fedward_manifest::{Document, Limits, Source, parse, split};
use fedward_render::{Cache, KUSTOMIZATIONS};

use crate::args::{Argocd, Known};
use crate::charts::seen_from;
use crate::inputs::{self, shown};
use crate::outputs;
use crate::setup::unreadable;

/// What Argo CD deploys, and the root of the repository that it is in.
type Found = (Deployed, PathBuf);

/// What Argo CD deploys from the repository that is checked, and the root of that, if there is anything and if it is asked for; and what to
/// tell of files that may deploy something and that it does not see.
///
/// # Errors
/// What is named cannot be read or used.
pub(crate) fn find(
    args: &Argocd,
    paths: &[PathBuf],
    files: &[Input],
    own_names: &HashMap<PathBuf, String>,
    namespace: &str,
    wanted: Wanted<'_>,
    cache: Option<&Arc<Cache>>,
) -> Result<(Option<Found>, Option<String>)> {
    if args.no_argocd {
        return Ok((None, None));
    }
    let may_deploy = |file: &&Input| file.role == Role::Judged && may_deploy(&file.bytes);
    let may: HashSet<&str> = files.iter().filter(may_deploy).map(|file| file.name.as_str()).collect();
    let Some((root, shown_root)) = root(args, paths, !may.is_empty())? else { return Ok((None, None)) };
    let given = Given::read(&args.known)?;
    // What the repository calls a file, and what it is called as an input, where these are not the same.
    let mut names = HashMap::new();
    let mut read = HashSet::new();
    for (real, name) in own_names {
        let Some(path) = real.strip_prefix(&root).ok().map(shown) else { continue };
        let own = if shown_root.is_empty() { path.clone() } else { format!("{shown_root}/{path}") };
        if own != *name {
            names.insert(own, name.clone());
        }
        read.insert(path);
    }
    let everything = args.argocd.is_some();
    let folders = paths.iter().filter(|path| is_built(path)).filter_map(|path| path.canonicalize().ok());
    let folders = folders.filter_map(|path| path.strip_prefix(&root).ok().map(shown)).collect();
    let takes = |path: &str| everything || read.contains(path);
    let request = given.request(&args.known, &root, &shown_root, &takes, wanted);
    let deployed =
        Deployed::find(Request { folders, namespace, names, cache: cache.cloned(), ..request }).map_err(|error| anyhow!("{error}"))?;
    if let Some(repository) = args.argocd.as_ref().filter(|_| deployed.is_empty()) {
        bail!("there is no Application, ApplicationSet or AppProject of Argo CD in `{}`", repository.display());
    }
    let is_unseen = |real: &Path| real.strip_prefix(&root).is_ok_and(|path| !deployed.has(&shown(path)));
    let mut unseen: Vec<&str> =
        own_names.iter().filter(|(real, name)| may.contains(name.as_str()) && is_unseen(real)).map(|(_, name)| name.as_str()).collect();
    unseen.sort_unstable();
    let note = unseen.first().map(|first| untracked(first, unseen.len() - 1));
    Ok(((!deployed.is_nothing()).then_some((deployed, root)), note))
}

/// What outputs must not replace, with what is said of Argo CD.
pub(crate) fn named(named: outputs::Inputs, args: &Argocd, paths: &[PathBuf]) -> outputs::Inputs {
    let (repositories, around) = repositories(args, paths);
    let named = named.and(&args.known.clusters).and(&args.known.generators).and_repositories(repositories).and_cache(args.cache.as_deref());
    around.iter().chain(&args.argocd).fold(named, |named, folder| named.and_around(folder))
}

/// What was found, if no output replaces something of it.
///
/// # Errors
/// One would.
pub(crate) fn beside<F: Copy>(found: Option<Found>, outputs: &[outputs::Output<F>]) -> Result<Option<Deployed>> {
    let Some((deployed, root)) = found else { return Ok(None) };
    outputs::check(outputs, &outputs::Inputs::default().and_around(&root).and_read(deployed.read()))?;
    Ok(Some(deployed))
}

/// What is read, with what Argo CD deploys in place of the files that stand for it.
pub(crate) struct Joined {
    /// The names of the files as they were read, in whose order findings are told.
    pub(crate) order: Vec<String>,
    /// How many of them something is rendered of.
    pub(crate) rendered_files: usize,
    /// How many files are left out since a change does not touch them.
    pub(crate) untouched: usize,
}

/// Puts what is deployed among the inputs, and tells the options of it.
pub(crate) fn join(deployed: &Deployed, files: &mut Vec<Input>, options: &mut Options) -> Joined {
    let order = files.iter().map(|file| file.name.clone()).collect();
    let worlds = deployed.worlds();
    options.deployments.clone_from(&worlds.deployments);
    options.renders_applications = !deployed.is_empty();
    // Entries of the configuration mean the file that a person edits.
    let of_config = |(name, file): (&String, &String)| (name.clone(), options.ignore_names.get(file).unwrap_or(file).clone());
    let origins: Vec<(String, String)> = worlds.origins.iter().map(of_config).collect();
    options.ignore_names.extend(origins);
    // What an Application deploys that is touched is judged, whatever file it is.
    options.unjudged.retain(|name| !worlds.judged.contains(name) && !worlds.sources.contains(name));
    let untouched = options.unjudged.len();
    options.unjudged.extend(worlds.unjudged.iter().cloned());
    Joined { order, rendered_files: worlds.join(files), untouched }
}

/// The repositories of `--repo`, and the folder of charts; those last that lie around what is checked, which are the checked one by another name:
/// reports may be in them.
fn repositories(args: &Argocd, paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let paths: Vec<PathBuf> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mapped = args.known.repo.iter().filter_map(|text| Some(mapping(text).ok()?.path));
    let folders = mapped.chain(args.known.helm_repo_cache.clone()).filter_map(|folder| folder.canonicalize().ok());
    folders.partition(|folder| !paths.iter().any(|path| path.starts_with(folder)))
}

/// What is said of Applications in files that Git does not track.
fn untracked(first: &str, more: usize) -> String {
    let files = match more {
        0 => format!("`{first}` is"),
        1 => format!("`{first}` and 1 more file are"),
        _ => format!("`{first}` and {more} more files are"),
    };
    format!(
        "{files} not tracked by Git, so that Argo CD cannot see the Applications there: what they deploy is not rendered (`git add` it)"
    )
}

/// The repository, without links, and how outputs name it; `is_met`: there is something that may deploy.
fn root(args: &Argocd, paths: &[PathBuf], is_met: bool) -> Result<Option<(PathBuf, String)>> {
    if let Some(repository) = &args.argocd {
        let root = repository.canonicalize().with_context(|| format!("cannot read `{}`", repository.display()))?;
        return Ok(Some((root, shown(repository).trim_end_matches('/').trim_start_matches('.').to_owned())));
    }
    let named = paths.iter().find(|path| is_built(path));
    if named.is_none() && !is_met {
        return Ok(None);
    }
    let first = || paths.iter().find(|path| *path != Path::new("-"));
    let Some(path) = named.or_else(first) else { return Ok(None) };
    let Ok(real) = path.canonicalize() else { return Ok(None) };
    let own = if real.is_dir() { real.clone() } else { real.parent().unwrap_or(&real).to_owned() };
    // Outside of a repository, what is named may build on what lies beside it in the working directory.
    let root = if named.is_some() { around(&real) } else { repository(&real).map_or(own, Path::to_owned) };
    let name = shown_root(path, &real, &root);
    Ok(Some((root, name)))
}

/// How outputs name the root around a path; empty for the working directory.
pub(crate) fn shown_root(path: &Path, real: &Path, root: &Path) -> String {
    let name = shown(&seen_from(&shown(path), real, root));
    if name == "." { String::new() } else { name.trim_end_matches('/').to_owned() }
}

/// What the command line says of all that Argo CD would fetch or ask for.
pub(crate) struct Given {
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) clusters: Option<Clusters>,
    pub(crate) fixtures: Fixtures,
    /// Charts of Helm repositories: the folder, and how outputs name it.
    pub(crate) charts: Option<(PathBuf, String)>,
    /// Programs that stand for plugins.
    pub(crate) plugins: Vec<PluginCommand>,
}

impl Given {
    /// Reads the files that are named.
    ///
    /// # Errors
    /// One cannot be read, or is not what it should be.
    pub(crate) fn read(known: &Known) -> Result<Self> {
        let mut mappings = Vec::new();
        for text in &known.repo {
            let mapping = mapping(text).map_err(|error| anyhow!("`--repo`: {error}"))?;
            mapping.path.metadata().map_err(|error| anyhow!("`--repo {text}`: cannot read `{}`: {}", mapping.shown, words::io(&error)))?;
            mappings.push(Mapping { shown: shown(&mapping.path), ..mapping });
        }
        let clusters = match &known.clusters {
            Some(file) => {
                let documents = documents(file)?;
                if documents.iter().all(|document| document.is_empty()) {
                    bail!("`{}` is empty: `clusters: []` says that there are none but the one that Argo CD runs in", file.display());
                }
                Some(Clusters::read(&documents).map_err(|reason| wrong(file, &reason))?)
            }
            None => None,
        };
        let fixtures = match &known.generators {
            Some(file) => match documents(file)?.as_slice() {
                [only] => Fixtures::read(only).map_err(|reason| wrong(file, &reason))?,
                all => bail!("`{}`: one document with `generators` is required, and there are {}", file.display(), all.len()),
            },
            None => Fixtures::default(),
        };
        let charts = match &known.helm_repo_cache {
            Some(folder) => {
                std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
                Some((folder.clone(), shown(folder)))
            }
            None => None,
        };
        let mut plugins: Vec<PluginCommand> = Vec::new();
        for text in &known.plugin {
            let plugin = PluginCommand::parse(text).map_err(|error| anyhow!("`--plugin`: {error}"))?;
            if plugins.iter().any(|known| known.name == plugin.name) {
                bail!("`--plugin {}` is given twice: one command stands for a plugin", plugin.name);
            }
            plugins.push(plugin);
        }
        Ok(Given { mappings, clusters, fixtures, charts, plugins })
    }

    /// What is looked for in a repository, with nothing but what is given here.
    pub(crate) fn request<'a>(
        &'a self,
        known: &'a Known,
        root: &'a Path,
        shown: &'a str,
        takes: &'a (dyn Fn(&str) -> bool + Sync),
        wanted: Wanted<'a>,
    ) -> Request<'a> {
        Request {
            root,
            shown,
            mappings: &self.mappings,
            charts: self.charts.as_ref().map(|(path, shown)| (path.as_path(), shown.as_str())),
            revisions: &known.revision,
            clusters: self.clusters.as_ref(),
            fixtures: &self.fixtures,
            plugins: &self.plugins,
            takes,
            wanted,
            folders: Vec::new(),
            namespace: "default",
            names: HashMap::new(),
            cache: None,
        }
    }
}

/// Whether a folder is a chart or a kustomization.
fn is_built(path: &Path) -> bool {
    ["Chart.yaml"].iter().chain(&KUSTOMIZATIONS).any(|name| path.join(name).is_file())
}

/// Whether a file may hold something of Argo CD's that deploys.
fn may_deploy(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    text.contains("argoproj.io/") && text.lines().any(is_application)
}

/// Whether a line says that an object is an Application or an ApplicationSet.
fn is_application(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '-', '{', ',', '"', '\'']);
    let kind = line.strip_prefix("kind").map(|rest| rest.trim_start_matches(['"', '\'', ' ', ':']));
    kind.is_some_and(|kind| kind.starts_with("Application"))
}

/// The documents of a file that the command line names.
fn documents(file: &Path) -> Result<Vec<Arc<Document>>> {
    let bytes = inputs::small(file).map_err(|error| unreadable(file, &error))?;
    let source = Source::new(shown(file), bytes).map_err(|error| anyhow!("`{}`: {error}", file.display()))?;
    let (source, limits) = (Arc::new(source), Limits::default());
    let mut documents = Vec::new();
    for chunk in split(&source, &limits).chunks {
        let parsed = parse(&source, chunk, &limits);
        let Some(document) = parsed.document else {
            let problem = parsed.problems.first().map_or("it cannot be read", |problem| problem.message.as_str());
            bail!("`{}`: {problem}", file.display());
        };
        documents.push(Arc::new(document));
    }
    Ok(documents)
}

/// What is wrong with such a file, and where.
fn wrong(file: &Path, reason: &Reason) -> anyhow::Error {
    let place = reason.place.as_ref().map_or_else(|| file.display().to_string(), ToString::to_string);
    anyhow!("{place}: {}", reason.text)
}

#[cfg(test)]
mod tests {
    use super::may_deploy;

    #[test]
    fn applications_are_noticed_in_every_form() {
        for text in [
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\n",
            "{\"apiVersion\": \"argoproj.io/v1alpha1\",\n \"kind\": \"ApplicationSet\"}",
            "- kind: 'Application'\n  apiVersion: argoproj.io/v1alpha1",
        ] {
            assert!(may_deploy(text.as_bytes()), "{text}");
        }
        for text in ["apiVersion: argoproj.io/v1alpha1\nkind: Workflow", "kind: Application", "# argoproj.io/ Application"] {
            assert!(!may_deploy(text.as_bytes()), "{text}");
        }
    }
}
