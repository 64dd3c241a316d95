//! What becomes of a policy's answer.

use crate::{Run, TILL, guest, policy, policy_of, says};

#[test]
fn words_of_a_policy_are_a_finding_on_the_object() {
    assert_eq!(says(&policy("no-root", &guest("accepts"), "")), [""; 0]);
    assert_eq!(says(&policy("no-root", &guest("rejects"), "")), ["error objects.yaml:1:1 clusterwide-no-root: no till runs as root"]);
    assert_eq!(says(&policy("no-root", &guest("warns"), "")), ["warning objects.yaml:1:1 clusterwide-no-root: soon no till runs as root"]);
    assert_eq!(
        says(&policy("no-root", &guest("says-nothing"), "")),
        ["error objects.yaml:1:1 clusterwide-no-root: the policy rejects the object and does not say why"]
    );
}

#[test]
fn the_finding_names_the_policy_that_said_it() {
    let outcome = Run::default().with(&policy("no-root", &guest("rejects"), ""));
    let [finding] = outcome.findings.as_slice() else { panic!("{:?}", outcome.findings) };
    assert_eq!((finding.rule.as_str(), finding.condition.as_str()), ("rejected-by-policy", "rejected"));
    let related = &finding.related[0];
    assert_eq!((&**related.location.source.name(), related.location.start().line), ("policies.yaml", 2));
}

#[test]
fn a_finding_names_the_manifests_that_say_it() {
    let labels = |kind: &str, name: &str, more: &str| policy_of(kind, name, "require-identity-labels", &format!("{PODS}{more}"));
    let said = |policies: &str| -> Vec<Vec<(String, bool)>> {
        let outcome = Run { objects: POD, ..Run::default() }.with(policies);
        assert!(!outcome.findings.is_empty());
        let of = |finding: &fedward_outcome::Finding| {
            finding.manifests.iter().map(|manifest| (manifest.to_string(), manifest.shares_module)).collect()
        };
        outcome.findings.iter().map(of).collect()
    };
    let one = labels("ClusterAdmissionPolicy", "strict", "");
    let two = labels("AdmissionPolicy", "own", "");
    let lax = labels("ClusterAdmissionPolicy", "lax", ", mode: monitor");
    let strict_by = |is_shared: bool| ("ClusterAdmissionPolicy strict (policies.yaml:2)".to_owned(), is_shared);
    assert!(said(&one).iter().all(|by| *by == [strict_by(false)]));
    // Another one with the same module, which says less.
    assert!(said(&(one.clone() + &lax)).iter().all(|by| *by == [strict_by(true)]));
    // One with the same to say.
    let own_by = ("AdmissionPolicy shop/own (policies.yaml:7)".to_owned(), true);
    assert!(said(&(one.clone() + &two)).iter().all(|by| *by == [strict_by(true), own_by.clone()]));
    // One with another module.
    let other = policy("other", &guest("rejects"), "");
    assert!(said(&(one + &other)).iter().all(|by| *by == [strict_by(false)]));
    // Built-in policies have no manifest.
    let outcome = Run { objects: POD, inline: true, ..Run::default() }.with("");
    assert!(!outcome.findings.is_empty() && outcome.findings.iter().all(|finding| finding.manifests.is_empty()));
}

#[test]
fn nonsense_is_not_judged() {
    let said = says(&policy("no-root", &guest("talks-nonsense"), ""));
    assert!(
        said.len() == 1 && said[0].starts_with("not judged objects.yaml:1:1 clusterwide-no-root: the policy's response is not"),
        "{said:?}"
    );
}

#[test]
fn a_policy_in_monitor_mode_warns() {
    let outcome = Run::default().with(&policy("no-root", &guest("rejects"), "mode: monitor"));
    assert_eq!(outcome.findings[0].severity.name(), "warning");
    assert!(outcome.notes.iter().any(|note| note.contains("`clusterwide-no-root` is in monitor mode")), "{:?}", outcome.notes);
    let outcome = Run::default().with(&policy("no-root", &guest("rejects"), "mode: protect"));
    assert_eq!(outcome.findings[0].severity.name(), "error");
}

#[test]
fn its_own_message_comes_first() {
    assert_eq!(
        says(&policy("no-root", &guest("rejects"), "message: ask the platform team")),
        ["error objects.yaml:1:1 clusterwide-no-root: ask the platform team: no till runs as root"]
    );
    // It replaces rejections only.
    assert_eq!(
        says(&policy("no-root", &guest("warns"), "message: ask the platform team")),
        ["warning objects.yaml:1:1 clusterwide-no-root: soon no till runs as root"]
    );
}

const PODS: &str = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}]";
const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: till
  namespace: shop
  labels:
    azure.workload.identity/use: \"True\"
spec: {serviceAccountName: till, containers: [{name: main, image: registry.example/till}]}
";

#[test]
fn our_own_findings_keep_their_places() {
    let run = Run { objects: POD, ..Run::default() };
    let said = run.says(&policy("labels", "require-identity-labels", PODS));
    assert!(
        said.len() == 1 && said[0].starts_with("error objects.yaml:7:34 clusterwide-labels: `azure.workload.identity/use` is `True`"),
        "{said:?}"
    );
    let said = run.says(&policy("labels", "require-identity-labels", &format!("{PODS}, mode: monitor, message: \"not so\"")));
    assert!(said.len() == 1 && said[0].starts_with("warning objects.yaml:7:34 clusterwide-labels: not so: `azure"), "{said:?}");
}

#[test]
fn of_two_policies_that_find_the_same_the_stricter_counts() {
    let lax = policy("a-lax", "require-identity-labels", &format!("{PODS}, mode: monitor"));
    let strict = policy("strict", "require-identity-labels", PODS);
    let said = Run { objects: POD, ..Run::default() }.says(&format!("{lax}{strict}"));
    assert!(said.len() == 1 && said[0].starts_with("error objects.yaml:7:34 clusterwide-strict: "), "{said:?}");
}

#[test]
fn two_policies_that_say_the_same_are_both_named() {
    let both = [policy("one", &guest("rejects"), "  mode: monitor\n"), policy("two", &guest("rejects"), "")].join("---\n");
    let said = says(&both);
    let of = |policy: &str| said.iter().filter(|line| line.contains(&format!(" clusterwide-{policy}: "))).count();
    assert_eq!((said.len(), of("one"), of("two")), (2, 1, 1), "{said:#?}");
}

#[test]
fn background_audit_changes_nothing_at_admission() {
    for value in ["true", "false"] {
        assert_eq!(says(&policy("no-root", &guest("rejects"), &format!("backgroundAudit: {value}"))).len(), 1);
    }
}

#[test]
fn policies_among_the_input_run_beside_the_built_in_ones() {
    let objects = format!("{POD}---\n{TILL}\n");
    let run = Run { objects: &objects, inline: true, ..Run::default() };
    let said = run.says(&policy("no-root", &guest("rejects"), ""));
    assert!(said[0].starts_with("error objects.yaml:7:34 require-identity-labels: "), "{said:?}");
    assert!(said[said.len() - 1].starts_with("error objects.yaml:10:1 clusterwide-no-root: "), "{said:?}");
    // One that they name runs as they say.
    let said = run.says(&policy("labels", "require-identity-labels", &format!("{PODS}, mode: monitor")));
    assert!(said.len() == 1 && said[0].starts_with("warning objects.yaml:7:34 clusterwide-labels: "), "{said:?}");
    // Those that are given run alone.
    let said = Run { objects: &objects, ..Run::default() }.says(&policy("no-root", &guest("rejects"), ""));
    assert!(said.len() == 1 && said[0].starts_with("error objects.yaml:10:1 clusterwide-no-root"), "{said:?}");
}

#[test]
fn the_verdict_counts_whatever_a_module_claims_to_have_found() {
    assert_eq!(says(&policy("no-root", &guest("claims-nothing"), "")), ["error objects.yaml:1:1 clusterwide-no-root: no"]);
}
