//! What Argo CD would deploy from a checkout of a repository.
//!
//! ```text
//! files ──found──> Applications, ApplicationSets, projects, clusters, settings
//!                       │  ▲                │
//!                       │  └── generators, template, patch
//!                  sources: repository, folder, overrides, tool, values files
//!                       │
//!          plain manifests here, all else by a Renderer ──> objects ──> Applications in them, and so on
//! ```
//!
//! Nothing is fetched, and nothing that the repository names is run by this crate: what cannot be known without is [`State::Deferred`], with a reason. What
//! Argo CD itself would refuse is [`State::Failed`]. Semantics follow Argo CD 3.6; where they surprise, a comment says so.
//!
//! Files are read through [`Checkout`], which never leaves its root. Values keep the [`Place`] where a person edits them, through templates
//! and patches.

mod application;
mod appset;
mod changed;
mod charts;
mod checkout;
mod clusters;
mod discovery;
mod documents;
mod environment;
mod exclusions;
mod fixtures;
mod git;
mod glob;
mod layout;
mod limits;
mod manifest;
mod parameters;
pub mod path;
mod place;
pub mod plugin;
mod project;
mod reason;
pub mod renderer;
mod repositories;
pub mod rules;
mod schedule;
mod settings;
mod shape;
mod source;
mod template;
#[cfg(test)]
mod test_text;
mod touched;
pub mod url;
mod used;
mod value;
mod versions;
mod wanted;

pub use application::{Destination, Resource, Scopes, State};
pub use appset::SetState;
pub use changed::Changed;
pub use charts::{Chart, DEEPEST};
pub use checkout::{Checkout, Entry, Lost};
pub use clusters::{Cluster, Clusters, Target};
pub use discovery::{Application, ApplicationSet, Discovery, Options, Parent, Project, Root, Summary, discover};
pub use environment::expand;
pub use exclusions::Exclusions;
pub use fixtures::Fixtures;
pub use git::command as git_command;
pub use limits::Limits;
pub use manifest::{Manifest, Origin};
pub use place::Place;
pub use reason::{Reason, Stop};
pub use renderer::Renderer;
pub use repositories::{Mapping, Repositories, mapping};
pub use settings::Settings;
pub use source::{Ignored, Source, SourceType, escape, plain, tool_of};
pub use used::{files_of, left_out_files, used_files};
pub use value::{Data, Value};
pub use versions::{fits, of_archive};
pub use wanted::Wanted;
