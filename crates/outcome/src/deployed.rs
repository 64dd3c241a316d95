//! What Argo CD deploys, and what a finding in it looks like there.

use crate::Location;

/// Where a finding was made, if not in the file that it is shown in: in what something renders of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What deploys it, the first few: `Application argocd/web`.
    pub by: Vec<String>,
    /// In how many of what is deployed the same was found.
    pub count: usize,
    /// The rendered line, without what is secret; empty where it is the very line of the file.
    pub text: String,
    /// Whether the line of the file is known; otherwise it is where the object begins.
    pub exact: bool,
}

/// An Application or ApplicationSet of Argo CD, or a chart or kustomization that nothing deploys.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// `Application`, `ApplicationSet`, `chart` or `kustomization`.
    pub kind: &'static str,
    /// Its name; with its namespace before it, where it has one.
    pub name: String,
    /// The cluster and the namespace that it goes to; empty for what goes nowhere itself.
    pub destination: String,
    /// What became of it.
    pub state: State,
    /// Why it is not rendered, or not all of it.
    pub reasons: Vec<String>,
    /// Where it is written.
    pub location: Option<Location>,
    /// Where the cause is written, if it is [`State::Failed`] and that is known: a finding may say the same there.
    pub cause: Option<Location>,
    /// How many objects it has.
    pub objects: usize,
}

/// What became of something that is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// All of it is rendered, and was judged.
    Rendered,
    /// Some of it could not be known.
    Partial,
    /// Nothing of it could be known here: something would have to be fetched, say.
    Deferred,
    /// Argo CD itself would not deploy it.
    Failed,
    /// It was not looked at: the change that is checked does not touch it.
    Untouched,
}

impl State {
    /// As outputs name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Rendered => "rendered",
            State::Partial => "partial",
            State::Deferred => "deferred",
            State::Failed => "failed",
            State::Untouched => "untouched",
        }
    }
}

/// How many there are of each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeployedCounts {
    /// Rendered.
    pub rendered: usize,
    /// Partial.
    pub partial: usize,
    /// Deferred.
    pub deferred: usize,
    /// Failed.
    pub failed: usize,
    /// Untouched.
    pub untouched: usize,
}

/// Counts the states of what has one of some kinds.
#[must_use]
pub fn count_states(deployed: &[Deployed], kinds: &[&str]) -> DeployedCounts {
    let mut counts = DeployedCounts::default();
    for one in deployed.iter().filter(|one| kinds.contains(&one.kind)) {
        match one.state {
            State::Rendered => counts.rendered += 1,
            State::Partial => counts.partial += 1,
            State::Deferred => counts.deferred += 1,
            State::Failed => counts.failed += 1,
            State::Untouched => counts.untouched += 1,
        }
    }
    counts
}
