//! What can go wrong, in words for the person who reads the report.

use std::fmt;
use std::time::Duration;

/// Why a module cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are not a WebAssembly module, or one that uses a proposal which no policy needs (threads, several memories, 64-bit
    /// memories, garbage-collected types, exceptions).
    #[error("not a usable WebAssembly module: {message}")]
    Invalid {
        /// The validator's words, with the byte offset.
        message: String,
    },
    /// The module imports something that is neither waPC nor WASI preview 1.
    #[error("unknown import {}; a policy may import `wapc` and `wasi_snapshot_preview1`", Quoted(names))]
    UnknownImports {
        /// Each import as `module.name`, in the module's order, without repeats.
        names: Vec<String>,
    },
    /// The module imports a known name with another type.
    #[error("an import has the wrong type: {message}")]
    ImportType {
        /// Which import, and both types.
        message: String,
    },
    /// The module lacks an export that waPC requires.
    #[error("missing export `{name}`: a waPC module exports `memory` and `__guest_call`")]
    MissingExport {
        /// `memory` or `__guest_call`.
        name: &'static str,
    },
    /// An export that waPC gives a meaning has another type.
    #[error("export `{name}` has the wrong type: it must be {expected}")]
    ExportType {
        /// The export.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The module is larger than a host takes.
    #[error("the module has {size} bytes, over the limit of {limit}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// [`Limits::module_bytes`](crate::Limits::module_bytes).
        limit: usize,
    },
    /// The machine cannot run WebAssembly as configured: no room for the reservations, or the ticker thread did not start.
    #[error("cannot set up the WebAssembly engine: {message}")]
    Engine {
        /// The system's words.
        message: String,
    },
}

/// Which part of an evaluation was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Instantiation and the starters `_start` and `wapc_init`.
    Init,
    /// The operation itself.
    Call,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "initialisation",
            Self::Call => "evaluation",
        })
    }
}

/// Why one call has no response. After anything but [`CallError::Guest`] the instance is gone; the next call gets a new one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The guest itself answered with an error, or with nothing (then the text is upstream's for that case).
    #[error("{text}")]
    Guest {
        /// The guest's text.
        text: String,
    },
    /// The guest trapped: a panic, an out-of-bounds access, a division by zero.
    #[error("the module trapped: {message}{}", LastLines(log))]
    Trap {
        /// What the trap was.
        message: String,
        /// The last lines that the guest logged, oldest first: a Rust panic logs its message before it traps.
        log: Vec<String>,
    },
    /// The time was up.
    #[error("{phase} exceeded the time limit of {} ms", limit.as_millis())]
    Deadline {
        /// The limit that was exceeded.
        limit: Duration,
        /// What was running.
        phase: Phase,
    },
    /// The guest asked for more memory than it may have, or declares more to begin with.
    #[error("the module exceeded the memory limit of {limit} bytes")]
    Memory {
        /// [`Limits::memory_bytes`](crate::Limits::memory_bytes).
        limit: usize,
    },
    /// The guest asked for a larger table than it may have, or declares one.
    #[error("the module exceeded the limit of {limit} table elements")]
    Table {
        /// [`Limits::table_elements`](crate::Limits::table_elements).
        limit: usize,
    },
    /// The guest's stack was exhausted, by deep recursion as a rule.
    #[error("the module exceeded the stack limit of {limit} bytes{}", LastLines(log))]
    Stack {
        /// [`Limits::stack_bytes`](crate::Limits::stack_bytes).
        limit: usize,
        /// The last lines that the guest logged.
        log: Vec<String>,
    },
    /// The guest's response or error text is too large.
    #[error("the module's response exceeded the limit of {limit} bytes")]
    ResponseTooLarge {
        /// [`Limits::response_bytes`](crate::Limits::response_bytes).
        limit: usize,
    },
    /// The guest made too many host calls.
    #[error("the module exceeded the limit of {limit} host calls")]
    HostCalls {
        /// [`Limits::host_calls`](crate::Limits::host_calls).
        limit: u32,
    },
    /// The payload of a host call is too large.
    #[error("a host call exceeded the payload limit of {limit} bytes")]
    HostRequestTooLarge {
        /// [`Limits::host_request_bytes`](crate::Limits::host_request_bytes).
        limit: usize,
    },
    /// The answer to a host call is too large.
    #[error("the answer to a host call exceeded the limit of {limit} bytes")]
    HostResponseTooLarge {
        /// [`Limits::host_response_bytes`](crate::Limits::host_response_bytes).
        limit: usize,
    },
    /// The guest logged too much.
    #[error("the module exceeded the log limit of {limit} bytes")]
    LogBytes {
        /// [`Limits::log_bytes`](crate::Limits::log_bytes).
        limit: usize,
    },
    /// The guest logged too many lines.
    #[error("the module exceeded the log limit of {limit} lines")]
    LogLines {
        /// [`Limits::log_lines`](crate::Limits::log_lines).
        limit: u32,
    },
    /// The guest passed a pointer and length outside its memory.
    #[error("the module passed memory that it does not have to `{import}`")]
    Pointer {
        /// The imported function.
        import: &'static str,
    },
    /// The guest passed bytes that are not UTF-8 where text is required.
    #[error("the module passed text that is not UTF-8 to `{import}`")]
    Text {
        /// The imported function.
        import: &'static str,
    },
    /// The guest ended itself through WASI. Status 0 from a starter is no error.
    #[error("the module ended itself with exit status {status}{}", LastLines(log))]
    Exit {
        /// The exit status.
        status: u32,
        /// The last lines that the guest logged.
        log: Vec<String>,
    },
    /// The machine has no room for an instance: no address space, or more fresh instances at once than the pool holds.
    #[error("no room for an instance of the module: {message}")]
    NoRoom {
        /// The system's words.
        message: String,
    },
}

/// Names in backticks, separated by commas.
struct Quoted<'a>(&'a [String]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}`{name}`")?;
        }
        Ok(())
    }
}

/// The end of an error text: the last log lines, if there are any.
struct LastLines<'a>(&'a [String]);

impl fmt::Display for LastLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "; it last logged: {}", self.0.join(" | "))
    }
}
