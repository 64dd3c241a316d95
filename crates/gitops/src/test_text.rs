//! Texts for tests.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use fedward_manifest::{Document, Limits, Source};

use crate::documents::Parsed;
use crate::value::Value;

/// The first document of a text, and what is in it.
pub(crate) fn value(text: &str) -> (Arc<Document>, Value) {
    let source = Arc::new(Source::from_text("test.yaml", text.to_owned()).unwrap());
    let parsed = Parsed::new(source, &Limits::default());
    let document = Arc::clone(parsed.documents().next().unwrap());
    let value = Value::read(&document, document.root());
    (document, value)
}

/// The documents of a text.
pub(crate) fn documents(text: &str) -> Vec<Arc<Document>> {
    let source = Arc::new(Source::from_text("test.yaml", text.to_owned()).unwrap());
    Parsed::new(source, &Limits::default()).documents().cloned().collect()
}
