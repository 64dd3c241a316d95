//! What is made from the policies: rule pages, settings schemas, tables, manifests for a cluster, annotated modules.
//!
//! `cargo xtask gen` and `cargo xtask dist` run this crate's binary; it is apart from xtask because it links the policies.

pub mod annotate;
pub mod annotations;
pub mod catalogue;
pub mod chart;
pub mod deploy;
pub mod dist;
pub mod files;
pub mod hub;
pub mod kinds;
pub mod manifest;
pub mod metadata;
pub mod oci;
pub mod origin;
pub mod package;
pub mod pages;
pub mod questions;
pub mod readme;
pub mod reproduce;
pub mod sbom;
pub mod settings;
pub mod suite;
pub mod workloads;
pub mod yaml;

use std::path::{Path, PathBuf};

use anyhow::Result;

use files::Generated;

/// The repository's root, from which all paths of this crate are relative.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every generated file of the repository.
///
/// # Errors
/// A rule without a source file; a policy without a README, or with one that lacks a place for what is generated; metadata that nobody
/// would take.
pub fn generated(root: &Path) -> Result<Vec<Generated>> {
    let rules = catalogue::rules(root)?;
    let mut files = pages::generate(&rules);
    files.extend(settings::generate());
    files.push(workloads::generate());
    let packages = package::all(root)?;
    files.extend(packages.iter().map(|package| package.file.clone()));
    files.extend(readme::generate(root, &packages)?);
    files.extend(questions::generate(&packages));
    files.extend(hub::generate(&packages)?);
    files.extend(deploy::generate(&packages));
    files.extend(chart::generate(&packages)?);
    Ok(files)
}
