//! What a run amounts to for whoever waits for it: a job, a hook, an exit code.

use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The least severity that does not pass.
    pub fail_on: Severity,
    /// Whether a run that judged nothing passes.
    pub allow_empty: bool,
}

/// Whether a run passes, and why not. The first that applies, most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Something could not be judged or read.
    NotJudged,
    /// Findings reach the threshold.
    Findings,
    /// Nothing was judged.
    Nothing,
    /// All was judged, and nothing counts.
    Passed,
}

impl Gate {
    /// What `outcome` amounts to.
    #[must_use]
    pub fn verdict(&self, outcome: &Outcome) -> Verdict {
        let counts = outcome.findings.iter().any(|finding| finding.suppressed.is_none() && finding.severity >= self.fail_on);
        if !outcome.not_evaluated.is_empty() || !outcome.unread.is_empty() {
            Verdict::NotJudged
        } else if counts {
            Verdict::Findings
        } else if self.is_empty(outcome) {
            Verdict::Nothing
        } else {
            Verdict::Passed
        }
    }

    /// Whether nothing was judged, and somebody should know.
    pub(crate) fn is_empty(&self, outcome: &Outcome) -> bool {
        outcome.evaluated == 0 && !self.allow_empty
    }
}
