//! Whether somebody else gets the same bytes: everything is built once more from a copy of the sources, under other paths.

#[path = "../../modules/nested.rs"]
mod nested;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::dist;
use crate::origin::Origin;
use nested::{CEL, Nested, POLICIES, SUITE, cargo_home};

/// What the modules are made of: the members of the workspace, without which cargo does not begin, and what pins everything.
const SOURCES: [&str; 9] = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "LICENSE", "cli", "crates", "policies", "tests", "xtask"];

/// Builds the modules elsewhere, and compares them and everything that is made of them with those of this program.
///
/// # Errors
/// What does not build, and the files that differ.
pub fn reproduce(root: &Path) -> Result<()> {
    let elsewhere = Elsewhere::new()?;
    let copy = elsewhere.0.join("another checkout");
    fs::create_dir_all(&copy).with_context(|| format!("cannot make `{}`", copy.display()))?;
    for name in SOURCES {
        copy_all(&root.join(name), &copy.join(name))?;
    }
    let nested = Nested {
        root: copy.clone(),
        target_dir: elsewhere.0.join("objects"),
        cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        rustc: "rustc".into(),
        cargo_home: elsewhere.cargo_home()?,
    };
    nested.install_target().map_err(|error| anyhow!("{error}"))?;
    let mut again = BTreeMap::new();
    let mut differ = Vec::new();
    for id in POLICIES.into_iter().chain([SUITE, CEL]) {
        let module = nested.build(id).map_err(|error| anyhow!("{error}"))?;
        let embedded = fedward_modules::module(id).map_or(fedward_modules::CEL.wasm, |builtin| builtin.wasm);
        if module != embedded {
            differ.push(format!("the module `{id}` ({} bytes here, {} elsewhere)", embedded.len(), module.len()));
        }
        again.insert(id, module);
    }
    let origin = Origin::default();
    let here = dist::files(root, &origin, |id| fedward_modules::module(id).map_or_else(Vec::new, |builtin| builtin.wasm.to_vec()))?;
    let there = dist::files(&copy, &origin, |id| again.get(id).cloned().unwrap_or_default())?;
    let paths = here.keys().chain(there.keys().filter(|path| !here.contains_key(*path)));
    differ.extend(paths.filter(|path| here.get(*path) != there.get(*path)).map(|path| format!("`{path}`")));
    if !differ.is_empty() {
        bail!("a build elsewhere gives something else: {}", differ.join(", "));
    }
    println!("{} modules and {} files of dist are the same from another checkout, with other paths", again.len(), here.len());
    Ok(())
}

/// A folder that is there as long as it is needed.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("fedward-reproduce-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
        Ok(Elsewhere(path))
    }

    /// The crates that are here, under another path: nothing is fetched again.
    fn cargo_home(&self) -> Result<PathBuf> {
        let real = cargo_home().map_err(|error| anyhow!("{error}"))?;
        #[cfg(unix)]
        {
            let alias = self.0.join("crates of cargo");
            fs::create_dir_all(&alias)?;
            for name in ["registry", "git", "config.toml"] {
                if real.join(name).exists() {
                    std::os::unix::fs::symlink(real.join(name), alias.join(name))?;
                }
            }
            Ok(alias)
        }
        #[cfg(not(unix))]
        Ok(real)
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // Links in it are deleted, not what they lead to.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    let fail = || format!("cannot copy `{}`", from.display());
    if !from.is_dir() {
        fs::copy(from, to).with_context(fail)?;
        return Ok(());
    }
    fs::create_dir_all(to).with_context(fail)?;
    for entry in fs::read_dir(from).with_context(fail)? {
        let entry = entry.with_context(fail)?;
        if entry.file_name() != "target" {
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
