//! A copy of a repository, as Argo CD gives one to a plugin: what the plugin changes there changes nothing else.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use fedward_gitops::{Checkout, Entry, Lost};

/// Why there is no copy.
#[derive(Debug)]
pub(super) enum Uncopied {
    /// This link leads out of the repository.
    Outside(String),
    /// There is more of this than is copied.
    Limit(String),
    /// The disk does not take it.
    Disk(io::Error),
}

impl From<io::Error> for Uncopied {
    fn from(error: io::Error) -> Self {
        Uncopied::Disk(error)
    }
}

/// Copies all that is tracked of a repository into an empty folder. Nothing is executable there, as in Argo CD, unless the plugin's own
/// configuration keeps the modes of files.
pub(super) fn copy(checkout: &Checkout, to: &Path, files: usize, bytes: u64) -> Result<(), Uncopied> {
    // Before anything is written: a repository with such a link is none for a plugin.
    let mut links = Vec::new();
    let mut count = 0;
    for (path, entry) in checkout.entries() {
        if *entry != Entry::Folder {
            count += 1;
        }
        if let Entry::Link(target) = entry {
            if matches!(checkout.follow(path), Err(Lost::Outside)) {
                return Err(Uncopied::Outside(path.to_owned()));
            }
            links.push((path, target));
        }
    }
    if count > files {
        return Err(Uncopied::Limit(format!("{files} files")));
    }
    let mut left = bytes;
    for (path, entry) in checkout.entries() {
        match entry {
            Entry::Folder => fs::create_dir_all(to.join(path))?,
            Entry::File => {
                let content = match checkout.bytes(path) {
                    Ok(content) => content,
                    Err(Lost::TooLarge(limit)) => return Err(Uncopied::Limit(format!("{limit} bytes in `{}`", checkout.shown(path)))),
                    // It is tracked, and gone.
                    Err(Lost::Missing | Lost::NotFile) => continue,
                    Err(lost) => return Err(Uncopied::Disk(io::Error::other(format!("`{}` {lost}", checkout.shown(path))))),
                };
                left = left.checked_sub(content.len() as u64).ok_or_else(|| Uncopied::Limit(format!("{bytes} bytes")))?;
                let target = to.join(path);
                if let Some(folder) = target.parent() {
                    fs::create_dir_all(folder)?;
                }
                OpenOptions::new().write(true).create_new(true).open(target)?.write_all(&content)?;
            }
            Entry::Link(_) | Entry::Other => {}
        }
    }
    // Last, so that nothing is written through one.
    for (path, target) in links {
        link(target, &to.join(path))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn link(_: &str, path: &Path) -> io::Result<()> {
    Err(io::Error::other(format!("`{}` is a link, which is not copied on this system", path.display())))
}
