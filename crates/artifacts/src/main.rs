//! `gen write`, `gen check`, `dist`, `reproduce`: see `cargo xtask`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use fedward_artifacts::origin::Origin;
use fedward_artifacts::reproduce::reproduce;
use fedward_artifacts::{dist, files, generated, root};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["gen", "write"] => write(),
        ["gen", "check"] => check(),
        ["dist", folder, options @ ..] => dist(Path::new(folder), options),
        ["reproduce"] => reproduce(&root()),
        _ => Err(anyhow::anyhow!("one of `gen write`, `gen check`, `dist FOLDER`, `reproduce` is required")),
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

/// Writes what is given away.
fn dist(folder: &Path, options: &[&str]) -> Result<()> {
    let origin = Origin::read(options)?;
    let files = dist::files(&root(), &origin, |id| fedward_modules::module(id).map_or_else(Vec::new, |builtin| builtin.wasm.to_vec()))?;
    dist::write(folder, &files)?;
    for (path, content) in files.iter().filter(|(path, _)| !path.contains("blobs/")) {
        println!("{path}: {} bytes", content.len());
    }
    println!("for `{}`, from {}", origin.registry, origin.source_url);
    Ok(())
}
