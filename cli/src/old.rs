//! The state before, out of a revision of a Git repository.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use fedward_engine::{Input, Role};

use crate::inputs::is_manifest_name;

/// Bytes of all files of a revision together at most.
const MAX_BYTES: u64 = 512 << 20;

/// The manifests of a revision below each path, as inputs that are applied already. Git itself reads its repository.
pub(crate) fn read(paths: &[PathBuf], revision: &str) -> Result<Vec<Input>> {
    if revision.starts_with('-') {
        bail!("`{revision}` is neither a path nor a revision");
    }
    let mut inputs = Vec::new();
    for path in paths.iter().filter(|path| *path != Path::new("-")) {
        let is_folder = path.is_dir();
        let folder =
            if is_folder { path.as_path() } else { path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")) };
        let only = if is_folder { None } else { path.file_name() };
        inputs.extend(archive(folder, revision, only.map(Path::new))?);
    }
    Ok(inputs)
}

fn archive(folder: &Path, revision: &str, only: Option<&Path>) -> Result<Vec<Input>> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["archive", "--format=tar", revision, "--"]).arg(only.unwrap_or(Path::new(".")));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`--old {revision}` is no path, and `git`, which would know it as a revision, does not run"))?;
    let mut inputs = Vec::new();
    let mut read = || -> std::io::Result<()> {
        let Some(out) = child.stdout.take() else { return Ok(()) };
        // An archive is as long as its files; the limit holds for them all.
        let mut archive = tar::Archive::new(out.take(MAX_BYTES));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.into_owned();
            let is_wanted = entry.header().entry_type().is_file() && (only.is_some() || is_manifest_name(&name));
            if is_wanted && entry.size() <= MAX_BYTES {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                let shown = folder.join(&name);
                let shown = shown.strip_prefix(".").unwrap_or(&shown).to_string_lossy().replace('\\', "/");
                inputs.push(Input { name: format!("{revision}:{shown}"), bytes, named: only.is_some(), role: Role::Old });
            }
        }
        Ok(())
    };
    let result = read();
    let output = child.wait_with_output().context("cannot wait for `git`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("it does not say why").trim_start_matches("fatal: ");
        bail!(
            "`--old {revision}` is neither a path nor a revision that holds `{}`: {said}",
            folder.join(only.unwrap_or(Path::new(""))).display()
        );
    }
    result.with_context(|| format!("cannot read what `git` says of `{revision}`"))?;
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;

    use super::*;

    fn git(folder: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"];
        assert!(Command::new("git").arg("-C").arg(folder).args(identity).args(args).output().unwrap().status.success(), "{args:?}");
    }

    #[test]
    fn manifests_of_a_revision() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        fs::create_dir_all(app.join("below")).unwrap();
        for (name, text) in [("app/a.yaml", "one"), ("app/below/b.json", "two"), ("app/notes.md", "three"), ("c.yaml", "four")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["add", "."]);
        git(folder.path(), &["commit", "-q", "-m", "first"]);
        fs::write(app.join("a.yaml"), "changed").unwrap();
        let shown = |path: &Path| {
            let inputs = read(&[path.to_owned()], "HEAD").unwrap();
            let mut found: Vec<(String, Vec<u8>)> = inputs.into_iter().map(|input| (input.name, input.bytes)).collect();
            found.sort();
            found
        };
        let name = |name: &str| format!("HEAD:{}/{name}", app.display());
        assert_eq!(shown(&app), [(name("a.yaml"), b"one".to_vec()), (name("below/b.json"), b"two".to_vec())]);
        assert_eq!(shown(&app.join("a.yaml")), [(name("a.yaml"), b"one".to_vec())]);
        assert!(read(std::slice::from_ref(&app), "no-such").unwrap_err().to_string().contains("neither a path nor a revision"));
        assert!(read(&[app], "--output=x").unwrap_err().to_string().contains("neither a path nor a revision"));
    }
}
