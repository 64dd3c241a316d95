//! Where `fedward.yaml` is looked for.

use std::env;
use std::path::{Component, Path, PathBuf};

use crate::FILE_NAME;

/// The nearest file upwards from the first path that is checked (standard input counts as the working directory).
///
/// Not above the root of the repository that holds the path. Without a repository, not above the working directory, and not at all
/// above a path that lies outside of it: a file that lies about somewhere must not decide about a run.
pub(crate) fn nearest(paths: &[PathBuf]) -> Option<PathBuf> {
    let typed = folder(paths.first()?);
    let start = typed.canonicalize().ok()?;
    let here = env::current_dir().and_then(|here| here.canonicalize()).ok()?;
    let last = around(&start);
    for folder in start.ancestors() {
        if folder.join(FILE_NAME).is_file() {
            let shown = if folder == start { typed } else { from(&here, folder) };
            return Some(shown.join(FILE_NAME));
        }
        if folder == last {
            break;
        }
    }
    None
}

/// The root of the repository that holds a path, which is absolute and without links.
#[must_use]
pub fn repository(path: &Path) -> Option<&Path> {
    path.ancestors().find(|folder| folder.join(".git").exists())
}

/// How far upwards files belong together with a path, which is absolute and without links: to the root of its repository; without one to the
/// working directory, and where it lies outside of that, to its own folder.
#[must_use]
pub fn around(path: &Path) -> PathBuf {
    let own = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let working = || env::current_dir().and_then(|here| here.canonicalize()).ok().filter(|here| path.starts_with(here));
    repository(path).map(Path::to_owned).or_else(working).unwrap_or_else(|| own.to_owned())
}

/// The folder that a path of the command line is in, as it was typed; empty for the working directory.
fn folder(path: &Path) -> PathBuf {
    let typed = match path {
        _ if path == Path::new("-") => Path::new("."),
        _ if path.is_dir() => path,
        _ => path.parent().unwrap_or(path),
    };
    let plain: PathBuf = typed.components().filter(|part| *part != Component::CurDir).collect();
    if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain }
}

/// A folder as seen from another, as short as it can be said.
fn from(here: &Path, folder: &Path) -> PathBuf {
    if let Ok(below) = folder.strip_prefix(here) {
        return below.to_owned();
    }
    match here.strip_prefix(folder) {
        Ok(up) => up.components().map(|_| "..").collect(),
        Err(_) => folder.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_said_as_short_as_they_can_be() {
        assert_eq!(from(Path::new("/a/b"), Path::new("/a/b/c/d")), Path::new("c/d"));
        assert_eq!(from(Path::new("/a/b/c"), Path::new("/a")), Path::new("../.."));
        assert_eq!(from(Path::new("/a/b"), Path::new("/a/c")), Path::new("/a/c"));
        assert_eq!(folder(Path::new("./x/y.yaml")), Path::new("x"));
        assert_eq!(folder(Path::new("y.yaml")), Path::new("."));
        assert_eq!(folder(Path::new("-")), Path::new("."));
    }
}
