//! Objects of Argo CD among the files of a checkout.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use crate::checkout::{Checkout, Entry};
use crate::layout::Belongs;
use crate::manifest::Manifest;
use crate::path;

/// What the files of a checkout hold.
#[derive(Default)]
pub(super) struct Found {
    /// Objects that are applied as they are, if at all.
    pub(super) plain: Vec<Manifest>,
    /// Objects that are resources of kustomizations, with their folders.
    pub(super) held: Vec<(Manifest, Vec<String>)>,
    /// Charts whose templates have Applications in them.
    pub(super) charts: BTreeSet<String>,
    /// Files that could not be read.
    pub(super) unread: Vec<(String, String)>,
}

/// What a kind of Argo CD is to discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Application,
    Set,
    Project,
    /// The Secret of a cluster.
    Cluster,
    /// A ConfigMap with settings.
    Settings,
}

/// What an object is to discovery, if anything.
pub(super) fn role(manifest: &Manifest) -> Option<Role> {
    match manifest.kind() {
        ("argoproj.io", "Application") => Some(Role::Application),
        ("argoproj.io", "ApplicationSet") => Some(Role::Set),
        ("argoproj.io", "AppProject") => Some(Role::Project),
        ("", "Secret") => crate::clusters::secret(manifest).map(|_| Role::Cluster),
        ("", "ConfigMap") => matches!(manifest.text("/metadata/name"), "argocd-cm" | "argocd-cmd-params-cm").then_some(Role::Settings),
        _ => None,
    }
}

/// Looks through the files of a checkout. Links are not followed: what they lead to is looked at where it is.
pub(super) fn find(checkout: &Arc<Checkout>, takes: &(dyn Fn(&str) -> bool + Sync)) -> Found {
    let is_text = |file: &str| file.rsplit_once('.').is_some_and(|(_, extension)| matches!(extension, "yaml" | "yml" | "json"));
    let files: Vec<&str> =
        checkout.entries().filter(|(file, entry)| **entry == Entry::File && is_text(file) && takes(file)).map(|(file, _)| file).collect();
    let looked: Vec<Found> = files.par_iter().map(|file| look(checkout, file)).collect();
    let mut all = Found::default();
    for found in looked {
        all.plain.extend(found.plain);
        all.held.extend(found.held);
        all.charts.extend(found.charts);
        all.unread.extend(found.unread);
    }
    all
}

fn look(checkout: &Arc<Checkout>, file: &str) -> Found {
    let mut found = Found::default();
    let belongs = checkout.layout().of_file(file);
    if belongs == Belongs::Part {
        return found;
    }
    let bytes = match checkout.bytes(file) {
        Ok(bytes) => bytes,
        Err(lost) => {
            found.unread.push((checkout.shown(file), lost.to_string()));
            return found;
        }
    };
    let Ok(text) = std::str::from_utf8(&bytes) else { return found };
    if let Belongs::Template(chart) = &belongs {
        if makes_applications(text) && path::below(format!("{chart}/crds").trim_start_matches('/'), file).is_none() {
            found.charts.insert(checkout.layout().top_chart(chart).to_owned());
        }
        return found;
    }
    // Most files have none of these words, and are not parsed.
    if !["argoproj.io/", "argocd-cm"].iter().any(|word| text.contains(word)) {
        return found;
    }
    let parsed = match checkout.parse(file.to_owned(), bytes) {
        Ok(parsed) => parsed,
        Err(lost) => {
            found.unread.push((checkout.shown(file), lost.to_string()));
            return found;
        }
    };
    for part in &parsed.parts {
        match &part.document {
            Ok(document) => {
                let manifests = Manifest::all(document).filter(|manifest| role(manifest).is_some());
                match &belongs {
                    Belongs::Resources(holders) => found.held.extend(manifests.map(|manifest| (manifest, holders.clone()))),
                    _ => found.plain.extend(manifests),
                }
            }
            Err(problem) => {
                let line = parsed.source.position(problem.span.start).line;
                found.unread.push((checkout.shown(file), format!("line {line}: {}", problem.message)));
            }
        }
    }
    found
}

/// Whether a template has the kind of an Application or ApplicationSet in it.
pub(crate) fn makes_applications(text: &str) -> bool {
    text.contains("argoproj.io/")
        && text.lines().any(|line| {
            let line = line.trim_start_matches([' ', '-']);
            line.strip_prefix("kind:").is_some_and(|kind| {
                let kind = kind.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
                matches!(kind, "Application" | "ApplicationSet")
            })
        })
}
