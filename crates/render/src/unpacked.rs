//! The renderers' module, unpacked: by this process, or by one before it.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fedward_host::{Cache, CacheError, Host, Module, Packed, Put, Strategy};
use fedward_renderers::PART;

use crate::sandbox::STACK;

/// Where the unpacked module is kept, and how many: one for each version of this program that is in use.
static KEPT_IN: OnceLock<PathBuf> = OnceLock::new();
const KEPT: usize = 2;

/// Keeps the unpacked module in `folder`, where the next process finds it: some 90 MB, which only this user may write
/// (see [`fedward_host::Cache`]). Without it every process unpacks the module anew. Only the first call counts, and only before the first render.
pub fn keep_unpacked_in(folder: PathBuf) {
    let _ = KEPT_IN.set(folder);
}

/// Why the unpacked module is not in that folder.
static NOT_KEPT: OnceLock<String> = OnceLock::new();

/// Why the next process will not find the unpacked module, if this one has unpacked it and could not keep it.
#[must_use]
pub fn not_kept() -> Option<&'static str> {
    NOT_KEPT.get().map(String::as_str)
}

/// The module, unpacked when the first source of the process is rendered; or why there is none.
pub(crate) fn module() -> Result<&'static Module, &'static str> {
    static MODULE: OnceLock<Result<Module, String>> = OnceLock::new();
    MODULE.get_or_init(load).as_ref().map_err(String::as_str)
}

fn load() -> Result<Module, String> {
    if !fedward_renderers::available() {
        return Err("this program was built without renderers: build it where Go is installed".into());
    }
    let [_, size] = fedward_renderers::SIZES;
    let packed = Packed { key: fedward_renderers::DIGEST, size, unpack: &unpack };
    let mut limits = fedward_host::Limits::default();
    limits.stack_bytes = STACK;
    let host = Host::new(limits);
    let note = |why: CacheError| _ = NOT_KEPT.set(why.to_string());
    let loaded = match KEPT_IN.get().and_then(|folder| Cache::holding(KEPT, folder).map_err(note).ok()) {
        #[expect(unsafe_code, reason = "the bytes are the build script's")]
        // SAFETY: `crates/renderers` embeds what `precompile` returned, compressed; a checksum is not needed for what is in the program.
        Some(cache) => unsafe { cache.load_packed(&host, Strategy::Kept, &packed) }.map(|cached| {
            cached.problem.map(note);
            cached.module
        }),
        #[expect(unsafe_code, reason = "the bytes are the build script's")]
        // SAFETY: the same.
        None => unsafe { Module::from_packed(&host, Strategy::Kept, &packed) },
    };
    loaded.map_err(|error| format!("the renderers cannot be loaded: {error}"))
}

/// Unpacks the module, on all threads of the machine.
fn unpack(put: &Put<'_>) -> io::Result<()> {
    let parts = fedward_renderers::parts();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut unpacked = vec![0; PART];
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(number) else { return Ok(()) };
            let length = zstd::bulk::decompress_to_buffer(part, &mut unpacked)?;
            put(number.saturating_mul(PART), unpacked.get(..length).unwrap_or_default())?;
        }
    };
    thread::scope(|scope| {
        let others = thread::available_parallelism().map_or(0, |threads| threads.get() - 1).min(parts.len());
        // Whoever cannot be started has nothing to do.
        let others: Vec<_> = (0..others).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        for other in others {
            done = done.and(other.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into())));
        }
        done
    })
}
