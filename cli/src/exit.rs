//! Exit codes, one place for all of them.

use std::process::ExitCode;

use fedward_report::Verdict;

/// How a run ends. A script can rely on these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was judged, and nothing at or above the threshold was found.
    Clean = 0,
    /// There are findings at or above the threshold.
    Findings = 1,
    /// Wrong usage or configuration, or an input or output that was named cannot be read or written.
    Usage = 2,
    /// Something could not be judged, or a file below a folder could not be read.
    NotJudged = 3,
    /// Nothing was judged, and nothing that was found counts: probably a wrong path.
    Nothing = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::NotJudged => Exit::NotJudged,
            Verdict::Findings => Exit::Findings,
            Verdict::Nothing => Exit::Nothing,
            Verdict::Passed => Exit::Clean,
        }
    }
}
