//! What can be rendered. All paths are relative to the root, with `/` between names.

use crate::Kustomize;

/// Something to render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A Helm chart.
    Helm(Helm),
    /// A kustomization.
    Kustomize(Kustomize),
    /// A Jsonnet file.
    Jsonnet(Jsonnet),
}

impl Source {
    /// Whose words an error has.
    pub(crate) fn renderer(&self) -> &'static str {
        match self {
            Self::Helm(_) => "helm",
            Self::Kustomize(_) => "kustomize",
            Self::Jsonnet(_) => "jsonnet",
        }
    }
}

/// A chart and the flags of `helm template` for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helm {
    /// The chart's folder or archive.
    pub chart: String,
    /// The release's name; `release-name` by default, as Helm has it.
    pub release_name: String,
    /// The release's namespace; `default` by default.
    pub namespace: String,
    /// `--kube-version`; the one of the Helm in this build by default.
    pub kube_version: Option<String>,
    /// `--api-versions`, in addition to those that every cluster has.
    pub api_versions: Vec<String>,
    /// `--values`, the last one with the most force.
    pub values: Vec<Values>,
    /// `--set-json`.
    pub set_json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// `--set-file`: `key=path`, the path relative to `folder` unless it begins with `/`, which is the root.
    pub set_file: Vec<String>,
    /// `--set-literal`.
    pub set_literal: Vec<String>,
    /// Where relative paths in `set_file` start; the chart's folder if it is `None`.
    pub folder: Option<String>,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--skip-schema-validation`.
    pub skip_schema_validation: bool,
}

impl Default for Helm {
    fn default() -> Self {
        Self {
            chart: ".".into(),
            release_name: "release-name".into(),
            namespace: "default".into(),
            kube_version: None,
            api_versions: Vec::new(),
            values: Vec::new(),
            set_json: Vec::new(),
            set: Vec::new(),
            set_string: Vec::new(),
            set_file: Vec::new(),
            set_literal: Vec::new(),
            folder: None,
            include_crds: false,
            skip_tests: false,
            skip_schema_validation: false,
        }
    }
}

/// Values for a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// A file of the root. An address with a scheme makes the source deferred.
    File(String),
    /// Text from elsewhere, and what messages call it.
    Text {
        /// Its name.
        name: String,
        /// The YAML.
        text: String,
    },
}

/// A Jsonnet file, and what Argo CD gives to one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jsonnet {
    /// The file.
    pub file: String,
    /// External variables (`std.extVar`).
    pub ext_vars: Vec<Variable>,
    /// Arguments of a top-level function.
    pub tlas: Vec<Variable>,
    /// Folders in which imports are looked for, after the file's own.
    pub libs: Vec<String>,
}

/// A variable for Jsonnet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its text, or code.
    pub value: String,
    /// Whether the value is code.
    pub code: bool,
}
