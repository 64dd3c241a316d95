//! The waPC host on Wasmtime: limits, host capabilities, instance strategies.
//!
//! It runs the operations of a module and passes its host calls to a [`HostCalls`]. It knows nothing of Kubernetes, of rules or of
//! JSON. Semantics are those of the `wapc` crate's host, which Kubewarden uses, with two differences: every pointer is checked, and
//! every evaluation has [`Limits`].
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wasm = wat::parse_str(r#"(module
//! #   (import "wapc" "__guest_response" (func $respond (param i32 i32)))
//! #   (memory (export "memory") 1) (data (i32.const 8) "\"v1\"")
//! #   (func (export "__guest_call") (param i32 i32) (result i32)
//! #     (call $respond (i32.const 8) (i32.const 4)) (i32.const 1)))"#)?;
//! use fedward_host::{Host, Limits, Module, NoHostCalls, Strategy};
//!
//! let host = Host::new(Limits::default());
//! let module = Module::from_wasm(&host, Strategy::Fresh, &wasm)?;
//! let mut evaluator = module.evaluator(); // one for each thread
//! assert_eq!(evaluator.call("protocol_version", b"", &mut NoHostCalls)?, b"\"v1\"");
//! # Ok(())
//! # }
//! ```

mod cache;
mod config;
mod error;
mod evaluator;
mod folder;
mod guest;
mod host;
mod lending;
mod limits;
mod module;
mod packed;
mod section;
mod snapshot;
mod state;
mod ticker;
mod wapc;
mod wasi;

use std::sync::Arc;

pub use cache::{Cache, CacheError, Cached};
pub use config::{Strategy, compiled_key, precompile};
pub use error::{CallError, LoadError, Phase};
pub use evaluator::Evaluator;
pub use folder::{FileError, FileType, Folder, Stat};
pub use host::Host;
pub use limits::Limits;
pub use module::{Module, Origin, Timed};
pub use packed::{Packed, Put, Unpack};
pub use section::custom_section;
pub use snapshot::{SnapshotError, snapshot};
pub use state::Stats;

/// What a guest can ask of the program around it.
pub trait HostCalls {
    /// Answers a host call. The answer is shared, so that one that many guests ask for is made once.
    ///
    /// # Errors
    /// A text for the guest; Kubewarden's SDK shows it as `Host error: <text>`.
    fn call(&mut self, binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> Result<Arc<[u8]>, String>;

    /// Takes what the guest logged, without Kubewarden's tracing: a panic's message, what it printed. May have several lines.
    fn log(&mut self, text: &str) {
        let _ = text;
    }
}

/// Refuses every host call and drops the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHostCalls;

impl HostCalls for NoHostCalls {
    fn call(&mut self, binding: &str, _namespace: &str, _operation: &str, _payload: &[u8]) -> Result<Arc<[u8]>, String> {
        Err(format!("unknown binding: {binding}"))
    }
}
