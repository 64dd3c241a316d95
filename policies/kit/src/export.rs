//! The waPC side of a module: what the host calls and the way to the host.
//!
//! Source of the functions and their meaning: `wapc-guest` 1.2, which is as short and brings a hash map with it.

/// Exports a policy from the module that a crate becomes: the functions that a waPC host calls.
///
/// The crate is an ordinary library for everything else, a part of the suite among others: only the build that makes a module of it
/// (`--cfg fedward_module`) has the exports.
#[macro_export]
macro_rules! export_policy {
    ($policy:expr) => {
        #[cfg(all(target_arch = "wasm32", fedward_module))]
        #[expect(unsafe_code, reason = "an export that waPC hosts call by name")]
        #[unsafe(no_mangle)]
        extern "C" fn wapc_init() {
            $crate::export::init();
        }

        #[cfg(all(target_arch = "wasm32", fedward_module))]
        #[expect(unsafe_code, reason = "an export that waPC hosts call by name")]
        #[unsafe(no_mangle)]
        extern "C" fn __guest_call(operation: usize, payload: usize) -> i32 {
            i32::from($crate::export::call(&$policy, operation, payload))
        }
    };
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "functions of the host")]
mod wasm {
    use crate::context::Host;
    use crate::policy::AnyPolicy;

    #[link(wasm_import_module = "wapc")]
    unsafe extern "C" {
        fn __console_log(text: *const u8, length: usize);
        fn __guest_request(operation: *mut u8, payload: *mut u8);
        fn __guest_response(response: *const u8, length: usize);
        fn __guest_error(text: *const u8, length: usize);
        fn __host_call(
            binding: *const u8,
            binding_length: usize,
            namespace: *const u8,
            namespace_length: usize,
            operation: *const u8,
            operation_length: usize,
            payload: *const u8,
            payload_length: usize,
        ) -> usize;
        fn __host_response_len() -> usize;
        fn __host_response(response: *mut u8);
        fn __host_error_len() -> usize;
        fn __host_error(text: *mut u8);
    }

    /// Has a panic logged before the module traps.
    pub fn init() {
        std::panic::set_hook(Box::new(|panic| {
            let text = panic.to_string();
            // SAFETY: the host reads that text.
            unsafe { __console_log(text.as_ptr(), text.len()) };
        }));
    }

    /// Runs an operation of Kubewarden's protocol, of which the host has told the lengths of its name and of its payload. Whether it
    /// succeeded; the host has the response or the error text.
    pub fn call(policy: &impl AnyPolicy, operation: usize, payload: usize) -> bool {
        let (mut operation, mut payload) = (vec![0; operation], vec![0; payload]);
        // SAFETY: the host writes as many bytes as it has told.
        unsafe { __guest_request(operation.as_mut_ptr(), payload.as_mut_ptr()) };
        let answer = match operation.as_slice() {
            b"validate" => policy.validate(&payload, &WapcHost),
            b"validate_settings" => Ok(policy.validate_settings(&payload)),
            b"protocol_version" => Ok(br#""v1""#.to_vec()),
            _ => Err(["No handler registered for function ", str::from_utf8(&operation).unwrap_or_default()].concat()),
        };
        match &answer {
            // SAFETY: the host reads those bytes.
            Ok(response) => unsafe { __guest_response(response.as_ptr(), response.len()) },
            // SAFETY: the host reads that text.
            Err(text) => unsafe { __guest_error(text.as_ptr(), text.len()) },
        }
        answer.is_ok()
    }

    /// The host of the running module.
    struct WapcHost;

    impl Host for WapcHost {
        fn kubernetes(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
            let (binding, namespace) = ("kubewarden", "kubernetes");
            // SAFETY: the host reads those bytes.
            let result = unsafe {
                __host_call(
                    binding.as_ptr(),
                    binding.len(),
                    namespace.as_ptr(),
                    namespace.len(),
                    operation.as_ptr(),
                    operation.len(),
                    payload.as_ptr(),
                    payload.len(),
                )
            };
            if result == 1 {
                // SAFETY: it only answers a number.
                let mut response = vec![0; unsafe { __host_response_len() }];
                // SAFETY: the host writes as many bytes as it has just told.
                unsafe { __host_response(response.as_mut_ptr()) };
                Ok(response)
            } else {
                // SAFETY: it only answers a number.
                let mut text = vec![0; unsafe { __host_error_len() }];
                // SAFETY: the host writes as many bytes as it has just told.
                unsafe { __host_error(text.as_mut_ptr()) };
                Err(String::from_utf8(text).unwrap_or_default())
            }
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub use wasm::{call, init};
