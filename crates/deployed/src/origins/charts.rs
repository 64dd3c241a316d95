//! Charts as Helm loads them, with those that they build on: in folders, in archives, and in archives in these.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read as _;
use std::sync::Arc;

use fedward_gitops::{DEEPEST, fits, path};
use fedward_manifest::{Node, Source};
use fedward_render::{FileType, Folder as _};

use super::{Origins, documents, join, nothing};
use crate::pieces::Release;
use crate::sandbox::Files;

/// Charts of one release that are looked at.
const MAX_CHARTS: usize = 256;

/// Charts that one may say that it builds on.
const MAX_NEEDS: usize = 1_000;

/// Bytes of archives of one release that are unpacked.
const MAX_UNPACKED: usize = 64 << 20;

/// A chart.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    name: String,
    /// Its folder in the checkout; none in an archive.
    folder: Option<String>,
    version: String,
    needs: Vec<Need>,
    values: Option<Kept>,
    /// The templates of an archive, by their paths in the chart. Those of folders are files that everybody can name.
    templates: HashMap<String, Arc<Source>>,
    children: Vec<Chart>,
}

/// A file of a chart.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) source: Arc<Source>,
    /// Whether it lies in an archive, which has no lines that anybody could edit.
    pub(super) is_packed: bool,
}

impl Kept {
    /// What outputs show of it.
    pub(super) fn shown(&self) -> Arc<Source> {
        if self.is_packed { nothing(self.source.name()) } else { Arc::clone(&self.source) }
    }
}

/// A chart that another builds on.
#[derive(Debug, Default)]
struct Need {
    name: String,
    version: String,
    repository: String,
    /// What its values and templates are under: its alias, or its name.
    called: String,
    imports: Vec<Import>,
}

/// Values of a chart that become defaults of the one that builds on it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// Where they stand: below the name of the chart.
    pub(super) from: Vec<String>,
    /// Where they go to.
    pub(super) to: Vec<String>,
}

impl Chart {
    /// The chart that another is to the one that builds on it; `None` if there is none, or if several may be meant.
    pub(crate) fn child(&self, called: &str) -> Option<&Chart> {
        let mut named = self.needs.iter().filter(|need| need.called == called).peekable();
        let is_named = named.peek().is_some();
        let meant = |child: &&Chart| named.clone().any(|need| need.name == child.name && fits(&need.version, &child.version));
        // What lies there and is not in the list is loaded all the same.
        let is_listed = |child: &&Chart| self.needs.iter().any(|need| need.name == child.name && fits(&need.version, &child.version));
        let is_it = |child: &&Chart| if is_named { meant(child) } else { child.name == called && !is_listed(child) };
        let mut found = self.children.iter().filter(is_it);
        found.next().filter(|_| found.next().is_none())
    }

    /// What a chart is called below this one, from the top, if there is only one of its name: none for this one itself.
    pub(crate) fn path_to(&self, called: &str) -> Option<Vec<&str>> {
        if self.name == called {
            return Some(Vec::new());
        }
        let (mut found, mut open) = (Vec::new(), vec![(self, Vec::new())]);
        let mut left = MAX_NEEDS;
        while let Some((chart, path)) = open.pop() {
            left = left.checked_sub(1)?;
            let names = chart.needs.iter().map(|need| need.called.as_str());
            let loose =
                chart.children.iter().map(|child| child.name.as_str()).filter(|name| chart.needs.iter().all(|need| need.name != *name));
            for name in names.chain(loose) {
                let Some(child) = chart.child(name) else { continue };
                let below = [path.as_slice(), &[name]].concat();
                if name == called {
                    found.push(below.clone());
                }
                open.push((child, below));
            }
        }
        found.pop().filter(|_| found.is_empty())
    }

    /// Its folder in the checkout, if it is in no archive.
    pub(crate) fn folder(&self) -> Option<&str> {
        self.folder.as_deref()
    }

    /// Whether another chart has its values under a name.
    pub(super) fn has(&self, called: &str) -> bool {
        self.needs.iter().any(|need| need.called == called) || self.children.iter().any(|child| child.name == called)
    }

    /// Values of other charts that are this one's, the strongest first.
    pub(super) fn imports(&self) -> impl Iterator<Item = &Import> {
        self.needs.iter().flat_map(|need| &need.imports)
    }

    pub(super) fn values(&self) -> Option<&Kept> {
        self.values.as_ref()
    }

    /// A template of an archive, by its path in the chart.
    pub(super) fn template(&self, path: &str) -> Option<&Arc<Source>> {
        self.templates.get(path)
    }

    /// The files of values of this chart and of all that it builds on.
    pub(crate) fn all_values(&self) -> Vec<Arc<Source>> {
        let (mut all, mut open) = (Vec::new(), vec![self]);
        while let Some(chart) = open.pop() {
            all.extend(chart.values.iter().filter(|kept| !kept.is_packed).map(|kept| Arc::clone(&kept.source)));
            open.extend(&chart.children);
        }
        all
    }
}

/// A template's name as Helm says it (`web/charts/db/templates/pod.yaml`): what the charts are called from below the first one on, and the path
/// in the last one.
pub(crate) fn parts(name: &str) -> (Vec<&str>, &str) {
    let mut rest = name.split_once('/').map_or("", |(_, rest)| rest);
    let mut called = Vec::new();
    while let Some((chart, inside)) = rest.strip_prefix("charts/").and_then(|rest| rest.split_once('/')) {
        called.push(chart);
        rest = inside;
    }
    (called, rest)
}

/// Reads a chart, and what it builds on. What cannot be read is left out: then nothing is found in it.
pub(super) fn load(origins: &mut Origins<'_>, release: &Release) -> Chart {
    let Some(files) = origins.deployed.sandbox.files(&release.checkout) else { return Chart::default() };
    let mut reader = Reader { origins, release, files, charts: MAX_CHARTS, bytes: MAX_UNPACKED };
    let found = if release.checkout.is_file(&release.chart) {
        reader.archive_in(&release.chart, DEEPEST)
    } else {
        reader.folder(&release.chart, true, DEEPEST)
    };
    found.unwrap_or_default()
}

struct Reader<'o, 'd> {
    origins: &'o mut Origins<'d>,
    release: &'o Release,
    files: Files,
    /// How many more charts are read.
    charts: usize,
    /// How many more bytes are unpacked.
    bytes: usize,
}

/// The files of an archive, by their paths in its chart.
type Packed = BTreeMap<String, Vec<u8>>;

impl Reader<'_, '_> {
    fn folder(&mut self, folder: &str, is_first: bool, depth: usize) -> Option<Chart> {
        self.charts = self.charts.checked_sub(1)?;
        let mut file = |name: &str| self.origins.file(&self.release.checkout, &join(folder, name));
        let mut chart = described(&file("Chart.yaml")?, file("requirements.yaml").as_ref());
        chart.values = file("values.yaml").map(|source| Kept { source, is_packed: false });
        chart.folder = Some(folder.to_owned());
        let Some(depth) = depth.checked_sub(1) else { return Some(chart) };
        let charts = join(folder, "charts");
        for (name, file_type) in self.files.list(&charts).unwrap_or_default() {
            let at = join(&charts, &name);
            let file_type =
                if file_type == FileType::Link { self.files.stat(&at).map_or(file_type, |stat| stat.file_type) } else { file_type };
            let child = match file_type {
                _ if name.starts_with(['.', '_']) => None,
                FileType::Folder => self.folder(&at, false, depth),
                _ if name.ends_with(".tgz") => self.archive_in(&at, depth),
                _ => None,
            };
            chart.children.extend(child);
        }
        // Charts beside this one, which Helm would pack into it.
        let beside = |need: &&Need| is_first && chart.children.iter().all(|child| child.name != need.name);
        let beside = chart.needs.iter().filter(beside).filter_map(|need| path::join(folder, need.repository.strip_prefix("file://")?));
        for at in beside.collect::<BTreeSet<_>>() {
            chart.children.extend(self.folder(&at, false, depth));
        }
        Some(chart)
    }

    /// The chart of an archive, by its path in the checkout.
    fn archive_in(&mut self, at: &str, depth: usize) -> Option<Chart> {
        let bytes = self.files.read(at, self.bytes).ok()?;
        let (checkout, path) = self.files.real(at).unwrap_or_else(|| (Arc::clone(&self.release.checkout), at.to_owned()));
        let shown = self.origins.deployed.name(&checkout.shown(&path));
        self.archive(&bytes, &shown, depth)
    }

    fn archive(&mut self, bytes: &[u8], shown: &str, depth: usize) -> Option<Chart> {
        let files = unpacked(bytes, &mut self.bytes)?;
        self.packed(&files, shown, depth)
    }

    /// A chart of files. `shown` is what outputs call what holds them.
    fn packed(&mut self, files: &Packed, shown: &str, depth: usize) -> Option<Chart> {
        self.charts = self.charts.checked_sub(1)?;
        let file = |name: &str| {
            let text = std::str::from_utf8(files.get(name)?).ok()?;
            Source::from_text(format!("{shown}/{name}"), text.to_owned()).ok().map(Arc::new)
        };
        let mut chart = described(&file("Chart.yaml")?, file("requirements.yaml").as_ref());
        chart.values = file("values.yaml").map(|source| Kept { source, is_packed: true });
        let templates = files.keys().filter(|name| name.starts_with("templates/"));
        chart.templates = templates.filter_map(|name| Some((name.clone(), file(name)?))).collect();
        let Some(depth) = depth.checked_sub(1) else { return Some(chart) };
        let mut folders: BTreeMap<&str, Packed> = BTreeMap::new();
        for (name, bytes) in files.iter().filter_map(|(name, bytes)| Some((name.strip_prefix("charts/")?, bytes))) {
            match name.split_once('/') {
                _ if name.starts_with(['.', '_']) => {}
                Some((folder, inside)) => _ = folders.entry(folder).or_default().insert(inside.to_owned(), bytes.clone()),
                None if name.ends_with(".tgz") => chart.children.extend(self.archive(bytes, &format!("{shown}/charts/{name}"), depth)),
                None => {}
            }
        }
        for (folder, files) in folders {
            chart.children.extend(self.packed(&files, &format!("{shown}/charts/{folder}"), depth));
        }
        Some(chart)
    }
}

/// What the description of a chart says; charts of Helm 2 have what they build on in a file of its own.
fn described(chart: &Arc<Source>, requirements: Option<&Arc<Source>>) -> Chart {
    let text = |node: Node<'_>, key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
    let mut described = Chart::default();
    for (number, source) in std::iter::once(chart).chain(requirements).enumerate() {
        let read = documents(source);
        let Some(document) = read.iter().find(|document| !document.is_empty()) else { continue };
        if number == 0 {
            (described.name, described.version) = (text(document.root(), "name"), text(document.root(), "version"));
        }
        for entry in document.root().get("dependencies").into_iter().flat_map(Node::items).take(MAX_NEEDS) {
            let (name, alias) = (text(entry, "name"), text(entry, "alias"));
            let called = if alias.is_empty() { name.clone() } else { alias };
            let imports = entry.get("import-values").into_iter().flat_map(Node::items).filter_map(|item| import(&called, item)).collect();
            let (version, repository) = (text(entry, "version"), text(entry, "repository"));
            described.needs.push(Need { name, version, repository, called, imports });
        }
    }
    described
}

/// An entry of `import-values`: what the chart exports under a name, or any of its values and where they go to.
fn import(called: &str, item: Node<'_>) -> Option<Import> {
    let keys = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    let below = |path: String| keys(&format!("{called}.{path}"));
    if let Some(name) = item.as_str() {
        return Some(Import { from: below(format!("exports.{name}")), to: Vec::new() });
    }
    let (child, parent) = (item.get("child")?.as_str()?, item.get("parent")?.as_str()?);
    let to = if matches!(parent, "." | "") { Vec::new() } else { keys(parent) };
    Some(Import { from: below(child.to_owned()), to })
}

/// The files of an archive of a chart, without the folder that all of them are in, as long as there are bytes left.
fn unpacked(bytes: &[u8], left: &mut usize) -> Option<Packed> {
    let content = flate2::read::MultiGzDecoder::new(bytes).take(*left as u64);
    let mut files = Packed::new();
    for entry in tar::Archive::new(content).entries().ok()? {
        let mut entry = entry.ok()?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8(entry.path_bytes().into_owned()).ok()?;
        let Some(name) = path::clean(&name).and_then(|name| name.split_once('/').map(|(_, inside)| inside.to_owned())) else { continue };
        let is_read = matches!(name.as_str(), "Chart.yaml" | "requirements.yaml" | "values.yaml")
            || name.starts_with("templates/")
            || name.starts_with("charts/");
        if is_read {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).ok()?;
            files.insert(name, text);
        }
    }
    *left = left.saturating_sub(files.values().map(Vec::len).sum());
    Some(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source::from_text("Chart.yaml", text.to_owned()).unwrap())
    }

    #[test]
    fn names_of_templates_say_which_charts_they_are_of() {
        assert_eq!(parts("web/templates/pod.yaml"), (vec![], "templates/pod.yaml"));
        assert_eq!(parts("web/charts/db/templates/charts/a/pod.yaml"), (vec!["db"], "templates/charts/a/pod.yaml"));
        assert_eq!(parts("web/charts/db/charts/log/templates/pod.yaml"), (vec!["db", "log"], "templates/pod.yaml"));
    }

    #[test]
    fn what_a_chart_builds_on_has_the_name_that_its_values_are_under() {
        let text = "name: web\nversion: 1.0.0\ndependencies:\n  - {name: db, version: ^1, alias: main}\n  - {name: db, version: ^2, alias: log}\n  - {name: cache, version: '*'}\n";
        let mut web = described(&source(text), None);
        let child = |name: &str, version: &str| Chart { name: name.to_owned(), version: version.to_owned(), ..Chart::default() };
        web.children = vec![child("db", "1.2.0"), child("db", "2.0.0"), child("cache", "1.0.0"), child("loose", "1.0.0")];
        let version = |called: &str| web.child(called).map(|child| child.version.as_str());
        assert_eq!(
            (version("main"), version("log"), version("cache"), version("loose")),
            (Some("1.2.0"), Some("2.0.0"), Some("1.0.0"), Some("1.0.0"))
        );
        assert_eq!((version("db"), web.has("main"), web.has("other")), (None, true, false));
        // Helm takes either of them.
        web.children.push(child("cache", "1.1.0"));
        assert!(web.child("cache").is_none());
    }

    #[test]
    fn imports_say_where_values_come_from_and_go_to() {
        let text = "name: web\ndependencies:\n  - name: db\n    alias: main\n    import-values: [ports, {child: a.b, parent: c}, {child: d, parent: .}, {child: e}]\n";
        let keys = |path: &str| path.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let of = |from: &str, to: &str| Import { from: keys(from), to: keys(to) };
        let web = described(&source(text), None);
        assert_eq!(web.imports().collect::<Vec<_>>(), [&of("main.exports.ports", ""), &of("main.a.b", "c"), &of("main.d", "")]);
    }

    #[test]
    fn an_archive_is_read_up_to_a_limit() {
        let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let long = format!("db/templates/{}.yaml", "a".repeat(200));
        for (name, text) in [("db/Chart.yaml", "name: db"), ("db/values.yaml", "a: 1"), (&long, "kind: Pod"), ("db/README.md", "x")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        let bytes = archive.into_inner().unwrap().finish().unwrap();
        let mut left = 1 << 20;
        let files = unpacked(&bytes, &mut left).unwrap();
        assert_eq!(files.keys().map(String::len).collect::<Vec<_>>(), ["Chart.yaml".len(), long.len() - 3, "values.yaml".len()]);
        assert_eq!(left, (1 << 20) - "name: dba: 1kind: Pod".len());
        assert!(unpacked(&bytes, &mut 600).is_none());
        assert!(unpacked(b"no archive", &mut left).is_none());
    }
}
