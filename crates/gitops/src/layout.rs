//! What the files of a repository are for: templates of charts, resources and patches of kustomizations. An object in one of these is not
//! applied as it is written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fedward_manifest::Node;

use crate::checkout::{Checkout, Entry};
use crate::path;
use crate::source::is_kustomization;

/// The charts and kustomizations of a repository.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    charts: BTreeSet<String>,
    kustomizations: BTreeMap<String, Kustomization>,
    /// The kustomizations that a file is a resource of.
    holders: HashMap<String, Vec<String>>,
    /// Files that kustomizations use for something else.
    parts: HashSet<String>,
}

#[derive(Debug, Default)]
struct Kustomization {
    /// Other kustomizations that it builds on.
    below: Vec<String>,
    /// The file itself, and all files that it names.
    files: Vec<String>,
    /// What it names, as it is written: links and what is not there included.
    names: Vec<String>,
    is_component: bool,
}

/// Where a file belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// To itself: it is applied as it is, if at all.
    Nowhere,
    /// To the chart in a folder, as a template.
    Template(String),
    /// To kustomizations, as a resource.
    Resources(Vec<String>),
    /// To something that changes others: it is no object of its own.
    Part,
}

impl Layout {
    /// Reads every kustomization: [`Checkout::layout`] keeps what comes of it.
    pub(crate) fn of(checkout: &Checkout) -> Self {
        let mut layout = Layout::default();
        for (file, entry) in checkout.entries() {
            let name = path::name(file);
            if *entry == Entry::Folder {
                continue;
            }
            if name == "Chart.yaml" {
                layout.charts.insert(path::folder(file).to_owned());
            } else if is_kustomization(name) {
                layout.kustomizations.insert(path::folder(file).to_owned(), Kustomization::default());
            }
        }
        let files: Vec<String> =
            checkout.entries().map(|(file, _)| file).filter(|file| is_kustomization(path::name(file))).map(str::to_owned).collect();
        for file in files {
            layout.read(checkout, &file);
        }
        layout
    }

    fn read(&mut self, checkout: &Checkout, file: &str) {
        let Ok(parsed) = checkout.documents(file) else { return };
        let Ok(Some(document)) = parsed.only() else { return };
        let (root, folder) = (document.root(), path::folder(file));
        let names = std::cell::RefCell::new(Vec::new());
        let real = |written: &str| {
            let clean = path::join(folder, written).filter(|_| is_local(written))?;
            names.borrow_mut().push(clean.clone());
            checkout.follow(&clean).ok().map(|(real, entry)| (real, entry == &Entry::Folder))
        };
        let list = |key: &str| root.get(key).into_iter().flat_map(Node::items);
        let texts = |key: &str| list(key).filter_map(Node::as_str);
        let (mut below, mut files) = (Vec::new(), vec![file.to_owned()]);
        for written in texts("resources").chain(texts("bases")).chain(texts("components")) {
            match real(written) {
                Some((resource, true)) => below.push(resource),
                Some((resource, false)) => {
                    files.push(resource.clone());
                    self.holders.entry(resource).or_default().push(folder.to_owned());
                }
                None => {}
            }
        }
        let mut parts: Vec<&str> = ["patchesStrategicMerge", "transformers", "generators", "validators", "configurations", "crds"]
            .into_iter()
            .flat_map(texts)
            .filter(|text| !text.contains('\n'))
            .collect();
        for key in ["patches", "patchesJson6902", "replacements"] {
            parts.extend(list(key).filter_map(|item| item.get("path")?.as_str()));
        }
        for key in ["configMapGenerator", "secretGenerator"] {
            let files = list(key).flat_map(|item| item.get("files").into_iter().chain(item.get("envs")).flat_map(Node::items));
            parts.extend(files.filter_map(Node::as_str).map(|file| file.split_once('=').map_or(file, |(_, file)| file)));
        }
        parts.extend(root.find("/openapi/path").and_then(Node::as_str));
        let parts: Vec<String> = parts.into_iter().filter_map(real).map(|(part, _)| part).collect();
        files.extend(parts.iter().cloned());
        self.parts.extend(parts);
        let is_component = root.get("kind").and_then(Node::as_str) == Some("Component");
        if let Some(kustomization) = self.kustomizations.get_mut(folder) {
            *kustomization = Kustomization { below, files, names: names.into_inner(), is_component };
        }
    }

    /// Where a file belongs.
    pub(crate) fn of_file(&self, file: &str) -> Belongs {
        if is_kustomization(path::name(file)) || path::name(file) == "Chart.yaml" {
            return Belongs::Part;
        }
        let mut folder = path::folder(file);
        loop {
            let inside = path::below(folder, file).unwrap_or_default();
            if self.charts.contains(folder) && (inside.starts_with("templates/") || inside.starts_with("crds/")) {
                return Belongs::Template(folder.to_owned());
            }
            if folder.is_empty() {
                break;
            }
            folder = path::folder(folder);
        }
        if let Some(holders) = self.holders.get(file) {
            return Belongs::Resources(holders.clone());
        }
        if self.parts.contains(file) { Belongs::Part } else { Belongs::Nowhere }
    }

    /// The chart that no other holds, above the chart in a folder or that one itself.
    pub(crate) fn top_chart<'c>(&'c self, chart: &'c str) -> &'c str {
        let mut top = chart;
        let mut folder = chart;
        while let Some((above, _)) = folder.rsplit_once('/') {
            if path::name(above) == "charts" && self.charts.contains(path::folder(above)) {
                top = path::folder(above);
            }
            folder = above;
        }
        top
    }

    /// The kustomizations that use one of `used`, and that nobody else uses: a person builds those, or Argo CD does.
    pub(crate) fn top_kustomizations(&self, used: &BTreeSet<String>) -> BTreeSet<String> {
        let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
        for (folder, kustomization) in &self.kustomizations {
            for below in &kustomization.below {
                users.entry(below).or_default().push(folder);
            }
        }
        let mut waiting: Vec<&str> = used.iter().map(String::as_str).collect();
        let mut seen: HashSet<&str> = waiting.iter().copied().collect();
        let mut top = BTreeSet::new();
        while let Some(folder) = waiting.pop() {
            match users.get(folder) {
                Some(above) => waiting.extend(above.iter().filter(|above| seen.insert(above))),
                None if self.kustomizations.get(folder).is_some_and(|kustomization| !kustomization.is_component) => {
                    top.insert(folder.to_owned());
                }
                None => {}
            }
        }
        top
    }

    /// The files that building a kustomization reads, as far as it names them.
    pub(crate) fn files(&self, folder: &str) -> BTreeSet<String> {
        let all = self.closure(folder);
        all.iter().filter_map(|folder| self.kustomizations.get(folder)).flat_map(|kustomization| kustomization.files.clone()).collect()
    }

    /// What building a kustomization reads, as it is written: files and folders, there or not, besides those of [`Layout::files`].
    pub(crate) fn names(&self, folder: &str) -> BTreeSet<String> {
        let mut all = self.files(folder);
        let closure = self.closure(folder);
        all.extend(
            closure.iter().filter_map(|folder| self.kustomizations.get(folder)).flat_map(|kustomization| kustomization.names.clone()),
        );
        all
    }

    /// The kustomizations that one builds on, and itself.
    pub(crate) fn closure(&self, folder: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::from([folder.to_owned()]);
        let mut waiting = vec![folder];
        while let Some(next) = waiting.pop() {
            for below in self.kustomizations.get(next).into_iter().flat_map(|kustomization| &kustomization.below) {
                if seen.insert(below.clone()) {
                    waiting.push(below);
                }
            }
        }
        seen
    }
}

fn is_local(written: &str) -> bool {
    !written.starts_with('/') && !written.contains("://") && !written.starts_with("git@") && !written.contains('\n')
}
