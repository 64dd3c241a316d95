//! Lists the reference deployments that have parameters, with every file of `secure/`, for the library to embed.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../fixtures/scenarios").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut text = "&[\n".to_owned();
    for folder in entries(&root)? {
        let parameters = folder.join("parameters.yaml");
        if !parameters.is_file() {
            continue;
        }
        let name = folder.file_name().ok_or("a folder without a name")?.to_string_lossy().into_owned();
        writeln!(text, "    Embedded {{ name: {name:?}, parameters: include_str!({parameters:?}), files: &[")?;
        let secure = folder.join("secure");
        let mut files = Vec::new();
        walk(&secure, &mut files)?;
        for file in files {
            let path = file.strip_prefix(&secure)?.to_string_lossy().replace('\\', "/");
            writeln!(text, "        File {{ path: {path:?}, text: include_str!({file:?}) }},")?;
        }
        text.push_str("    ] },\n");
    }
    text.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("embedded.rs"), text)?;
    Ok(())
}

/// The files below a folder, by name.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for path in entries(folder)? {
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    entries.sort();
    Ok(entries)
}
