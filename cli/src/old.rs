//! The state before, out of a revision of a Git repository.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context as _, Result, bail};
use fedward_engine::{Input, Role};
use fedward_gitops::git_command as git;

use crate::charts::Charts;
use crate::filter::Filter;
use crate::inputs::{Request, shown};
use crate::setup::unreadable;

/// Bytes of all manifests of a revision together at most.
const MAX_BYTES: u64 = 512 << 20;

/// The manifests of a revision below each path, as inputs that are applied already. Git itself reads its repository.
///
/// A file counts if its name is one that would be read, and if it is gone or one of those that are judged now (`judged`, without links):
/// what is on disk and left out, for whatever reason, was not deleted. What the revision lacks is no error.
pub(crate) fn read(request: &Request<'_>, judged: &HashMap<PathBuf, String>, revision: &str) -> Result<Vec<Input>> {
    if revision.starts_with('-') {
        bail!("`{revision}` is neither a path nor a revision");
    }
    let filter = Filter::new(request)?;
    let (mut charts, mut seen, mut left) = (Charts::default(), HashSet::new(), MAX_BYTES);
    let mut inputs = Vec::new();
    for path in request.paths.iter().filter(|path| *path != Path::new("-")) {
        let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
        let only = if real.is_dir() { None } else { real.file_name() };
        let folder = if only.is_some() { real.parent().unwrap_or(&real) } else { &real };
        let below = filter.below(folder);
        let commit = commit(folder, path, revision)?;
        let mut wanted = files(folder, &commit, only).with_context(|| format!("cannot list the files of `{revision}`"))?;
        wanted.retain(|file| {
            let now = folder.join(&file.name);
            let is_named = only.is_some();
            (is_named || below.would_take(&file.name))
                && (is_gone(&now) || now.canonicalize().is_ok_and(|now| judged.contains_key(&now)))
                && charts.of(&now).is_none()
                && seen.insert(now)
        });
        let size = wanted.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
        left = left.checked_sub(size).with_context(|| format!("manifests of `{revision}` have more than {} MiB", MAX_BYTES >> 20))?;
        let contents = contents(folder, &wanted).with_context(|| format!("cannot read the files of `{revision}`"))?;
        for (file, bytes) in wanted.iter().zip(contents) {
            let name = if only.is_some() { shown(path) } else { shown(&path.join(&file.name)) };
            inputs.push(Input { name: format!("{revision}:{name}"), bytes, named: only.is_some(), role: Role::Old });
        }
    }
    Ok(inputs)
}

/// A file of a revision.
struct File {
    /// Relative to the folder that was asked for.
    name: PathBuf,
    /// Under which Git has the bytes.
    id: String,
    size: u64,
}

/// The id of the commit that a revision is in the repository around a folder.
fn commit(folder: &Path, path: &Path, revision: &str) -> Result<String> {
    let output = git(folder)
        .args(["rev-parse", "--quiet", "--verify"])
        .arg(format!("{revision}^{{commit}}"))
        .output()
        .with_context(|| format!("`--old {revision}` is no path, and `git`, which would know it as a revision, does not run"))?;
    if !output.status.success() {
        let said = said(&output);
        let why = if said.is_empty() { said } else { format!(": {said}") };
        bail!("`--old {revision}` is neither a path nor a revision of the Git repository around `{}`{why}", path.display());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The ordinary files of a commit below a folder, or one of them.
fn files(folder: &Path, commit: &str, only: Option<&OsStr>) -> Result<Vec<File>> {
    let output = git(folder).args(["ls-tree", "-r", "-l", "-z", commit, "--"]).args(only).output()?;
    if !output.status.success() {
        bail!("`git` says: {}", said(&output));
    }
    Ok(output.stdout.split(|byte| *byte == 0).filter_map(file).collect())
}

/// `mode type id size<TAB>name`; links and submodules are no files.
fn file(line: &[u8]) -> Option<File> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (fields, name) = line.split_at_checked(tab)?;
    let mut fields = std::str::from_utf8(fields).ok()?.split_ascii_whitespace();
    fields.next().filter(|mode| mode.starts_with("100"))?;
    let id = fields.nth(1)?.to_owned();
    Some(File { name: path_of(name.get(1..)?), id, size: fields.next()?.parse().ok()? })
}

#[cfg(unix)]
fn path_of(name: &[u8]) -> PathBuf {
    <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name).into()
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(name).into_owned())
}

/// The bytes of files, in their order.
fn contents(folder: &Path, files: &[File]) -> io::Result<Vec<Vec<u8>>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut child = git(folder).args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else { return Err(ErrorKind::BrokenPipe.into()) };
    let mut from = BufReader::new(from);
    // One after the other: neither side ever waits for the other to read.
    let mut content = |file: &File| {
        writeln!(to, "{}", file.id)?;
        let mut head = String::new();
        from.read_line(&mut head)?;
        if head.trim_end() != format!("{} blob {}", file.id, file.size) {
            return Err(io::Error::other(format!("`git` does not have `{}`", file.name.display())));
        }
        let mut bytes = Vec::new();
        from.by_ref().take(file.size).read_to_end(&mut bytes)?;
        from.read_line(&mut head)?;
        Ok(bytes)
    };
    let contents = files.iter().map(&mut content).collect();
    drop(to);
    drop(from);
    child.wait()?;
    contents
}

/// Whether one of some files of a commit, by their names from the root, is `wanted`, which is told what comes with each name and its bytes. Of
/// what Git does not show, nobody knows: then it may be.
pub(crate) fn any<T: Copy>(root: &Path, commit: &str, files: &[(&str, T)], wanted: impl Fn(T, &[u8]) -> bool) -> io::Result<bool> {
    if files.is_empty() {
        return Ok(false);
    }
    let mut child = git(root).args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else { return Err(ErrorKind::BrokenPipe.into()) };
    let mut from = BufReader::new(from);
    let mut is_wanted = |name: &str, with: T| -> io::Result<bool> {
        if name.contains('\n') {
            return Ok(true);
        }
        writeln!(to, "{commit}:{name}")?;
        let mut head = String::new();
        from.read_line(&mut head)?;
        let size = head.trim_end().rsplit_once(" blob ").and_then(|(_, size)| size.parse().ok());
        let Some(size) = size.filter(|size| *size <= MAX_BYTES) else { return Ok(true) };
        let mut bytes = Vec::new();
        from.by_ref().take(size).read_to_end(&mut bytes)?;
        from.read_line(&mut head)?;
        Ok(wanted(with, &bytes))
    };
    let mut found = Ok(false);
    for (name, with) in files {
        found = is_wanted(name, *with);
        if !matches!(found, Ok(false)) {
            break;
        }
    }
    drop(to);
    drop(from);
    child.wait()?;
    found
}

/// Whether there is no file of this name any more. What cannot be looked at may be there.
fn is_gone(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(found) => found.is_dir(),
        Err(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;

    use super::*;
    use crate::inputs;

    /// A repository with a first commit.
    struct Repository(tempfile::TempDir);

    impl Repository {
        fn new(files: &[&str]) -> Self {
            let repository = Repository(tempfile::tempdir().unwrap());
            for name in files {
                repository.file(name, "old");
            }
            repository.git(&["init", "-q"]);
            repository.git(&["add", "--force", "."]);
            repository.git(&["commit", "-q", "-m", "first"]);
            repository
        }

        fn git(&self, args: &[&str]) {
            let identity = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"];
            assert!(git(self.0.path()).args(identity).args(args).output().unwrap().status.success(), "{args:?}");
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn file(&self, name: &str, text: &str) {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn remove(&self, names: &[&str]) {
            for name in names {
                fs::remove_file(self.path(name)).unwrap();
            }
        }

        fn try_read(&self, name: &str, revision: &str, request: Request<'_>) -> Result<Vec<Input>> {
            let paths = [self.path(name)];
            let request = Request { paths: &paths, gitignore: true, ..request };
            read(&request, &inputs::read(&request).unwrap().judged, revision)
        }

        /// The names of what was there before, below the repository.
        fn with(&self, name: &str, request: Request<'_>) -> Vec<String> {
            let before = format!("HEAD:{}/", self.0.path().display());
            let inputs = self.try_read(name, "HEAD", request).unwrap();
            assert!(inputs.iter().all(|input| input.bytes == b"old"));
            inputs.into_iter().map(|input| input.name.strip_prefix(&before).unwrap().to_owned()).collect()
        }

        fn read(&self, name: &str) -> Vec<String> {
            self.with(name, Request::default())
        }
    }

    #[test]
    fn manifests_of_a_revision() {
        let repository = Repository::new(&["app/a.yaml", "app/below/b.json", "app/-notes é.yml", "app/notes.md", "c.yaml"]);
        repository.file("app/a.yaml", "changed");
        repository.remove(&["app/below/b.json"]);
        assert_eq!(repository.read("app"), ["app/-notes é.yml", "app/a.yaml", "app/below/b.json"]);
        assert_eq!(repository.read("app/a.yaml"), ["app/a.yaml"]);
        assert_eq!(repository.read("app/notes.md"), ["app/notes.md"]);
        assert_eq!(repository.read("app/-notes é.yml"), ["app/-notes é.yml"]);
    }

    #[test]
    fn what_a_revision_lacks_is_new() {
        let repository = Repository::new(&["a.yaml"]);
        repository.file("new/b.yaml", "new");
        assert_eq!(repository.read("new"), [""; 0]);
        assert_eq!(repository.read("new/b.yaml"), [""; 0]);
        for revision in ["no-such", "HEAD:a.yaml", "--output=x"] {
            let error = repository.try_read("new", revision, Request::default()).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`--old {revision}` is neither a path nor a revision of the Git repository around"))
                    || error == "`--output=x` is neither a path nor a revision",
                "{error}"
            );
        }
        let outside = tempfile::tempdir().unwrap();
        let paths = [outside.path().to_owned()];
        let error = read(&Request { paths: &paths, ..Request::default() }, &HashMap::new(), "HEAD").unwrap_err().to_string();
        assert!(error.contains("not a git repository"), "{error}");
    }

    #[test]
    fn attributes_of_archives_do_not_count() {
        let repository = Repository::new(&["app/a.yaml"]);
        repository.file(".gitattributes", "app/a.yaml export-ignore\n");
        repository.git(&["add", ".gitattributes"]);
        repository.git(&["commit", "-q", "-m", "second"]);
        assert_eq!(repository.read("app"), ["app/a.yaml"]);
    }

    #[test]
    fn what_is_left_out_now_was_not_deleted() {
        let repository = Repository::new(&["app/a.yaml", "app/build/b.yaml", "chart/Chart.yaml", "chart/templates/c.yaml"]);
        repository.file("app/.gitignore", "build/\n");
        assert_eq!(repository.read("app"), ["app/a.yaml"]);
        repository.remove(&["app/build/b.yaml"]);
        assert_eq!(repository.read("app"), ["app/a.yaml", "app/build/b.yaml"]);
        repository.remove(&["chart/templates/c.yaml"]);
        assert_eq!(repository.read("chart"), ["chart/Chart.yaml"]);
    }

    #[test]
    fn deleted_files_are_chosen_as_others_are() {
        let names = ["app/.hidden/a.yaml", "app/b.yaml", "app/other/c.yaml", "app/vendor/below/d.yaml"];
        let repository = Repository::new(&names);
        repository.remove(&names);
        let (vendor, other) = (["vendor".to_owned()], ["**/c.yaml".to_owned()]);
        assert_eq!(repository.read("app"), ["app/b.yaml", "app/other/c.yaml", "app/vendor/below/d.yaml"]);
        assert_eq!(repository.with("app", Request { hidden: true, ..Request::default() }), names);
        assert_eq!(repository.with("app", Request { exclude: &vendor, ..Request::default() }), ["app/b.yaml", "app/other/c.yaml"]);
        assert_eq!(repository.with("app", Request { include: &other, ..Request::default() }), ["app/other/c.yaml"]);
        let (folder, config) = (repository.path(""), ["app/vendor".to_owned()]);
        let request = Request { config_exclude: &config, folder: Some(&folder), ..Request::default() };
        assert_eq!(repository.with("app", request), ["app/b.yaml", "app/other/c.yaml"]);
    }
}
