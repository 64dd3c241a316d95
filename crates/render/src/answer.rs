//! What becomes of a request.

use std::fmt;

use serde::Deserialize;

/// What became of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was rendered.
    Rendered(Rendered),
    /// It cannot be known here what it renders to; why. Something must be fetched first, or this build has no renderers.
    Deferred(String),
    /// It does not render anywhere, or not within the limits.
    Failed(Failed),
}

/// What a source renders to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The documents in the order of the renderer.
    pub documents: Vec<Document>,
}

impl Rendered {
    /// What the renderer's own command line prints.
    #[must_use]
    pub fn text(&self) -> String {
        self.documents.iter().map(|document| document.text.as_str()).collect()
    }
}

/// A part of what was rendered: one template's document, one resource. A template of custom resource definitions is one part, though
/// it may hold several YAML documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Part")]
pub struct Document {
    /// The text, with the `---` before it.
    pub text: String,
    /// The file that it was made from, relative to the root: a template, a manifest of a base, the kustomization with a generator, the
    /// archive of a chart. `None` where the renderer does not say.
    pub file: Option<String>,
    /// The template in the archive, if `file` is one.
    pub inside: Option<String>,
    /// What the renderer calls it: a template after the names of its charts (`web/charts/db/templates/pod.yaml`), a generator's kind.
    pub name: String,
    /// The files that changed it afterwards, relative to the root: kustomizations with patches, prefixes and so on.
    pub changed_by: Vec<String>,
    /// Whether Helm installs it as a hook.
    pub hook: bool,
}

/// Why a source does not render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Whose words these are, `helm` for example.
    pub renderer: &'static str,
    /// What is wrong. Paths in it are relative to the root.
    pub message: String,
    /// Whether a limit ended it: it might render elsewhere.
    pub limit: bool,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not render it: {}", self.renderer, self.message)
    }
}

/// The module's answer, as `renderers/answer.go` writes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    pub(crate) documents: Option<Vec<Document>>,
    #[serde(default)]
    pub(crate) texts: Option<Vec<crate::template::Text>>,
    pub(crate) error: Option<Failure>,
}

/// Why the module has no documents.
#[derive(Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The input is wrong.
    Failed,
    /// Something must be fetched.
    Deferred,
    /// The input asks for what is never done here.
    Refused,
    /// The renderer broke down.
    Panic,
}

#[derive(Deserialize)]
struct Part {
    text: String,
    #[serde(default)]
    origin: Origin,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Origin {
    path: String,
    inside: String,
    name: String,
    changed: Vec<String>,
    hook: bool,
}

impl From<Part> for Document {
    fn from(part: Part) -> Self {
        let Origin { path, inside, name, changed, hook } = part.origin;
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            text: part.text,
            file: some(crate::paths::relative(&path).to_owned()),
            inside: some(inside),
            name,
            changed_by: changed.iter().map(|path| crate::paths::relative(path).to_owned()).collect(),
            hook,
        }
    }
}
