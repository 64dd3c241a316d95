//! What is made from the policies: rule pages, settings schemas, tables, manifests for a cluster, annotated modules.
//!
//! `cargo xtask gen` and `cargo xtask dist` run this crate's binary; it is apart from xtask because it links the policies.

pub mod annotate;
pub mod catalogue;
pub mod deploy;
pub mod files;
pub mod manifest;
pub mod metadata;
pub mod pages;
pub mod readme;
pub mod settings;
pub mod suite;
pub mod workloads;

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
/// A rule without a source file; a policy without a README, or with one that lacks a place for what is generated.
pub fn generated(root: &Path) -> Result<Vec<Generated>> {
    let rules = catalogue::rules(root)?;
    let mut files = pages::generate(&rules);
    files.extend(settings::generate());
    files.push(workloads::generate());
    files.extend(readme::generate(root)?);
    files.push(suite::generate()?);
    files.extend(deploy::generate()?);
    Ok(files)
}
