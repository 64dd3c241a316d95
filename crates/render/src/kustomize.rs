//! A kustomization, and what Argo CD changes in one before it builds it.
//!
//! Argo CD edits the file in its checkout (`util/kustomize/kustomize.go`). Here the same commands run, `kustomize edit`'s own, on a copy
//! in memory.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A kustomization, and changes to it: the fields of `spec.source.kustomize`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kustomize {
    /// The folder of the kustomization.
    pub folder: String,
    /// `namePrefix`; empty for none.
    pub name_prefix: String,
    /// `nameSuffix`; empty for none.
    pub name_suffix: String,
    /// `images`, as `kustomize edit set image` reads them.
    pub images: Vec<String>,
    /// `replicas`: a workload's name, and how many.
    pub replicas: Vec<(String, u64)>,
    /// `commonLabels`.
    pub common_labels: Vec<(String, String)>,
    /// `forceCommonLabels`: labels that are there already are replaced; without it they are an error.
    pub force_common_labels: bool,
    /// `labelWithoutSelector`.
    pub label_without_selector: bool,
    /// `labelIncludeTemplates`.
    pub label_include_templates: bool,
    /// `commonAnnotations`.
    pub common_annotations: Vec<(String, String)>,
    /// `forceCommonAnnotations`.
    pub force_common_annotations: bool,
    /// `namespace`; empty for none.
    pub namespace: String,
    /// `patches`.
    pub patches: Vec<Patch>,
    /// `components`, relative to the folder.
    pub components: Vec<String>,
    /// Whether files outside of a kustomization's folder may be loaded (`--load-restrictor=LoadRestrictionsNone`).
    pub load_restrictions_none: bool,
}

/// A patch, and what it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// A file with the patch, relative to the folder; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The patch itself; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub patch: String,
    /// `target` as a kustomization has it, for example its `kind` and `name`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub target: Map<String, Value>,
    /// `options`, such as `allowNameChange`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
}

impl Kustomize {
    /// The steps in the order of Argo CD.
    pub(crate) fn edits(&self) -> Vec<Value> {
        let mut edits = Vec::new();
        let mut command = |words: &[&str], arguments: Vec<String>| {
            if !arguments.is_empty() {
                let words = words.iter().filter(|word| !word.is_empty()).map(|word| (*word).to_owned());
                edits.push(json!({ "command": words.chain(arguments).collect::<Vec<_>>() }));
            }
        };
        let one = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>();
        let flag = |set: bool, name: &'static str| if set { name } else { "" };
        command(&["set", "nameprefix", "--"], one(&self.name_prefix));
        command(&["set", "namesuffix", "--"], one(&self.name_suffix));
        command(&["set", "image"], self.images.clone());
        command(&["set", "replicas"], self.replicas.iter().map(|(name, count)| format!("{name}={count}")).collect());
        let label = [
            "add",
            "label",
            flag(self.force_common_labels, "--force"),
            flag(self.label_without_selector, "--without-selector"),
            flag(self.label_include_templates, "--include-templates"),
        ];
        command(&label, pairs(&self.common_labels));
        command(&["add", "annotation", flag(self.force_common_annotations, "--force")], pairs(&self.common_annotations));
        command(&["set", "namespace", "--"], one(&self.namespace));
        let components = self.components.clone();
        if !self.patches.is_empty() {
            edits.push(json!({ "patches": self.patches }));
        }
        if !components.is_empty() {
            let words = ["add".to_owned(), "component".to_owned()];
            edits.push(json!({ "command": words.into_iter().chain(components).collect::<Vec<_>>() }));
        }
        edits
    }
}
