//! Which files sources are made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::checkout::{Checkout, Entry};
use crate::discovery::Discovery;
use crate::source::SourceType;

/// The files, as outputs name them, that what was rendered was made of: those of charts, with all that is in their folders, and those of
/// kustomizations with what they build on. Plain manifests are not among them, since they are what is deployed.
#[must_use]
pub fn used_files(discovery: &Discovery) -> BTreeSet<String> {
    used(discovery, false)
}

/// The same of Applications that are left out, rendered or not.
#[must_use]
pub fn left_out_files(discovery: &Discovery) -> BTreeSet<String> {
    used(discovery, true)
}

fn used(discovery: &Discovery, is_left_out: bool) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut used = BTreeSet::new();
    let applications = discovery.applications.iter().filter(|application| application.is_left_out == is_left_out);
    for source in applications.flat_map(|application| &application.sources).filter(|source| is_left_out || source.result.is_ok()) {
        let (Some((checkout, folder)), Some(kind)) = (&source.place, source.kind) else { continue };
        let id = Arc::as_ptr(checkout).addr();
        if !matches!(kind, SourceType::Helm | SourceType::Kustomize) || !seen.insert((id, folder.clone(), kind == SourceType::Helm)) {
            continue;
        }
        if kind == SourceType::Helm {
            used.extend(of_chart(checkout, folder));
        } else {
            used.extend(of_kustomization(checkout, folder));
        }
    }
    used
}

/// The files, as outputs name them, that a chart or a kustomization in a folder is made of.
#[must_use]
pub fn files_of(checkout: &Checkout, folder: &str, is_chart: bool) -> BTreeSet<String> {
    if is_chart { of_chart(checkout, folder) } else { of_kustomization(checkout, folder) }.into_iter().collect()
}

/// The files of a kustomization, with those that it builds on.
fn of_kustomization(checkout: &Checkout, folder: &str) -> Vec<String> {
    checkout.layout().files(folder).iter().map(|file| checkout.shown(file)).collect()
}

/// The files of a chart.
fn of_chart(checkout: &Checkout, folder: &str) -> Vec<String> {
    checkout.below(folder).filter(|(_, entry)| **entry == Entry::File).map(|(file, _)| checkout.shown(file)).collect()
}
