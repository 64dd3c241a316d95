//! `fedward.yaml`: what a repository says of how it is to be checked.
//!
//! [`Draft::find`] looks for the file and reads it; a mistake in it is told with its line and column. Whether the settings of a policy
//! are right only the policy itself can say: [`Loaded::mistake`] puts what it says on its place.

mod date;
mod find;
mod loaded;
mod model;
mod placed;
pub mod words;

pub use date::today;
pub use find::{around, repository};
pub use loaded::{Draft, Loaded, ModulePlace, is_namespace};
pub use model::{Config, IgnoreConfig, Level, LimitsConfig, Paths, PolicyConfig, Threshold};
pub use placed::Placed;

/// The name of the file.
pub const FILE_NAME: &str = "fedward.yaml";

/// Everything that is wrong, a line each, with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl ConfigError {
    fn one(mistake: impl Into<String>) -> Self {
        ConfigError(vec![mistake.into()])
    }
}

/// The JSON Schema of the file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Config).into()
}
