//! One source of an Application, up to what has to be rendered of it.

mod directory;
mod helm;
mod kustomize;
mod overrides;
pub mod plain;
mod refs;
mod values_files;

use std::sync::Arc;

use crate::checkout::{Checkout, Entry, Lost};
use crate::environment::{Environment, Facts};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::path;
use crate::reason::{Reason, Stop};
use crate::renderer::{Render, Renderer, SourceRequest, Tool};
use crate::repositories::{Found, Repositories};
use crate::settings::Settings;
use crate::url;
use crate::value::Value;

pub use helm::escape;
pub(crate) use refs::Refs;

/// What builds a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceType {
    /// A chart.
    Helm,
    /// A kustomization.
    Kustomize,
    /// Plain manifests, and Jsonnet.
    Directory,
    /// A config management plugin.
    Plugin,
}

/// What sources are resolved with.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) repositories: &'a Repositories,
    pub(crate) settings: &'a Settings,
    pub(crate) renderer: &'a dyn Renderer,
    pub(crate) limits: &'a Limits,
}

/// The Application that a source is of.
pub(crate) struct Owner<'a> {
    /// Its name, with its namespace before it if that is not Argo CD's own.
    pub(crate) instance: String,
    pub(crate) name: &'a str,
    pub(crate) project: &'a str,
    /// Of the destination.
    pub(crate) namespace: &'a str,
    pub(crate) refs: Refs<'a>,
}

/// What became of a source.
#[derive(Debug)]
pub struct Source {
    /// As the Application has it.
    pub spec: Value,
    /// As it is with the overrides that are committed beside its files.
    pub effective: Value,
    /// What builds it, once that is known.
    pub kind: Option<SourceType>,
    /// The checkout and the folder in it, once they are known.
    pub place: Option<(Arc<Checkout>, String)>,
    /// Whether it only is there to be referred to.
    pub only_ref: bool,
    /// Files that Argo CD passes over without a word although a person may have meant them.
    pub ignored: Vec<Ignored>,
    /// How many values files of a chart are there.
    pub values_files: Option<usize>,
    /// What it renders to.
    pub result: Result<Vec<Manifest>, Stop>,
}

/// A file that a directory source passes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The file, as outputs name it.
    pub file: String,
    /// Why.
    pub reason: String,
    /// Whether it looks like a manifest all the same.
    pub looks_like_manifest: bool,
}

impl Source {
    fn new(spec: &Value) -> Self {
        Source {
            spec: spec.clone(),
            effective: spec.clone(),
            kind: None,
            place: None,
            only_ref: false,
            ignored: Vec::new(),
            values_files: None,
            result: Ok(Vec::new()),
        }
    }
}

/// Resolves and renders a source.
pub(crate) fn render(spec: &Value, owner: &Owner<'_>, around: Around<'_>) -> Source {
    let mut source = Source::new(spec);
    if !spec.text("ref").is_empty() && spec.text("path").is_empty() && spec.text("chart").is_empty() {
        source.only_ref = true;
        return source;
    }
    source.result = run(&mut source, owner, around);
    source
}

fn run(source: &mut Source, owner: &Owner<'_>, around: Around<'_>) -> Result<Vec<Manifest>, Stop> {
    let (checkout, folder) = locate(&source.spec, around)?;
    source.place = Some((Arc::clone(&checkout), folder.clone()));
    let mut effective = normalised(&source.spec);
    overrides::apply(&mut effective, &checkout, &folder, &owner.instance)?;
    let kind = kind(&effective, &checkout, &folder, around.settings)?;
    source.kind = Some(kind);
    let environment = Environment::new(&Facts {
        application: &owner.instance,
        namespace: owner.namespace,
        project: owner.project,
        // What will be the commit is not known before there is one.
        commit: checkout.commit().unwrap_or("0000000000000000000000000000000000000000"),
        repository: source.spec.text("repoURL"),
        path: source.spec.text("path"),
        target_revision: source.spec.text("targetRevision"),
    });
    let at = At { checkout: &checkout, folder: &folder, environment: &environment, owner, around };
    let built = match kind {
        SourceType::Helm => helm::request(&effective, &at).and_then(|helm| {
            source.values_files = Some(helm.values_files.len());
            at.build(&source.spec, Tool::Helm(&helm))
        }),
        SourceType::Kustomize => {
            kustomize::request(&effective, &at).and_then(|kustomize| at.build(&source.spec, Tool::Kustomize(&kustomize)))
        }
        SourceType::Directory => directory::read(&effective, &at, &mut source.ignored),
        SourceType::Plugin => {
            let name = effective.at(&["plugin", "name"]).and_then(Value::as_str).unwrap_or_default();
            let what = if name.is_empty() { "a plugin".to_owned() } else { format!("plugin `{name}`") };
            let place = effective.get("plugin").map_or(&source.spec.place, |plugin| &plugin.place);
            Err(Stop::deferred(place, format!("{what} builds it, and no program that a repository names is run here")))
        }
    };
    source.effective = effective;
    built
}

/// A source in its folder.
struct At<'a> {
    checkout: &'a Arc<Checkout>,
    folder: &'a str,
    environment: &'a Environment,
    owner: &'a Owner<'a>,
    around: Around<'a>,
}

impl At<'_> {
    fn build(&self, spec: &Value, tool: Tool<'_>) -> Result<Vec<Manifest>, Stop> {
        let request = SourceRequest { checkout: self.checkout, path: self.folder, application: self.owner.name, tool };
        let place = spec.get("path").or(spec.get("chart")).map_or(&spec.place, |path| &path.place);
        match self.around.renderer.render(&request) {
            Render::Done(manifests) if manifests.len() > self.around.limits.objects => {
                Err(Stop::deferred(place, format!("more than {} objects", self.around.limits.objects)))
            }
            Render::Done(manifests) => Ok(manifests),
            Render::Deferred(why) => Err(Stop::deferred(place, why)),
            Render::Failed(why) => Err(Stop::failed(place, why)),
        }
    }
}

/// The checkout and the folder of a source.
fn locate(spec: &Value, around: Around<'_>) -> Result<(Arc<Checkout>, String), Stop> {
    let (repository, revision) = (spec.text("repoURL"), spec.text("targetRevision"));
    let url_place = spec.get("repoURL").map_or(&spec.place, |url| &url.place);
    if !spec.text("chart").is_empty() {
        return chart(spec, around);
    }
    let found = around.repositories.find(repository, revision);
    let Found::Here(checkout) = &found else {
        if repository.starts_with("oci://") {
            return Err(Stop::deferred(url_place, format!("`{}` is an OCI artifact, which has to be fetched", url::shown(repository))));
        }
        let place = match &found {
            Found::OtherRevision => spec.get("targetRevision").map_or(url_place, |revision| &revision.place),
            _ => url_place,
        };
        return Err(Stop::deferred(place, around.repositories.explain(&found, repository, revision).unwrap_or_default()));
    };
    if let Some(link) = checkout.stray_link().filter(|_| !around.settings.allow_stray_links) {
        let what = format!("`{}` {}", checkout.shown(link), crate::rules::STRAY_LINK);
        return Err(Stop::failed(url_place, what));
    }
    let place = spec.get("path").map_or(&spec.place, |path| &path.place);
    folder(checkout, spec.text("path")).map(|folder| (Arc::clone(checkout), folder)).map_err(|why| Stop::failed(place, why))
}

/// The folder that a source's path means.
fn folder(checkout: &Checkout, written: &str) -> Result<String, String> {
    if written.starts_with('/') {
        return Err(format!("path `{written}` is absolute: paths are relative to the repository's root"));
    }
    let clean = path::clean(written).ok_or_else(|| format!("path `{written}` leads out of the repository"))?;
    match checkout.follow(&clean) {
        // The folder is called what it is called: a file beside it is found through the link, too.
        Ok((real, Entry::Folder)) => Ok(real),
        Ok(_) => Err(format!("path `{written}` is not a folder")),
        Err(Lost::Missing) => Err(format!("path `{written}` does not exist")),
        Err(lost) => Err(format!("path `{written}` {lost}")),
    }
}

/// A chart of a Helm repository: in the folder that the repository is mapped to.
fn chart(spec: &Value, around: Around<'_>) -> Result<(Arc<Checkout>, String), Stop> {
    let (repository, name, wanted) = (spec.text("repoURL"), spec.text("chart"), spec.text("targetRevision"));
    let place = spec.get("chart").map_or(&spec.place, |chart| &chart.place);
    let shown = url::shown(repository);
    let found = around.repositories.find(repository, wanted);
    let Found::Here(checkout) = &found else {
        let what = format!("chart `{name}` {wanted} of `{shown}` has to be fetched: map a folder that has it with `--repo {shown}=PATH`");
        return Err(Stop::deferred(place, what));
    };
    let candidates = [name, path::name(name), ""];
    let is_it = |folder: &&str| chart_field(checkout, folder, "name").is_some_and(|found| found == path::name(name));
    let Some(folder) = candidates.iter().find(|folder| is_it(folder)) else {
        return Err(Stop::deferred(place, format!("there is no chart `{name}` in the folder that `{shown}` is mapped to")));
    };
    let version = chart_field(checkout, folder, "version").unwrap_or_default();
    let bare = |version: &str| version.trim_start_matches('v').to_owned();
    if bare(&version) != bare(wanted) {
        let place = spec.get("targetRevision").map_or(place, |revision| &revision.place);
        return Err(Stop::deferred(place, format!("the chart `{name}` that is here has version `{version}`, not `{wanted}`")));
    }
    Ok((Arc::clone(checkout), (*folder).to_owned()))
}

fn chart_field(checkout: &Checkout, folder: &str, key: &str) -> Option<String> {
    let parsed = checkout.documents(&path::join(folder, "Chart.yaml")?).ok()?;
    let document = parsed.only().ok()??;
    document.root().get(key)?.as_str().map(str::to_owned)
}

/// A source as the controller hands it on: blocks with nothing in them are gone, so that they do not choose a tool.
fn normalised(spec: &Value) -> Value {
    let mut source = spec.clone();
    let is_empty = |block: &Value, fields: &[&str]| fields.iter().all(|field| block.get(field).is_none_or(Value::is_zero));
    const KUSTOMIZE: [&str; 13] = [
        "namePrefix",
        "nameSuffix",
        "version",
        "namespace",
        "images",
        "replicas",
        "commonLabels",
        "commonAnnotations",
        "patches",
        "components",
        "kubeVersion",
        "apiVersions",
        "ignoreMissingComponents",
    ];
    const HELM: [&str; 13] = [
        "version",
        "releaseName",
        "valueFiles",
        "parameters",
        "fileParameters",
        "passCredentials",
        "ignoreMissingValueFiles",
        "skipCrds",
        "skipTests",
        "skipSchemaValidation",
        "kubeVersion",
        "apiVersions",
        "namespace",
    ];
    if spec.get("kustomize").is_some_and(|block| is_empty(block, &KUSTOMIZE)) {
        source.remove("kustomize");
    }
    // An object of values is one even if it is empty.
    let has_values = |block: &Value| block.get("valuesObject").is_some() || !block.text("values").is_empty();
    if spec.get("helm").is_some_and(|block| is_empty(block, &HELM) && !has_values(block)) {
        source.remove("helm");
    }
    // Names of files to read choose plain manifests, too.
    if spec.get("directory").is_some_and(|block| is_empty(block, &["recurse", "jsonnet", "disableExtensionFilter", "include", "exclude"])) {
        source.remove("directory");
    }
    source
}

/// What builds a source: what it says, or what its files are.
fn kind(source: &Value, checkout: &Checkout, folder: &str, settings: &Settings) -> Result<SourceType, Stop> {
    const BLOCKS: [(&str, &str, SourceType); 4] = [
        ("kustomize", "Kustomize", SourceType::Kustomize),
        ("helm", "Helm", SourceType::Helm),
        ("directory", "Directory", SourceType::Directory),
        ("plugin", "Plugin", SourceType::Plugin),
    ];
    let is_on = |kind: SourceType| match kind {
        SourceType::Helm => settings.helm,
        SourceType::Kustomize => settings.kustomize,
        SourceType::Directory | SourceType::Plugin => true,
    };
    let explicit: Vec<_> = BLOCKS.into_iter().filter(|(block, ..)| source.get(block).is_some()).collect();
    match explicit.as_slice() {
        [] => Ok(discovered(checkout, folder, is_on)),
        [(.., kind)] => Ok(if is_on(*kind) { *kind } else { SourceType::Directory }),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name, _)| *name).collect();
            let place = several.last().and_then(|(block, ..)| source.get(block)).map_or(&source.place, |block| &block.place);
            Err(Stop::failed(place, format!("one source has several tools: {}", names.join(", "))))
        }
    }
}

/// The tool of the files that are directly in a folder: of several, the last one by name.
pub(crate) fn discovered(checkout: &Checkout, folder: &str, is_on: impl Fn(SourceType) -> bool) -> SourceType {
    let directly = checkout.below(folder).filter(|(path, entry)| **entry != Entry::Folder && path::folder(path) == folder);
    tool_of(directly.map(|(path, _)| path::name(path)), is_on)
}

/// The tool of a folder that holds files of these names directly, which are sorted. `is_on` says which tools there are.
pub fn tool_of<'n>(names: impl Iterator<Item = &'n str>, is_on: impl Fn(SourceType) -> bool) -> SourceType {
    let of = |name: &str| match name {
        // Whatever stands before it: `myChart.yaml` makes a chart, too.
        name if name.ends_with("Chart.yaml") && is_on(SourceType::Helm) => Some(SourceType::Helm),
        name if is_kustomization(name) && is_on(SourceType::Kustomize) => Some(SourceType::Kustomize),
        _ => None,
    };
    names.filter_map(of).last().unwrap_or(SourceType::Directory)
}

/// Whether a file is a kustomization by its name.
pub(crate) fn is_kustomization(name: &str) -> bool {
    matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

/// What is wrong with a source before anybody looks at its repository.
pub(crate) fn check(spec: &Value, is_one_of_many: bool) -> Option<Reason> {
    let has = |key: &str| !spec.text(key).is_empty();
    if !has("repoURL") || !(has("path") || has("chart") || is_one_of_many && has("ref")) {
        let what = if is_one_of_many { "`path`, `chart` or `ref`" } else { "`path` or `chart`" };
        return Some(Reason::at(&spec.place, format!("a source needs `repoURL`, and {what}")));
    }
    if has("chart") && !has("targetRevision") {
        return Some(Reason::at(&spec.place, "a source with `chart` needs `targetRevision`, the chart's version"));
    }
    None
}

#[cfg(test)]
mod tests;
