//! WASI preview 1 for a guest that has little: no arguments but a name, no environment, an empty standard input, and no files but those of a
//! [`Folder`](crate::Folder) that it may read. Its output goes to the log.
//!
//! Policies that are built for `wasm32-wasip1` import parts of it because their language's start-up code does. A full WASI
//! implementation would bring an async runtime and the component model, for files that no policy can see, and a sleep that no deadline
//! ends. What renderers need of files is a tenth of it: `files.rs`.
//!
//! Layouts and error numbers are those of `wasi_snapshot_preview1.witx`.

pub(crate) mod files;
mod poll;

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::{Caller, FuncType, Linker, Result, Val, ValType};

use crate::CallError;
use crate::guest::{address, split};
use crate::state::State;
use files::{Descriptors, Mount};

/// The import module's name.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;
const INVALID: i32 = 28;
const NOT_SUPPORTED: i32 = 58;

/// Vectors of one read or write, and events of one poll: the usual limit of systems.
const MAX_VECTORS: usize = 1024;

/// Random bytes at once. Guests ask for a few dozen.
const MAX_RANDOM: usize = 1 << 20;

/// Functions that change files, wait for them or speak to a network: `name`, and its parameters with `i` for 32 bits and `I` for 64.
/// All answer that the descriptor is bad.
const REFUSED: [(&str, &str); 20] = [
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_datasync", "i"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pwrite", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_sync", "i"),
    ("path_create_directory", "iii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// What the monotonic clock shows at the start, in nanoseconds: later than it ever was in a [`snapshot`](crate::snapshot()), so that no
/// guest sees it go back.
const MONOTONIC_START: u64 = 1_000_000_000;

/// Where the time comes from.
enum Clock {
    /// The system; when the monotonic clock started.
    System(Instant),
    /// Nanoseconds that only reading and waiting move on, so that they are the same in every run.
    Own(u64),
}

/// What one instance's WASI remembers.
pub(crate) struct Wasi {
    clock: Clock,
    /// State of the random generator.
    random: u64,
    /// What was printed to standard output and standard error since their last line ends.
    partial: [Vec<u8>; 2],
    /// What it may read, and what it has open.
    files: Descriptors,
}

impl Default for Wasi {
    fn default() -> Self {
        Self { clock: Clock::System(Instant::now()), random: 0, partial: Default::default(), files: Descriptors::default() }
    }
}

impl Wasi {
    /// Gives the guest a folder to read, before it starts.
    pub(crate) fn mount(&mut self, mount: Option<Mount>) {
        self.files = Descriptors::new(mount);
    }

    /// Gives the guest a time of its own, which starts at nothing.
    pub(crate) fn own_time(&mut self) {
        self.clock = Clock::Own(0);
    }

    /// Whether nothing is open but what was so at the start, and no clock shows more than in a new instance.
    pub(crate) fn is_as_new(&self) -> bool {
        self.files.are_as_new() && !matches!(self.clock, Clock::Own(time) if time >= MONOTONIC_START)
    }

    /// A guest with files has a name, the first argument of every program: libraries for command lines look for one.
    fn arguments(&self) -> &'static [u8] {
        if self.files.are_there() { b"guest\0" } else { b"" }
    }

    /// The next bytes of a fixed sequence (`splitmix64`): a module's verdict on the same request, and the order of its hash maps,
    /// are the same in every run. Policies have no keys to make, and a guest that a colliding request slows down meets its deadline.
    fn random(&mut self) -> [u8; 8] {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()
    }

    /// Nanoseconds on clock `id`: real time (0) or monotonic (1).
    fn now(&mut self, id: i32) -> Option<u64> {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        match (id, &mut self.clock) {
            (0, Clock::System(_)) => Some(nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())),
            (1, Clock::System(start)) => Some(MONOTONIC_START.saturating_add(nanoseconds(start.elapsed()))),
            (0 | 1, Clock::Own(time)) => {
                *time = time.saturating_add(1);
                Some(*time)
            }
            _ => None,
        }
    }

    /// Waits.
    fn sleep(&mut self, time: Duration) {
        match &mut self.clock {
            Clock::System(_) => thread::sleep(time),
            Clock::Own(now) => *now = now.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

/// Logs what was printed without a line end, once the guest has returned.
///
/// # Errors
/// The log limits.
pub(crate) fn flush(state: &mut State) -> Result<(), CallError> {
    for stream in 0..state.wasi.partial.len() {
        let Some(partial) = state.wasi.partial.get_mut(stream) else {
            continue;
        };
        if !partial.is_empty() {
            let text = std::mem::take(partial);
            state.log(&String::from_utf8_lossy(&text))?;
        }
    }
    Ok(())
}

/// Defines the functions.
///
/// # Errors
/// A name that is already defined.
pub(crate) fn define(linker: &mut Linker<State>) -> Result<()> {
    for (name, parameters) in REFUSED {
        let parameters = parameters.chars().map(|letter| if letter == 'I' { ValType::I64 } else { ValType::I32 });
        let ty = FuncType::new(linker.engine(), parameters, [ValType::I32]);
        linker.func_new(MODULE, name, ty, |_caller, _parameters, results| {
            results.fill(Val::I32(BAD_DESCRIPTOR));
            Ok(())
        })?;
    }
    linker.func_wrap(MODULE, "args_get", args_get)?;
    linker.func_wrap(MODULE, "args_sizes_get", |caller: Caller<'_, State>, count: i32, size: i32| {
        let length = caller.data().wasi.arguments().len() as u32;
        sizes(caller, "args_sizes_get", [count, size], [length.min(1), length])
    })?;
    linker.func_wrap(MODULE, "environ_get", |_: i32, _: i32| SUCCESS)?;
    linker.func_wrap(MODULE, "environ_sizes_get", |caller: Caller<'_, State>, count: i32, size: i32| {
        sizes(caller, "environ_sizes_get", [count, size], [0, 0])
    })?;
    linker.func_wrap(MODULE, "clock_res_get", clock_res_get)?;
    linker.func_wrap(MODULE, "clock_time_get", clock_time_get)?;
    files::define(linker)?;
    linker.func_wrap(MODULE, "fd_write", fd_write)?;
    linker.func_wrap(MODULE, "poll_oneoff", poll::poll_oneoff)?;
    linker.func_wrap(MODULE, "proc_exit", |status: i32| -> Result<()> {
        Err(CallError::Exit { status: status.cast_unsigned(), log: Vec::new() }.into())
    })?;
    linker.func_wrap(MODULE, "proc_raise", |_: i32| NOT_SUPPORTED)?;
    linker.func_wrap(MODULE, "random_get", random_get)?;
    linker.func_wrap(MODULE, "sched_yield", || SUCCESS)?;
    Ok(())
}

/// How many there are, and how many bytes they have.
fn sizes(mut caller: Caller<'_, State>, import: &'static str, places: [i32; 2], sizes: [u32; 2]) -> Result<i32> {
    let (mut guest, _) = split(&mut caller, import)?;
    for (place, size) in places.into_iter().zip(sizes) {
        guest.write(place, &size.to_le_bytes())?;
    }
    Ok(SUCCESS)
}

/// One pointer, to the one argument; nothing if there is none.
fn args_get(mut caller: Caller<'_, State>, pointers: i32, bytes: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "args_get")?;
    let arguments = state.wasi.arguments();
    if !arguments.is_empty() {
        guest.write(pointers, &bytes.to_le_bytes())?;
        guest.write(bytes, arguments)?;
    }
    Ok(SUCCESS)
}

fn clock_res_get(mut caller: Caller<'_, State>, clock: i32, resolution: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "clock_res_get")?;
    if state.wasi.now(clock).is_none() {
        return Ok(INVALID);
    }
    guest.write(resolution, &1_u64.to_le_bytes())?;
    Ok(SUCCESS)
}

fn clock_time_get(mut caller: Caller<'_, State>, clock: i32, _precision: i64, time: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "clock_time_get")?;
    let Some(now) = state.wasi.now(clock) else {
        return Ok(INVALID);
    };
    guest.write(time, &now.to_le_bytes())?;
    Ok(SUCCESS)
}

/// Standard output (1) and error (2) go to the log, a line at a time.
fn fd_write(mut caller: Caller<'_, State>, descriptor: i32, vectors: i32, count: i32, written: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "fd_write")?;
    let limit = state.limits.log_bytes;
    let stream = address(descriptor).checked_sub(1);
    let Some(partial) = stream.and_then(|index| state.wasi.partial.get_mut(index)) else {
        return Ok(BAD_DESCRIPTOR);
    };
    if address(count) > MAX_VECTORS {
        return Ok(INVALID);
    }
    let mut total = 0_u32;
    for vector in guest.read(vectors, count.saturating_mul(8))?.chunks_exact(8) {
        let bytes = guest.read(number(vector, 0), number(vector, 4))?;
        if partial.len().saturating_add(bytes.len()) > limit {
            return Err(CallError::LogBytes { limit }.into());
        }
        partial.extend_from_slice(bytes);
        total = total.wrapping_add(number(vector, 4).cast_unsigned());
    }
    guest.write(written, &total.to_le_bytes())?;
    if let Some(end) = partial.iter().rposition(|byte| *byte == b'\n') {
        let rest = partial.split_off(end + 1);
        let lines = std::mem::replace(partial, rest);
        state.log(&String::from_utf8_lossy(&lines))?;
    }
    Ok(SUCCESS)
}

/// The little-endian number at `offset` of a record.
fn number(record: &[u8], offset: usize) -> i32 {
    let bytes = record.get(offset..).and_then(<[u8]>::first_chunk);
    i32::from_le_bytes(bytes.copied().unwrap_or_default())
}

fn random_get(mut caller: Caller<'_, State>, pointer: i32, length: i32) -> Result<i32> {
    let (mut guest, state) = split(&mut caller, "random_get")?;
    if address(length) > MAX_RANDOM {
        return Ok(INVALID);
    }
    for chunk in guest.slot(pointer, address(length))?.chunks_mut(8) {
        for (place, byte) in chunk.iter_mut().zip(state.wasi.random()) {
            *place = byte;
        }
    }
    Ok(SUCCESS)
}
