//! What Git knows of a checkout. Git itself is asked, as `fedward check --old` does, with everything turned off that a repository's own
//! configuration can have it run.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What Git knows.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The paths in the index, and whether each is the commit of a submodule. Paths that are not UTF-8 are left out.
    pub(crate) tracked: Vec<(String, bool)>,
    /// How many those are.
    pub(crate) not_utf8: usize,
    /// The URLs of the remotes.
    pub(crate) remotes: Vec<String>,
    /// The commit that is checked out.
    pub(crate) commit: Option<String>,
    /// The branches and tags that are this commit, and the branch that is checked out.
    pub(crate) names: BTreeSet<String>,
    /// The remote's default branch.
    pub(crate) default_branch: Option<String>,
}

/// Asks Git of the checkout that has its root at `root`; `None` if that is no root of a checkout.
///
/// # Errors
/// Git does not run, or does not want to.
pub(crate) fn ask(root: &Path) -> Result<Option<Known>, String> {
    // A folder inside of a repository is not one: what is asked for is the root that Argo CD has.
    if root.join(".git").symlink_metadata().is_err() {
        return Ok(None);
    }
    let files = run(root, &["ls-files", "-z", "--stage"])?;
    if !files.status.success() {
        let said = String::from_utf8_lossy(&files.stderr);
        return Err(said.lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned());
    }
    let mut known = Known::default();
    for line in files.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        // `mode id stage<TAB>path`; a conflict has a path several times.
        let Some(tab) = line.iter().position(|byte| *byte == b'\t') else { continue };
        let (fields, path) = line.split_at(tab);
        match std::str::from_utf8(path.get(1..).unwrap_or_default()) {
            Ok(path) => known.tracked.push((path.to_owned(), fields.starts_with(b"160000"))),
            Err(_) => known.not_utf8 += 1,
        }
    }
    known.tracked.dedup();
    let remotes = text(root, &["config", "--get-regexp", r"^remote\..*\.url$"])?;
    known.remotes = remotes.lines().filter_map(|line| line.split_once(' ')).map(|(_, url)| url.to_owned()).collect();
    known.commit = Some(text(root, &["rev-parse", "--quiet", "--verify", "HEAD"])?).filter(|commit| !commit.is_empty());
    if known.commit.is_some() {
        let names = text(root, &["for-each-ref", "--points-at=HEAD", "--format=%(refname)"])?;
        known.names = names.lines().filter_map(short).map(str::to_owned).collect();
    }
    let branch = text(root, &["symbolic-ref", "--quiet", "HEAD"])?;
    known.names.extend(short(&branch).map(str::to_owned));
    let default = text(root, &["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"])?;
    known.default_branch = short(&default).map(str::to_owned);
    Ok(Some(known))
}

/// What differs between a commit and what is checked out.
pub(crate) struct Changes {
    /// The commit.
    pub(crate) base: String,
    /// Paths from the root, and whether the commit has them.
    pub(crate) files: Vec<(String, bool)>,
    /// The paths in the index, and whether each is the commit of a submodule.
    pub(crate) tracked: Vec<(String, bool)>,
}

/// Asks Git what differs from the commit that a revision and the one that is checked out come from, in the checkout at `root`.
///
/// # Errors
/// For people: there is no such revision or commit, or Git does not run.
pub(crate) fn changes(root: &Path, revision: &str) -> Result<Changes, String> {
    let known = ask(root)?.ok_or_else(|| format!("`{}` is not the root of a Git repository", root.display()))?;
    let wanted = format!("{revision}^{{commit}}");
    let commit = text(root, &["rev-parse", "--quiet", "--verify", "--end-of-options", &wanted])?;
    let is_shallow = text(root, &["rev-parse", "--is-shallow-repository"])? == "true";
    let fetch = if is_shallow { "; the clone is shallow: fetch more of it, with `git fetch --unshallow` say" } else { "" };
    if commit.is_empty() {
        let hint = if is_shallow { fetch } else { " (a branch of a remote has the remote's name before it, `origin/main` say)" };
        return Err(format!("there is no revision `{revision}` in the Git repository `{}`{hint}", root.display()));
    }
    if known.commit.is_none() {
        return Err(format!("nothing is committed in the Git repository `{}`", root.display()));
    }
    let base = text(root, &["merge-base", &commit, "HEAD"])?;
    if base.is_empty() {
        return Err(format!("`{revision}` and what is checked out have no commit in common{fetch}"));
    }
    // Git compares the content of files whose times differ, and would run the programs that make them ready for that.
    let programs = text(root, &["config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process|required)$"])?;
    let mut command = command(root);
    let off = programs.split('\0').filter(|name| !name.is_empty());
    configure(&mut command, off.map(|name| (name, if name.ends_with(".required") { "false" } else { "" })));
    command.args(["diff", "--name-status", "-z", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv"]);
    command.args(["--ignore-submodules=dirty", &base, "--"]);
    let output = command.output().map_err(|error| format!("`git` does not run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
        return Err(format!("Git does not say what changed since `{revision}`: {why}"));
    }
    // A letter, and a path.
    let mut parts = output.stdout.split(|byte| *byte == 0);
    let mut files = Vec::new();
    while let (Some(status), Some(name)) = (parts.next(), parts.next()) {
        files.push((String::from_utf8_lossy(name).into_owned(), status != b"A"));
    }
    Ok(Changes { base, files, tracked: known.tracked })
}

/// Has Git take further configuration, after that of the environment.
fn configure<'c>(command: &mut Command, more: impl Iterator<Item = (&'c str, &'c str)>) {
    const COUNT: &str = "GIT_CONFIG_COUNT";
    let known = std::env::var(COUNT).ok().and_then(|count| count.trim().parse().ok()).unwrap_or(0_usize);
    let mut count = known;
    for (name, value) in more {
        command.env(format!("GIT_CONFIG_KEY_{count}"), name).env(format!("GIT_CONFIG_VALUE_{count}"), value);
        count += 1;
    }
    if count > known {
        command.env(COUNT, count.to_string());
    }
}

/// A branch or tag without what stands before its name.
pub(crate) fn short(name: &str) -> Option<&str> {
    let name = name.trim();
    if let Some(remote) = name.strip_prefix("refs/remotes/") {
        return remote.split_once('/').map(|(_, name)| name).filter(|name| *name != "HEAD");
    }
    ["refs/heads/", "refs/tags/"].iter().find_map(|before| name.strip_prefix(before))
}

fn text(root: &Path, args: &[&str]) -> Result<String, String> {
    let output = run(root, args)?;
    Ok(if output.status.success() { String::from_utf8_lossy(&output.stdout).trim().to_owned() } else { String::new() })
}

fn run(root: &Path, args: &[&str]) -> Result<Output, String> {
    let mut command = command(root);
    command.args(args);
    let above = root.parent().map_or_else(OsString::new, |above| above.as_os_str().to_owned());
    command.env("GIT_CEILING_DIRECTORIES", above);
    command.output().map_err(|error| format!("`git` does not run: {error}"))
}

/// Git, to be run in a folder of a repository, with everything turned off that the repository's own configuration can have it run, and without
/// a network.
#[must_use]
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    // A repository's configuration can name programs; none of them is run.
    command.args(["--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"]);
    command.args(["-c", if cfg!(windows) { "core.hooksPath=NUL" } else { "core.hooksPath=/dev/null" }]);
    command.arg("-C").arg(folder);
    // These would make it another repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX"]
    {
        command.env_remove(variable);
    }
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
    command.stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_what_stands_before_them() {
        assert_eq!(short("refs/heads/feature/a"), Some("feature/a"));
        assert_eq!(short("refs/tags/v1\n"), Some("v1"));
        assert_eq!(short("refs/remotes/origin/main"), Some("main"));
        assert_eq!(short("refs/remotes/origin/HEAD"), None);
        assert_eq!(short("refs/stash"), None);
    }
}
