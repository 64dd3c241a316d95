//! The reference deployments that `fedward init` writes: manifests that are right, with the values of whoever asks for them.
//!
//! A deployment is a folder of `fixtures/scenarios`: `secure/` has the manifests, with made-up values, and `parameters.yaml` beside it
//! lists those values, each with its name, its kind and the sample that stands in the manifests. A [`Draft`] takes values and knows what is
//! still missing; [`Filled`] is the manifests with the samples replaced. Nothing here reads or writes files.

mod draft;
mod kind;
mod model;
mod render;
#[cfg(test)]
mod tests;

pub use draft::{Draft, Filled};
pub use kind::Kind;
pub use model::{Deployment, Parameter, deployments};

/// A file of a deployment.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Its place below the deployment's folder, with `/`.
    pub path: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// A deployment as the build script lists it.
struct Embedded {
    name: &'static str,
    parameters: &'static str,
    files: &'static [File],
}

const EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
