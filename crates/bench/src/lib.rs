//! What a policy module costs on given requests: times, memory, host calls; and whether that is more than before.
//!
//! [`read()`] makes requests of files, [`measure()`] runs a module on them, [`compare()`] holds the [`Report`] against an earlier one.

mod answers;
mod compare;
mod context;
mod digest;
mod human;
mod measure;
mod report;
mod requests;
mod settings;
mod times;

use fedward_host::CallError;

pub use compare::{Comparison, Mismatch, Row, compare, is_comparable};
pub use context::Context;
pub use human::human;
pub use measure::{Plan, Stop, measure};
pub use report::{
    Document, Failure, HostCalls, Instance, Load, ModuleInfo, Report, RequestReport, Requests, SCHEMA_VERSION, Skipped, Timed, Verdict,
    schema,
};
pub use requests::{Found, MAX_BYTES, MAX_REQUESTS, Request, read};
pub use times::Times;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The module cannot be used.
    #[error("`{module}`: {message}")]
    Load {
        /// What the module is called.
        module: String,
        /// Why.
        message: String,
    },
    /// The module did not say whether it takes the settings.
    #[error("the module cannot check {settings}: {message}")]
    Settings {
        /// Which settings.
        settings: String,
        /// Why.
        message: String,
    },
    /// The module does not take the settings.
    #[error("the module refuses {settings}: {message}")]
    SettingsRefused {
        /// Which settings.
        settings: String,
        /// What the module says, safe to show.
        message: String,
    },
    /// More requests than can be told apart in a report, or than fit into memory.
    #[error("more than {MAX_REQUESTS} requests, or {} MiB of them: name fewer files", MAX_BYTES >> 20)]
    TooManyRequests,
    /// The machine gives no more threads.
    #[error("cannot start {0} threads")]
    Threads(usize),
}

impl BenchError {
    fn settings(settings: &str, error: &CallError) -> Self {
        BenchError::Settings { settings: settings.to_owned(), message: shown(&error.to_string()) }
    }
}

/// The most characters of somebody else's text that are repeated.
const MAX_SHOWN: usize = 400;

/// Text of a module, or of a file, that is safe to print, on one line and not too long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", fedward_report::printable(text.get(..end).unwrap_or_default())),
        None => fedward_report::printable(text).into_owned(),
    }
}
