//! Which files of a folder Argo CD takes for plain manifests. Whoever stands in for it asks the same.

use std::sync::Arc;

use fedward_manifest::{Document, Node, Source, Span};
use memchr::memmem;

use crate::documents::{Parsed, Part};
use crate::limits::Limits;

/// A text that keeps a file from being rendered, wherever in it that stands.
const SKIP: &str = "+argocd:skip-file-rendering";

/// Whether a file counts, by its name.
#[must_use]
pub fn is_manifest(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| matches!(extension, "yaml" | "yml" | "json" | "jsonnet"))
}

/// Whether a file says that it does not count.
#[must_use]
pub fn is_skipped(content: &[u8]) -> bool {
    contains(content, SKIP)
}

/// Whether what is in a file counts towards what the manifests of a folder may have together. Jsonnet looks after itself.
#[must_use]
pub fn is_counted(file: &str) -> bool {
    !file.ends_with(".jsonnet")
}

/// Where the imports of a folder's Jsonnet files are looked for, before the folders that a source names.
#[must_use]
pub fn libraries(folder: &str) -> Vec<String> {
    vec![folder.to_owned()]
}

/// Whether a file of YAML holds nothing, or is taken for something else, as a file of values, and passed over without a word.
#[must_use]
pub fn is_passed_over(name: &str, text: &str) -> bool {
    let Ok(source) = Source::from_text(name, text.to_owned()) else { return false };
    let parsed = Parsed::new(Arc::new(source), &Limits::default().documents);
    let is_nothing = |part: &Part| part.document.as_ref().is_ok_and(|document| is_nothing(document));
    parsed.parts.iter().all(is_nothing) || matches!(Taken::of(&parsed), Taken::Other { .. })
}

/// What a file of YAML is taken for.
pub(super) enum Taken {
    /// Objects.
    Objects,
    /// Objects, and something that is none.
    Wrong(Span, String),
    /// Something else, whatever else is in it.
    Other {
        /// Why it holds no objects.
        reason: String,
        /// Whether it looks like some all the same.
        looks_like_manifest: bool,
    },
}

impl Taken {
    pub(super) fn of(parsed: &Parsed) -> Self {
        let mut any = false;
        for part in &parsed.parts {
            let wrong = match &part.document {
                Err(problem) => Some((problem.span, problem.message.clone())),
                Ok(document) if is_nothing(document) => continue,
                Ok(document) => object_problem(document),
            };
            let Some((span, reason)) = wrong else {
                any = true;
                continue;
            };
            let text = parsed.source.text();
            let is_meant = is_meant(text.as_bytes());
            if any || is_meant {
                return Taken::Wrong(span, reason);
            }
            let looks_like_manifest = ["apiVersion", "kind"].iter().all(|key| text.contains(key));
            return Taken::Other { reason, looks_like_manifest };
        }
        Taken::Objects
    }
}

/// Whether there is nothing in a document.
pub(crate) fn is_nothing(document: &Document) -> bool {
    document.is_empty() || document.root().is_null()
}

/// Whether a text is meant as a manifest, so that it is an error if it is none.
pub(super) fn is_meant(content: &[u8]) -> bool {
    ["apiVersion:", "kind:", "metadata:"].iter().all(|key| contains(content, key))
}

/// Why a document is no object as Kubernetes' decoder has it: it is a map, and has a kind.
pub(crate) fn object_problem(document: &Document) -> Option<(Span, String)> {
    let root = document.root();
    if !root.is_map() {
        return Some((root.span(), "not a map".to_owned()));
    }
    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
    kind.is_empty().then(|| (root.span(), "there is no `kind`".to_owned()))
}

fn contains(content: &[u8], text: &str) -> bool {
    memmem::find(content, text.as_bytes()).is_some()
}
