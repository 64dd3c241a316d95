//! What a deployment is and needs.

use fedward_manifest::{Limits, first_yaml};
use serde::Deserialize;

use crate::kind::{Kind, unquoted};
use crate::{EMBEDDED, Embedded, File};

/// A reference deployment.
#[derive(Debug)]
pub struct Deployment {
    /// Its name, which is that of its folder.
    pub name: &'static str,
    /// What it deploys, in a line.
    pub summary: String,
    /// What it needs to be told, in the order in which people are asked.
    pub parameters: Vec<Parameter>,
    /// Its manifests and their `fedward.yaml`, with samples in the place of values.
    pub files: &'static [File],
}

/// A value that a deployment needs to be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name on the command line.
    pub name: String,
    /// What it is, and where it is found.
    pub help: String,
    /// Which values are right.
    pub kind: Kind,
    /// The value that stands in the manifests.
    pub sample: String,
    /// Its value if none is given: a text in which `{name}` stands for the value of an earlier parameter, and `{name.part}` for a part of
    /// it (see [`Kind::part`]).
    pub default: Option<String>,
    /// An earlier parameter whose value must be another, beyond what the kind says.
    pub differs: Option<String>,
}

/// `parameters.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    summary: String,
    parameters: Vec<Parameter>,
}

/// Every deployment, by name.
///
/// # Errors
/// What is wrong with a `parameters.yaml`: a mistake of ours, which a test finds.
pub fn deployments() -> Result<Vec<Deployment>, String> {
    EMBEDDED.iter().map(read).collect()
}

fn read(embedded: &Embedded) -> Result<Deployment, String> {
    let Embedded { name, parameters, files } = embedded;
    let document =
        first_yaml((*parameters).to_owned(), &Limits::default()).ok_or_else(|| format!("{name}/parameters.yaml cannot be read"))?;
    let mut json = Vec::new();
    document.root().write_json(&mut json);
    let page: Page = serde_json::from_slice(&json).map_err(|error| format!("{name}/parameters.yaml: {error}"))?;
    Ok(Deployment { name, summary: page.summary, parameters: page.parameters, files })
}

/// How much of a wrong value is shown.
const SHOWN: usize = 80;

impl Parameter {
    /// What is expected of its values, with an example.
    pub fn expected(&self) -> String {
        format!("{}{}", self.kind.required(), self.such_as())
    }

    fn such_as(&self) -> String {
        self.kind.example(&self.sample).map_or_else(String::new, |sample| format!(", such as `{sample}`"))
    }

    /// Reads a value: as it is to stand in the manifests.
    ///
    /// # Errors
    /// Why it cannot stand there, in a sentence.
    pub fn read(&self, text: &str) -> Result<String, String> {
        if unquoted(text.trim()).trim().is_empty() {
            return Err(format!("`{}` is required: {}", self.name, self.expected()));
        }
        self.kind.read(text).map_err(|why| {
            if self.kind == Kind::Certificates {
                // Nobody reads base64, and what was meant to stay secret may stand in it.
                return format!("`{}` is wrong; {why}", self.name);
            }
            let shown: String = text.trim().chars().take(SHOWN).flat_map(char::escape_debug).collect();
            let more = if text.trim().chars().count() > SHOWN { "…" } else { "" };
            let such_as = if why.starts_with("expected") { self.such_as() } else { String::new() };
            format!("`{}`: `{shown}{more}` is wrong; {why}{such_as}", self.name)
        })
    }
}

impl Parameter {
    /// Whether its default is made of the value of another.
    pub(crate) fn comes_from(&self, other: &Parameter) -> bool {
        let Some(default) = &self.default else { return false };
        [format!("{{{}}}", other.name), format!("{{{}.", other.name)].iter().any(|reference| default.contains(reference))
    }
}

impl Deployment {
    /// The parameter of a name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}
