//! Go templates, as ApplicationSets have them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Templates that run on the same parameters, with the functions that Argo CD gives to ApplicationSets.
#[derive(Debug, Clone)]
pub struct Templates<'t> {
    /// The templates, each by itself.
    pub texts: &'t [&'t str],
    /// What they are run on.
    pub parameters: &'t Map<String, Value>,
    /// JSON Pointers to maps in the parameters that are a `map[string]string` in Go.
    pub string_maps: &'t [String],
    /// Options of `text/template`.
    pub options: &'t [String],
    /// Bytes of one answer at most.
    pub max_bytes: usize,
}

/// What one template comes to, or what is wrong with it.
pub type Filled = Result<String, String>;

impl Templates<'_> {
    /// As the module reads it (`renderers/template.go`).
    pub(crate) fn request(&self) -> Value {
        json!({ "template": {
            "texts": self.texts,
            "parameters": self.parameters,
            "stringMaps": self.string_maps,
            "options": self.options,
            "maxBytes": self.max_bytes,
        } })
    }
}

/// One answer, as the module writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Text {
    text: String,
    error: String,
}

impl From<Text> for Filled {
    fn from(text: Text) -> Self {
        if text.error.is_empty() { Ok(text.text) } else { Err(text.error) }
    }
}
