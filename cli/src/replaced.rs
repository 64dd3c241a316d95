//! Whether a file in a folder that is read may be replaced by an output: a report of an earlier run may, a manifest may not.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fedward_config::repository;
use fedward_gitops::git_command;
use fedward_render::KUSTOMIZATIONS;

/// What manifests, and what they are rendered from, are called.
const EXTENSIONS: [&str; 8] = ["yaml", "yml", "json", "tpl", "tgz", "jsonnet", "libsonnet", "toml"];

/// How far into a file it is told whether it is a report.
const HEAD: u64 = 1 << 10;

/// Folders that are read, without links.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    /// Those of which what looks like a manifest is read.
    walked: Vec<PathBuf>,
    /// Those of which any file that Git tracks may be read.
    whole: Vec<PathBuf>,
    /// Those that outputs have no place in.
    closed: Vec<PathBuf>,
    /// Files that were read in them, whatever their names.
    read: HashSet<PathBuf>,
}

impl Folders {
    /// Those of the paths that are folders are walked, too.
    pub(crate) fn walk(&mut self, paths: impl Iterator<Item = PathBuf>) {
        self.walked.extend(paths.filter(|path| path.is_dir()));
    }

    /// Any file of this folder may be read.
    pub(crate) fn take(&mut self, folder: &Path) {
        self.whole.extend(folder.canonicalize());
    }

    /// These files, without links, were read.
    pub(crate) fn note(&mut self, files: Vec<PathBuf>) {
        self.read.extend(files);
    }

    /// No output goes into this folder.
    pub(crate) fn close(&mut self, folder: &Path) {
        self.closed.extend(folder.canonicalize());
    }

    /// Refuses an output, which goes to `place`, that would replace what is read.
    pub(crate) fn check(&self, name: &Path, place: &Path) -> Result<()> {
        let shown = name.display();
        if place.components().any(|part| part.as_os_str() == ".git") {
            bail!("`{shown}` is a file of Git's own: name a file outside of `.git`");
        }
        if let Some(folder) = self.closed.iter().find(|folder| place.starts_with(folder)) {
            bail!("`{shown}` lies in the cache `{}`, which nothing else may be in: name a file elsewhere", folder.display());
        }
        if !place.is_file() {
            return Ok(());
        }
        if self.read.contains(place) && !is_report(place) {
            bail!("`{shown}` is read for what is deployed: the output would replace it (name a file elsewhere)");
        }
        let is_in = |folders: &[PathBuf]| folders.iter().any(|folder| place.starts_with(folder));
        let (is_whole, looks_read) = (is_in(&self.whole), looks_read(place));
        if !(is_whole || looks_read && is_in(&self.walked)) {
            return Ok(());
        }
        if is_tracked(place) {
            bail!("`{shown}` is a file that Git tracks, in a folder that is read: the output would replace it (name a file elsewhere)");
        }
        if looks_read && !is_report(place) {
            bail!(
                "`{shown}` is no report of an earlier run, and lies in a folder that is read: the output would replace it (name a file elsewhere, or delete this one first)"
            );
        }
        Ok(())
    }
}

/// Whether a file is read, by its name.
fn looks_read(place: &Path) -> bool {
    let is = |name: &std::ffi::OsStr| KUSTOMIZATIONS.iter().any(|known| name == *known) || name == "Chart.lock";
    let extension = place.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str())) || place.file_name().is_some_and(is)
}

/// Whether Git tracks a file.
fn is_tracked(place: &Path) -> bool {
    let (Some(folder), Some(file)) = (place.parent(), place.file_name()) else { return false };
    if repository(folder).is_none() {
        return false;
    }
    let asked = git_command(folder).args(["ls-files", "--error-unmatch", "--"]).arg(file).output();
    asked.is_ok_and(|asked| asked.status.success())
}

/// Whether a file begins as one of our reports does, or has nothing in it.
fn is_report(place: &Path) -> bool {
    let mut head = Vec::new();
    if File::open(place).and_then(|file| file.take(HEAD).read_to_end(&mut head)).is_err() {
        return false;
    }
    let head = String::from_utf8_lossy(&head);
    let head = head.trim();
    let is_json = head.starts_with("{\"schema_version\":") && head.contains("\"tool\":{\"name\":\"fedward\"");
    let is_sarif = head.starts_with("{\"$schema\":") && head.contains("\"driver\":{\"name\":\"fedward\"");
    let is_gitlab = head.starts_with("[{\"description\":");
    let is_junit = head.starts_with("<?xml ") && head.contains("<testsuites name=\"fedward ");
    head.is_empty() || head == "[]" || is_json || is_sarif || is_gitlab || is_junit
}
