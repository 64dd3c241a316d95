//! What is given away: annotated modules with their READMEs and bills of materials, an OCI layout of them, packages for Artifact Hub, and
//! the checksums of all of it. The same sources give the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::annotate::annotate;
use crate::oci::{Layout, sha256};
use crate::origin::{Origin, RELEASE};
use crate::{hub, package, readme, sbom};

/// The checksums, in the form of `sha256sum`.
pub const SUMS: &str = "SHA256SUMS";
/// Folders that are written anew.
const OCI: &str = "oci";
const HUB: &str = "artifacthub";

/// A file, and what it is of, by its path.
type Files = BTreeMap<String, Vec<u8>>;

/// All files, by their paths. `module` gives the module of a policy, by its id.
///
/// # Errors
/// A build without modules; READMEs and metadata that nobody would take; a cargo that cannot say what a module is made of.
pub fn files(root: &Path, origin: &Origin, module: impl Fn(&str) -> Vec<u8>) -> Result<Files> {
    let (mut files, mut layout) = (Files::new(), Layout::default());
    let toolchain = toolchain(root)?;
    for package in &package::all(root)? {
        let id = package.id();
        let wasm = module(id);
        if wasm.is_empty() {
            bail!("this build has no modules (it was built with FEDWARD_MODULES=skip)");
        }
        let readme = readme::text(root, id)?;
        let metadata = package.metadata.clone().annotate(id, origin, &readme::usage(&readme, id)?);
        let wasm = annotate(&wasm, &metadata.to_section()?).with_context(|| format!("the module of `{id}`"))?;
        let digest = layout.add(&format!("{id}-v{}", RELEASE.0), &wasm, &metadata.annotations);
        let subject = sbom::Subject { id, module: &wasm, digest: &digest, toolchain: &toolchain };
        let bill = sbom::document(&subject, &sbom::graph(root, id)?, origin);
        files.insert(format!("{id}.spdx.json"), format!("{bill:#}\n").into_bytes());
        files.insert(format!("{id}.wasm"), wasm);
        files.insert(format!("{id}.md"), readme.clone().into_bytes());
        let folder = format!("{HUB}/{id}/{}", RELEASE.0);
        files.insert(format!("{folder}/{}", hub::PACKAGE), hub::text(package, origin)?.into_bytes());
        files.insert(format!("{folder}/README.md"), readme.into_bytes());
    }
    files.insert(format!("{HUB}/{}", hub::REPOSITORY), hub::repository(origin).into_bytes());
    files.extend(layout.finish().into_iter().map(|(path, content)| (format!("{OCI}/{path}"), content)));
    let sums = files.iter().map(|(path, content)| format!("{}  {path}\n", sha256(content))).collect::<String>();
    files.insert(SUMS.to_owned(), sums.into_bytes());
    Ok(files)
}

/// Writes files into a folder, in which a layout and packages from before are replaced.
///
/// # Errors
/// What cannot be written.
pub fn write(folder: &Path, files: &Files) -> Result<()> {
    for stale in [OCI, HUB] {
        let path = folder.join(stale);
        if path.is_dir() {
            fs::remove_dir_all(&path).with_context(|| format!("cannot delete `{}`", path.display()))?;
        }
    }
    for (path, content) in files {
        let path = folder.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// The version that `rust-toolchain.toml` names.
fn toolchain(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join("rust-toolchain.toml")).context("cannot read `rust-toolchain.toml`")?;
    let channel = text.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'));
    channel.map(str::to_owned).context("`rust-toolchain.toml` has no channel")
}
