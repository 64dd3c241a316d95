//! Objects that a policy mends itself instead of rejecting them.
//!
//! What is mended is the text of the object, so that all else in it stays as it came, and it is judged again before it is handed out: what
//! the policy answers is an object that it accepts itself, and would not change again.

use crate::finding::{Finding, Severity};
use crate::node::Origin;
use crate::policy::Policy;
use crate::request::Request;
use crate::rule::Check;
use crate::settings::{Common, Settings};
use crate::subject::{Subject, Subjects};
use crate::value::Value;
use crate::verdict::Judged;
use fedward_tree::splice;

/// What is added to the message of a finding that was mended.
const ADDED: &str = "; this policy adds it, unless it is in monitor mode";

impl<S: Settings + 'static> Policy<S> {
    /// The object of a request with all fixes that the policy applies itself, if these leave nothing that is wrong; `None` if there are none,
    /// or if anything else is.
    ///
    /// What is wrong is an error by default or by the settings: a rule whose severity was lowered may still speak of an object that nobody
    /// should touch. One that is off says nothing.
    pub(crate) fn mend<'a>(&self, subjects: &'a Subjects<'a>, findings: &[Finding], own: &'a S, common: &'a Common) -> Option<Judged> {
        let Subject { request, context, .. } = &subjects.now;
        if !request.sub_resource.is_empty()
            || !findings.iter().any(|finding| finding.mends)
            || findings.iter().any(|finding| !finding.mends && self.is_grave(finding))
        {
            return None;
        }
        let payload = std::str::from_utf8(request.payload).ok()?;
        let mut text = payload.get(splice::find(payload, ["request", "object"])?)?.to_owned();
        for step in findings.iter().filter(|finding| finding.mends).flat_map(|finding| &finding.fix) {
            text = step.set_in(&text)?;
        }
        let session = context.session();
        let bump = session.bump();
        let object = session.root(Value::from_json(bump.alloc_str(&text).as_bytes(), bump).ok()?, Origin::Request);
        let request = bump.alloc(Request { object, ..**request });
        let mended = subjects.mended.get_or_init(|| Subject::new(request, object, context));
        let mut left = self.findings(Check::new(mended, own, common));
        if left.iter().any(|finding| finding.mends || self.is_grave(finding)) {
            return None;
        }
        left.extend(findings.iter().filter(|finding| finding.mends).map(|finding| Finding {
            severity: finding.severity.min(Severity::Warning),
            message: format!("{}{ADDED}", finding.message),
            ..finding.clone()
        }));
        Some(Judged { new: left, mended: Some(text), ..Judged::default() })
    }

    fn is_grave(&self, finding: &Finding) -> bool {
        let conditions = self.rules.iter().filter(|rule| rule.id == finding.rule).flat_map(|rule| rule.conditions);
        let by_default = conditions.filter(|condition| condition.name == finding.condition).map(|condition| condition.severity);
        by_default.chain([finding.severity]).any(|severity| severity == Severity::Error)
    }
}
