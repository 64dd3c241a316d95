//! What this crate asks of a renderer: to build a chart or a kustomization, to evaluate Jsonnet, and to fill in Go templates. Everything
//! that Argo CD decides before it calls one of these tools is decided here.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::checkout::Checkout;
use crate::manifest::Manifest;
use crate::plugin::Plugin;

/// Builds what Argo CD has its tools build. It reads no file outside of the checkout's root, uses no network, and runs nothing but what a
/// person names for a plugin.
pub trait Renderer: Sync {
    /// Builds a source.
    fn render(&self, request: &SourceRequest<'_>) -> Render;

    /// Fills in Go templates: one answer for each text, in their order.
    ///
    /// # Errors
    /// There is nothing that could do so: why.
    fn fill(&self, request: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String>;
}

/// A source to build.
#[derive(Debug)]
pub struct SourceRequest<'a> {
    /// The repository that the source is in. Paths are relative to its root, with `/`.
    pub checkout: &'a Arc<Checkout>,
    /// The folder of the chart or kustomization; empty for the root.
    pub path: &'a str,
    /// The Application's name, for messages.
    pub application: &'a str,
    /// What builds it, and with what.
    pub tool: Tool<'a>,
}

/// What builds a source.
#[derive(Debug)]
pub enum Tool<'a> {
    /// As `helm template`.
    Helm(&'a Helm),
    /// As `kustomize edit` and `kustomize build`.
    Kustomize(&'a Kustomize),
    /// As `jsonnet`.
    Jsonnet(&'a Jsonnet),
    /// A config management plugin.
    Plugin(&'a Plugin),
}

/// What `helm template` is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Helm {
    /// The release's name.
    pub release: String,
    /// The namespace, if there is one.
    pub namespace: String,
    /// Values files, the last one strongest.
    pub values_files: Vec<ValuesFile>,
    /// Values of the Application itself, stronger than the files: YAML, or JSON of `valuesObject`.
    pub values: Option<String>,
    /// `--set` and `--set-string`, with the environment put in and Argo CD's escapes of commas: stronger than all values.
    pub parameters: Vec<Parameter>,
    /// `--set-file`.
    pub file_parameters: Vec<(String, ValuesFile)>,
    /// `--skip-crds`; CRDs are included otherwise.
    pub skip_crds: bool,
    /// `--skip-tests`
    pub skip_tests: bool,
    /// `--skip-schema-validation`
    pub skip_schema_validation: bool,
    /// `--kube-version`, where the source names one.
    pub kube_version: Option<String>,
    /// `--api-versions`, where the source names some.
    pub api_versions: Vec<String>,
}

/// A file of values, already read: it may be of another repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesFile {
    /// How outputs name it.
    pub name: String,
    /// What is in it.
    pub bytes: Arc<[u8]>,
}

/// A parameter of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its path in the values.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `--set-string` instead of `--set`.
    pub force_string: bool,
}

/// How Argo CD edits a kustomization before it builds it, in this order; the environment is already put in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kustomize {
    /// `edit set nameprefix`
    pub name_prefix: String,
    /// `edit set namesuffix`
    pub name_suffix: String,
    /// `edit set image`
    pub images: Vec<String>,
    /// `edit set replicas`
    pub replicas: Vec<(String, i64)>,
    /// `edit add label`
    pub labels: Vec<(String, String)>,
    /// `--force`: without it, a label that is there already is an error.
    pub force_labels: bool,
    /// `--without-selector`
    pub labels_without_selector: bool,
    /// `--include-templates`
    pub labels_include_templates: bool,
    /// `edit add annotation`
    pub annotations: Vec<(String, String)>,
    /// `--force`
    pub force_annotations: bool,
    /// `edit set namespace`
    pub namespace: String,
    /// Added to the end of `patches`.
    pub patches: Vec<Json>,
    /// `edit add component`
    pub components: Vec<String>,
    /// Options of `kustomize build` in Argo CD's own configuration.
    pub build_options: Vec<String>,
    /// For charts in the kustomization, where the source names one.
    pub kube_version: Option<String>,
    /// The same.
    pub api_versions: Vec<String>,
}

/// A file of Jsonnet in the folder of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jsonnet {
    /// The file, from the repository's root.
    pub file: String,
    /// Folders where imports are looked for, from the repository's root, after the file's own.
    pub libraries: Vec<String>,
    /// External variables.
    pub external: Vec<Variable>,
    /// Arguments of the function that the file is.
    pub arguments: Vec<Variable>,
}

/// A variable of Jsonnet, with the environment put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the value is an expression.
    pub code: bool,
}

/// What came of a source.
#[derive(Debug)]
pub enum Render {
    /// Objects, in the order of the tool's output. Lists need not be taken apart.
    Done(Vec<Manifest>),
    /// It cannot be built here: why.
    Deferred(String),
    /// The tool fails, in Argo CD, too: what it says.
    Failed(String),
}

/// Texts to fill in as ApplicationSets with `goTemplate: true` have them filled in: Go's `text/template` with sprig's generic functions but
/// `env`, `expandenv` and `getHostByName`, and `normalize`, `slugify`, `toYaml`, `fromYaml`, `fromYamlArray` and `tpl`.
#[derive(Debug)]
pub struct TemplateRequest<'a> {
    /// The templates, each to be parsed and run by itself.
    pub texts: &'a [&'a str],
    /// What they are run on. Every number in it is a Go `float64`.
    pub parameters: &'a Map<String, Json>,
    /// JSON Pointers to maps in the parameters that are a `map[string]string` in Go and not a `map[string]any`: functions that want the
    /// latter (`get`, `hasKey`, `dig`) fail on them.
    pub string_maps: &'a [String],
    /// Options of `text/template`, such as `missingkey=error`, in their order.
    pub options: &'a [String],
    /// Bytes of one answer at most.
    pub max_bytes: usize,
}

/// No renderer: what only needs files is rendered, the rest is deferred.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoRenderer;

#[cfg(test)]
impl Renderer for NoRenderer {
    fn render(&self, request: &SourceRequest<'_>) -> Render {
        let tool = match request.tool {
            Tool::Helm(_) => "Helm",
            Tool::Kustomize(_) => "Kustomize",
            Tool::Jsonnet(_) => "Jsonnet",
            Tool::Plugin(_) => "a plugin's source",
        };
        Render::Deferred(format!("{tool} is not built in here"))
    }

    fn fill(&self, _: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String> {
        Err("Go templates are not built in here".to_owned())
    }
}
