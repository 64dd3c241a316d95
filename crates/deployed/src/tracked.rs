//! The files of a checkout, as a renderer sees them: those that Git tracks, where there is Git.

use std::sync::Arc;

use fedward_gitops::{Checkout, Entry, Lost};
use fedward_render::{Disk, FileError, FileType, Folder, Stat};

use crate::origins::join;

/// A checkout on the disk. What is not of it does not exist, though it may lie in its folder: Argo CD would not see it either.
pub(crate) struct Tracked {
    disk: Disk,
    checkout: Arc<Checkout>,
}

impl Tracked {
    pub(crate) fn open(checkout: &Arc<Checkout>) -> std::io::Result<Self> {
        Ok(Tracked { disk: Disk::open(checkout.root())?, checkout: Arc::clone(checkout) })
    }

    /// Where a path leads.
    fn real(&self, path: &str) -> Result<String, FileError> {
        self.checkout.follow(path).map(|(real, _)| real).map_err(|lost| match lost {
            Lost::Missing => FileError::Missing,
            Lost::Outside => FileError::Outside,
            Lost::Loop => FileError::Loop,
            _ => FileError::Unreadable,
        })
    }

    /// Whether a path itself, which may be a link, is of the checkout.
    fn itself(&self, path: &str) -> Result<(), FileError> {
        let trimmed = path.trim_end_matches('/');
        let (folder, name) = trimmed.rsplit_once('/').unwrap_or(("", trimmed));
        if matches!(name, "" | "." | "..") {
            return self.real(path).map(|_| ());
        }
        let folder = self.real(folder)?;
        self.checkout.entry(&join(&folder, name)).map(|_| ()).ok_or(FileError::Missing)
    }
}

impl Folder for Tracked {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        self.disk.stat(&self.real(path)?)
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        self.itself(path)?;
        self.disk.link_stat(path)
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let real = self.real(path)?;
        self.checkout.note_read(&real);
        self.disk.read(&real, limit)
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError> {
        let folder = self.real(path)?;
        if self.checkout.entry(&folder) != Some(&Entry::Folder) {
            return Err(FileError::NotFolder);
        }
        let mut names = self.disk.list(&folder)?;
        names.retain(|(name, _)| self.checkout.entry(&join(&folder, name)).is_some());
        Ok(names)
    }

    fn link(&self, path: &str) -> Result<String, FileError> {
        self.itself(path)?;
        self.disk.link(path)
    }
}

/// No files at all: templates of ApplicationSets read none.
pub(crate) struct Empty;

impl Folder for Empty {
    fn stat(&self, _: &str) -> Result<Stat, FileError> {
        Err(FileError::Missing)
    }

    fn link_stat(&self, _: &str) -> Result<Stat, FileError> {
        Err(FileError::Missing)
    }

    fn read(&self, _: &str, _: usize) -> Result<Vec<u8>, FileError> {
        Err(FileError::Missing)
    }

    fn list(&self, _: &str) -> Result<Vec<(String, FileType)>, FileError> {
        Err(FileError::Missing)
    }

    fn link(&self, _: &str) -> Result<String, FileError> {
        Err(FileError::Missing)
    }
}
