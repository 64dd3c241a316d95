//! The renderers, as discovery asks for them.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use fedward_gitops::renderer::{self, Render, SourceRequest, TemplateRequest, Tool};
use fedward_gitops::{Checkout, Manifest, Origin, Repositories, path};
use fedward_manifest::{Limits, Source as Text, parse, split};
use fedward_render::{Cache, Document, Folder, Outcome, Renderer, Templates};

use crate::pieces::{Made, Output, Piece, Release};
use crate::plugin::Plugins;
use crate::requests;
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
            release.add(&name, Output::new(&source, hook));
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
        let source = match requests::source(request) {
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
