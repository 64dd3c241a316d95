//! What a run found, as text: for people in a terminal, as JSON, as SARIF 2.1.0, for the systems that run jobs, in a few lines.
//!
//! Nearly all write as they go and keep nothing but the block at hand, so that a run with many findings costs little; JUnit's XML has counts at
//! its beginning, and is made as a whole.
//! Text from the input is hostile: nothing in it moves a cursor, turns writing around or forges a line of ours, in any format.
//!
//! Only the human format quotes files, and what [`Outcome::secrets`](fedward_outcome::Outcome::secrets) names is hidden there. Messages,
//! patches and edits are written as they come: that they hold no secret is their makers' duty.

mod azure;
mod brief;
mod clean;
mod entry;
mod excerpt;
mod fingerprint;
mod gate;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod masks;
mod sarif;
mod summary;
mod uri;
mod window;
mod writer;

#[cfg(test)]
mod testing;

use fedward_kit::finding::Severity;
use serde::Serialize;

pub use azure::azure;
pub use brief::{Room, brief, termination_log};
pub use clean::line as printable;
pub use gate::{Gate, Verdict};
pub use github::github;
pub use gitlab::gitlab;
pub use human::{human, problems};
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use summary::{count, skipped};
pub use writer::write as write_json;

/// How the human format looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether ANSI colours are written; the caller knows what it writes to.
    pub color: bool,
    /// Also shows what is ignored, every skipped file, and each finding's policy, pointer and page.
    pub verbose: bool,
    /// Shows findings and what could not be judged, but no notes and no summary.
    pub quiet: bool,
    /// Shows what policies changed.
    pub mutations: bool,
    /// Columns for lines of source; longer ones are cut around what is pointed at.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { color: false, verbose: false, quiet: false, mutations: false, width: 140 }
    }
}

/// Who reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tool<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The absolute address below which the rules' pages lie, ending in `/`. SARIF has no relative links, so without it there are none.
    #[serde(skip)]
    pub home: Option<&'a str>,
}

/// What SARIF says of a rule, whether or not it found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo<'a> {
    /// The rule's id.
    pub id: &'a str,
    /// The policy that it belongs to.
    pub policy: &'a str,
    /// What it is about, in a line.
    pub summary: &'a str,
    /// Its severity where no setting changes it.
    pub default_severity: Severity,
    /// Its page: relative to [`Tool::home`], or absolute.
    pub docs: &'a str,
    /// The page itself, as Markdown without links that only the project's files know; empty where there is none.
    pub page: &'a str,
}
