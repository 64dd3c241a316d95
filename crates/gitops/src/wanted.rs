//! Which Applications are rendered, where somebody asks for some of them only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::changed::Changed;
use crate::checkout::{Checkout, Entry, Lost};
use crate::discovery::makes_applications;
use crate::path;
use crate::reason::Stop;
use crate::renderer::{Render, Renderer, SourceRequest, TemplateRequest};
use crate::source::{Source, SourceType};

/// Which Applications are rendered. The others are, too, where further Applications may come of them.
#[derive(Clone, Copy, Default)]
pub enum Wanted<'a> {
    /// All.
    #[default]
    All,
    /// Those for whose namespace and name this is true.
    Named(&'a (dyn Fn(&str, &str) -> bool + Sync)),
    /// Those that a change touches; `everything` if it touches something that all depend on.
    Touched {
        /// The change.
        changed: &'a Changed,
        /// Whether all count as touched.
        everything: bool,
    },
}

impl std::fmt::Debug for Wanted<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Wanted::All => "All",
            Wanted::Named(_) => "Named",
            Wanted::Touched { .. } => "Touched",
        })
    }
}

/// Renders nothing: plain manifests are read all the same, and all that decides what a tool would be called with is looked at.
pub(crate) struct NotNow;

/// Why there is nothing.
const NOT_NOW: &str = "not rendered: it is not among the Applications that are asked for";

impl Renderer for NotNow {
    fn render(&self, _: &SourceRequest<'_>) -> Render {
        Render::Deferred(NOT_NOW.to_owned())
    }

    fn fill(&self, _: &TemplateRequest<'_>) -> Result<Vec<Result<String, String>>, String> {
        Err(NOT_NOW.to_owned())
    }
}

/// What is known of sources that may bring Applications: by checkout, folder and whether it is a chart.
#[derive(Default)]
pub(crate) struct Bringing(Mutex<HashMap<(usize, String, bool), bool>>);

impl Bringing {
    /// Whether Applications may come of a source that [`NotNow`] left out.
    pub(crate) fn may_bring(&self, source: &Source) -> bool {
        let is_left_out = matches!(&source.result, Err(Stop::Deferred(reason)) if reason.text.ends_with(NOT_NOW));
        let Some((checkout, folder)) = source.place.as_ref().filter(|_| is_left_out) else { return false };
        let is_chart = match source.kind {
            Some(SourceType::Helm) => true,
            Some(SourceType::Kustomize) => false,
            // Jsonnet may make anything of anything.
            _ => return true,
        };
        // Charts put objects together out of values, too.
        if source.values_bring {
            return true;
        }
        let key = (Arc::as_ptr(checkout).addr(), folder.clone(), is_chart);
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let found = if is_chart { chart(checkout, folder) } else { kustomization(checkout, folder) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found);
        found
    }
}

/// Whether a chart has Applications in its templates or values; an archive may have anything.
fn chart(checkout: &Checkout, folder: &str) -> bool {
    let is_archive = |file: &str| file.ends_with(".tgz") || file.ends_with(".tar.gz");
    if checkout.entry(folder) != Some(&Entry::Folder) {
        return true;
    }
    let mut files = checkout.below(folder).filter(|(_, entry)| **entry != Entry::Folder).map(|(file, _)| file);
    files.any(|file| is_archive(file) || holds(checkout, file))
}

fn kustomization(checkout: &Checkout, folder: &str) -> bool {
    let layout = checkout.layout();
    let named = layout.files(folder);
    // What generators and transformers name in turn lies beside them.
    let folders = layout.closure(folder);
    let beside = folders.iter().flat_map(|folder| checkout.below(folder)).filter(|(_, entry)| **entry != Entry::Folder);
    named.iter().map(String::as_str).chain(beside.map(|(file, _)| file)).any(|file| holds(checkout, file))
}

/// Whether the text of a file has an Application in it. What is there and cannot be read may have one.
fn holds(checkout: &Checkout, file: &str) -> bool {
    let is_text = ["yaml", "yml", "json", "tpl", "txt", ""].contains(&path::name(file).rsplit_once('.').map_or("", |(_, end)| end));
    is_text
        && match checkout.bytes(file) {
            Ok(bytes) => makes_applications(&String::from_utf8_lossy(&bytes)),
            Err(lost) => !matches!(lost, Lost::Missing | Lost::Outside | Lost::NotFile),
        }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;

    use super::*;
    use crate::limits::Limits;

    #[test]
    fn what_cannot_be_read_may_hold_applications() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        let mut application = b"# \xe9\napiVersion: argoproj.io/v1alpha1\nkind: Application\n".to_vec();
        write("latin.yaml", &application);
        write("map.yaml", b"kind: ConfigMap\n");
        write("picture.png", &application);
        application.extend([b'#'; 200]);
        write("large.yaml", &[b'#'; 200]);
        write("picture.jpg", &application);
        let checkout = Checkout::open(folder.path(), "", &Limits { file_bytes: 100, ..Limits::default() }).unwrap();
        let holds = |file: &str| super::holds(&checkout, file);
        assert!(holds("latin.yaml") && holds("large.yaml"));
        assert!(!holds("map.yaml") && !holds("picture.png") && !holds("picture.jpg") && !holds("gone.yaml"));
    }
}
