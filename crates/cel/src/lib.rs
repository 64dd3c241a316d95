//! CEL as Kubernetes speaks it, as a waPC module: match conditions, and the expressions of policy groups.
//!
//! Expressions come from whoever wrote a manifest and may be hostile. So the evaluator is a module: it runs where crates/host bounds
//! time, memory and stack, and where a panic is a trap. `crates/conditions` is its other side.
//!
//! The language is the `cel` crate's; what Kubernetes adds is in [`library`]. Everything that cannot be evaluated as a cluster would
//! is an error, never a value. Sources of the semantics: the CEL specification, cel-go's documentation of its extension libraries,
//! the documentation of Kubernetes (reference, "Common Expression Language in Kubernetes").

mod check;
mod errors;
mod expand;
pub mod group;
pub mod library;
mod paths;
mod program;
mod programs;
pub mod session;
mod unknown;
mod values;
mod variables;
mod wire;

#[cfg(target_arch = "wasm32")]
mod export {
    use std::cell::RefCell;

    use crate::session::Session;

    thread_local! {
        static SESSION: RefCell<Session> = RefCell::new(Session::new());
    }

    type CallResult = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

    fn compile(payload: &[u8]) -> CallResult {
        SESSION.with_borrow_mut(|session| session.compile(payload)).map_err(Into::into)
    }

    fn evaluate(payload: &[u8]) -> CallResult {
        SESSION.with_borrow_mut(|session| session.evaluate(payload)).map_err(Into::into)
    }

    fn group(payload: &[u8]) -> CallResult {
        crate::group::compile(payload).map_err(Into::into)
    }

    #[expect(unsafe_code, reason = "the export that waPC hosts call by name")]
    #[unsafe(no_mangle)]
    extern "C" fn wapc_init() {
        std::panic::set_hook(Box::new(|panic| {
            // Without the message: the interpreter's may show values of the object.
            let place = panic.location().map_or_else(String::new, |at| format!("panic at {}:{}", at.file(), at.line()));
            wapc_guest::console_log(&place);
        }));
        wapc_guest::register_function("compile", compile);
        wapc_guest::register_function("evaluate", evaluate);
        wapc_guest::register_function("group", group);
    }
}
