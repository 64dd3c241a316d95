//! The `policies.yml` of a policy server (policy-server, `src/config.rs`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fields::{MEMBER, SERVER, SERVER_GROUP, SERVER_SINGLE};
use crate::read::{At, Problems, is_identifier, member};
use crate::spec::{Body, FailurePolicy, Kind, Mode, Policy, Problem};

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
        at.only(problems, &[&SERVER, &SERVER_GROUP]);
        let mut members = BTreeMap::new();
        for (name, at) in at.get("policies").entries(problems) {
            if !is_identifier(name) {
                at.refuse(problems, &format!("`{name}` cannot be the name of a member: the expression calls it as a function"));
            }
            at.only(problems, &[&MEMBER, &["contextAwareResources", "hostCapabilities"]]);
            members.extend(member(&at, Kind::Server, problems).map(|member| (name.to_owned(), member)));
        }
        Body::Group { expression: at.get("expression").text(problems)?, members }
    } else {
        // Others are ignored, as the policy server does.
        at.only(problems, &[&SERVER, &SERVER_SINGLE, &MEMBER]);
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
