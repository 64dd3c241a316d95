//! `gen write`, `gen check`, `dist`: see `cargo xtask`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use fedward_artifacts::annotate::annotate;
use fedward_artifacts::metadata::Metadata;
use fedward_artifacts::{files, generated, readme, root};
use sha2::{Digest as _, Sha256};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["gen", "write"] => write(),
        ["gen", "check"] => check(),
        ["dist", folder] => dist(Path::new(folder)),
        _ => Err(anyhow::anyhow!("one of `gen write`, `gen check`, `dist FOLDER` is required")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<()> {
    let root = root();
    for change in files::write(&root, &generated(&root)?)? {
        println!("{change}: done");
    }
    Ok(())
}

fn check() -> Result<()> {
    let root = root();
    let stale = files::check(&root, &generated(&root)?)?;
    for change in &stale {
        println!("{change}");
    }
    if stale.is_empty() { Ok(()) } else { bail!("generated files are not current: run `cargo xtask gen write`") }
}

/// Writes the annotated modules, their READMEs and the modules' checksums.
fn dist(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let mut sums = String::new();
    for builtin in fedward_modules::ALL.iter().chain([&fedward_modules::SUITE]) {
        if builtin.wasm.is_empty() {
            bail!("this build has no modules (it was built with FEDWARD_MODULES=skip)");
        }
        let readme = readme::text(&root(), builtin.id)?;
        let usage = readme::usage(&readme, builtin.id)?;
        let metadata = Metadata::read(builtin.metadata).with_context(|| format!("metadata.yml of `{}`", builtin.id))?;
        let module = annotate(builtin.wasm, &metadata.to_section(Some(&usage))?)?;
        let name = format!("{}.wasm", builtin.id);
        let path = folder.join(&name);
        fs::write(&path, &module).with_context(|| format!("cannot write `{}`", path.display()))?;
        let path = folder.join(format!("{}.md", builtin.id));
        fs::write(&path, &readme).with_context(|| format!("cannot write `{}`", path.display()))?;
        for byte in Sha256::digest(&module) {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {name}")?;
        println!("{name}: {} bytes", module.len());
    }
    let path = folder.join("SHA256SUMS");
    fs::write(&path, sums).with_context(|| format!("cannot write `{}`", path.display()))
}
