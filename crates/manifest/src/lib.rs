//! YAML and JSON text to trees in which every node knows its place.
//!
//! ```
//! use std::sync::Arc;
//! use fedward_manifest::{Limits, Source, parse, split};
//!
//! let source = Arc::new(Source::new("a.yaml", b"kind: Pod\nmetadata:\n  name: web\n".to_vec())?);
//! let limits = Limits::default();
//! for chunk in split(&source, &limits).chunks {
//!     let parsed = parse(&source, chunk, &limits);
//!     let Some(document) = parsed.document else { continue };
//!     let name = document.root().pointer("/metadata/name").node;
//!     assert_eq!(name.as_str(), Some("web"));
//!     assert_eq!(source.position(name.span().start).line, 3);
//! }
//! # Ok::<(), fedward_manifest::SourceError>(())
//! ```
//!
//! A [`Source`] is split into [`Chunk`]s before anything is parsed, so that a broken document never hides the next and
//! documents can be parsed on several threads. What is wrong comes back as [`Problem`]s beside the tree.
//!
//! To turn a tree into another representation, walk it with [`Node::kind`], [`Node::entries`] and [`Node::items`]:
//! handles are `Copy`, keys and texts are `&str` that live as long as the [`Document`], and nothing is allocated on the
//! way.
//!
//! To change an object in its text, see [`edit`].
//!
//! The crate builds for `wasm32-unknown-unknown`: it knows no files, threads or clock.

mod assembly;
mod base64;
mod builder;
mod comment;
mod document;
pub mod edit;
mod embedded;
mod json;
mod json_write;
mod limits;
mod messages;
mod number;
mod objects;
mod offsets;
mod parse;
mod pointer;
mod problem;
mod source;
mod split;
mod template;
mod tree;
mod typing;
mod yaml;

pub use base64::decode as decode_base64;
pub use builder::{BuildError, Builder};
pub use comment::Comment;
pub use document::{Document, Entry, Items, Kind, Node, NodeId};
pub use embedded::{EmbeddedError, Encoding};
pub use json_write::length_of_plain;
pub use limits::{Limit, Limits};
pub use number::{Floats, is_finite};
pub use objects::{Object, Objects};
pub use parse::{Parsed, first_yaml, parse};
pub use pointer::Lookup;
pub use problem::{Problem, ProblemKind, Related};
pub use source::{Position, Source, SourceError, Span};
pub use split::{Chunk, Format, Split, split};
