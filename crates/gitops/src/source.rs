//! One source of an Application, up to what has to be rendered of it.

mod directory;
mod helm;
mod kustomize;
mod overrides;
pub mod plain;
mod refs;
mod values_files;

use std::cell::RefCell;
use std::sync::Arc;

use crate::charts::{Chart, Missing};
use crate::checkout::{Checkout, Entry, Lost};
use crate::environment::{Environment, Facts};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::path;
use crate::place::Place;
use crate::plugin::Plugin;
use crate::reason::{Reason, Stop};
use crate::renderer::{Helm, Render, Renderer, SourceRequest, Tool};
use crate::repositories::{Found, Repositories};
use crate::settings::Settings;
use crate::url;
use crate::value::Value;

pub(crate) use directory::{objects as objects_of, takes as directory_takes};
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
    /// Whether the values that a chart is given may have objects of Argo CD in them.
    pub(crate) values_bring: bool,
    /// Files, or patterns of files, that are read besides those in its folder.
    pub(crate) reads: Vec<(Arc<Checkout>, String)>,
    /// What is worth saying of what was taken for it.
    pub(crate) note: Option<String>,
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
            values_bring: false,
            note: None,
            reads: Vec::new(),
            result: Ok(Vec::new()),
        }
    }

    /// The name of the plugin that builds it.
    #[must_use]
    pub fn plugin(&self) -> Option<&str> {
        let name = self.effective.at(&["plugin", "name"]).and_then(Value::as_str);
        name.filter(|name| self.kind == Some(SourceType::Plugin) && !name.is_empty())
    }
}

/// Resolves and renders a source.
pub(crate) fn render(spec: &Value, owner: &Owner<'_>, around: Around<'_>) -> Source {
    let mut source = Source::new(spec);
    if !spec.text("ref").is_empty() && spec.text("path").is_empty() && spec.text("chart").is_empty() {
        source.only_ref = true;
        // A person who maps it has not mistyped it, whether or not another source reads of it.
        let _ = around.repositories.find(spec.text("repoURL"), spec.text("targetRevision"));
        return source;
    }
    source.result = run(&mut source, owner, around);
    source
}

fn run(source: &mut Source, owner: &Owner<'_>, around: Around<'_>) -> Result<Vec<Manifest>, Stop> {
    let (checkout, folder) = match locate(&source.spec, around)? {
        Located::Folder(checkout, folder) => (checkout, folder),
        Located::Chart(Chart { checkout, path, note }) => {
            source.note = note;
            (checkout, path)
        }
    };
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
    let at = At { checkout: &checkout, folder: &folder, environment: &environment, owner, around, reads: RefCell::default() };
    let built = match kind {
        SourceType::Helm => helm::request(&effective, &at).and_then(|helm| {
            source.values_files = Some(helm.values_files.len());
            source.values_bring = may_bring(&helm);
            at.build(&source.spec, Tool::Helm(&helm))
        }),
        SourceType::Kustomize => {
            kustomize::request(&effective, &at).and_then(|kustomize| at.build(&source.spec, Tool::Kustomize(&kustomize)))
        }
        SourceType::Directory => directory::read(&effective, &at, &mut source.ignored),
        SourceType::Plugin => {
            let nameless = "a plugin without a name builds it: which one that is, Argo CD finds out by asking its plugins (`plugin.name` would say it)";
            let place = effective.get("plugin").map_or(&source.spec.place, |plugin| &plugin.place);
            match Plugin::of(&effective, &environment) {
                Some(plugin) => at.build_at(&plugin.place, Tool::Plugin(&plugin)),
                None => Err(Stop::deferred(place, nameless)),
            }
        }
    };
    source.reads = at.reads.into_inner();
    source.effective = effective;
    built
}

/// Whether there may be objects of Argo CD in the values of a chart: charts put together objects of those, too.
fn may_bring(helm: &Helm) -> bool {
    let is_it = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|text| text.contains("argoproj.io/"));
    let files = helm.values_files.iter().chain(helm.file_parameters.iter().map(|(_, file)| file));
    let own = helm.values.iter().chain(helm.parameters.iter().map(|parameter| &parameter.value));
    files.map(|file| &*file.bytes).chain(own.map(String::as_bytes)).any(is_it)
}

/// A source in its folder.
struct At<'a> {
    checkout: &'a Arc<Checkout>,
    folder: &'a str,
    environment: &'a Environment,
    owner: &'a Owner<'a>,
    around: Around<'a>,
    reads: RefCell<Vec<(Arc<Checkout>, String)>>,
}

impl At<'_> {
    fn build(&self, spec: &Value, tool: Tool<'_>) -> Result<Vec<Manifest>, Stop> {
        self.build_at(spec.get("path").or(spec.get("chart")).map_or(&spec.place, |path| &path.place), tool)
    }

    /// `place`: what says why there is no result, if there is none.
    fn build_at(&self, place: &Place, tool: Tool<'_>) -> Result<Vec<Manifest>, Stop> {
        let request = SourceRequest { checkout: self.checkout, path: self.folder, application: self.owner.name, tool };
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

/// Where a source is.
enum Located {
    Folder(Arc<Checkout>, String),
    Chart(Chart),
}

/// The checkout and the folder of a source, or the archive that it is.
fn locate(spec: &Value, around: Around<'_>) -> Result<Located, Stop> {
    let (repository, revision) = (spec.text("repoURL"), spec.text("targetRevision"));
    let url_place = spec.get("repoURL").map_or(&spec.place, |url| &url.place);
    if !spec.text("chart").is_empty() {
        return chart(spec, repository, spec.text("chart"), around).map(Located::Chart);
    }
    let found = around.repositories.find(repository, revision);
    let Found::Here(checkout) = &found else {
        if let Some(artifact) = repository.strip_prefix("oci://") {
            // An artifact may be a chart, which then has the last name of the address.
            if around.repositories.keeps_charts()
                && matches!(spec.text("path"), "." | "./")
                && let Some((registry, name)) = artifact.trim_end_matches('/').rsplit_once('/')
            {
                return chart(spec, registry, name, around).map(Located::Chart);
            }
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
    let found = folder(checkout, spec.text("path")).map_err(|why| Stop::failed(place, why))?;
    Ok(Located::Folder(Arc::clone(checkout), found))
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

/// A chart of a Helm repository: in the folder that the repository is mapped to, or among the charts that are kept.
fn chart(spec: &Value, repository: &str, name: &str, around: Around<'_>) -> Result<Chart, Stop> {
    let wanted = spec.text("targetRevision");
    let place = spec.get("chart").map_or(&spec.place, |chart| &chart.place);
    let revision = spec.get("targetRevision").map_or(place, |revision| &revision.place);
    let shown = url::shown(repository);
    let is_mapped = matches!(around.repositories.find(repository, wanted), Found::Here(_));
    let folder = if is_mapped { format!("the folder that `{shown}` is mapped to") } else { "the folder of charts".to_owned() };
    match around.repositories.chart(repository, name, wanted) {
        None => Err(Stop::deferred(
            place,
            format!(
                "chart `{name}` {wanted} of `{shown}` has to be fetched: map a folder that has it with `--repo {shown}=PATH`, or put it into the one of `--helm-repo-cache`"
            ),
        )),
        Some(Ok(chart)) => Ok(chart),
        Some(Err(Missing::Name)) => Err(Stop::deferred(place, format!("there is no chart `{name}` in {folder}"))),
        Some(Err(Missing::Version(versions))) => Err(Stop::deferred(
            revision,
            match versions.as_slice() {
                [only] => format!("the chart `{name}` that is here has version `{only}`, not `{wanted}`"),
                [] => format!("no version of chart `{name}` of `{shown}` is `{wanted}`"),
                several => format!("the charts `{name}` that are here have versions {}, none of which is `{wanted}`", several.join(", ")),
            },
        )),
        Some(Err(Missing::Indexed(version))) => Err(Stop::deferred(
            revision,
            format!("chart `{name}` {version} of `{shown}` has to be fetched: it is in the index, but not in {folder}"),
        )),
        Some(Err(Missing::NotAConstraint)) => {
            Err(Stop::deferred(revision, format!("`{wanted}` is no version of chart `{name}` in {folder}, and no range of versions")))
        }
    }
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
        [] if is_archive(checkout, folder) => Ok(SourceType::Helm),
        [] => Ok(discovered(checkout, folder, is_on)),
        [(block, .., kind)] if is_archive(checkout, folder) && *kind != SourceType::Helm => {
            let place = source.get(block).map_or(&source.place, |block| &block.place);
            Err(Stop::deferred(place, format!("`{}` is an archive, which nothing but Helm reads here: unpack it", checkout.shown(folder))))
        }
        [(.., kind)] => Ok(if is_on(*kind) { *kind } else { SourceType::Directory }),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name, _)| *name).collect();
            let place = several.last().and_then(|(block, ..)| source.get(block)).map_or(&source.place, |block| &block.place);
            Err(Stop::failed(place, format!("one source has several tools: {}", names.join(", "))))
        }
    }
}

/// Whether a source is the archive of a chart.
fn is_archive(checkout: &Checkout, path: &str) -> bool {
    !path.is_empty() && checkout.is_file(path)
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

/// Whether a file by its name decides which tool builds the folder that it is in.
pub(crate) fn decides(name: &str) -> bool {
    name.ends_with("Chart.yaml") || is_kustomization(name)
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
