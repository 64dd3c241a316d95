//! What a run amounts to for whoever waits for it: a job, a hook, an exit code.

use fedward_kit::finding::Severity;
use fedward_outcome::{Deployed, Outcome, State};

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The least severity that does not pass.
    pub fail_on: Severity,
    /// Whether a run that judged nothing passes.
    pub allow_empty: bool,
    /// Whether what is deferred does not pass.
    pub strict: bool,
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
        let is_unknown = outcome.deployed.iter().any(|one| self.is_unknown(one));
        if !outcome.not_evaluated.is_empty() || !outcome.unread.is_empty() || is_unknown {
            Verdict::NotJudged
        } else if counts {
            Verdict::Findings
        } else if self.is_empty(outcome) {
            Verdict::Nothing
        } else {
            Verdict::Passed
        }
    }

    /// Whether not all of what is deployed is known, and that does not pass.
    pub(crate) fn is_unknown(&self, deployed: &Deployed) -> bool {
        matches!(deployed.state, State::Partial | State::Failed) || self.strict && deployed.state == State::Deferred
    }

    /// Whether nothing was judged, and somebody should know.
    pub(crate) fn is_empty(&self, outcome: &Outcome) -> bool {
        // That a change touches nothing of what is judged is no mistake.
        if outcome.is_narrowed && outcome.evaluated == 0 && !outcome.deployed.iter().any(|one| one.state == State::Deferred) {
            return false;
        }
        // Applications were looked at, and nothing of what they deploy was.
        let is_deferred = outcome.deployed.iter().any(|one| one.state == State::Deferred);
        let is_hollow = is_deferred && outcome.evaluated == outcome.evaluated_applications;
        (outcome.evaluated == 0 || is_hollow) && !self.allow_empty
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use fedward_outcome::{Deployed, Outcome, State};

    use super::{Gate, Verdict};
    use crate::entry::{NOT_RENDERED, entries};
    use crate::testing::GATE;

    #[test]
    fn what_is_not_rendered_is_listed_and_does_not_pass() {
        let strict = Gate { strict: true, ..GATE };
        for (state, lax, strictly) in [
            (State::Rendered, Verdict::Passed, Verdict::Passed),
            (State::Untouched, Verdict::Passed, Verdict::Passed),
            (State::Deferred, Verdict::Passed, Verdict::NotJudged),
            (State::Partial, Verdict::NotJudged, Verdict::NotJudged),
            (State::Failed, Verdict::NotJudged, Verdict::NotJudged),
        ] {
            let deployed = Deployed {
                kind: "Application",
                name: "argocd/web".into(),
                destination: String::new(),
                state,
                reasons: vec!["the repository is not here".into()],
                location: None,
                objects: 0,
            };
            let outcome = Outcome { deployed: vec![deployed], evaluated: 1, ..Outcome::default() };
            assert_eq!((GATE.verdict(&outcome), strict.verdict(&outcome)), (lax, strictly));
            let listed: Vec<String> = entries(&outcome, &GATE).map(|entry| format!("{}: {}", entry.id, entry.message)).collect();
            let expected = format!("{NOT_RENDERED}: Application argocd/web is {}: the repository is not here", state.name());
            assert_eq!(listed, if matches!(state, State::Rendered | State::Untouched) { Vec::new() } else { vec![expected] });
        }
    }
}
