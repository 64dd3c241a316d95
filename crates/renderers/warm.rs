//! What the module does before its snapshot: one render of each sort, out of files that are ours, so that whatever its libraries make once
//! (Kubernetes' API, tables of functions, types as JSON) is made when `fedward` is built.

use std::collections::BTreeMap;

use fedward_host::{FileError, FileType, Folder, Stat};

/// What is asked for, an operation and its payload each.
pub(crate) const CALLS: [(&str, &str); 6] = [
    ("prepare", ""),
    (
        "render",
        r#"{"helm": {"chart": "/@root/chart", "releaseName": "warm", "namespace": "green", "folder": "/@root/chart", "includeCrds": true,
            "set": ["replicas=3"], "values": [{"file": "inline", "text": "labels: {tier: web}"}]}}"#,
    ),
    (
        "render",
        r#"{"kustomize": {"folder": "/@root/overlay", "edits": [{"command": ["set", "image", "registry.example/web:3"]},
            {"patches": [{"target": {"kind": "Service"}, "patch": "[{\"op\": \"add\", \"path\": \"/spec/type\", \"value\": \"ClusterIP\"}]"}]}]}}"#,
    ),
    ("render", r#"{"jsonnet": {"file": "/@root/main.jsonnet", "extVars": [{"name": "name", "value": "warm"}]}}"#),
    (
        "render",
        r#"{"template": {"texts": ["{{ .name | normalize | upper | quote }}"], "parameters": {"name": "warm"},
            "options": ["missingkey=error"], "maxBytes": 1000}}"#,
    ),
    ("settle", ""),
];

/// All of it as bytes, to name a snapshot by.
pub(crate) fn described() -> Vec<u8> {
    format!("{CALLS:?}{:?}", Files::new().0).into_bytes()
}

/// The files of `crates/renderers/warm`.
pub(crate) struct Files(BTreeMap<&'static str, &'static str>);

/// A file of that folder with its path there.
macro_rules! files {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("warm/", $path)))),*] };
}

impl Files {
    pub(crate) fn new() -> Self {
        Files(BTreeMap::from(files![
            "base/kustomization.yaml",
            "base/objects.yaml",
            "chart/Chart.yaml",
            "chart/charts/part/Chart.yaml",
            "chart/charts/part/templates/service.yaml",
            "chart/charts/part/values.yaml",
            "chart/crds/thing.yaml",
            "chart/settings.txt",
            "chart/templates/NOTES.txt",
            "chart/templates/_helpers.tpl",
            "chart/templates/deployment.yaml",
            "chart/templates/hook.yaml",
            "chart/values.schema.json",
            "chart/values.yaml",
            "main.jsonnet",
            "overlay/kustomization.yaml",
            "overlay/patch.yaml",
        ]))
    }

    /// The rest of the path of everything that lies in `folder`.
    fn inside(&self, folder: &str) -> impl Iterator<Item = &'static str> {
        let folder = plain(folder);
        self.0.keys().filter_map(move |path| if folder.is_empty() { Some(*path) } else { path.strip_prefix(&folder)?.strip_prefix('/') })
    }
}

/// A path without `.` and `..`.
fn plain(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

impl Folder for Files {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        match self.0.get(plain(path).as_str()) {
            Some(text) => Ok(Stat { file_type: FileType::File, size: text.len() as u64 }),
            None if self.inside(path).next().is_some() => Ok(Stat { file_type: FileType::Folder, size: 0 }),
            None => Err(FileError::Missing),
        }
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        self.stat(path)
    }

    fn read(&self, path: &str, _limit: usize) -> Result<Vec<u8>, FileError> {
        self.0.get(plain(path).as_str()).map(|text| text.as_bytes().to_vec()).ok_or(FileError::Missing)
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError> {
        let mut entries = BTreeMap::new();
        for inside in self.inside(path) {
            let (name, kind) = inside.split_once('/').map_or((inside, FileType::File), |(name, _)| (name, FileType::Folder));
            entries.insert(name.to_owned(), kind);
        }
        Ok(entries.into_iter().collect())
    }

    fn link(&self, _path: &str) -> Result<String, FileError> {
        Err(FileError::Missing)
    }
}
