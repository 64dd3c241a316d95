//! Policies that change objects.

use serde_json::json;

use fedward_engine::{Operation, Options};

use crate::{Run, TILL, guest, policy, says};

#[test]
fn a_change_is_recorded_and_seen_by_those_that_follow() {
    let labels = policy("a-labels", &guest("labels"), "mutating: true");
    // Named before the other, and yet it sees the label: what may change objects comes first.
    let sees = policy("a", &guest("rejects"), "matchConditions: [{name: one, expression: \"has(object.metadata.labels)\"}]");
    let run = Run::default();
    assert_eq!(run.says(&sees), [""; 0]);
    assert_eq!(run.says(&format!("{sees}{labels}")), ["error objects.yaml:1:1 clusterwide-a: no till runs as root"]);
    let outcome = run.with(&format!("{sees}{labels}"));
    let [mutation] = outcome.mutations.as_slice() else { panic!("{:?}", outcome.mutations) };
    assert_eq!((mutation.policy.as_str(), mutation.location.start().line), ("clusterwide-a-labels", 1));
    assert_eq!(
        serde_json::to_value(&mutation.patch).unwrap(),
        json!([{"op": "add", "path": "/metadata/labels", "value": {"owner": "shop"}}])
    );
}

#[test]
fn policies_change_objects_in_the_order_of_their_names() {
    let first = policy("a", &guest("labels"), "mutating: true");
    let second = policy("b", &guest("marks"), "mutating: true");
    let outcome = Run::default().with(&format!("{second}{first}"));
    let patches: Vec<_> = outcome.mutations.iter().map(|one| (one.policy.as_str(), serde_json::to_value(&one.patch).unwrap())).collect();
    assert_eq!(
        patches,
        [
            ("clusterwide-a", json!([{"op": "add", "path": "/metadata/labels", "value": {"owner": "shop"}}])),
            ("clusterwide-b", json!([{"op": "add", "path": "/metadata/labels/mark", "value": "1"}])),
        ]
    );
}

#[test]
fn each_policy_is_selected_by_what_those_before_it_made() {
    let labels = policy("b", &guest("labels"), "mutating: true");
    let condition = "matchConditions: [{name: one, expression: \"has(object.metadata.labels) && object.metadata.labels.owner == 'shop'\"}]";
    let selector = "objectSelector: {matchLabels: {owner: shop}}";
    for selects in [condition, selector] {
        let changed = |name: &str| {
            let outcome = Run::default().with(&format!("{labels}{}", policy(name, &guest("marks"), &format!("mutating: true, {selects}"))));
            outcome.mutations.iter().map(|one| one.policy.clone()).collect::<Vec<_>>()
        };
        assert_eq!(changed("a"), ["clusterwide-b"], "what comes before sees the object as it was: {selects}");
        assert_eq!(changed("c"), ["clusterwide-b", "clusterwide-c"], "{selects}");
        let last = Run::default().says(&format!("{labels}{}", policy("a", &guest("rejects"), selects)));
        assert_eq!(last, ["error objects.yaml:1:1 clusterwide-a: no till runs as root"], "{selects}");
    }
}

#[test]
fn a_change_without_leave_is_a_rejection() {
    let said = says(&policy("labels", &guest("labels"), "mutating: false"));
    assert_eq!(said, ["error objects.yaml:1:1 clusterwide-labels: the policy changes the object, and `mutating` does not allow it to"]);
    let outcome = Run::default().with(&policy("labels", &guest("labels"), "mutating: false"));
    assert!(outcome.mutations.is_empty());
}

#[test]
fn what_changes_nothing_is_no_change() {
    let labelled = "{apiVersion: v1, kind: ConfigMap, metadata: {name: till, namespace: shop, labels: {owner: shop}}}";
    let outcome = Run { objects: labelled, ..Run::default() }.with(&policy("labels", &guest("labels"), ""));
    assert!(outcome.findings.is_empty() && outcome.mutations.is_empty());
}

#[test]
fn a_policy_in_monitor_mode_changes_nothing() {
    let outcome = Run::default().with(&policy("labels", &guest("labels"), "mutating: true, mode: monitor"));
    assert!(outcome.mutations.is_empty() && outcome.findings.is_empty());
}

#[test]
fn values_of_secrets_are_not_in_a_change() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: till, namespace: shop}, stringData: {pin: 4711-before}}";
    let outcome = Run { objects: secret, ..Run::default() }.with(&policy("pin", &guest("writes-secrets"), "mutating: true"));
    let [mutation] = outcome.mutations.as_slice() else { panic!("{:?}", outcome.mutations) };
    let shown = format!("{:?} {:?} {:?}", mutation.before, mutation.after, mutation.patch);
    assert!(shown.contains("(hidden, changed)") && !shown.contains("4711"), "{shown}");
}

#[test]
fn what_no_api_server_takes_is_a_rejection() {
    let pod = "{apiVersion: v1, kind: Secret, metadata: {name: till, namespace: shop}}";
    let other = "{apiVersion: v1, kind: ConfigMap, metadata: {name: other, namespace: shop}}";
    for (object, name, why) in
        [(TILL, "makes-a-number", "is none"), (pod, "labels", "of another kind"), (other, "labels", "another name or namespace")]
    {
        let outcome = Run { objects: object, ..Run::default() }.with(&policy("odd", &guest(name), "mutating: true"));
        assert!(outcome.findings.len() == 1 && outcome.findings[0].message.contains(why), "{:?}", outcome.findings);
        assert!(outcome.mutations.is_empty());
    }
    let options = Options { operation: Operation::Delete, threads: 1, ..Options::default() };
    let outcome = Run { options, ..Run::default() }.with(&policy("odd", &guest("labels"), "mutating: true"));
    assert!(outcome.findings.len() == 1 && outcome.findings[0].message.contains("that goes"), "{:?}", outcome.findings);
}
