//! The renderers, as discovery asks for them.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fedward_gitops::renderer::{self, Render, SourceRequest, TemplateRequest, Tool};
use fedward_gitops::{Checkout, Manifest, Origin, Place, Repositories, path};
use fedward_manifest::{Limits, Source as Text, parse, split};
use fedward_render::{Cache, Document, Folder, Outcome, Renderer, Source, Templates};
use serde_json::{Map, Value};

use crate::origins::parts::kind;
use crate::plugin::Plugins;
use crate::supplied::Supplied;
use crate::tracked::Empty;

/// Renders in the sandbox, and keeps what each part of a result was made of.
pub(crate) struct Sandbox {
    renderers: Mutex<HashMap<PathBuf, OfCheckout>>,
    /// Where dependencies of charts may be.
    repositories: Arc<Repositories>,
    notes: Mutex<BTreeSet<String>>,
    cache: Option<Arc<Cache>>,
    templates: Renderer,
    plugins: Plugins,
    pieces: Mutex<HashMap<Arc<str>, Arc<Piece>>>,
    /// Charts that do not render, by the Application and what Helm says.
    failed: Mutex<HashMap<(String, String), Arc<Release>>>,
}

/// What renders a checkout, and the files that it reads.
type OfCheckout = (Arc<Renderer>, Files);

/// The files of a checkout, with what was put beside them.
pub(crate) type Files = Arc<Supplied>;

/// A part of what was rendered: one template's document, one resource.
#[derive(Debug)]
pub(crate) struct Piece {
    /// What was rendered.
    pub(crate) source: Arc<Text>,
    /// The repository that it was made from.
    pub(crate) checkout: Arc<Checkout>,
    /// The file in it, if that is known.
    pub(crate) file: Option<String>,
    /// The template in the archive that the file is.
    pub(crate) inside: Option<String>,
    /// What the renderer calls it.
    pub(crate) name: String,
    /// The files that changed it afterwards.
    pub(crate) changed_by: Vec<String>,
    /// What it was made with.
    pub(crate) made: Made,
}

/// What a piece was made with.
#[derive(Debug, Clone)]
pub(crate) enum Made {
    /// A chart with values.
    Helm(Arc<Release>),
    /// A kustomization, in a folder of the checkout.
    Kustomize(String),
    /// A Jsonnet file.
    Jsonnet,
    /// A plugin, which this has build it.
    Plugin(Place),
}

/// A chart as it is asked for.
#[derive(Debug)]
pub(crate) struct Release {
    /// The repository of the chart.
    pub(crate) checkout: Arc<Checkout>,
    /// Its folder or archive there.
    pub(crate) chart: String,
    /// What it is rendered with.
    pub(crate) helm: renderer::Helm,
    values: OnceLock<Option<Arc<Text>>>,
    /// What came out of each template, by what the renderer calls it, in the order of the result.
    outputs: Mutex<HashMap<String, Arc<Vec<Output>>>>,
}

/// A text that came out of a template.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) name: Arc<str>,
    /// The kind of its object, if that is only one.
    pub(crate) kind: Option<String>,
    /// Whether it is several documents.
    pub(crate) is_several: bool,
    pub(crate) hook: bool,
}

impl Output {
    fn new(source: &Text, hook: bool) -> Self {
        let lines = || source.text().lines();
        let is_several = lines().filter(|line| line.starts_with("---")).count() > 1;
        let kind = lines().find_map(kind).filter(|_| !is_several).map(str::to_owned);
        Output { name: Arc::clone(source.name()), kind, is_several, hook }
    }
}

impl Release {
    fn new(checkout: &Arc<Checkout>, chart: &str, helm: &renderer::Helm) -> Self {
        Release {
            checkout: Arc::clone(checkout),
            chart: chart.to_owned(),
            helm: helm.clone(),
            values: OnceLock::new(),
            outputs: Mutex::default(),
        }
    }

    /// The values that the Application itself has.
    pub(crate) fn values(&self) -> Option<Arc<Text>> {
        let read = || Text::from_text("values", self.helm.values.clone()?).ok().map(Arc::new);
        self.values.get_or_init(read).clone()
    }

    /// What came out of a template, in the order of the result.
    pub(crate) fn outputs(&self, name: &str) -> Arc<Vec<Output>> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }
}

impl Sandbox {
    /// `plugins`: what a person has stand for plugins, which runs outside of the sandbox; `cache`: what was rendered before, in it.
    pub(crate) fn new(repositories: Arc<Repositories>, plugins: Plugins, cache: Option<Arc<Cache>>) -> Self {
        let templates = cached(Renderer::new(Arc::new(Empty), fedward_render::Limits::default()), cache.as_ref());
        Sandbox {
            renderers: Mutex::default(),
            repositories,
            notes: Mutex::default(),
            cache,
            templates,
            plugins,
            pieces: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// What a person has stand for plugins.
    pub(crate) fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// What a text was made of, by its name.
    pub(crate) fn piece(&self, name: &str) -> Option<Arc<Piece>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    /// The chart that does not render, by the name of the Application and what Helm says.
    pub(crate) fn failed(&self, application: &str, message: &str) -> Option<Arc<Release>> {
        let key = (application.to_owned(), message.to_owned());
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get(&key).map(Arc::clone)
    }

    /// What is worth saying of what was taken for dependencies.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// All of them, in an order that is always the same.
    pub(crate) fn pieces(&self) -> Vec<Arc<Piece>> {
        let mut pieces: Vec<Arc<Piece>> = self.pieces.lock().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        pieces.sort_by(|one, other| one.source.name().cmp(other.source.name()));
        pieces
    }

    /// The files of a checkout as renderers see them.
    pub(crate) fn files(&self, checkout: &Arc<Checkout>) -> Option<Files> {
        self.renderer(checkout).ok().map(|(_, files)| files)
    }

    /// The renderer of a checkout; it keeps what is slow to start.
    fn renderer(&self, checkout: &Arc<Checkout>) -> std::io::Result<OfCheckout> {
        let mut known = self.renderers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(renderer) = known.get(checkout.root()) {
            return Ok(renderer.clone());
        }
        let supplied = Arc::new(Supplied::open(checkout)?);
        let folder: Arc<dyn Folder> = Arc::<Supplied>::clone(&supplied);
        let renderer = cached(Renderer::new(folder, fedward_render::Limits::default()), self.cache.as_ref());
        let renderer = (Arc::new(renderer), supplied);
        known.insert(checkout.root().to_owned(), renderer.clone());
        Ok(renderer)
    }

    /// The objects of a part of the result.
    fn take(
        &self,
        request: &SourceRequest<'_>,
        supplied: &Supplied,
        made: &Made,
        number: usize,
        document: Document,
    ) -> Result<Vec<Manifest>, String> {
        let Document { text, file, inside, name, changed_by, hook } = document;
        let file = file.filter(|file| file != ".");
        let real = file.as_deref().and_then(|file| supplied.real(file));
        let (checkout, file) = real.map_or_else(|| (Arc::clone(request.checkout), file), |(checkout, file)| (checkout, Some(file)));
        let shown = checkout.shown(file.as_deref().unwrap_or(request.path));
        let mut hasher = DefaultHasher::new();
        (&text, &name, &inside).hash(&mut hasher);
        // Whoever renders the same in the same place has the same text under this name.
        let id = format!("{shown}#{}#{number}#{:016x}", request.application, hasher.finish());
        let source = Text::from_text(id, text).map_err(|error| format!("what is rendered cannot be read: {error}"))?;
        let source = Arc::new(source);
        let origin = file.as_ref().map(|file| Origin { file: checkout.shown(file), line: None });
        let (limits, mut manifests) = (Limits::default(), Vec::new());
        for chunk in split(&source, &limits).chunks {
            let parsed = parse(&source, chunk, &limits);
            let Some(document) = parsed.document.map(Arc::new) else {
                let problem = parsed.problems.iter().find(|problem| problem.kind.is_fatal()).or(parsed.problems.first());
                let what = problem.map_or("it cannot be read", |problem| problem.message.as_str());
                return Err(format!("what `{shown}` renders to is no YAML: {what}"));
            };
            manifests.extend(Manifest::all(&document).map(|manifest| Manifest { origin: origin.clone(), ..manifest }));
        }
        if let Made::Helm(release) = made {
            let mut outputs = release.outputs.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody else has them before the render is done.
            Arc::make_mut(outputs.entry(name.clone()).or_default()).push(Output::new(&source, hook));
        }
        self.keep(Piece { source, checkout, file, inside, name, changed_by, made: made.clone() });
        Ok(manifests)
    }

    /// Keeps what a text was made of.
    pub(crate) fn keep(&self, piece: Piece) {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(piece.source.name()), Arc::new(piece));
    }
}

impl renderer::Renderer for Sandbox {
    fn render(&self, request: &SourceRequest<'_>) -> Render {
        if let Tool::Plugin(plugin) = request.tool {
            return self.plugged(request, plugin);
        }
        let source = match source(request) {
            Ok(source) => source,
            Err(why) => return Render::Failed(why),
        };
        let (renderer, supplied) = match self.renderer(request.checkout) {
            Ok(renderer) => renderer,
            Err(error) => return Render::Deferred(format!("the repository cannot be opened: {error}")),
        };
        let mut archives = Vec::new();
        if matches!(request.tool, Tool::Helm(_)) {
            let supply = supplied.supply(request.path, &self.repositories);
            self.notes.lock().unwrap_or_else(PoisonError::into_inner).extend(supply.notes);
            if !supply.missing.is_empty() {
                let missing = supply.missing.join(", ");
                return Render::Deferred(format!(
                    "charts to fetch, of which other versions are here: {missing}; put them into the folder of `--helm-repo-cache`"
                ));
            }
            archives = supply.archives;
        }
        let own = request.checkout.is_file(request.path).then(|| request.checkout.shown(request.path));
        match renderer.render(&source) {
            Outcome::Deferred(why) => Render::Deferred(why),
            // Elsewhere it may have more time or memory.
            Outcome::Failed(failed) if failed.limit => Render::Deferred(failed.to_string()),
            // Argo CD may have such plugins; nothing here runs any.
            Outcome::Failed(failed) if failed.message.contains("unable to load external plugin") => Render::Deferred(failed.to_string()),
            Outcome::Failed(failed) => match broken(&failed.message, own.as_deref(), &archives) {
                Some(archive) => {
                    Render::Deferred(format!("the archive `{archive}` is no chart that Helm can load, fetch it again: {failed}"))
                }
                None => {
                    let message = failed.to_string();
                    if let Tool::Helm(helm) = &request.tool {
                        let release = Arc::new(Release::new(request.checkout, request.path, helm));
                        let key = (request.application.to_owned(), message.clone());
                        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(key, release);
                    }
                    Render::Failed(message)
                }
            },
            Outcome::Rendered(rendered) => {
                let made = match &request.tool {
                    Tool::Helm(helm) => Made::Helm(Arc::new(Release::new(request.checkout, request.path, helm))),
                    Tool::Kustomize(_) => Made::Kustomize(request.path.to_owned()),
                    Tool::Jsonnet(_) => Made::Jsonnet,
                    Tool::Plugin(plugin) => Made::Plugin(plugin.place.clone()),
                };
                let mut manifests = Vec::new();
                for (number, document) in rendered.documents.into_iter().enumerate() {
                    match self.take(request, &supplied, &made, number, document) {
                        Ok(objects) => manifests.extend(objects),
                        Err(why) => return Render::Failed(why),
                    }
                }
                Render::Done(manifests)
            }
        }
    }

    fn fill(&self, request: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String> {
        let &TemplateRequest { texts, parameters, string_maps, options, max_bytes } = request;
        self.templates.fill(&Templates { texts, parameters, string_maps, options, max_bytes })
    }
}

/// What Helm says of an archive that is none, or that has no chart in it.
const BROKEN: [&str; 5] = [
    "unable to load chart archive",
    "does not appear to be a gzipped archive",
    "expected a gzipped archive",
    "does not appear to be a valid chart file",
    "unable to detect chart version, no Chart.yaml found",
];

/// The archive that Helm cannot load, if it is one of those that a person put here: Argo CD fetches its own. `own` is the chart itself.
fn broken<'a>(message: &str, own: Option<&'a str>, dependencies: &'a [String]) -> Option<&'a str> {
    if let Some(own) = own {
        return BROKEN.iter().any(|words| message.contains(words)).then_some(own);
    }
    let is_it = |archive: &&String| message.contains(&format!("error unpacking subchart {} in", path::name(archive)));
    dependencies.iter().find(is_it).map(String::as_str)
}

fn cached(renderer: Renderer, cache: Option<&Arc<Cache>>) -> Renderer {
    match cache {
        Some(cache) => renderer.with_cache(Arc::clone(cache)),
        None => renderer,
    }
}

/// A request in the words of the renderers.
fn source(request: &SourceRequest<'_>) -> Result<Source, String> {
    Ok(match &request.tool {
        Tool::Helm(helm) => Source::Helm(of_helm(request.path, helm)?),
        Tool::Kustomize(kustomize) => Source::Kustomize(of_kustomize(request.path, kustomize)?),
        Tool::Jsonnet(jsonnet) => Source::Jsonnet(of_jsonnet(jsonnet)),
        Tool::Plugin(plugin) => return Err(format!("no renderer is plugin `{}`", plugin.name)),
    })
}

fn of_helm(chart: &str, helm: &renderer::Helm) -> Result<fedward_render::Helm, String> {
    let text = |file: &renderer::ValuesFile| {
        let text = std::str::from_utf8(&file.bytes).map_err(|_| format!("`{}` is not UTF-8", file.name))?;
        Ok::<_, String>((file.name.clone(), text.to_owned()))
    };
    let mut values = Vec::new();
    for file in &helm.values_files {
        let (name, text) = text(file)?;
        values.push(fedward_render::Values::Text { name, text });
    }
    if let Some(text) = &helm.values {
        values.push(fedward_render::Values::Text { name: "the values of the Application".to_owned(), text: text.clone() });
    }
    let pair = |parameter: &renderer::Parameter| format!("{}={}", parameter.name, parameter.value);
    let of_kind = |force: bool| helm.parameters.iter().filter(move |parameter| parameter.force_string == force).map(pair).collect();
    let mut set_literal = Vec::new();
    for (name, file) in &helm.file_parameters {
        set_literal.push(format!("{name}={}", text(file)?.1));
    }
    Ok(fedward_render::Helm {
        chart: chart.to_owned(),
        release_name: helm.release.clone(),
        namespace: if helm.namespace.is_empty() { "default".to_owned() } else { helm.namespace.clone() },
        kube_version: helm.kube_version.clone(),
        api_versions: helm.api_versions.clone(),
        values,
        set: of_kind(false),
        set_string: of_kind(true),
        set_literal,
        include_crds: !helm.skip_crds,
        skip_tests: helm.skip_tests,
        skip_schema_validation: helm.skip_schema_validation,
        ..fedward_render::Helm::default()
    })
}

fn of_kustomize(folder: &str, kustomize: &renderer::Kustomize) -> Result<fedward_render::Kustomize, String> {
    let mut replicas = Vec::new();
    for (name, count) in &kustomize.replicas {
        replicas.push((name.clone(), u64::try_from(*count).map_err(|_| format!("`{name}` cannot have {count} replicas"))?));
    }
    let text = |patch: &Value, key: &str| patch.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let map = |patch: &Value, key: &str| patch.get(key).and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    let patch = |patch: &Value| fedward_render::Patch {
        path: text(patch, "path"),
        patch: text(patch, "patch"),
        target: map(patch, "target"),
        options: map(patch, "options"),
    };
    Ok(fedward_render::Kustomize {
        folder: folder.to_owned(),
        name_prefix: kustomize.name_prefix.clone(),
        name_suffix: kustomize.name_suffix.clone(),
        images: kustomize.images.clone(),
        replicas,
        common_labels: kustomize.labels.clone(),
        force_common_labels: kustomize.force_labels,
        label_without_selector: kustomize.labels_without_selector,
        label_include_templates: kustomize.labels_include_templates,
        common_annotations: kustomize.annotations.clone(),
        force_common_annotations: kustomize.force_annotations,
        namespace: kustomize.namespace.clone(),
        patches: kustomize.patches.iter().map(patch).collect(),
        components: kustomize.components.clone(),
        load_restrictions_none: kustomize.build_options.iter().any(|option| option.ends_with("LoadRestrictionsNone")),
    })
}

fn of_jsonnet(jsonnet: &renderer::Jsonnet) -> fedward_render::Jsonnet {
    let variables = |variables: &[renderer::Variable]| {
        let of = |given: &renderer::Variable| fedward_render::Variable {
            name: given.name.clone(),
            value: given.value.clone(),
            code: given.code,
        };
        variables.iter().map(of).collect()
    };
    fedward_render::Jsonnet {
        file: jsonnet.file.clone(),
        ext_vars: variables(&jsonnet.external),
        tlas: variables(&jsonnet.arguments),
        libs: jsonnet.libraries.clone(),
    }
}
