//! How much one source may cost.

use std::fmt;

use crate::number::Floats;

/// Bounds on what one source may cost. All but the last are plain numbers to set; going over one is a [`crate::Problem`] that
/// names the bound and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Documents in one source (100,000).
    pub documents: usize,
    /// Bytes of one document (64 MiB).
    pub document_bytes: usize,
    /// Nodes of one document, those made by aliases included (5,000,000; a node takes 28 bytes).
    pub nodes: usize,
    /// Collections in one another (100). What stands inside an alias counts from where the alias is used.
    pub depth: usize,
    /// Nodes of one document that aliases and merge keys may make (100,000).
    pub alias_nodes: usize,
    /// Problems of one document that are listed (1,000).
    pub problems: usize,
    /// What is made of numbers that are not whole ([`Floats::EXACT`]).
    pub floats: Floats,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            documents: 100_000,
            document_bytes: 64 << 20,
            nodes: 5_000_000,
            depth: 100,
            alias_nodes: 100_000,
            problems: 1000,
            floats: Floats::EXACT,
        }
    }
}

/// Which of the [`Limits`] was broken, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`Limits::documents`]
    Documents(usize),
    /// [`Limits::document_bytes`]
    DocumentBytes(usize),
    /// [`Limits::nodes`]
    Nodes(usize),
    /// [`Limits::depth`]
    Depth(usize),
    /// [`Limits::alias_nodes`]
    AliasNodes(usize),
    /// [`Limits::problems`]
    Problems(usize),
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Documents(limit) => write!(out, "more than {limit} documents in one file"),
            Self::DocumentBytes(limit) => write!(out, "document larger than {limit} bytes"),
            Self::Nodes(limit) => write!(out, "more than {limit} values in one document"),
            Self::Depth(limit) => write!(out, "nested more than {limit} deep"),
            Self::AliasNodes(limit) => write!(out, "aliases expand to more than {limit} values"),
            Self::Problems(limit) => write!(out, "more than {limit} problems in one document; the rest is not listed"),
        }
    }
}
