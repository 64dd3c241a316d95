//! The waPC side of a module: registration of the operations and the way to the host.

/// Exports a policy from the module that a crate becomes: `wapc_init` and the operations of Kubewarden's protocol.
///
/// The crate is an ordinary library for everything else; only a build for WebAssembly has the export.
#[macro_export]
macro_rules! export_policy {
    ($policy:expr) => {
        #[cfg(target_arch = "wasm32")]
        #[expect(unsafe_code, reason = "the export that waPC hosts call by name")]
        #[unsafe(no_mangle)]
        pub extern "C" fn wapc_init() {
            fn validate(payload: &[u8]) -> $crate::export::CallResult {
                $crate::export::answer($policy.validate(payload, &$crate::export::WapcHost))
            }
            fn validate_settings(payload: &[u8]) -> $crate::export::CallResult {
                Ok($policy.validate_settings(payload))
            }
            fn protocol_version(_: &[u8]) -> $crate::export::CallResult {
                Ok(br#""v1""#.to_vec())
            }
            $crate::export::register("validate", validate);
            $crate::export::register("validate_settings", validate_settings);
            $crate::export::register("protocol_version", protocol_version);
        }
    };
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use crate::context::Host;

    /// What a waPC operation gives back.
    pub type CallResult = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

    /// Registers an operation; a panic in it is logged before the module traps.
    pub fn register(name: &str, operation: fn(&[u8]) -> CallResult) {
        std::panic::set_hook(Box::new(|panic| wapc_guest::console_log(&panic.to_string())));
        wapc_guest::register_function(name, operation);
    }

    /// Turns an error text into the form that waPC wants.
    pub fn answer(result: Result<Vec<u8>, String>) -> CallResult {
        result.map_err(Into::into)
    }

    /// The host of the running module.
    pub struct WapcHost;

    impl Host for WapcHost {
        fn kubernetes(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
            wapc_guest::host_call("kubewarden", "kubernetes", operation, payload).map_err(|error| error.to_string())
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub use wasm::{CallResult, WapcHost, answer, register};
