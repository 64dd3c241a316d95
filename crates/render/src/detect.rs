//! What a path is that somebody wants rendered.

use fedward_host::{FileType, Folder};

/// What would render a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder with a `Chart.yaml`, or a chart's archive.
    Helm,
    /// A folder with a kustomization.
    Kustomize,
    /// A Jsonnet file.
    Jsonnet,
}

/// What Kustomize calls its file.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What would render `path` of `folder`; `None` if nothing would. A folder that is both is a kustomization, as Argo CD takes it.
#[must_use]
pub fn detect(folder: &dyn Folder, path: &str) -> Option<Kind> {
    let is_file = |name: &str| folder.stat(name).is_ok_and(|stat| stat.file_type == FileType::File);
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    if KUSTOMIZATIONS.iter().any(|name| is_file(&inside(name))) {
        return Some(Kind::Kustomize);
    }
    if is_file(&inside("Chart.yaml")) || ((path.ends_with(".tgz") || path.ends_with(".tar.gz")) && is_file(path)) {
        return Some(Kind::Helm);
    }
    (path.ends_with(".jsonnet") && is_file(path)).then_some(Kind::Jsonnet)
}
