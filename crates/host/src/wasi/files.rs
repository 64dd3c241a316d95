//! Reading files: descriptors of what a guest has open, and the functions on them. Nothing here writes.
//!
//! A file is read when it is opened, so that what a guest sees of it is of one moment, and no function can wait for anything.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use wasmtime::{Caller, Linker, Result};

use super::{BAD_DESCRIPTOR, INVALID, MAX_VECTORS, MODULE, SUCCESS, number};
use crate::guest::{Guest, address, split};
use crate::state::State;
use crate::{FileError, FileType, Folder, Stat};

const ACCESS: i32 = 2;
const TOO_LARGE: i32 = 22;
const IS_FOLDER: i32 = 31;
const LOOP: i32 = 32;
const TOO_MANY: i32 = 33;
const NAME_TOO_LONG: i32 = 37;
const MISSING: i32 = 44;
const NOT_FOLDER: i32 = 54;
const READ_ONLY: i32 = 69;
const NOT_SEEKABLE: i32 = 70;
const OUTSIDE: i32 = 76;

/// The descriptor of the folder, after the three standard streams.
const ROOT: i32 = 3;

/// The longest path, as on most systems.
const MAX_PATH: usize = 4096;

/// The file type of the three standard streams.
const CHARACTER_DEVICE: u8 = 2;
/// Reading, seeking, listing, asking: all rights that do not change anything.
const RIGHTS: u64 = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 13 | 1 << 14 | 1 << 15 | 1 << 18 | 1 << 21 | 1 << 27;

/// A folder, and the path under which the guest knows it.
#[derive(Clone)]
pub(crate) struct Mount {
    pub(crate) path: String,
    pub(crate) folder: Arc<dyn Folder>,
}

/// What one instance may read, and what it has open.
#[derive(Default)]
pub(super) struct Descriptors {
    mount: Option<Mount>,
    open: BTreeMap<i32, Open>,
    /// Bytes of all files that are open.
    bytes: usize,
}

enum Open {
    Folder { path: String, names: Option<Vec<(String, FileType)>> },
    File { path: String, bytes: Vec<u8>, position: usize },
}

impl Descriptors {
    pub(super) fn new(mount: Option<Mount>) -> Self {
        let root = mount.iter().map(|_| (ROOT, Open::Folder { path: String::new(), names: None }));
        Self { open: root.collect(), mount, bytes: 0 }
    }

    /// Whether the guest may read any files.
    pub(super) fn are_there(&self) -> bool {
        self.mount.is_some()
    }

    /// Whether nothing is open but the folder.
    pub(super) fn are_as_new(&self) -> bool {
        self.open.keys().all(|descriptor| *descriptor == ROOT)
    }

    /// Fails unless `descriptor` is open, which comes before anything else that may be wrong.
    fn check(&self, descriptor: i32) -> Result<(), i32> {
        if self.open.contains_key(&descriptor) { Ok(()) } else { Err(BAD_DESCRIPTOR) }
    }

    /// The folder, and the path in it that `relative` means at `descriptor`.
    fn resolve(&self, descriptor: i32, relative: &str) -> Result<(&dyn Folder, String), i32> {
        match (&self.mount, self.open.get(&descriptor)) {
            (Some(mount), Some(Open::Folder { path, .. })) => {
                let joined = match (path.as_str(), relative) {
                    (at, "" | ".") => at.to_owned(),
                    ("", relative) => relative.to_owned(),
                    (at, relative) => format!("{at}/{relative}"),
                };
                if joined.len() > MAX_PATH {
                    return Err(NAME_TOO_LONG);
                }
                // A path from the root up would be one outside of what was mounted.
                if relative.starts_with('/') { Err(OUTSIDE) } else { Ok((&*mount.folder, joined)) }
            }
            (_, Some(Open::File { .. })) => Err(NOT_FOLDER),
            _ => Err(BAD_DESCRIPTOR),
        }
    }

    fn open(&mut self, descriptor: i32, relative: &str, must_be_folder: bool, max: usize, max_bytes: usize) -> Result<i32, i32> {
        if self.open.len() >= max {
            return Err(TOO_MANY);
        }
        let (folder, path) = self.resolve(descriptor, relative)?;
        let opened = match folder.stat(&path).map_err(errno)?.file_type {
            FileType::Folder => Open::Folder { path, names: None },
            _ if must_be_folder => return Err(NOT_FOLDER),
            FileType::File => {
                let bytes = folder.read(&path, max_bytes.saturating_sub(self.bytes)).map_err(errno)?;
                Open::File { path, bytes, position: 0 }
            }
            FileType::Other | FileType::Link => return Err(ACCESS),
        };
        if let Open::File { bytes, .. } = &opened {
            self.bytes = self.bytes.saturating_add(bytes.len());
        }
        // The lowest that is free, as on every system.
        let free = (ROOT..).zip(self.open.keys()).find(|(wanted, taken)| wanted != *taken).map(|(wanted, _)| wanted);
        let next = free.unwrap_or_else(|| ROOT.saturating_add(i32::try_from(self.open.len()).unwrap_or(i32::MAX)));
        self.open.insert(next, opened);
        Ok(next)
    }

    fn close(&mut self, descriptor: i32) -> i32 {
        match self.open.remove(&descriptor) {
            Some(Open::File { bytes, .. }) => {
                self.bytes = self.bytes.saturating_sub(bytes.len());
                SUCCESS
            }
            Some(Open::Folder { .. }) => SUCCESS,
            None => on_stream(descriptor, SUCCESS),
        }
    }
}

/// The error number of a failure.
fn errno(error: FileError) -> i32 {
    match error {
        FileError::Missing => MISSING,
        FileError::NotFolder => NOT_FOLDER,
        FileError::IsFolder => IS_FOLDER,
        FileError::Loop => LOOP,
        FileError::Outside => OUTSIDE,
        FileError::TooLarge => TOO_LARGE,
        FileError::Unreadable => ACCESS,
    }
}

/// Defines the functions.
///
/// # Errors
/// A name that is already defined.
pub(super) fn define(linker: &mut Linker<State>) -> Result<()> {
    linker
        .func_wrap(MODULE, "fd_close", |mut caller: Caller<'_, State>, descriptor: i32| caller.data_mut().wasi.files.close(descriptor))?;
    linker.func_wrap(MODULE, "fd_fdstat_get", fd_fdstat_get)?;
    linker.func_wrap(MODULE, "fd_fdstat_set_flags", |caller: Caller<'_, State>, descriptor: i32, _: i32| {
        if caller.data().wasi.files.open.contains_key(&descriptor) { SUCCESS } else { on_stream(descriptor, SUCCESS) }
    })?;
    linker.func_wrap(MODULE, "fd_filestat_get", fd_filestat_get)?;
    linker.func_wrap(MODULE, "fd_pread", fd_pread)?;
    linker.func_wrap(MODULE, "fd_prestat_dir_name", fd_prestat_dir_name)?;
    linker.func_wrap(MODULE, "fd_prestat_get", fd_prestat_get)?;
    linker.func_wrap(MODULE, "fd_read", fd_read)?;
    linker.func_wrap(MODULE, "fd_readdir", fd_readdir)?;
    linker.func_wrap(MODULE, "fd_seek", fd_seek)?;
    linker
        .func_wrap(MODULE, "fd_tell", |caller: Caller<'_, State>, descriptor: i32, place: i32| fd_seek(caller, descriptor, 0, 1, place))?;
    linker.func_wrap(MODULE, "path_filestat_get", path_filestat_get)?;
    linker.func_wrap(MODULE, "path_open", path_open)?;
    linker.func_wrap(MODULE, "path_readlink", path_readlink)?;
    Ok(())
}

/// `result` if `descriptor` is a standard stream.
fn on_stream(descriptor: i32, result: i32) -> i32 {
    if (0..=2).contains(&descriptor) { result } else { BAD_DESCRIPTOR }
}

/// The number of a file type.
fn type_number(file_type: FileType) -> u8 {
    match file_type {
        FileType::Other => 0,
        FileType::Folder => 3,
        FileType::File => 4,
        FileType::Link => 7,
    }
}

/// `filestat`: device, inode, file type, links, size, times, which are all the beginning of time: no output may depend on them.
fn filestat(path: &str, stat: Stat) -> [u8; 64] {
    let mut record = [0; 64];
    record[8..16].copy_from_slice(&inode(path).to_le_bytes());
    record[16] = type_number(stat.file_type);
    record[24] = 1;
    record[32..40].copy_from_slice(&stat.size.to_le_bytes());
    record
}

/// Tells files apart as long as the same path is written for the same file.
fn inode(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.trim_end_matches('/').hash(&mut hasher);
    hasher.finish()
}

/// A path in the guest's memory; the error number if it is none.
fn path<'g>(guest: &'g Guest<'_>, pointer: i32, length: i32) -> Result<&'g str, i32> {
    if address(length) > MAX_PATH {
        return Err(NAME_TOO_LONG);
    }
    let bytes = guest.read(pointer, length).map_err(|_| INVALID)?;
    std::str::from_utf8(bytes).ok().filter(|path| !path.contains('\0')).ok_or(MISSING)
}

fn fd_prestat_get(mut caller: Caller<'_, State>, descriptor: i32, prestat: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_prestat_get")?;
    match &state.wasi.files.mount {
        Some(mount) if descriptor == ROOT => {
            let length = u32::try_from(mount.path.len()).unwrap_or(u32::MAX);
            guest.write(prestat, &(u64::from(length) << 32).to_le_bytes())?;
            Ok(SUCCESS)
        }
        _ => Ok(BAD_DESCRIPTOR),
    }
}

fn fd_prestat_dir_name(mut caller: Caller<'_, State>, descriptor: i32, pointer: i32, length: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_prestat_dir_name")?;
    match &state.wasi.files.mount {
        Some(mount) if descriptor == ROOT => {
            let Some(name) = mount.path.as_bytes().get(..address(length)) else {
                return Ok(NAME_TOO_LONG);
            };
            guest.write(pointer, name)?;
            Ok(SUCCESS)
        }
        _ => Ok(BAD_DESCRIPTOR),
    }
}

/// `fdstat`: file type, flags, rights. A standard stream is a character device with no rights that a check could miss.
fn fd_fdstat_get(mut caller: Caller<'_, State>, descriptor: i32, stat: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_fdstat_get")?;
    let mut record = [0; 24];
    match state.wasi.files.open.get(&descriptor) {
        Some(open) => {
            record[0] = type_number(if matches!(open, Open::Folder { .. }) { FileType::Folder } else { FileType::File });
            record[8..16].copy_from_slice(&RIGHTS.to_le_bytes());
            record[16..24].copy_from_slice(&RIGHTS.to_le_bytes());
        }
        None if on_stream(descriptor, SUCCESS) == SUCCESS => record[0] = CHARACTER_DEVICE,
        None => return Ok(BAD_DESCRIPTOR),
    }
    guest.write(stat, &record)?;
    Ok(SUCCESS)
}

fn fd_filestat_get(mut caller: Caller<'_, State>, descriptor: i32, stat: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_filestat_get")?;
    let record = match state.wasi.files.open.get(&descriptor) {
        Some(Open::Folder { path, .. }) => filestat(path, Stat { file_type: FileType::Folder, size: 0 }),
        Some(Open::File { path, bytes, .. }) => filestat(path, Stat { file_type: FileType::File, size: bytes.len() as u64 }),
        None if on_stream(descriptor, SUCCESS) == SUCCESS => {
            let mut record = [0; 64];
            record[16] = CHARACTER_DEVICE;
            record
        }
        None => return Ok(BAD_DESCRIPTOR),
    };
    guest.write(stat, &record)?;
    Ok(SUCCESS)
}

fn path_filestat_get(mut caller: Caller<'_, State>, descriptor: i32, flags: i32, pointer: i32, length: i32, stat: i32) -> Result<i32> {
    const FOLLOW: i32 = 1;
    let (mut guest, state) = split(&mut caller, "path_filestat_get")?;
    let files = &state.wasi.files;
    let answer = files.check(descriptor).and_then(|()| path(&guest, pointer, length)).and_then(|relative| {
        let (folder, path) = files.resolve(descriptor, relative)?;
        let stat = if flags & FOLLOW == 0 { folder.link_stat(&path) } else { folder.stat(&path) };
        Ok(filestat(&path, stat.map_err(errno)?))
    });
    match answer {
        Ok(record) => {
            guest.write(stat, &record)?;
            Ok(SUCCESS)
        }
        Err(errno) => Ok(errno),
    }
}

#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
fn path_open(
    mut caller: Caller<'_, State>,
    descriptor: i32,
    _lookup: i32,
    pointer: i32,
    length: i32,
    open: i32,
    rights: i64,
    _inheriting: i64,
    flags: i32,
    opened: i32,
) -> Result<i32> {
    const CREATE: i32 = 1;
    const FOLDER: i32 = 2;
    const EXCLUSIVE: i32 = 4;
    const TRUNCATE: i32 = 8;
    const APPEND: i32 = 1;
    /// Writing, and allocating space for it.
    const WRITE: i64 = 1 << 6 | 1 << 8;
    const READ: i64 = 1 << 1;
    let (mut guest, state) = split(&mut caller, "path_open")?;
    if let Err(errno) = state.wasi.files.check(descriptor) {
        return Ok(errno);
    }
    // A guest that asks for all rights only wants to read; one that asks for these alone does not.
    if open & (CREATE | EXCLUSIVE | TRUNCATE) != 0 || flags & APPEND != 0 || (rights & WRITE != 0 && rights & READ == 0) {
        return Ok(READ_ONLY);
    }
    let (max, max_bytes) = (state.limits.open_files, state.limits.file_bytes);
    let answer =
        path(&guest, pointer, length).and_then(|relative| state.wasi.files.open(descriptor, relative, open & FOLDER != 0, max, max_bytes));
    match answer {
        Ok(number) => {
            guest.write(opened, &number.to_le_bytes())?;
            Ok(SUCCESS)
        }
        Err(errno) => Ok(errno),
    }
}

fn path_readlink(
    mut caller: Caller<'_, State>,
    descriptor: i32,
    pointer: i32,
    length: i32,
    buffer: i32,
    room: i32,
    used: i32,
) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "path_readlink")?;
    let files = &state.wasi.files;
    let answer = files.check(descriptor).and_then(|()| path(&guest, pointer, length)).and_then(|relative| {
        let (folder, path) = files.resolve(descriptor, relative)?;
        folder.link(&path).map_err(errno)
    });
    match answer {
        Ok(target) => {
            let target = target.as_bytes();
            let target = target.get(..address(room)).unwrap_or(target);
            guest.write(buffer, target)?;
            guest.write(used, &u32::try_from(target.len()).unwrap_or(u32::MAX).to_le_bytes())?;
            Ok(SUCCESS)
        }
        Err(errno) => Ok(errno),
    }
}

/// Entries from `cookie` on, as many as there is room for; the last may be cut off, which tells the guest that there are more.
fn fd_readdir(mut caller: Caller<'_, State>, descriptor: i32, buffer: i32, room: i32, cookie: i64, used: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_readdir")?;
    let files = &mut state.wasi.files;
    let (Some(mount), Some(open)) = (&files.mount, files.open.get_mut(&descriptor)) else {
        return Ok(BAD_DESCRIPTOR);
    };
    let Open::Folder { path, names } = open else {
        return Ok(NOT_FOLDER);
    };
    if names.is_none() || cookie == 0 {
        match mount.folder.list(path) {
            Ok(list) => *names = Some(list),
            Err(error) => return Ok(errno(error)),
        }
    }
    let first = usize::try_from(cookie).unwrap_or(usize::MAX);
    let mut entries: Vec<u8> = Vec::new();
    for (index, (name, file_type)) in names.iter().flatten().enumerate().skip(first) {
        if entries.len() >= address(room) {
            break;
        }
        let at = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        entries.extend((index as u64 + 1).to_le_bytes());
        entries.extend(inode(&at).to_le_bytes());
        entries.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
        entries.extend([type_number(*file_type), 0, 0, 0]);
        entries.extend(name.as_bytes());
    }
    entries.truncate(address(room));
    guest.write(buffer, &entries)?;
    guest.write(used, &u32::try_from(entries.len()).unwrap_or(u32::MAX).to_le_bytes())?;
    Ok(SUCCESS)
}

/// Standard input is at its end.
fn fd_read(mut caller: Caller<'_, State>, descriptor: i32, vectors: i32, count: i32, read: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_read")?;
    match state.wasi.files.open.get_mut(&descriptor) {
        Some(Open::File { bytes, position, .. }) => scatter(&mut guest, bytes, position, vectors, count, read),
        Some(Open::Folder { .. }) => Ok(IS_FOLDER),
        None if descriptor == 0 => {
            guest.write(read, &[0; 4])?;
            Ok(SUCCESS)
        }
        None => Ok(BAD_DESCRIPTOR),
    }
}

fn fd_pread(mut caller: Caller<'_, State>, descriptor: i32, vectors: i32, count: i32, offset: i64, read: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_pread")?;
    let Ok(mut position) = usize::try_from(offset) else {
        return Ok(INVALID);
    };
    match state.wasi.files.open.get(&descriptor) {
        Some(Open::File { bytes, .. }) => scatter(&mut guest, bytes, &mut position, vectors, count, read),
        Some(Open::Folder { .. }) => Ok(IS_FOLDER),
        None => Ok(on_stream(descriptor, NOT_SEEKABLE)),
    }
}

/// Copies what follows `position` to the guest's buffers, and moves it on.
fn scatter(guest: &mut Guest<'_>, bytes: &[u8], position: &mut usize, vectors: i32, count: i32, read: i32) -> Result<i32> {
    if address(count) > MAX_VECTORS {
        return Ok(INVALID);
    }
    let start = *position;
    let list: Vec<(i32, i32)> =
        guest.read(vectors, count.saturating_mul(8))?.chunks_exact(8).map(|vector| (number(vector, 0), number(vector, 4))).collect();
    for (pointer, length) in list {
        let rest = bytes.get(*position..).unwrap_or_default();
        let part = rest.get(..address(length)).unwrap_or(rest);
        guest.write(pointer, part)?;
        *position = position.saturating_add(part.len());
    }
    guest.write(read, &u32::try_from(position.saturating_sub(start)).unwrap_or(u32::MAX).to_le_bytes())?;
    Ok(SUCCESS)
}

fn fd_seek(mut caller: Caller<'_, State>, descriptor: i32, offset: i64, whence: i32, place: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_seek")?;
    match state.wasi.files.open.get_mut(&descriptor) {
        Some(Open::File { bytes, position, .. }) => {
            let from = match whence {
                0 => 0,
                1 => *position,
                2 => bytes.len(),
                _ => return Ok(INVALID),
            };
            let moved = i64::try_from(from).ok().and_then(|from| from.checked_add(offset)).and_then(|to| usize::try_from(to).ok());
            let Some(to) = moved else {
                return Ok(INVALID);
            };
            *position = to;
            guest.write(place, &(to as u64).to_le_bytes())?;
            Ok(SUCCESS)
        }
        Some(Open::Folder { .. }) => Ok(BAD_DESCRIPTOR),
        None => Ok(on_stream(descriptor, NOT_SEEKABLE)),
    }
}
