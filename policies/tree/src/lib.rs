//! Objects as policies see them: parsed into an arena, every node with its place, and what is found there.
//!
//! Part of the kit, which passes it on to the policies; apart from it because every request goes through here again and again, so that
//! this crate is built for speed and the rest for size.

pub mod embedded;
pub mod finding;
pub mod json;
pub mod node;
pub mod splice;
pub mod value;
