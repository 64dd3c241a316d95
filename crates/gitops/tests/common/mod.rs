//! Doubles for the renderer, and a discovery in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use fedward_gitops::renderer::{Render, SourceRequest, TemplateRequest, Tool};
use fedward_gitops::{
    Application, ApplicationSet, Discovery, Fixtures, Limits as Bounds, Manifest, Mapping, Options, Origin, Parent, Reason, Renderer,
    Repositories, Resource, SetState, Settings, Source, State, Stop, Wanted, discover, plugin, rules,
};
use fedward_manifest::{Limits, Source as Text, parse, split};
use fedward_outcome::Finding;

/// A double that replays what the real tools printed, from files that somebody recorded: it builds nothing itself, and has nothing for what
/// nobody recorded. Go's templates it plays by putting in `{{ .a.b }}`; it knows no other action.
pub(crate) struct Replay {
    /// Where the recorded files are.
    pub(crate) folder: PathBuf,
    /// What it was asked for.
    pub(crate) asked: Mutex<BTreeMap<String, String>>,
}

impl Replay {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Replay { folder, asked: Mutex::default() }
    }

    fn answer(&self, name: &str, request: &SourceRequest<'_>) -> Render {
        let path = self.folder.join(format!("{name}.yaml"));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Render::Deferred(format!("nobody recorded `{name}`")),
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let source = Arc::new(Text::from_text(format!("<{name}>"), text).unwrap());
        let limits = Limits::default();
        let mut manifests = Vec::new();
        for chunk in split(&source, &limits).chunks {
            let Some(document) = parse(&source, chunk, &limits).document.map(Arc::new) else { panic!("{name} is no YAML") };
            // As `helm template` marks its documents.
            let file = source.slice(chunk.span).lines().find_map(|line| line.strip_prefix("# Source: "));
            let origin = file.and_then(|file| file.split_once('/')).map(|(_, inside)| {
                let inside = if request.path.is_empty() { inside.to_owned() } else { format!("{}/{inside}", request.path) };
                Origin { file: request.checkout.shown(&inside), line: None }
            });
            manifests.extend(Manifest::all(&document).map(|manifest| Manifest { origin: origin.clone(), ..manifest }));
        }
        Render::Done(manifests)
    }
}

impl Renderer for Replay {
    fn render(&self, request: &SourceRequest<'_>) -> Render {
        let path = request.path.replace('/', "_");
        let (name, asked) = match request.tool {
            Tool::Helm(helm) => {
                let files: Vec<&str> = helm.values_files.iter().map(|file| file.name.as_str()).collect();
                let mut asked = format!("namespace {}, values {files:?}", helm.namespace);
                if let Some(values) = &helm.values {
                    write!(asked, ", own values {values}").unwrap();
                }
                for parameter in &helm.parameters {
                    write!(asked, ", {}={}", parameter.name, parameter.value).unwrap();
                }
                (format!("helm-{path}-{}", helm.release), asked)
            }
            Tool::Kustomize(kustomize) => {
                let mut asked = format!("options {:?}", kustomize.build_options);
                for (what, value) in
                    [("prefix", &kustomize.name_prefix), ("suffix", &kustomize.name_suffix), ("namespace", &kustomize.namespace)]
                {
                    if !value.is_empty() {
                        write!(asked, ", {what} {value}").unwrap();
                    }
                }
                if !kustomize.images.is_empty() {
                    write!(asked, ", images {:?}", kustomize.images).unwrap();
                }
                for (key, value) in kustomize.labels.iter().chain(&kustomize.annotations) {
                    write!(asked, ", {key}={value}").unwrap();
                }
                (format!("kustomize-{path}"), asked)
            }
            Tool::Jsonnet(jsonnet) => (format!("jsonnet-{}", jsonnet.file.replace('/', "_")), format!("libraries {:?}", jsonnet.libraries)),
            Tool::Plugin(plugin) => {
                let variables = plugin.variables(&plugin::Kubernetes::default());
                let told = variables.iter().filter(|(name, _)| name == plugin::NAME || name.starts_with(plugin::ENV));
                let told: Vec<String> = told.map(|(name, value)| format!("{name}={value}")).collect();
                (format!("plugin-{}", plugin.name), told.join(", "))
            }
        };
        self.asked.lock().unwrap().insert(name.clone(), asked);
        self.answer(&name, request)
    }

    fn fill(&self, request: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String> {
        let values = serde_json::Value::Object(request.parameters.clone());
        let fails = request.options.iter().any(|option| option == "missingkey=error");
        let fill = |text: &&str| {
            let mut out = String::new();
            let mut rest = *text;
            while let Some((before, after)) = rest.split_once("{{") {
                let (tag, after) = after.split_once("}}").ok_or("unclosed action")?;
                let path = tag.trim().strip_prefix('.').ok_or_else(|| format!("the double knows paths only, not `{tag}`"))?;
                out.push_str(before);
                match values.pointer(&format!("/{}", path.replace('.', "/"))) {
                    Some(serde_json::Value::String(text)) => out.push_str(text),
                    Some(other) => out.push_str(&other.to_string()),
                    None if fails => return Err(format!("map has no entry for key \"{path}\"")),
                    None => out.push_str("<no value>"),
                }
                rest = after;
            }
            out.push_str(rest);
            Ok(out)
        };
        Ok(request.texts.iter().map(fill).collect())
    }
}

/// Which of the kinds in the fixtures have namespaces; nothing is known of others.
pub(crate) fn scope(group: &str, kind: &str) -> Option<bool> {
    match (group, kind) {
        ("rbac.authorization.k8s.io", "ClusterRole") | ("", "Namespace") => Some(false),
        ("" | "apps" | "argoproj.io", _) => Some(true),
        _ => None,
    }
}

/// A discovery in words.
pub(crate) fn print(discovery: &Discovery, replay: &Replay) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for application in &discovery.applications {
        let destination = &application.destination;
        line(format!("Application {}/{}: {}", application.namespace, application.name, state(&application.state)));
        line(format!(
            "  {} in project {}, to {}{}/{}, {}",
            application.place(),
            application.project,
            destination.server,
            destination.name,
            destination.namespace,
            parents(&application.parents, discovery)
        ));
        application.sources.iter().enumerate().for_each(|(index, one)| line(source(index, one)));
        application.resources.iter().for_each(|one| line(format!("  {}", resource(one))));
        application.repeated.iter().for_each(|one| line(format!("  repeated: {}", resource(one))));
        application.notes.iter().for_each(|note| line(format!("  note: {}", reason(note))));
        extras(application).into_iter().for_each(&mut line);
    }
    for set in &discovery.sets {
        line(format!("ApplicationSet {}/{}: {}, {} applications", set.namespace, set.name, set_state(set), set.applications));
        set.notes.iter().for_each(|note| line(format!("  note: {}", reason(note))));
    }
    discovery.projects.iter().for_each(|project| line(format!("AppProject {} at {}", project.name, project.object.place)));
    discovery.clusters.known.values().for_each(|cluster| line(format!("cluster {} at {}", cluster.name, cluster.server)));
    for root in &discovery.roots {
        let stopped = root.stopped.as_ref().map_or_else(|| "rendered".to_owned(), state);
        line(format!("root {} ({}): {stopped}", root.folder, if root.is_chart { "chart" } else { "kustomization" }));
    }
    discovery.notes.iter().for_each(|note| line(format!("note: {note}")));
    discovery.unread.iter().for_each(|(file, why)| line(format!("unread {file}: {why}")));
    for (name, asked) in &*replay.asked.lock().unwrap() {
        line(format!("asked for {name}: {asked}"));
    }
    let summary = discovery.summary();
    line(format!(
        "{} applications: {} rendered, {} partial, {} deferred, {} failed",
        discovery.applications.len(),
        summary.rendered,
        summary.partial,
        summary.deferred,
        summary.failed
    ));
    out
}

fn extras(application: &Application) -> Vec<String> {
    let mut lines = Vec::new();
    for (pointer, keys) in
        [("labels", ["metadata", "labels"]), ("annotations", ["metadata", "annotations"]), ("finalizers", ["metadata", "finalizers"])]
    {
        if let Some(value) = application.object.at(&keys) {
            lines.push(format!("  {pointer}: {}", value.to_json()));
        }
    }
    lines
}

fn source(index: usize, source: &Source) -> String {
    let kind = source.kind.map_or_else(|| "unknown".to_owned(), |kind| format!("{kind:?}"));
    let place = source.place.as_ref().map_or_else(|| "?".to_owned(), |(checkout, folder)| checkout.shown(folder));
    let mut out =
        if source.only_ref { format!("  source {index}: only referred to") } else { format!("  source {index}: {kind} in {place}") };
    if let Err(stop) = &source.result {
        let word = if matches!(stop, Stop::Deferred(_)) { "deferred" } else { "failed" };
        write!(out, ", {word}: {}", reason(stop.reason())).unwrap();
    }
    for ignored in &source.ignored {
        write!(out, "\n    ignored {}: {}", ignored.file, ignored.reason).unwrap();
    }
    out
}

fn resource(resource: &Resource) -> String {
    let manifest = &resource.manifest;
    let namespace = match resource.namespaced {
        Some(false) => String::new(),
        Some(true) => format!("{}/", resource.namespace),
        None => format!("{}?/", resource.namespace),
    };
    let line = if manifest.origin.is_none() { format!(":{}", manifest.place.position().line) } else { String::new() };
    format!("{} {namespace}{} from {}{line}", manifest.kind().1, manifest.text("/metadata/name"), manifest.file())
}

fn parents(parents: &[Parent], discovery: &Discovery) -> String {
    let names: Vec<String> = parents
        .iter()
        .map(|parent| match parent {
            Parent::File => "as a file".to_owned(),
            Parent::Application(at) => format!("from Application {}", discovery.applications[*at].name),
            Parent::Set(at) => format!("from ApplicationSet {}", discovery.sets[*at].name),
            Parent::Root(at) => format!("from root {}", discovery.roots[*at].folder),
            Parent::AsWritten => "as written".to_owned(),
        })
        .collect();
    names.join(" and ")
}

fn set_state(set: &ApplicationSet) -> String {
    match &set.state {
        SetState::Resolved => "resolved".to_owned(),
        SetState::FromFixture => "resolved from fixtures".to_owned(),
        SetState::Partial(why) => format!("partial: {}", reasons(why)),
        SetState::Deferred(why) => format!("deferred: {}", reasons(why)),
        SetState::Failed(why) => format!("failed: {}", reason(why)),
    }
}

fn state(state: &State) -> String {
    match state {
        State::Rendered => "rendered".to_owned(),
        State::Partial(why) => format!("partial: {}", reasons(why)),
        State::Deferred(why) => format!("deferred: {}", reasons(why)),
        State::Failed(why) => format!("failed: {}", reason(why)),
    }
}

fn reasons(reasons: &[Reason]) -> String {
    reasons.iter().map(reason).collect::<Vec<_>>().join("; ")
}

fn reason(reason: &Reason) -> String {
    match &reason.place {
        Some(place) => format!("{} ({place})", reason.text),
        None => reason.text.clone(),
    }
}

/// The files and folders of a folder, sorted.
pub(crate) fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// Discovers the repository in a folder, which stands for `https://git.example/team/repo`, and gives it to `look`.
pub(crate) fn look<T>(
    folder: &Path,
    settings: Option<&Settings>,
    look: impl FnOnce(&Discovery, &Repositories, &Replay) -> T,
) -> Result<T, String> {
    let limits = Bounds::default();
    let mapping =
        Mapping { url: "https://git.example/team/repo".to_owned(), revision: None, path: folder.to_owned(), shown: String::new() };
    let repositories = Repositories::open(folder, "", &[mapping], &[], &limits)?;
    let replay = Replay::new(folder.join("none"));
    let discovery = discover(Options {
        repositories: &repositories,
        renderer: &replay,
        scopes: &scope,
        clusters: None,
        fixtures: &Fixtures::default(),
        settings,
        takes: &|_| true,
        wanted: Wanted::All,
        limits: &limits,
    });
    Ok(look(&discovery, &repositories, &replay))
}

/// What all rules find.
pub(crate) fn findings(discovery: &Discovery, repositories: &Repositories) -> Vec<Finding> {
    rules::native(discovery, repositories, &|_| true).findings.into_iter().map(|native| native.finding).collect()
}
