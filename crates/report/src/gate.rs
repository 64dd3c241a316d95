//! What a run amounts to for whoever waits for it: a job, a hook, an exit code.

#[cfg(test)]
mod tests;

use fedward_kit::finding::Severity;
use fedward_outcome::{Deployed, Outcome, State};

use crate::entry::{Entry, NOTHING, entries};
use crate::summary::{count, severities};

/// Things that are named where a reason is told with what it is about.
const NAMED: usize = 3;
/// Characters of what is said of each.
const CHARACTERS: usize = 200;

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

impl Default for Gate {
    /// That of a run which is told nothing else.
    fn default() -> Self {
        Gate { fail_on: Severity::Error, allow_empty: false, strict: false }
    }
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

impl Verdict {
    /// As outputs for programs name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::NotJudged => "not-judged",
            Verdict::Findings => "findings",
            Verdict::Nothing => "nothing-judged",
            Verdict::Passed => "passed",
        }
    }
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

    /// Why a run does not pass, in a line that holds no text of the input; nothing where it does.
    #[must_use]
    pub fn why(&self, outcome: &Outcome) -> Option<String> {
        match self.verdict(outcome) {
            Verdict::NotJudged => Some(self.unknown(outcome).join(", ")),
            Verdict::Findings => Some(format!("{} (`{}` and graver does not pass)", severities(outcome).join(", "), self.fail_on.name())),
            Verdict::Nothing => self.nothing(outcome).map(str::to_owned),
            Verdict::Passed => None,
        }
    }

    /// Why a run does not pass of which not all was judged, and the first few things that were not. Unlike [`Gate::why`], it holds text of the
    /// input, as it came.
    pub(crate) fn not_judged(&self, outcome: &Outcome) -> Option<String> {
        let why = self.why(outcome).filter(|_| self.verdict(outcome) == Verdict::NotJudged)?;
        let is_it = |entry: &Entry<'_>| entry.finding.is_none() && entry.severity == Severity::Error && entry.id != NOTHING;
        let mut all = entries(outcome, self).filter(is_it);
        let first = all.by_ref().take(NAMED).map(|entry| {
            let line = entry.span.map(|(start, _)| format!(":{}", start.line)).unwrap_or_default();
            let place = if entry.file.is_empty() { String::new() } else { format!("{}{line}: ", entry.file) };
            let text = format!("{place}{}", entry.message.trim_end());
            let kept = text.char_indices().nth(CHARACTERS).and_then(|(end, _)| text.get(..end));
            kept.map_or(text.clone(), |kept| format!("{kept}…"))
        });
        let first: Vec<String> = first.collect();
        let more = match all.count() {
            0 => String::new(),
            more => format!(" (+{more} more)"),
        };
        // Findings tell all of it.
        Some(if first.is_empty() { why } else { format!("{why}: {}{more}", first.join("; ")) })
    }

    /// What is told last for people, where only `--strict` makes it count: nobody else could tell why.
    pub(crate) fn strictly(&self, outcome: &Outcome) -> Option<String> {
        let is_strict = self.strict && outcome.deployed.iter().any(|one| one.state == State::Deferred);
        self.why(outcome).filter(|_| is_strict && self.verdict(outcome) == Verdict::NotJudged)
    }

    /// What is not known, and does not pass.
    pub(crate) fn unknown(&self, outcome: &Outcome) -> Vec<String> {
        let deployed: Vec<State> = outcome.deployed.iter().filter(|one| self.is_unknown(one)).map(|one| one.state).collect();
        let of = |state: State| deployed.iter().filter(|other| **other == state).count();
        let states = [(State::Failed, ""), (State::Partial, ""), (State::Deferred, ", which `--strict` counts")];
        let states = states.into_iter().filter(|(state, _)| of(*state) > 0);
        let states: Vec<String> = states.map(|(state, why)| format!("{} {}{why}", of(state), state.name())).collect();
        let all = [
            (outcome.not_evaluated.len(), format!("{} could not be judged", count(outcome.not_evaluated.len(), "object"))),
            (outcome.unread.len(), format!("{} could not be read", count(outcome.unread.len(), "file"))),
            (deployed.len(), format!("{} not rendered ({})", deployed.len(), states.join(", "))),
        ];
        all.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect()
    }

    /// What is said of a run that judged nothing, or nothing of what matters.
    pub(crate) fn nothing(&self, outcome: &Outcome) -> Option<&'static str> {
        let is_any = |state| outcome.deployed.iter().any(|one| one.state == state);
        self.is_empty(outcome).then_some(if outcome.evaluated == 0 && (is_any(State::Failed) || is_any(State::Deferred)) {
            "nothing was judged: what is named is not rendered"
        } else if outcome.evaluated == 0 && outcome.objects > 0 {
            "nothing was judged: no policy that runs selects any of the objects"
        } else if outcome.evaluated == 0 {
            "nothing was judged: is the path right?"
        } else if is_any(State::Failed) {
            "nothing was judged of what Applications deploy: none of it is rendered"
        } else {
            "nothing was judged of what Applications deploy: all of it is deferred"
        })
    }

    /// The same before a count of what was judged all the same.
    pub(crate) fn nothing_of(&self, outcome: &Outcome) -> Option<&'static str> {
        self.nothing(outcome).and_then(|nothing| nothing.split_once(':')).map(|(nothing, _)| nothing)
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
