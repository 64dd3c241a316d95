//! What every fedward policy shares.
//!
//! A policy is a list of [`rule::Rule`]s. A rule is a pure function from [`rule::Check`] (the object, its pods, its settings, other
//! objects) to findings; this crate reads the request, finds the pod templates, knows who is federated, asks the host, applies
//! admission semantics and severities, and answers in Kubewarden's protocol.

mod admission;
#[cfg(any(test, target_arch = "wasm32"))]
mod allocator;
pub mod audience;
pub mod azure;
mod bounds;
#[cfg(any(test, target_arch = "wasm32"))]
mod compare;
pub mod context;
pub mod export;
pub mod iam;
pub mod identity;
pub mod index;
pub mod issuer;
mod mend;
pub mod order;
pub mod policy;
pub mod projection;
pub mod request;
pub mod rights;
pub mod rule;
pub mod rules;
pub mod secret;
pub mod settings;
pub mod subject;
pub mod suggest;
pub mod suite;
pub mod text;
pub mod token_use;
pub mod trust;
pub mod url;
pub mod verdict;
pub mod webhook;
pub mod workload;

use fedward_tree::json;
pub use fedward_tree::{finding, node, value};
