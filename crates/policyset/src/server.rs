//! The `policies.yml` of a policy server (policy-server, `src/config.rs`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::at::{At, Problems};
use crate::fields::{MEMBER, SERVER, SERVER_GROUP, SERVER_SINGLE};
use crate::read::{member, member_name, unknown};
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
    if !at.value.is_some_and(Value::is_object) {
        at.refuse(problems, "a policy is a map with a `module`, or with `policies` and an `expression`");
        return None;
    }
    let ignored = unknown(Kind::Server);
    // What has a module is no group, whatever else it has.
    let has_module = at.get("module").value.is_some();
    let is_group = !has_module && at.get("policies").value.is_some();
    let body = if is_group {
        at.only_or(problems, &[&SERVER, &SERVER_GROUP], ignored, false);
        let mut members = BTreeMap::new();
        for (name, at) in at.get("policies").entries(problems) {
            member_name(name, &at, problems);
            // Only here the policy server wants to know every field.
            at.only_or(problems, &[&MEMBER, &["contextAwareResources", "hostCapabilities"]], "the policy server refuses the file", true);
            members.extend(member(&at, Kind::Server, problems).map(|member| (name.to_owned(), member)));
        }
        at.get("message").required(problems);
        Body::Group { expression: at.get("expression").text(problems)?, members }
    } else {
        // Without a module nobody knows which of the two it was to be.
        let group: &[&str] = if has_module { &[] } else { &SERVER_GROUP };
        at.only_or(problems, &[&SERVER, &SERVER_SINGLE, &MEMBER, group], ignored, false);
        if !has_module {
            at.get("module").refuse(problems, "a policy needs a `module`, a group `policies` and an `expression`");
            return None;
        }
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
        webhook_seconds: None,
        matching: None,
        body,
    })
}
