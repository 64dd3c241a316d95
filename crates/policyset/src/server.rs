//! The `policies.yml` of a policy server (policy-server, `src/config.rs`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::read::{At, MEMBER, Problems, is_identifier, member};
use crate::spec::{Body, FailurePolicy, Kind, Mode, Policy, Problem};

/// Fields of a single policy. Others are ignored, as the policy server does.
const SINGLE: &[&str] = &["namespacedName", "policyMode", "allowedToMutate", "contextAwareResources", "hostCapabilities", "message"];
/// Fields of a group.
const GROUP: &[&str] = &["namespacedName", "policyMode", "policies", "expression", "message"];

/// Reads a map of policies by name. Those with something fatal are left out; every problem is listed.
#[must_use]
pub fn read_server(file: &Value) -> (Vec<Policy>, Vec<Problem>) {
    let mut all = Problems::default();
    let mut policies = Vec::new();
    for (name, at) in At::root(file).entries(&mut all) {
        let mut problems = Problems::default();
        let policy = entry(name, &at, &mut problems);
        policies.extend(policy.filter(|_| !problems.0.iter().any(|problem| problem.fatal)));
        all.0.extend(problems.0);
    }
    (policies, all.0)
}

fn entry(name: &str, at: &At<'_>, problems: &mut Problems) -> Option<Policy> {
    if name.contains('/') {
        at.refuse(problems, "the name of a policy holds no `/`");
    }
    let is_group = at.get("policies").value.is_some();
    let body = if is_group {
        at.only(problems, &[GROUP]);
        let mut members = BTreeMap::new();
        for (name, at) in at.get("policies").entries(problems) {
            if !is_identifier(name) {
                at.refuse(problems, &format!("`{name}` cannot be the name of a member: the expression calls it as a function"));
            }
            at.only(problems, &[MEMBER, &["contextAwareResources", "hostCapabilities"]]);
            members.extend(member(&at, Kind::Server, problems).map(|member| (name.to_owned(), member)));
        }
        Body::Group { expression: at.get("expression").text(problems)?, members }
    } else {
        at.only(problems, &[SINGLE, MEMBER]);
        Body::Single(member(at, Kind::Server, problems)?)
    };
    Some(Policy {
        kind: Kind::Server,
        name: name.to_owned(),
        namespace: None,
        mode: at.get("policyMode").one_of(problems, &[("protect", Mode::Protect), ("monitor", Mode::Monitor)]),
        mutating: !is_group && at.get("allowedToMutate").flag(problems, false),
        failure_policy: FailurePolicy::Fail,
        message: at.get("message").optional_text(problems).filter(|text| !text.is_empty()),
        background_audit: true,
        matching: None,
        body,
    })
}
