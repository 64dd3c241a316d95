//! x
#![allow(dead_code)]
mod checkout;
mod documents;
mod environment;
mod git;
mod glob;
mod limits;
mod manifest;
mod parameters;
mod path;
mod place;
mod reason;
mod renderer;
mod repositories;
mod template;
#[cfg(test)]
mod test_text;
mod url;
mod value;
pub use limits::Limits;
pub use place::Place;
pub use reason::{Reason, Stop};
pub use value::{Data, Value};
