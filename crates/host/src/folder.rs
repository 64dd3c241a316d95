//! What a guest may read, as the host asks for it.

/// A folder whose files a guest may read. Paths are relative to it, with `/` between names and possibly with `.` and `..` in them;
/// the empty path is the folder itself.
///
/// An implementation must not let a path, or a symbolic link on the way, lead out of the folder: then it answers
/// [`FileError::Outside`]. It must not wait for a pipe or a device either.
pub trait Folder: Send + Sync {
    /// What is at `path`; of a symbolic link, what it leads to.
    ///
    /// # Errors
    /// [`FileError`].
    fn stat(&self, path: &str) -> Result<Stat, FileError>;

    /// The same without following a link that `path` itself names.
    ///
    /// # Errors
    /// [`FileError`].
    fn link_stat(&self, path: &str) -> Result<Stat, FileError>;

    /// A file's bytes, of which there must not be more than `limit`.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::TooLarge`].
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError>;

    /// The names in a folder, without `.` and `..`, in an order that is always the same.
    ///
    /// # Errors
    /// [`FileError`].
    fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError>;

    /// Where a symbolic link leads, as it is written.
    ///
    /// # Errors
    /// [`FileError::Outside`] if it leads out of the folder.
    fn link(&self, path: &str) -> Result<String, FileError>;
}

/// What something in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its type.
    pub file_type: FileType,
    /// Bytes of a file.
    pub size: u64,
}

/// The types of files that a guest is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// Anything that is none of the others, and cannot be opened.
    Other,
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A symbolic link.
    Link,
}

/// Why there is no answer about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nothing is there.
    #[error("no such file")]
    Missing,
    /// Something on the way is no folder.
    #[error("not a folder")]
    NotFolder,
    /// It is a folder.
    #[error("a folder")]
    IsFolder,
    /// Links lead in a circle.
    #[error("too many symbolic links")]
    Loop,
    /// It is not in the folder.
    #[error("outside the folder")]
    Outside,
    /// It is larger than a guest may read.
    #[error("too large")]
    TooLarge,
    /// It is no regular file, or is not ours to read.
    #[error("not readable")]
    Unreadable,
}
