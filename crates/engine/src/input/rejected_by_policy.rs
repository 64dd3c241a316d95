//! Reports what policies say that are not fedward's own.
//!
//! ## What it does
//! A policy of the set (`--policies`, or a policy manifest among the input) rejects the object, warns about it, or cannot be asked
//! because one of its match conditions has no value and `failurePolicy: Fail` rejects the request then. The message is the policy's.
//! So is a change that the policy makes although its manifest does not say `mutating: true`: the policy server rejects the request.
//!
//! ## Why it is bad
//! The cluster refuses the object.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: Pod
//! metadata: {name: till, namespace: shop}
//! spec:
//!   containers: [{name: main, image: registry.example/till, securityContext: {privileged: true}}]
//! ```
//! beside a `ClusterAdmissionPolicy` whose module forbids privileged containers.
//!
//! ## Use instead
//! What the policy asks for. A policy in monitor mode (`mode: monitor`) only warns.
//!
//! ## References
//! Kubewarden, "Policies", and `docs/kubewarden-parity.md`.

use fedward_kit::finding::{Finding, ObjectId, Place};
use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

const REJECTED: Condition = Condition::error("rejected", "the policy rejects the object");
const WARNED: Condition = Condition::warning("warned", "the policy accepts it with a warning");
const CONDITIONS: &[Condition] = &[REJECTED, WARNED];

pub(crate) const RULE: RuleDescriptor = RuleDescriptor {
    id: "rejected-by-policy",
    summary: "an object that a policy of the set rejects, in the policy's own words",
    conditions: CONDITIONS,
    supersedes: &[],
};

/// Words of a policy that are shown at most.
const MAX_MESSAGE: usize = 2_000;

/// A rejection.
pub(crate) fn finding(message: &str) -> Finding {
    make(&REJECTED, message)
}

/// A warning.
pub(crate) fn warning(message: &str) -> Finding {
    make(&WARNED, message)
}

fn make(condition: &Condition, message: &str) -> Finding {
    let mut short: String = message.trim().chars().take(MAX_MESSAGE).collect();
    if short.len() < message.trim().len() {
        short.push('…');
    }
    Finding {
        rule: RULE.id.to_owned(),
        condition: condition.name.to_owned(),
        severity: condition.severity,
        place: Place::new(None::<ObjectId>, String::new()),
        message: short,
        help: String::new(),
        docs: format!("docs/rules/{}.md", RULE.id),
        related: Vec::new(),
        related_more: 0,
        fix: Vec::new(),
        mends: false,
    }
}
