//! The built-in policy modules, compiled ahead of time and embedded.

pub use fedward_kit::policy::Builtin;

/// All built-in policies, by id.
pub static ALL: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// All built-in policies in one module.
pub static SUITE: Builtin = include!(concat!(env!("OUT_DIR"), "/suite.rs"));

/// A module that is no policy.
pub struct Embedded {
    /// The module.
    pub wasm: &'static [u8],
    /// The module compiled by the engine of this very build. Empty where the build left the modules out.
    pub compiled: &'static [u8],
}

/// The evaluator of CEL, which `crates/conditions` calls.
pub static CEL: Embedded = Embedded {
    wasm: include_bytes!(concat!(env!("OUT_DIR"), "/fedward-cel.wasm")),
    compiled: include_bytes!(concat!(env!("OUT_DIR"), "/fedward-cel.cwasm")),
};

/// The built-in policy of that id.
pub fn find(id: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|builtin| builtin.id == id)
}

/// The built-in module of that id: that of a policy, or the suite.
pub fn module(id: &str) -> Option<&'static Builtin> {
    find(id).or((id == SUITE.id).then_some(&SUITE))
}
