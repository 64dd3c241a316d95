//! A folder of the disk, whatever lies in it: no path and no link leads out.

use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions};
use fedward_host::{FileError, FileType, Folder, Stat};

/// A folder of the disk.
pub struct Disk(Dir);

impl Disk {
    /// Opens the folder.
    ///
    /// # Errors
    /// It is none, or cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Dir::open_ambient_dir(path, ambient_authority()).map(Self)
    }
}

/// The folder itself has no name.
fn named(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

fn stat(metadata: &Metadata) -> Stat {
    // What a folder or a link takes is the file system's business.
    Stat { file_type: file_type(metadata.file_type()), size: if metadata.is_file() { metadata.len() } else { 0 } }
}

fn file_type(file_type: cap_std::fs::FileType) -> FileType {
    if file_type.is_dir() {
        FileType::Folder
    } else if file_type.is_file() {
        FileType::File
    } else if file_type.is_symlink() {
        FileType::Link
    } else {
        FileType::Other
    }
}

fn reason(error: &io::Error) -> FileError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::InvalidInput => FileError::Missing,
        ErrorKind::NotADirectory => FileError::NotFolder,
        ErrorKind::IsADirectory => FileError::IsFolder,
        // That of a system has a number; without one it is cap-std's word for a way out.
        ErrorKind::PermissionDenied if error.raw_os_error().is_none() => FileError::Outside,
        _ if is_loop(error) => FileError::Loop,
        _ => FileError::Unreadable,
    }
}

/// Whether links led in a circle.
fn is_loop(error: &io::Error) -> bool {
    #[cfg(unix)]
    return rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP);
    #[cfg(not(unix))]
    return false;
}

impl Folder for Disk {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        self.0.metadata(named(path)).map(|metadata| stat(&metadata)).map_err(|error| reason(&error))
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        self.0.symlink_metadata(named(path)).map(|metadata| stat(&metadata)).map_err(|error| reason(&error))
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt as _;
            // What was a file a moment ago may be a pipe now: opening one must not wait for a writer.
            options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        }
        let file = self.0.open_with(path, &options).map_err(|error| reason(&error))?;
        let metadata = file.metadata().map_err(|error| reason(&error))?;
        if metadata.is_dir() {
            return Err(FileError::IsFolder);
        }
        if !metadata.is_file() {
            return Err(FileError::Unreadable);
        }
        let limit = limit as u64;
        if metadata.len() > limit {
            return Err(FileError::TooLarge);
        }
        let mut bytes = Vec::new();
        // A file may grow while it is read.
        let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
        if read as u64 > limit { Err(FileError::TooLarge) } else { Ok(bytes) }
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError> {
        let mut names = Vec::new();
        for entry in self.0.read_dir(named(path)).map_err(|error| reason(&error))? {
            let entry = entry.map_err(|error| reason(&error))?;
            // A name that is no UTF-8 is in no chart that anybody else could read.
            if let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) {
                names.push((name, file_type(kind)));
            }
        }
        names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(names)
    }

    fn link(&self, path: &str) -> Result<String, FileError> {
        let target = self.0.read_link_contents(path).map_err(|error| reason(&error))?;
        // A guest follows the text by itself and takes `/` for its own root.
        match self.0.metadata(path) {
            Err(error) if reason(&error) == FileError::Outside => return Err(FileError::Outside),
            _ if target.is_absolute() => return Err(FileError::Outside),
            _ => {}
        }
        target.into_os_string().into_string().map_err(|_| FileError::Unreadable)
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_path_and_no_link_leads_out() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        fs::create_dir_all(root.join("inner/deep")).unwrap();
        fs::write(outer.path().join("secret"), "s").unwrap();
        fs::write(root.join("inner/file"), "12345").unwrap();
        for (link, target) in [
            ("file", "inner/file"),
            ("absolute", "/etc/passwd"),
            ("up", "../secret"),
            ("up-and-back", "../root/inner/file"),
            ("folder-up", ".."),
            ("loop", "loop"),
            ("inner/deep/back", "../../inner/file"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), 0o600.into()).unwrap();
        let disk = Disk::open(&root).unwrap();
        let read = |path| disk.read(path, 5).map(|bytes| String::from_utf8(bytes).unwrap());
        for path in ["inner/file", "file", "inner/deep/back", "inner/../file"] {
            assert_eq!(read(path).as_deref(), Ok("12345"), "{path}");
        }
        for path in ["absolute", "up", "up-and-back", "../secret", "folder-up/secret", "inner/../../secret", "/etc/passwd"] {
            assert_eq!(read(path), Err(FileError::Outside), "{path}");
            assert_eq!(disk.stat(path), Err(FileError::Outside), "{path}");
        }
        for path in ["absolute", "up", "up-and-back", "folder-up"] {
            assert_eq!(disk.link(path), Err(FileError::Outside), "{path}");
            assert_eq!(disk.link_stat(path).unwrap().file_type, FileType::Link, "{path}");
        }
        assert_eq!(disk.list("folder-up"), Err(FileError::Outside));
        assert_eq!(disk.link("file").as_deref(), Ok("inner/file"));
        assert_eq!(read("loop"), Err(FileError::Loop));
        assert_eq!(read("pipe"), Err(FileError::Unreadable));
        assert_eq!(read("inner"), Err(FileError::IsFolder));
        assert_eq!(read("inner/none"), Err(FileError::Missing));
        assert_eq!(read("inner/file/none"), Err(FileError::NotFolder));
        assert_eq!(disk.read("inner/file", 4), Err(FileError::TooLarge));
        let names: Vec<String> = disk.list("").unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["absolute", "file", "folder-up", "inner", "loop", "pipe", "up", "up-and-back"]);
    }
}
