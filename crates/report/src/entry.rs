//! What the formats of CI systems list one by one: findings, and before them what nobody judged.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use fedward_kit::finding::{ObjectId, Severity};
use fedward_manifest::{Position, Span};
use fedward_outcome::{Deployed, Finding, Location, NotEvaluated, Outcome, Rendered, State, Unread};

use crate::gate::Gate;
use crate::human::describe;

/// The id of what a policy could not judge.
pub(crate) const NOT_EVALUATED: &str = "not-evaluated";
/// The id of what could not be read.
pub(crate) const UNREAD: &str = "unread";
/// The id of what is deployed and not known, or not all of it.
pub(crate) const NOT_RENDERED: &str = "not-rendered";
/// The id of a run that judged nothing.
pub(crate) const NOTHING: &str = "nothing-judged";

/// Related places that are told of what is rendered.
const RELATED: usize = 2;

/// Something to list. All of its text is as it came, so hostile.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// The finding, if it is one.
    pub(crate) finding: Option<&'a Finding>,
    /// How grave it is; an error for what is no finding and does not pass.
    pub(crate) severity: Severity,
    /// The rule, or the policy of somebody else that names none, or an id of this module.
    pub(crate) id: &'a str,
    /// The file; empty where it is about no file.
    pub(crate) file: &'a str,
    /// The same with the stretch of it, if that is known.
    pub(crate) location: Option<&'a Location>,
    /// The first character of that stretch, and the one after its last.
    pub(crate) span: Option<(Position, Position)>,
    /// What is wrong.
    pub(crate) message: Cow<'a, str>,
    /// The object, if it is on one.
    pub(crate) object: Option<&'a ObjectId>,
    /// What to do; may be empty.
    pub(crate) help: &'a str,
}

/// Everything that somebody should look at, the gravest first: what could not be judged, read or rendered, then findings by severity, and
/// those in the order of the files; last, what is deferred. What is ignored is not among it.
pub(crate) fn entries<'a>(outcome: &'a Outcome, gate: &Gate) -> impl Iterator<Item = Entry<'a>> + use<'a> {
    let nothing = gate.nothing(outcome).map(|message| Entry { id: NOTHING, message: message.into(), ..Entry::nowhere() });
    let by_severity = [Severity::Error, Severity::Warning, Severity::Info].into_iter().flat_map(|severity| {
        outcome.findings.iter().filter(move |finding| finding.suppressed.is_none() && finding.severity == severity).map(Entry::finding)
    });
    let not_judged = outcome.not_evaluated.iter().map(Entry::not_evaluated).chain(outcome.unread.iter().map(Entry::unread));
    let (gate, failures) = (*gate, Rc::new(Failures::of(outcome)));
    let not_rendered = move |severity| {
        let failures = Rc::clone(&failures);
        [State::Failed, State::Partial, State::Deferred].into_iter().flat_map(move |state| {
            let failures = Rc::clone(&failures);
            let is_it =
                move |one: &&Deployed| one.state == state && gate.is_unknown(one) == (severity == Severity::Error) && !failures.tell(one);
            outcome.deployed.iter().filter(is_it).map(move |one| Entry::deployed(one, severity))
        })
    };
    not_judged.chain(not_rendered(Severity::Error)).chain(nothing).chain(by_severity).chain(not_rendered(Severity::Info))
}

/// What findings tell: what fails to render is one already, unless the rule is off or the finding ignored.
pub(crate) struct Failures<'a>(HashSet<(&'a str, Span, &'a str)>);

impl<'a> Failures<'a> {
    /// Those of a run.
    pub(crate) fn of(outcome: &'a Outcome) -> Self {
        let findings = outcome.findings.iter().filter(|finding| finding.suppressed.is_none());
        let place = |finding: &'a Finding| (&**finding.location.source.name(), finding.location.span, finding.message.as_str());
        Failures(findings.map(place).collect())
    }

    /// Whether one of them tells why this is not rendered.
    pub(crate) fn tell(&self, deployed: &Deployed) -> bool {
        let (Some(cause), [reason]) = (&deployed.cause, deployed.reasons.as_slice()) else { return false };
        self.0.contains(&(&**cause.source.name(), cause.span, reason.as_str()))
    }
}

/// What is said of something that is deployed and not rendered, or not all of it.
pub(crate) fn not_rendered(deployed: &Deployed) -> String {
    let state = format!("{} {} is {}", deployed.kind, deployed.name, deployed.state.name());
    if deployed.reasons.is_empty() { state } else { format!("{state}: {}", deployed.reasons.join("; ")) }
}

/// What deploys the object of a finding: `deployed by Application argocd/web (+2 more)`. Nothing where nothing does: what is rendered may be an
/// Application itself, or an object that is there twice.
pub(crate) fn deployed_by(rendered: &Rendered) -> Option<String> {
    if rendered.by.is_empty() {
        return None;
    }
    let more = rendered.count.saturating_sub(rendered.by.len());
    let more = if more > 0 { format!(" (+{more} more)") } else { String::new() };
    Some(format!("deployed by {}{more}", rendered.by.join(", ")))
}

impl<'a> Entry<'a> {
    /// A finding.
    pub(crate) fn finding(finding: &'a Finding) -> Self {
        Entry {
            finding: Some(finding),
            severity: finding.severity,
            id: if finding.rule.is_empty() { &finding.policy } else { &finding.rule },
            message: finding.message.as_str().into(),
            object: finding.object.as_ref(),
            help: &finding.help,
            ..Entry::at(&finding.location)
        }
    }

    fn not_evaluated(not_evaluated: &'a NotEvaluated) -> Self {
        Entry {
            id: NOT_EVALUATED,
            message: format!("could not be judged by `{}`: {}", not_evaluated.policy, not_evaluated.reason).into(),
            object: not_evaluated.object.as_ref(),
            ..Entry::at(&not_evaluated.location)
        }
    }

    fn unread(unread: &'a Unread) -> Self {
        Entry { id: UNREAD, file: &unread.file, message: format!("cannot be read: {}", unread.reason).into(), ..Entry::nowhere() }
    }

    fn deployed(deployed: &'a Deployed, severity: Severity) -> Self {
        let place = deployed.location.as_ref().map(Entry::at);
        Entry { severity, id: NOT_RENDERED, message: not_rendered(deployed).into(), ..place.unwrap_or_else(Entry::nowhere) }
    }

    fn nowhere() -> Self {
        Entry {
            finding: None,
            severity: Severity::Error,
            id: "",
            file: "",
            location: None,
            span: None,
            message: "".into(),
            object: None,
            help: "",
        }
    }

    fn at(location: &'a Location) -> Self {
        let span = Some((location.start(), location.end()));
        Entry { file: location.source.name(), location: Some(location), span, ..Entry::nowhere() }
    }

    /// What deploys it, and what that has to do with it, such as where a chart's value is set: only where it is not the file itself that is
    /// applied.
    pub(crate) fn origin(&self) -> Vec<String> {
        let Some((finding, rendered)) = self.finding.and_then(|finding| Some((finding, finding.rendered.as_ref()?))) else {
            return Vec::new();
        };
        let related = finding.related.iter().take(RELATED).map(|related| {
            let (name, start) = (related.location.source.name(), related.location.start());
            format!("{name}:{}:{}: {}", start.line, start.column, related.message)
        });
        deployed_by(rendered).into_iter().chain(related).collect()
    }

    /// The policy manifests that say it.
    pub(crate) fn policy(&self) -> Option<String> {
        Some(format!("policy: {}", self.finding?.said_by()?))
    }

    /// Message, object, policy, what deploys it and help, each as lines.
    pub(crate) fn lines(&self) -> Vec<Cow<'_, str>> {
        let mut lines: Vec<Cow<'_, str>> = self.message.trim_end().split('\n').map(Cow::from).collect();
        lines.extend(self.object.map(|object| format!("object: {}", describe(object)).into()));
        lines.extend(self.policy().map(Cow::from));
        lines.extend(self.origin().into_iter().map(Cow::from));
        if !self.help.is_empty() {
            lines.push(format!("help: {}", self.help.trim_end()).into());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use fedward_outcome::{Deployed, Outcome, State, Suppression, SuppressionKind};

    use super::{NOT_RENDERED, entries};
    use crate::testing::{GATE, WEB, at, deployed, finding, outcome};

    #[test]
    fn what_fails_is_told_once_as_a_finding_or_as_not_rendered() {
        let failure = finding(at("apps/web.yaml", WEB, "name: web"));
        let failed =
            Deployed { cause: Some(failure.location.clone()), reasons: vec![failure.message.clone()], ..deployed("web", State::Failed) };
        let all = |outcome: &Outcome| entries(outcome, &GATE).filter(|entry| entry.id == NOT_RENDERED).count();
        let both = Outcome { deployed: vec![failed.clone()], ..outcome(vec![failure.clone()]) };
        assert_eq!(all(&both), 0);
        // Another reason, another place, or a finding that is ignored: nothing else tells it.
        let other = Deployed { reasons: vec!["another".into()], ..failed.clone() };
        assert_eq!(all(&Outcome { deployed: vec![other], ..outcome(vec![failure.clone()]) }), 1);
        let elsewhere = Deployed { cause: Some(at("apps/other.yaml", WEB, "name: web")), ..failed.clone() };
        assert_eq!(all(&Outcome { deployed: vec![elsewhere], ..both }), 1);
        let mut ignored = failure;
        ignored.suppressed = Some(Suppression { kind: SuppressionKind::Inline, reason: "known".into() });
        assert_eq!(all(&Outcome { deployed: vec![failed], ..outcome(vec![ignored]) }), 1);
    }
}
