//! Match conditions and group expressions, evaluated in the CEL module (`crates/cel`).
//!
//! Expressions are text from manifests and may be hostile: only the module reads them, under the limits of `crates/host`. This crate
//! says what crosses the border, and turns what breaks a limit into an error of the condition that broke it.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let host = fedward_host::Host::new(fedward_host::Limits::default());
//! # let module = fedward_host::Module::from_wasm(&host, fedward_host::Strategy::Kept, fedward_modules::CEL.wasm)?;
//! use fedward_conditions::{Conditions, Evaluator, Outcome, Variables};
//!
//! let mut evaluator = Evaluator::new(&module, host.limits()); // one for each thread
//! let compiled = Conditions::compile(&mut evaluator, &[("not-for-nodes", "!request.userInfo.groups.exists(g, g == 'system:nodes')")])?;
//! let conditions = compiled.map_err(|problems| problems.iter().map(ToString::to_string).collect::<String>())?;
//!
//! let request = br#"{"operation":"CREATE","userInfo":{"groups":["system:masters"]}}"#;
//! let variables = Variables { object: b"{}", old_object: b"null", request, namespace_object: None };
//! assert_eq!(evaluator.bind(&variables, conditions.uses()).evaluate(&conditions), Outcome::Match);
//! # Ok(())
//! # }
//! ```

mod conditions;
mod evaluator;
mod group;
mod wire;

pub use conditions::{Conditions, Problem, Uses};
pub use evaluator::{Bound, Evaluator, Outcome, Variables};
pub use group::Group;

/// Why nothing can be said about expressions at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The sandbox has no room, or the module does not start. What an expression brings about is a [`Problem`] of it.
    #[error("the expressions cannot be read: {0}")]
    Call(#[from] fedward_host::CallError),
    /// The module answers something else than this crate expects: they are of different builds.
    #[error("the CEL module answers in an unknown way: {0}")]
    Answer(#[from] serde_json::Error),
}
