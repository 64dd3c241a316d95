//! Objects that a policy mends itself instead of rejecting them.
//!
//! What is mended is the text of the object, so that all else in it stays as it came, and it is judged again before it is handed out: what
//! the policy answers is an object that it accepts itself, and would not change again.

use std::cell::{Cell, RefCell};

use crate::context::Host;
use crate::finding::{Finding, Severity};
use crate::node::Node;
use crate::policy::{Policy, validate};
use crate::rule::Check;
use crate::settings::{Common, Read, Settings};
use crate::subject::Subjects;
use crate::verdict::{Judged, with_object};
use fedward_tree::splice;

/// What is added to the message of a finding that was mended.
const ADDED: &str = "; this policy adds it, unless it is in monitor mode";

impl<S: Settings + 'static> Policy<S> {
    /// Whether the settings have the policy mend objects.
    pub(crate) fn is_mending(&self, own: &S) -> bool {
        S::MENDS.is_some_and(|mends| mends(own))
    }

    /// Kubewarden's `validate` of a policy that may mend objects: the answer to the object as it came, or, if the policy has it mended and that
    /// leaves nothing that is wrong, the answer to the mended one with that object.
    pub(crate) fn mend(&self, payload: &[u8], host: &dyn Host) -> Result<Vec<u8>, String> {
        let read = |settings: Node<'_>| self.read_own(settings);
        let fixed = RefCell::new(Vec::new());
        let answer = validate(payload, host, read, |subjects, read| {
            let judged = self.judge_with(subjects, &read.own, &read.common);
            *fixed.borrow_mut() = self.fixable(subjects, &judged, read);
            judged
        })?;
        let Some((object, payload)) = mended(payload, &fixed.borrow()) else { return Ok(answer) };
        let is_clean = Cell::new(false);
        let again = validate(payload.as_bytes(), host, read, |subjects, read| {
            let mut new = self.findings(Check::new(&subjects.now, &read.own, &read.common));
            is_clean.set(!new.iter().any(|finding| finding.mends || self.is_grave(finding, &read.common)));
            new.extend(fixed.take());
            Judged { new, before: Vec::new() }
        })?;
        Ok(if is_clean.get() { with_object(again, &object) } else { answer })
    }

    /// The findings that the policy mends, as they are told then. None, if there are others that are wrong.
    ///
    /// What is wrong is an error by default or by the settings: a rule whose severity was lowered may still speak of an object that nobody
    /// should touch. One that is off says nothing.
    fn fixable(&self, subjects: &Subjects<'_>, judged: &Judged, read: &Read<S>) -> Vec<Finding> {
        let findings = || judged.new.iter().chain(&judged.before);
        if !self.is_mending(&read.own)
            || !subjects.now.request.sub_resource.is_empty()
            || findings().any(|finding| !finding.mends && self.is_grave(finding, &read.common))
        {
            return Vec::new();
        }
        let told = |finding: &Finding| Finding {
            severity: finding.severity.min(Severity::Warning),
            message: format!("{}{ADDED}", finding.message),
            ..finding.clone()
        };
        findings().filter(|finding| finding.mends).map(told).collect()
    }

    fn is_grave(&self, finding: &Finding, common: &Common) -> bool {
        let conditions = self.rules.iter().filter(|rule| rule.id == finding.rule).flat_map(|rule| rule.conditions);
        let by_default = conditions.filter(|condition| condition.name == finding.condition).map(|condition| condition.severity);
        by_default
            .flat_map(|severity| [Some(severity), common.severity(&finding.rule, severity)])
            .any(|severity| severity == Some(Severity::Error))
    }
}

/// The object of a request with the fixes of findings, and the payload with that object in place of its own. `None` if there is nothing to fix.
fn mended(payload: &[u8], findings: &[Finding]) -> Option<(String, String)> {
    let payload = std::str::from_utf8(payload).ok().filter(|_| !findings.is_empty())?;
    let path = ["request", "object"];
    let mut object = payload.get(splice::find(payload, path)?)?.to_owned();
    for step in findings.iter().flat_map(|finding| &finding.fix) {
        object = step.set_in(&object)?;
    }
    let payload = splice::set(payload, &path, &object)?;
    Some((object, payload))
}
