//! A folder of files that is written as a whole: all of them or none, and never through a link to somewhere else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use fedward_config::words;

/// Whether files may be written there: the folder is empty or not there yet, or `force` is given.
pub(crate) fn check(folder: &Path, force: bool) -> Result<()> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(unwritable(folder, &error)),
    };
    if !is_empty && !force {
        bail!("`{}` is not empty: name another folder, or give `--force` to replace files of the same names there", folder.display());
    }
    Ok(())
}

/// Writes files, each a path with `/` and a text, below a folder that need not be there yet.
pub(crate) fn write(folder: &Path, files: &[(String, String)]) -> Result<()> {
    for (path, _) in files {
        look(folder, path)?;
    }
    let mut written = Vec::new();
    for (path, text) in files {
        let place = folder.join(path);
        let temporary = stage(&place, text).map_err(|error| unwritable(&place, &error))?;
        written.push((temporary, place));
    }
    for (temporary, place) in written {
        // This replaces a link, should there be one by now, and not what it leads to.
        fs::rename(&temporary.0, &place).map_err(|error| unwritable(&place, &error))?;
    }
    Ok(())
}

/// Looks at everything on the way from the folder to a file, and at the file.
fn look(folder: &Path, path: &str) -> Result<()> {
    let mut place = folder.to_owned();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        place.push(part);
        let known = match fs::symlink_metadata(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            known => known.map_err(|error| unwritable(&place, &error))?,
        };
        let shown = place.display();
        if known.is_symlink() {
            bail!("cannot write `{shown}`: it is a link, and nothing is written through links");
        }
        match parts.peek() {
            Some(_) if !known.is_dir() => bail!("cannot write below `{shown}`: it is a file"),
            None if known.is_dir() => bail!("cannot write `{shown}`: it is a folder"),
            _ => {}
        }
    }
    Ok(())
}

/// A file beside the place that it is for, which goes unless it is moved there.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is gone after a move.
        let _ = fs::remove_file(&self.0);
    }
}

fn stage(place: &Path, text: &str) -> io::Result<Temporary> {
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let temporary = place.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let temporary = Temporary(temporary);
    file.write_all(text.as_bytes())?;
    Ok(temporary)
}

fn unwritable(place: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot write `{}`: {}", place.display(), words::io(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn files(names: &[&str]) -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), format!("{name}\n"))).collect()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                found.extend(names(&path).into_iter().map(|inner| format!("{name}/{inner}")));
            } else {
                found.push(name);
            }
        }
        found.sort();
        found
    }

    #[test]
    fn files_are_written_and_replaced() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        check(&folder, false).unwrap();
        write(&folder, &files(&["x.yaml", "c/y.yaml", "c/z.yaml"])).unwrap();
        assert_eq!(names(&folder), ["c/y.yaml", "c/z.yaml", "x.yaml"]);
        assert!(check(&folder, false).unwrap_err().to_string().ends_with("to replace files of the same names there"));
        fs::write(folder.join("x.yaml"), "old").unwrap();
        fs::write(folder.join("own.yaml"), "own").unwrap();
        check(&folder, true).unwrap();
        write(&folder, &files(&["x.yaml"])).unwrap();
        assert_eq!(fs::read_to_string(folder.join("x.yaml")).unwrap(), "x.yaml\n");
        assert_eq!(names(&folder), ["c/y.yaml", "c/z.yaml", "own.yaml", "x.yaml"]);
    }

    #[test]
    fn what_is_in_the_way_stays_and_nothing_is_written() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("folder.yaml")).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        for (path, want) in [("folder.yaml", "it is a folder"), ("file/x.yaml", "it is a file")] {
            let error = write(root.path(), &files(&["first.yaml", path])).unwrap_err().to_string();
            assert!(error.ends_with(want), "{error}");
        }
        assert_eq!(names(root.path()), ["file"]);
        assert!(check(&root.path().join("file"), true).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_links() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let (folder, outside) = (root.path().join("in"), root.path().join("out"));
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "kept").unwrap();
        symlink(&outside, folder.join("app")).unwrap();
        symlink(outside.join("kept"), folder.join("x.yaml")).unwrap();
        symlink(outside.join("new"), folder.join("y.yaml")).unwrap();
        for path in ["app/z.yaml", "x.yaml", "y.yaml"] {
            let error = write(&folder, &files(&["first.yaml", path])).unwrap_err().to_string();
            assert!(error.ends_with("it is a link, and nothing is written through links"), "{error}");
        }
        assert_eq!(names(&outside), ["kept"]);
        assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "kept");
        assert_eq!(names(&folder), ["app", "x.yaml", "y.yaml"]);
    }
}
