//! Reports links that keep Argo CD from rendering anything of a repository.
//!
//! ## What it does
//! A symbolic link that is absolute, or any of whose steps leads out of the repository, is reported if an Application has a source in that
//! repository, wherever the link is. `reposerver.allow.oob.symlinks` turns this off, in Argo CD and here. The first one of a repository is
//! reported, as Argo CD does.
//!
//! ## Why it is bad
//! Argo CD refuses the whole repository because of it: every Application with a source there fails, also those that never look at the link.
//!
//! ## Example
//! ```text
//! docs/latest -> /srv/docs/v2
//! ```
//!
//! ## Use instead
//! ```text
//! docs/latest -> v2
//! ```
//!
//! ## References
//! Argo CD `util/app/path/path.go`, `CheckOutOfBoundsSymlinks`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::reason::Reason;

const STRAY: Condition = Condition::error("stray", "a link is absolute or leads out of the repository");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "stray-link",
    summary: "a link for which Argo CD renders nothing of a repository",
    conditions: &[STRAY],
    supersedes: &[],
};

/// How the reason of an Application that fails because of one ends.
pub(crate) const REASON: &str = "is a link that is absolute or leads out of the repository, of which Argo CD then renders nothing";

/// Whether an Application fails because of one.
pub(super) fn is_cause(reason: &Reason) -> bool {
    reason.text.ends_with(REASON)
}

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    if check.discovery.settings.allow_stray_links {
        return Vec::new();
    }
    let mut reports = Vec::new();
    for checkout in check.repositories.checkouts() {
        let Some(link) = checkout.stray_link() else { continue };
        let name = checkout.shown(link);
        let fails = |application: &&crate::discovery::Application| match &application.state {
            crate::application::State::Failed(reason) => is_cause(reason) && reason.text.starts_with(&format!("`{name}`")),
            _ => false,
        };
        let count = check.discovery.applications.iter().filter(fails).count();
        if count > 0 {
            let message = format!(
                "this link is absolute or leads out of the repository: Argo CD renders no Application with sources in it ({count} here)"
            );
            let report = Report::on_file(&STRAY, &name, message).help("make it relative, to something in the repository");
            reports.push(report.leaves_unjudged());
        }
    }
    reports
}
