//! The folder of a source, and the manifests that it comes to.

use std::env;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use fedward_gitops::{Settings, SourceType, plain, tool_of};
use fedward_host::{FileError, FileType};
use fedward_render::{Disk, Folder as _, Helm, Jsonnet, Kustomize, Limits, Outcome, Renderer, Source, Values};

use super::parameters::Parameters;
use crate::setup;

/// Bytes of one file, at most.
const MAX_FILE: usize = 32 << 20;
/// Bytes of all that is printed, at most.
const MAX_TEXT: usize = 128 << 20;
/// How many files and folders are looked at.
const MAX_ENTRIES: usize = 100_000;
/// How deep folders are looked into.
const MAX_DEPTH: usize = 64;

/// The name of a sort of folder.
pub(super) fn name(kind: SourceType) -> &'static str {
    match kind {
        SourceType::Helm => "helm",
        SourceType::Kustomize => "kustomize",
        SourceType::Directory | SourceType::Plugin => "directory",
    }
}

/// Manifests as one text, and where its parts come from.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) text: String,
    /// Where each part ends, the file that it comes from, where the file's own text starts, and whether the text is the file's own.
    parts: Vec<(usize, Place)>,
}

/// Where a part comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, relative to the repository.
    pub(super) file: String,
    /// Where its text starts among the manifests.
    pub(super) start: usize,
    /// Whether that is the text of the file, and not what was rendered of it.
    pub(super) is_source: bool,
}

impl Manifests {
    /// Where the byte comes from.
    pub(super) fn place(&self, offset: usize) -> Option<Place> {
        let index = self.parts.partition_point(|(end, _)| *end <= offset);
        self.parts.get(index).or(self.parts.last()).map(|(_, place)| place.clone())
    }

    fn push(&mut self, text: &str, file: String, is_source: bool) {
        let start = self.text.len();
        self.text.push_str(text);
        self.parts.push((self.text.len(), Place { file, start, is_source }));
    }

    /// A file that is to be one of several in a stream: its bytes, with a line that parts it from the one before.
    fn push_file(&mut self, text: &str, file: String, is_source: bool) {
        if text.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        if !text.starts_with("---") {
            self.text.push_str("---\n");
        }
        self.push(text, file, is_source);
    }
}

/// The folder that Argo CD runs a plugin in.
pub(super) struct Folder {
    working: PathBuf,
}

impl Folder {
    /// The working directory.
    pub(super) fn working() -> Result<Self> {
        let working = env::current_dir().and_then(|folder| folder.canonicalize()).context("the working directory cannot be found")?;
        Ok(Folder { working })
    }

    /// What it is; `None` if there is nothing to render.
    pub(super) fn kind(&self) -> Result<Option<SourceType>> {
        let disk = Disk::open(&self.working).map_err(|error| setup::unreadable(&self.working, &error))?;
        Ok(match tool(&disk, "").map_err(anyhow::Error::msg)? {
            SourceType::Directory if files(&disk, "", false).map_err(anyhow::Error::msg)?.is_empty() => None,
            kind => Some(kind),
        })
    }

    /// Renders it; or the reason why it cannot be.
    pub(super) fn render(&self, parameters: &Parameters) -> Result<Result<Manifests, String>> {
        let (root, inside) = self.root(parameters.source_path());
        let open = || Disk::open(&root).map_err(|error| setup::unreadable(&root, &error));
        let disk = open()?;
        let renderer = Renderer::new(Arc::new(open()?), Limits::default());
        let mut manifests = Manifests::default();
        let kind = match tool(&disk, &inside) {
            Ok(kind) => kind,
            Err(reason) => return Ok(Err(reason)),
        };
        let source = match kind {
            SourceType::Helm => Source::Helm(helm(&inside, parameters)?),
            SourceType::Kustomize => Source::Kustomize(Kustomize { folder: inside, ..Kustomize::default() }),
            SourceType::Directory | SourceType::Plugin => {
                let done = directory(&disk, &renderer, &inside, parameters.recurse()?, &mut manifests);
                return Ok(done.map(|()| manifests));
            }
        };
        Ok(rendered(&renderer, &source, &mut manifests).map(|()| manifests))
    }

    /// The repository, and the folder in it: the working directory is that of the source, so what stands before the source's path is the
    /// repository. If it is not, nothing around the folder is read.
    fn root(&self, source_path: &str) -> (PathBuf, String) {
        let path = Path::new(source_path);
        let names: Vec<_> = path.components().filter(|part| *part != Component::CurDir).collect();
        let is_plain = names.iter().all(|part| matches!(part, Component::Normal(_)));
        let inside: PathBuf = names.into_iter().collect();
        if !is_plain || !self.working.ends_with(&inside) {
            return (self.working.clone(), String::new());
        }
        let root = self.working.ancestors().nth(inside.components().count()).unwrap_or(&self.working);
        (root.to_owned(), inside.to_string_lossy().replace('\\', "/"))
    }
}

fn helm(chart: &str, parameters: &Parameters) -> Result<Helm> {
    let mut values = Vec::new();
    for file in parameters.values_files() {
        values.push(Values::File(if file.contains("://") { file } else { values_file(chart, &file)? }));
    }
    let default = Helm::default();
    Ok(Helm {
        chart: chart.to_owned(),
        release_name: parameters.release_name().unwrap_or(default.release_name),
        namespace: Some(parameters.namespace()).filter(|name| !name.is_empty()).map_or(default.namespace, str::to_owned),
        kube_version: parameters.kube_version(),
        api_versions: parameters.api_versions(),
        values,
        set: parameters.set(),
        // As Argo CD does it.
        include_crds: true,
        ..Helm::default()
    })
}

/// A values file as renderers name it: relative to the chart, or to the repository after a `/`.
fn values_file(chart: &str, file: &str) -> Result<String> {
    let (start, path) = match file.strip_prefix('/') {
        Some(path) => ("", path),
        None => (chart, file),
    };
    let mut names: Vec<&str> = start.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                if names.pop().is_none() {
                    bail!("the values file `{}` is outside of the repository", fedward_report::printable(file));
                }
            }
            name => names.push(name),
        }
    }
    if names.is_empty() {
        bail!("a values file without a name");
    }
    Ok(names.join("/"))
}

fn rendered(renderer: &Renderer, source: &Source, manifests: &mut Manifests) -> Result<(), String> {
    let documents = match renderer.render(source) {
        Outcome::Rendered(rendered) => rendered.documents,
        Outcome::Deferred(reason) => return Err(reason),
        Outcome::Failed(failed) => return Err(failed.to_string()),
    };
    for document in documents {
        let file = match (document.file, document.inside) {
            (Some(file), Some(inside)) => format!("{file}:{inside}"),
            (Some(file), None) => file,
            (None, _) => document.name,
        };
        manifests.push(&document.text, file, false);
    }
    Ok(())
}

/// What Argo CD takes a folder for, by the files that are directly in it.
fn tool(disk: &Disk, folder: &str) -> Result<SourceType, String> {
    let entries = disk.list(folder).map_err(|error| unreadable(shown(folder), error))?;
    let mut names: Vec<&str> = entries.iter().filter(|(_, kind)| *kind != FileType::Folder).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    Ok(tool_of(names.into_iter(), |_| true))
}

fn directory(disk: &Disk, renderer: &Renderer, folder: &str, recurse: bool, manifests: &mut Manifests) -> Result<(), String> {
    let most = Settings::default().combined_bytes;
    let mut counted: u64 = 0;
    for file in files(disk, folder, recurse)? {
        let bytes = disk.read(&file, MAX_FILE).map_err(|error| unreadable(&file, error))?;
        if plain::is_skipped(&bytes) {
            continue;
        }
        if plain::is_counted(&file) {
            counted = counted.saturating_add(bytes.len() as u64);
            if counted > most {
                return Err(format!("its manifests have more than {most} bytes together"));
            }
        }
        let text = String::from_utf8(bytes).map_err(|_| format!("`{file}` is no UTF-8"))?;
        if file.ends_with(".jsonnet") {
            let mut of_file = Manifests::default();
            let source = Source::Jsonnet(Jsonnet { file: file.clone(), libs: plain::libraries(folder), ..Jsonnet::default() });
            rendered(renderer, &source, &mut of_file).map_err(|reason| format!("`{file}`: {reason}"))?;
            manifests.push_file(&of_file.text, file, false);
        } else if file.ends_with(".json") || !plain::is_passed_over(&file, &text) {
            // A mark at the beginning of a file is none of a text in the middle of a stream.
            manifests.push_file(text.strip_prefix('\u{feff}').unwrap_or(&text), file, true);
        }
        if manifests.text.len() > MAX_TEXT {
            return Err(format!("what the folder comes to is larger than {} MiB", MAX_TEXT >> 20));
        }
    }
    Ok(())
}

/// The manifests of a folder, in the order of Argo CD: a file or folder after the other, by name. Links to folders are not followed.
fn files(disk: &Disk, folder: &str, recurse: bool) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut left = MAX_ENTRIES;
    walk(disk, folder, recurse, 0, &mut left, &mut found)?;
    Ok(found)
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

fn walk(disk: &Disk, folder: &str, recurse: bool, depth: usize, left: &mut usize, found: &mut Vec<String>) -> Result<(), String> {
    let shown = shown(folder);
    if depth > MAX_DEPTH {
        return Err(format!("`{shown}` is more than {MAX_DEPTH} folders deep"));
    }
    for (name, kind) in disk.list(folder).map_err(|error| unreadable(shown, error))? {
        *left = left.checked_sub(1).ok_or_else(|| format!("more than {MAX_ENTRIES} files"))?;
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let is_manifest = plain::is_manifest(&name);
        match kind {
            FileType::Folder if recurse => walk(disk, &path, recurse, depth + 1, left, found)?,
            FileType::File if is_manifest => found.push(path),
            // A link to a file counts, one out of the repository is an error, as it is to Argo CD.
            FileType::Link if is_manifest => {
                let stat = disk.stat(&path).map_err(|error| unreadable(&path, error))?;
                if stat.file_type == FileType::File {
                    found.push(path);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn unreadable(path: &str, error: FileError) -> String {
    let why = match error {
        FileError::Missing => "no such file or folder",
        FileError::NotFolder => "it is no folder",
        FileError::IsFolder => "it is a folder",
        FileError::Outside => "it leads out of the repository",
        FileError::Loop => "links lead in a circle",
        FileError::TooLarge => "it is larger than 32 MiB",
        FileError::Unreadable => "it is no file that can be read",
    };
    format!("cannot read `{path}`: {why}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_repository_is_what_stands_before_the_source() {
        let folder = Folder { working: PathBuf::from("/tmp/x/apps/web") };
        let root = |path: &str| {
            let (root, inside) = folder.root(path);
            (root.to_string_lossy().into_owned(), inside)
        };
        assert_eq!(root("apps/web"), ("/tmp/x".into(), "apps/web".into()));
        assert_eq!(root("./web/"), ("/tmp/x/apps".into(), "web".into()));
        for path in ["", ".", "other", "../web", "/apps/web", "apps/../web"] {
            assert_eq!(root(path), ("/tmp/x/apps/web".into(), String::new()), "{path}");
        }
    }

    #[test]
    fn values_files_stay_in_the_repository() {
        assert_eq!(values_file("charts/web", "../../env/prod.yaml").unwrap(), "env/prod.yaml");
        assert_eq!(values_file("charts/web", "/env/./prod.yaml").unwrap(), "env/prod.yaml");
        assert_eq!(values_file("", "a.yaml").unwrap(), "a.yaml");
        assert!(values_file("charts/web", "../../../a.yaml").is_err());
        assert!(values_file("", "/").is_err());
    }

    #[test]
    fn parts_know_their_files() {
        let mut manifests = Manifests::default();
        manifests.push_file("a: 1", "a.yaml".into(), true);
        manifests.push_file(" \n", "empty.yaml".into(), true);
        manifests.push_file("---\nb: 1\n", "b.yaml".into(), true);
        assert_eq!(manifests.text, "---\na: 1\n---\nb: 1\n");
        let place = |offset| manifests.place(offset).map(|place| (place.file, place.start)).unwrap();
        assert_eq!(place(4), ("a.yaml".into(), 4));
        assert_eq!((place(9), place(17)), (("b.yaml".into(), 9), ("b.yaml".into(), 9)));
        assert_eq!(place(500).0, "b.yaml");
    }
}
