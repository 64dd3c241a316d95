//! Compiled modules on disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use fedward_host::{Cache, CacheError, Cached, Host, Limits, LoadError, Module, NoHostCalls, Origin, Packed, Put, Strategy};

use crate::guests::{STRATEGIES, echo, guest_call, wasm};

/// A directory of one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = format!("fedward-host-test-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The one file of the cache.
    fn file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Where `wasm` came from, as a new process would find the cache, and a check that it works.
fn origin(directory: &Path, wasm: &[u8]) -> Origin {
    let loaded = Cache::open(directory).unwrap().load(&Host::new(Limits::default()), Strategy::Fresh, wasm).unwrap();
    assert!(loaded.problem.is_none(), "{:?}", loaded.problem);
    loaded.module.evaluator().call("validate", b"ping", &mut NoHostCalls).unwrap();
    loaded.module.origin()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A module unlike the one of any other `number`.
fn numbered(number: u32) -> Vec<u8> {
    wasm(&format!("(global i32 (i32.const {number})) {}", guest_call("(call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)")))
}

#[test]
fn a_module_is_compiled_once() {
    let folder = Folder::new();
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Compiled);
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Cached);
    assert_eq!(origin(&folder.cache(), &numbered(1)), Origin::Compiled);
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Cached);
    assert_eq!(folder.files().len(), 2);
}

#[test]
fn both_strategies_share_a_file() {
    let folder = Folder::new();
    let cache = Cache::open(folder.cache()).unwrap();
    let host = Host::new(Limits::default());
    let origins = STRATEGIES.map(|strategy| cache.load(&host, strategy, &echo()).unwrap().module.origin());
    assert_eq!(origins, [Origin::Compiled, Origin::Cached]);
}

#[test]
fn nobody_else_may_write() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    assert_eq!(mode(&folder.cache()), 0o700);
    assert_eq!(mode(&folder.file()), 0o600);
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.cache()).unwrap();
    for others in [0o770, 0o702, 0o1777] {
        set_mode(&folder.cache(), others);
        assert!(matches!(Cache::open(folder.cache()), Err(CacheError::Foreign { .. })), "{others:o}");
    }
    set_mode(&folder.cache(), 0o755);
    assert!(Cache::open(folder.cache()).is_ok());
}

#[test]
fn what_is_no_directory_is_refused() {
    let folder = Folder::new();
    fs::write(folder.cache(), "").unwrap();
    assert!(matches!(Cache::open(folder.cache()), Err(CacheError::Io { .. })));
    assert!(matches!(Cache::open(folder.cache().join("below")), Err(CacheError::Io { .. })));
}

#[test]
fn a_file_that_others_can_write_to_is_replaced() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    set_mode(&folder.file(), 0o666);
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Compiled);
    assert_eq!(mode(&folder.file()), 0o600);
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Cached);
}

#[test]
fn what_belongs_to_somebody_else_is_not_used() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    // Only root can give files away; for anybody else there is nothing to test.
    if std::os::unix::fs::chown(folder.file(), Some(12_345), None).is_err() {
        return;
    }
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Compiled);
    std::os::unix::fs::chown(folder.cache(), Some(12_345), None).unwrap();
    assert!(matches!(Cache::open(folder.cache()), Err(CacheError::Foreign { .. })));
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    let (file, elsewhere) = (folder.file(), folder.0.join("elsewhere"));
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Compiled);
    assert!(!file.is_symlink());
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Cached);
}

#[test]
fn a_file_under_another_name_is_not_used() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    let of_echo = folder.file();
    origin(&folder.cache(), &numbered(1));
    let other = folder.files().into_iter().find(|file| *file != of_echo).unwrap();
    fs::copy(&other, &of_echo).unwrap();
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Compiled);
    assert_eq!(origin(&folder.cache(), &echo()), Origin::Cached);
}

#[test]
fn a_damaged_file_is_replaced() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    let whole = fs::read(folder.file()).unwrap();
    let end = whole.len() - 48;
    let empty_with_an_end = whole[end..].to_vec();
    let mut other_end = whole.clone();
    *other_end.last_mut().unwrap() ^= 1;
    for (what, damaged) in [
        ("nothing", Vec::new()),
        ("a few bytes", whole[..10].to_vec()),
        ("a half", whole[..end / 2].to_vec()),
        ("no end", whole[..end].to_vec()),
        ("only the end", empty_with_an_end),
        ("another key", other_end),
    ] {
        fs::write(folder.file(), damaged).unwrap();
        assert_eq!(origin(&folder.cache(), &echo()), Origin::Compiled, "{what}");
        assert_eq!(fs::read(folder.file()).unwrap(), whole, "{what}");
        assert_eq!(origin(&folder.cache(), &echo()), Origin::Cached, "{what}");
    }
}

#[test]
fn a_directory_in_the_place_of_a_file_costs_time_and_is_told() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    let file = folder.file();
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let cache = Cache::open(folder.cache()).unwrap();
    let loaded = cache.load(&Host::new(Limits::default()), Strategy::Kept, &echo()).unwrap();
    assert_eq!(loaded.module.origin(), Origin::Compiled);
    assert!(matches!(loaded.problem, Some(CacheError::Io { .. })));
    assert_eq!(cache.problem(), loaded.problem.map(|problem| problem.to_string()));
    assert_eq!(folder.files(), [file], "nothing is left behind");
}

#[test]
fn a_cache_that_was_moved_away_stays_the_one_that_was_checked() {
    let folder = Folder::new();
    let cache = Cache::open(folder.cache()).unwrap();
    let moved = folder.0.join("moved");
    fs::rename(folder.cache(), &moved).unwrap();
    fs::create_dir(folder.cache()).unwrap();
    set_mode(&folder.cache(), 0o777);
    let host = Host::new(Limits::default());
    assert!(cache.load(&host, Strategy::Kept, &echo()).unwrap().problem.is_none());
    assert_eq!(fs::read_dir(&moved).unwrap().count(), 1);
    assert_eq!(cache.load(&host, Strategy::Kept, &echo()).unwrap().module.origin(), Origin::Cached);
}

#[test]
fn old_files_make_room() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    let old = folder.file();
    fs::File::open(&old).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    for number in 0..105 {
        fs::write(folder.cache().join(format!("{number}.cwasm")), "").unwrap();
    }
    fs::write(folder.cache().join("notes.txt"), "").unwrap();
    assert_eq!(origin(&folder.cache(), &numbered(1)), Origin::Compiled);
    assert_eq!(folder.files().len(), 100 + 1);
    assert!(!old.exists());
    assert!(folder.cache().join("notes.txt").exists());
}

#[test]
fn what_was_never_finished_goes() {
    let folder = Folder::new();
    origin(&folder.cache(), &echo());
    let [old, new] = ["7-0.new", "8-0.new"].map(|name| folder.cache().join(name));
    for file in [&old, &new] {
        fs::write(file, "half").unwrap();
    }
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 3600);
    fs::File::options().append(true).open(&old).unwrap().set_modified(before).unwrap();
    assert_eq!(origin(&folder.cache(), &numbered(1)), Origin::Compiled);
    assert!(!old.exists() && new.exists());
    assert_eq!(folder.files().len(), 3);
}

#[test]
fn what_does_not_load_is_not_kept() {
    let folder = Folder::new();
    let cache = Cache::open(folder.cache()).unwrap();
    assert!(cache.load(&Host::new(Limits::default()), Strategy::Kept, b"no module").is_err());
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
}

#[test]
fn threads_share_a_directory() {
    let folder = Folder::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..5 {
                    origin(&folder.cache(), &numbered(number));
                }
            });
        }
    });
    assert_eq!(folder.files().len(), 5);
}

/// What is packed into a program: the compiled module, in parts that come in the wrong order.
fn with_packed<R>(used: impl FnOnce(&Packed<'_>, &AtomicU32) -> R) -> R {
    let compiled = fedward_host::precompile(&echo(), None).unwrap();
    let unpacked = AtomicU32::new(0);
    let unpack = |put: &Put<'_>| {
        unpacked.fetch_add(1, Ordering::Relaxed);
        let parts: Vec<(usize, &[u8])> = compiled.chunks(5000).enumerate().collect();
        parts.into_iter().rev().try_for_each(|(number, part)| put(number * 5000, part))
    };
    used(&Packed { key: "a key", size: compiled.len(), unpack: &unpack }, &unpacked)
}

fn load_packed(folder: &Folder, packed: &Packed<'_>) -> Cached {
    let cache = Cache::holding(1, folder.cache()).unwrap();
    #[expect(unsafe_code, reason = "the bytes are this process's own compiler's")]
    // SAFETY: `packed` gives what `precompile` returned.
    let loaded = unsafe { cache.load_packed(&Host::new(Limits::default()), Strategy::Kept, packed) }.unwrap();
    assert_eq!(loaded.module.evaluator().call("validate", b"ping", &mut NoHostCalls).unwrap(), b"ping");
    loaded
}

#[test]
fn a_packed_module_is_unpacked_once() {
    let folder = Folder::new();
    with_packed(|packed, unpacked| {
        for _ in 0..3 {
            let loaded = load_packed(&folder, packed);
            assert!(loaded.problem.is_none(), "{:?}", loaded.problem);
            assert_eq!((loaded.module.origin(), unpacked.load(Ordering::Relaxed)), (Origin::Cached, 1));
        }
        assert_eq!(mode(&folder.file()), 0o600);
        // One that was cut short, or that others could have written, is unpacked anew.
        fs::File::options().write(true).open(folder.file()).unwrap().set_len(100).unwrap();
        load_packed(&folder, packed);
        assert_eq!(unpacked.load(Ordering::Relaxed), 2);
        set_mode(&folder.file(), 0o622);
        load_packed(&folder, packed);
        assert_eq!(unpacked.load(Ordering::Relaxed), 3);
        load_packed(&folder, packed);
        assert_eq!(unpacked.load(Ordering::Relaxed), 3);
        // Another version's takes its place.
        load_packed(&folder, &Packed { key: "another", ..*packed });
        assert_eq!(folder.files().len(), 1);
    });
}

#[test]
fn a_packed_module_works_without_a_cache() {
    with_packed(|packed, _| {
        #[expect(unsafe_code, reason = "the bytes are this process's own compiler's")]
        // SAFETY: `packed` gives what `precompile` returned.
        let module = unsafe { Module::from_packed(&Host::new(Limits::default()), Strategy::Kept, packed) }.unwrap();
        assert_eq!(module.origin(), Origin::Precompiled);
        assert_eq!(module.evaluator().call("validate", b"ping", &mut NoHostCalls).unwrap(), b"ping");
    });
}

#[test]
fn a_packed_module_that_does_not_unpack_is_an_error() {
    let folder = Folder::new();
    let unpack = |_: &Put<'_>| Err(std::io::ErrorKind::InvalidData.into());
    let packed = Packed { key: "a key", size: 10, unpack: &unpack };
    let cache = Cache::open(folder.cache()).unwrap();
    #[expect(unsafe_code, reason = "nothing comes out of it")]
    // SAFETY: no byte of it is ever run.
    let loaded = unsafe { cache.load_packed(&Host::new(Limits::default()), Strategy::Kept, &packed) };
    assert!(matches!(loaded, Err(LoadError::Engine { .. })));
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
}
