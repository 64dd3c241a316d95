//! The host against small modules written as text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "tests")]

#[cfg(unix)]
mod cache;
mod files;
mod guests;
mod hostile;
mod instances;
mod loading;
mod pointers;
mod protocol;
mod snapshot;
mod wasi;
