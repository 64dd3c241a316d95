//! The built-in policy modules, compiled ahead of time and embedded.

use fedward_kit::policy::AnyPolicy;

/// One built-in policy.
pub struct Builtin {
    /// The policy's id.
    pub id: &'static str,
    /// Its `metadata.yml`.
    pub metadata: &'static str,
    /// The module.
    pub wasm: &'static [u8],
    /// The module compiled by the engine of this very build. Empty where the build left the modules out.
    pub compiled: &'static [u8],
    /// The same policy as native code: for its description, and for tests that hold the module to it.
    pub policy: &'static dyn AnyPolicy,
}

/// All built-in policies, by id.
pub const ALL: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// The built-in policy of that id.
pub fn find(id: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|builtin| builtin.id == id)
}
