//! WASI preview 1 for a guest that may read a folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use fedward_host::{FileError, FileType, Folder, Host, Limits, Module, NoHostCalls, Stat, Strategy};

use crate::guests::{guest_call, importing};
use crate::wasi::import;

const BAD_DESCRIPTOR: i32 = 8;
const TOO_LARGE: i32 = 22;
const INVALID: i32 = 28;
const IS_FOLDER: i32 = 31;
const TOO_MANY: i32 = 33;
const NAME_TOO_LONG: i32 = 37;
const MISSING: i32 = 44;
const NOT_FOLDER: i32 = 54;
const READ_ONLY: i32 = 69;
const OUTSIDE: i32 = 76;

/// Files by their paths; a text that begins with `->` is a link.
struct Memory(BTreeMap<&'static str, &'static str>);

impl Folder for Memory {
    fn stat(&self, path: &str) -> Result<Stat, FileError> {
        match self.0.get(path) {
            Some(text) if text.starts_with("->") => Err(FileError::Outside),
            Some(text) => Ok(Stat { file_type: FileType::File, size: text.len() as u64 }),
            None if path.is_empty() || self.0.keys().any(|name| name.starts_with(&format!("{path}/"))) => {
                Ok(Stat { file_type: FileType::Folder, size: 0 })
            }
            None => Err(FileError::Missing),
        }
    }

    fn link_stat(&self, path: &str) -> Result<Stat, FileError> {
        match self.0.get(path) {
            Some(text) if text.starts_with("->") => Ok(Stat { file_type: FileType::Link, size: 0 }),
            _ => self.stat(path),
        }
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let text = self.0.get(path).ok_or(FileError::Missing)?;
        if text.len() > limit { Err(FileError::TooLarge) } else { Ok(text.as_bytes().to_vec()) }
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileType)>, FileError> {
        let inside = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut names: Vec<_> = self
            .0
            .keys()
            .filter_map(|name| name.strip_prefix(&inside))
            .map(|rest| match rest.split_once('/') {
                Some((folder, _)) => (folder.to_owned(), FileType::Folder),
                None => (rest.to_owned(), FileType::File),
            })
            .collect();
        names.dedup();
        Ok(names)
    }

    fn link(&self, path: &str) -> Result<String, FileError> {
        self.0.get(path).and_then(|text| text.strip_prefix("->")).map(str::to_owned).ok_or(FileError::Missing)
    }
}

/// Where paths are in the guest's memory.
const PATH: usize = 2000;

/// Where there is a vector of five bytes at 100.
const VECTOR: usize = 1900;

/// The guest's memory after it has done `body`, in which `(path "…")` is a pointer and a length; with what each `(call …)` returned.
fn run(limits: &Limits, body: &[&str]) -> (Vec<u8>, Vec<i32>) {
    let names = [
        "fd_close",
        "fd_filestat_get",
        "fd_pread",
        "fd_prestat_dir_name",
        "fd_prestat_get",
        "fd_read",
        "fd_readdir",
        "fd_seek",
        "fd_write",
        "path_filestat_get",
        "path_open",
        "path_readlink",
        "args_sizes_get",
    ];
    let imports: String = names.iter().map(|name| import(name)).collect();
    let mut data = String::new();
    let mut text = String::new();
    for (index, call) in body.iter().enumerate() {
        let mut call = (*call).to_owned();
        while let Some(start) = call.find("(path \"") {
            let end = start + call[start..].find("\")").unwrap();
            let path = call[start + 7..end].to_owned();
            let at = PATH + data.len();
            data += &path;
            call.replace_range(start..end + 2, &format!("(i32.const {at}) (i32.const {})", path.len()));
        }
        text += &format!("(i32.store (i32.const {}) (call {call}))", 1000 + 4 * index);
    }
    let module = importing(
        &imports,
        &format!(
            "(data (i32.const {VECTOR}) \"\\64\\00\\00\\00\\05\\00\\00\\00\") (data (i32.const {PATH}) \"{data}\") {}",
            guest_call(&format!("{text} (call $guest_response (i32.const 0) (i32.const 1100)) (i32.const 1)"))
        ),
    );
    let folder = Memory(BTreeMap::from([("a.txt", "hello, files"), ("b/c.txt", "c"), ("b/d.txt", "dd"), ("out", "->/etc/passwd")]));
    let module = Module::from_wasm(&Host::new(Limits::default()), Strategy::Kept, &module).unwrap();
    let mut evaluator = module.evaluator_with_files(limits.clone(), "/@root", Arc::new(folder));
    let memory = evaluator.call("validate", b"", &mut NoHostCalls).unwrap().to_vec();
    let returned = (0..body.len()).map(|index| i32::from_le_bytes(memory[1000 + 4 * index..][..4].try_into().unwrap())).collect();
    (memory, returned)
}

/// Opens a path for reading; the descriptor goes to address 0.
fn open(path: &str) -> String {
    format!(
        "$path_open (i32.const 3) (i32.const 1) (path \"{path}\") (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)"
    )
}

fn number(memory: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(memory[at..at + 4].try_into().unwrap())
}

#[test]
fn the_folder_is_found_under_its_name() {
    let (memory, returned) = run(
        &Limits::default(),
        &[
            "$fd_prestat_get (i32.const 3) (i32.const 0)",
            "$fd_prestat_dir_name (i32.const 3) (i32.const 16) (i32.const 6)",
            "$fd_prestat_get (i32.const 4) (i32.const 0)",
            "$args_sizes_get (i32.const 32) (i32.const 36)",
        ],
    );
    assert_eq!(returned, [0, 0, BAD_DESCRIPTOR, 0]);
    assert_eq!((number(&memory, 0), number(&memory, 4), &memory[16..22]), (0, 6, &b"/@root"[..]));
    assert_eq!((number(&memory, 32), number(&memory, 36)), (1, 6));
}

#[test]
fn a_file_is_read_in_parts() {
    let (memory, returned) = run(
        &Limits::default(),
        &[
            &open("a.txt"),
            &format!("$fd_read (i32.const 4) (i32.const {VECTOR}) (i32.const 1) (i32.const 8)"),
            "$fd_seek (i32.const 4) (i64.const 2) (i32.const 1) (i32.const 16)",
            "$fd_seek (i32.const 4) (i64.const -50) (i32.const 1) (i32.const 24)",
            "$fd_seek (i32.const 4) (i64.const 0) (i32.const 3) (i32.const 24)",
            "$fd_filestat_get (i32.const 4) (i32.const 200)",
        ],
    );
    assert_eq!(returned, [0, 0, 0, INVALID, INVALID, 0]);
    assert_eq!((number(&memory, 0), number(&memory, 8), &memory[100..105]), (4, 5, &b"hello"[..]));
    assert_eq!(number(&memory, 16), 7);
    assert_eq!((memory[216], number(&memory, 232)), (4, 12));
    let (memory, returned) = run(
        &Limits::default(),
        &[
            &open("a.txt"),
            &format!("$fd_pread (i32.const 4) (i32.const {VECTOR}) (i32.const 1) (i64.const 9) (i32.const 8)"),
            "$fd_close (i32.const 4)",
            "$fd_close (i32.const 4)",
            "$fd_write (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 12)",
        ],
    );
    assert_eq!(returned, [0, 0, 0, BAD_DESCRIPTOR, BAD_DESCRIPTOR]);
    assert_eq!((number(&memory, 8), &memory[100..105]), (3, &b"les\0\0"[..]));
}

#[test]
fn a_folder_is_listed_as_far_as_there_is_room() {
    let (memory, returned) = run(
        &Limits::default(),
        &[
            &open("b"),
            "$fd_readdir (i32.const 4) (i32.const 100) (i32.const 40) (i64.const 0) (i32.const 8)",
            "$fd_readdir (i32.const 4) (i32.const 200) (i32.const 400) (i64.const 1) (i32.const 12)",
            "$fd_readdir (i32.const 4) (i32.const 600) (i32.const 40) (i64.const 2) (i32.const 16)",
            "$fd_read (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 20)",
        ],
    );
    assert_eq!(returned, [0, 0, 0, 0, IS_FOLDER]);
    // An entry has 24 bytes and its name; 40 bytes are one entry and the beginning of the next.
    assert_eq!((number(&memory, 8), &memory[124..129]), (40, &b"c.txt"[..]));
    assert_eq!((number(&memory, 12), number(&memory, 216), &memory[224..229], memory[220]), (29, 5, &b"d.txt"[..], 4));
    assert_eq!(number(&memory, 16), 0);
}

#[test]
fn what_is_not_there_or_not_inside_has_its_error() {
    let stat = |flags: u32, path: &str| format!("$path_filestat_get (i32.const 3) (i32.const {flags}) (path \"{path}\") (i32.const 300)");
    let long = "x".repeat(4097);
    let calls = [
        open("none"),
        open("/a.txt"),
        open("out"),
        stat(1, "out"),
        stat(0, "out"),
        "$path_readlink (i32.const 3) (path \"out\") (i32.const 400) (i32.const 4) (i32.const 8)".to_owned(),
        open(&long),
        // To write, to make, to cut off, as a folder.
        "$path_open (i32.const 3) (i32.const 1) (path \"a.txt\") (i32.const 0) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)"
            .to_owned(),
        "$path_open (i32.const 3) (i32.const 1) (path \"a.txt\") (i32.const 1) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)"
            .to_owned(),
        "$path_open (i32.const 3) (i32.const 1) (path \"a.txt\") (i32.const 8) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)"
            .to_owned(),
        "$path_open (i32.const 3) (i32.const 1) (path \"a.txt\") (i32.const 2) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)"
            .to_owned(),
        "$path_open (i32.const 9) (i32.const 1) (path \"a.txt\") (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)"
            .to_owned(),
    ];
    let (memory, returned) = run(&Limits::default(), &calls.each_ref().map(String::as_str));
    assert_eq!(
        returned,
        [MISSING, OUTSIDE, OUTSIDE, OUTSIDE, 0, 0, NAME_TOO_LONG, READ_ONLY, READ_ONLY, READ_ONLY, NOT_FOLDER, BAD_DESCRIPTOR]
    );
    assert_eq!((memory[316], number(&memory, 8), &memory[400..404]), (7, 4, &b"/etc"[..]));
}

#[test]
fn what_is_open_is_bounded() {
    let mut limits = Limits::default();
    limits.open_files = 3;
    limits.file_bytes = 13;
    let (memory, returned) =
        run(&limits, &[&open("a.txt"), &open("b/d.txt"), &open("b/c.txt"), &open("b"), "$fd_close (i32.const 4)", &open("b/d.txt")]);
    // The second would be the fourteenth byte; the fourth is one too many, with the folder itself.
    assert_eq!(returned, [0, TOO_LARGE, 0, TOO_MANY, 0, 0]);
    assert_eq!(number(&memory, 0), 4, "the lowest free descriptor");
}
