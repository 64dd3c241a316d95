//! The built-in policy modules, compiled ahead of time and embedded.

pub use fedward_kit::policy::Builtin;

/// All built-in policies, by id.
pub const ALL: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// The built-in policy of that id.
pub fn find(id: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|builtin| builtin.id == id)
}
