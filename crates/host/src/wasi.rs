//! WASI preview 1 without files (stub).

#[derive(Default)]
pub(crate) struct Wasi;
