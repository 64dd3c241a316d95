//! What a file is in its repository: a Helm chart's template, a kustomization, a patch of one, the base of one. A manifest that is a
//! template, a patch or incomplete by design is not judged as if it were applied.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fedward_manifest::Node;

use crate::load::{Loaded, Object, Role, text};
use crate::target::{Met, Target};

/// How a reason ends that a template is skipped for.
pub const RENDER: &str = ": name the chart to have it rendered";

/// How a reason ends that a kustomization is skipped for.
pub const BUILD: &str = ": name its folder to have it built";

/// How a reason ends that a kustomization of policies, and what it changes, is skipped for: naming its folder does not build it.
pub const RENDER_POLICIES: &str = ": what `fedward render FOLDER` prints can run, from a file or with `fedward check --policies -`";

/// What the repository says of its files.
#[derive(Default)]
pub(crate) struct Project {
    /// Files that are not manifests, with the reason.
    skipped: HashMap<String, String>,
    charts: BTreeSet<String>,
    kustomizations: BTreeMap<String, Kustomization>,
}

/// A kustomization, as far as it concerns what is final.
#[derive(Default)]
struct Kustomization {
    /// Files and folders, normalised.
    resources: Vec<String>,
    components: Vec<String>,
    targets: Vec<Target>,
}

impl Project {
    /// `templates` are files that are known to be templates of Helm charts, with the folders of the charts.
    pub(crate) fn of(loaded: &[Loaded], templates: &HashMap<String, String>) -> Self {
        let skipped = templates.iter().map(|(path, chart)| (path.clone(), template(chart))).collect();
        let mut project = Project { skipped, ..Project::default() };
        let mut patches = Vec::new();
        for one in loaded {
            let path = one.source.name();
            let (folder, file) = split(path);
            match file {
                "Chart.yaml" => _ = project.charts.insert(folder.to_owned()),
                "kustomization.yaml" | "kustomization.yml" | "Kustomization" => {
                    let Some(document) = &one.document else { continue };
                    let kustomization = read(document.root(), folder, &mut patches);
                    project.skipped.insert(path.to_string(), format!("a kustomization{BUILD}"));
                    project.kustomizations.insert(folder.to_owned(), kustomization);
                }
                _ => {}
            }
        }
        // Patches in files say themselves what they change.
        let by_path: HashMap<&str, Vec<&Loaded>> = loaded.iter().fold(HashMap::new(), |mut files, one| {
            files.entry(one.source.name()).or_insert_with(Vec::new).push(one);
            files
        });
        for (folder, path, target) in patches {
            let documents = by_path.get(path.as_str()).map(Vec::as_slice).unwrap_or_default();
            if !documents.is_empty() {
                project.skipped.insert(path.clone(), format!("a patch of the kustomization in `{}`", shown(&folder)));
            }
            let targets = match target {
                Some(target) => vec![target],
                None => documents.iter().filter_map(|one| one.document.as_ref()).map(|document| Target::named(document.root())).collect(),
            };
            if let Some(kustomization) = project.kustomizations.get_mut(&folder) {
                kustomization.targets.extend(targets);
            }
        }
        project
    }

    /// Why the documents of a file are not manifests, if they are not. `role` is what the file is for.
    pub(crate) fn skips(&self, path: &str, role: Role) -> Option<String> {
        if let Some(reason) = self.skipped.get(path) {
            return Some(match reason.strip_suffix(BUILD).filter(|_| role == Role::Policies) {
                Some(what) => format!("{what}{RENDER_POLICIES}"),
                None => reason.clone(),
            });
        }
        let mut folder = split(path).0;
        loop {
            if self.charts.contains(folder) {
                let inside = path.get(folder.len()..).unwrap_or("");
                if inside.starts_with("templates/") {
                    return Some(template(folder));
                }
            }
            match folder.trim_end_matches('/').rsplit_once('/') {
                Some((parent, _)) => folder = folder.get(..=parent.len()).unwrap_or(""),
                None if folder.is_empty() => return None,
                None => folder = "",
            }
        }
    }

    /// Marks the objects that a kustomization of the input patches.
    pub(crate) fn mark_drafts(&self, loaded: &[Loaded], objects: &mut [Object]) {
        let mut by_file: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, object) in objects.iter().enumerate().filter(|(_, object)| !matches!(object.role, Role::Deployed(_))) {
            if let Some(one) = loaded.get(object.document) {
                by_file.entry(one.source.name()).or_default().push(number);
            }
        }
        let mut drafts = Vec::new();
        for kustomization in self.kustomizations.values() {
            let mut targets = kustomization.targets.clone();
            for component in &kustomization.components {
                targets.extend(self.kustomizations.get(component).map(|component| component.targets.clone()).unwrap_or_default());
            }
            if targets.is_empty() {
                continue;
            }
            let mut seen = HashSet::new();
            for file in self.files(kustomization, &mut seen) {
                for number in by_file.get(file.as_str()).map(Vec::as_slice).unwrap_or_default() {
                    if objects.get(*number).is_some_and(|object| targets.iter().any(|target| hits(target, object))) {
                        drafts.push(*number);
                    }
                }
            }
        }
        for number in drafts {
            if let Some(object) = objects.get_mut(number) {
                object.draft = true;
            }
        }
    }

    /// The files that a kustomization builds on, through other kustomizations.
    fn files(&self, kustomization: &Kustomization, seen: &mut HashSet<String>) -> Vec<String> {
        let mut files = Vec::new();
        let mut open: Vec<&Kustomization> = vec![kustomization];
        while let Some(next) = open.pop() {
            for resource in &next.resources {
                let folder = if resource.is_empty() || resource.ends_with('/') { resource.clone() } else { format!("{resource}/") };
                match self.kustomizations.get(&folder) {
                    Some(below) if seen.insert(folder) => open.push(below),
                    Some(_) => {}
                    None => files.push(resource.clone()),
                }
            }
            for component in &next.components {
                if let Some(below) = self.kustomizations.get(component)
                    && seen.insert(component.clone())
                {
                    open.push(below);
                }
            }
        }
        files
    }
}

/// Whether a patch may change an object. Labels may come from a kustomization in between.
fn hits(target: &Target, object: &Object) -> bool {
    let Object { group, version, kind, name, namespace, .. } = object;
    target.hits(&Met { group, version, kind, names: &[name], namespaces: &[namespace], metadata: &[] })
}

/// Folder (with its slash, empty for none) and file of a path.
fn split(path: &str) -> (&str, &str) {
    path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1))
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

fn template(chart: &str) -> String {
    format!("a template of the Helm chart in `{}`{RENDER}", shown(chart.trim_end_matches('/')))
}

fn read(root: Node<'_>, folder: &str, patches: &mut Vec<(String, String, Option<Target>)>) -> Kustomization {
    let list = |key: &str| root.get(key).into_iter().flat_map(Node::items);
    let paths = |key: &str| list(key).filter_map(Node::as_str).filter_map(|path| join(folder, path)).collect::<Vec<_>>();
    let mut kustomization = Kustomization { resources: paths("resources"), components: paths("components"), targets: Vec::new() };
    kustomization.resources.extend(paths("bases"));
    for component in &mut kustomization.components {
        component.push('/');
    }
    for patch in list("patches").chain(list("patchesJson6902")) {
        let target = patch.get("target").filter(|target| !target.is_null()).map(Target::read);
        match text(patch, "path").and_then(|path| join(folder, path)) {
            Some(path) => patches.push((folder.to_owned(), path, target)),
            // An inline patch without a target is a strategic merge that names its object.
            None => kustomization.targets.push(target.unwrap_or_default()),
        }
    }
    for patch in list("patchesStrategicMerge").filter_map(Node::as_str) {
        if patch.contains('\n') {
            kustomization.targets.push(Target::default());
        } else if let Some(path) = join(folder, patch) {
            patches.push((folder.to_owned(), path, None));
        }
    }
    // Labels that Azure's webhook reads may come from the kustomization itself.
    let labels = list("labels").filter_map(|labels| labels.get("pairs")).chain(root.get("commonLabels"));
    // So may the namespace, a name's prefix, or anything that a replacement or a generator reaches.
    // A component is never applied by itself: whoever includes it completes it.
    if text(root, "kind") == Some("Component") {
        kustomization.targets.push(Target::default());
    }
    let rewrites = ["namespace", "namePrefix", "nameSuffix", "replacements", "transformers"]
        .iter()
        .any(|field| root.get(field).is_some_and(|value| !value.is_null()));
    if rewrites || labels.into_iter().any(|pairs| pairs.get(fedward_kit::identity::AZURE_USE).is_some()) {
        kustomization.targets.push(Target::default());
    }
    kustomization
}

/// What is to be said of objects that have charts deployed: what a chart renders is nowhere in the input, and a clean result says nothing
/// of it.
///
/// `but_applications`: what Applications deploy is among the objects.
pub(crate) fn unrendered(loaded: &[Loaded], objects: &[Object], but_applications: bool) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for object in objects.iter().filter(|object| object.is_judged()) {
        let document = loaded.get(object.document).and_then(|one| one.document.as_ref());
        let Some(spec) = document.and_then(|document| document.node(object.node)?.get("spec")) else { continue };
        let deploys = match (object.group.as_str(), object.kind.as_str()) {
            ("argoproj.io", _) if but_applications => false,
            ("argoproj.io", "Application") => has_chart(spec),
            ("argoproj.io", "ApplicationSet") => spec.get("template").and_then(|template| template.get("spec")).is_some_and(has_chart),
            ("helm.toolkit.fluxcd.io", "HelmRelease") | ("helm.cattle.io", "HelmChart") => true,
            _ => false,
        };
        if deploys {
            *counts.entry(&object.kind).or_default() += 1;
        }
    }
    let kinds = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ");
    (!counts.is_empty()).then(|| {
        format!("Helm charts that are deployed from here ({kinds}) are not rendered, and what they bring was not judged: `helm template CHART | fedward check -` judges it")
    })
}

/// Whether an Argo CD application has a source that is a chart, or is given values as one.
fn has_chart(spec: Node<'_>) -> bool {
    let sources = spec.get("source").into_iter().chain(spec.get("sources").into_iter().flat_map(Node::items));
    let mut fields = sources.flat_map(|source| [source.get("chart"), source.get("helm")]).flatten();
    fields.any(|field| !field.is_null())
}

/// A path relative to a folder, normalised; `None` if it leads out of the input or to a remote base.
fn join(folder: &str, path: &str) -> Option<String> {
    if path.contains("://") || path.starts_with('/') || path.starts_with("git@") {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    Some(if folder.starts_with('/') { format!("/{joined}") } else { joined })
}
