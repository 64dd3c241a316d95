//! Modules: found, configured, bounded in what they may ask.

use fedward_engine::Options;
use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;

use crate::{Run, TILL, guest, policy, policy_of, says};

#[test]
fn a_module_that_is_not_here_leaves_objects_unjudged() {
    let said = says(&policy("no-root", &guest("nothing"), ""));
    assert_eq!(
        said,
        [
            "not judged policies.yaml:5:16 clusterwide-no-root: does not run: module `registry://registry.example/nothing:v1`: it is not here"
        ]
    );
}

#[test]
fn modules_of_other_kinds_do_not_run() {
    for (name, why) in [("is-raw", "only a policy server's own file"), ("is-rego", "mode `gatekeeper`")] {
        let said = says(&policy("no-root", &guest(name), ""));
        assert!(said.len() == 1 && said[0].starts_with("not judged policies.yaml:5:16") && said[0].contains(why), "{said:?}");
    }
}

#[test]
fn settings_are_refused_where_they_stand() {
    assert_eq!(
        says(&policy("no-root", &guest("refuses-settings"), "settings: {level: }")),
        ["error policies.yaml:5:200 input: `level` is required"].map(|line| line.replace("200", &column("settings: {level: }")))
    );
    let said = says(&policy("labels", "require-identity-labels", "settings: {onUpdate: sometimes, other: 1}"));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("`rejectNew`, `rejectAll`") && said[1].contains("no such setting"), "{said:?}");
}

/// The column of the value of the last field in [`policy`]'s spec.
fn column(field: &str) -> String {
    let text = policy("no-root", &guest("refuses-settings"), field);
    let line = text.lines().last().unwrap();
    (line.find(field).unwrap() + "settings: ".len() + 1).to_string()
}

/// The SDK answers settings of another type by an error; a cluster shows its text.
#[test]
fn an_error_about_settings_is_on_them() {
    let said = says(&policy("no-root", &guest("errs-on-settings"), "settings: {level: 1}"));
    assert!(said.len() == 1 && said[0].starts_with("error policies.yaml:5:"), "{said:?}");
    assert!(said[0].ends_with(" input: invalid type: string, expected a sequence"), "{said:?}");
    let said = says(&policy("no-root", &guest("panics-on-settings"), "settings: {level: 1}"));
    assert!(said.len() == 1 && said[0].starts_with("not judged") && said[0].contains("does not run"), "{said:?}");
}

/// Anybody can write an annotation that is called like ours: whose it is the module's metadata says, and no warning is lost to it.
#[test]
fn annotations_are_those_of_fedwards_modules() {
    let run = Run::default();
    let rules = |name: &str| -> Vec<(String, String)> {
        let outcome = run.with(&policy("till", &guest(name), ""));
        outcome.findings.into_iter().map(|finding| (finding.rule, finding.message)).collect()
    };
    let pair = |rule: &str, message: &str| (rule.to_owned(), message.to_owned());
    assert_eq!(rules("borrows-a-rule"), [pair("rejected-by-policy", "no till")]);
    assert_eq!(rules("warns-beside-findings"), [pair("rejected-by-policy", "a till of its own")]);
    let mut own = rules("is-of-fedward");
    own.sort();
    assert_eq!(own, [pair("missing-azure-label", "its own"), pair("rejected-by-policy", "a till of its own")]);
}

#[test]
fn what_the_api_server_refuses_is_a_finding() {
    let said = says(&policy("no-root", &guest("accepts"), "mode: sometimes"));
    assert!(said.len() == 1 && said[0].starts_with("error policies.yaml:5:") && said[0].contains("`protect`"), "{said:?}");
    let said = says(&policy("no-root", &guest("rejects"), "mod: monitor"));
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("warning policies.yaml:5:") && line.contains("`mod`")), "{said:?}");
}

const NAMESPACE: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";

#[test]
fn kinds_are_read_only_if_they_are_granted() {
    let run = Run { context: NAMESPACE, ..Run::default() };
    let denied = "Policy has not been granted access to Kubernetes v1/Namespace resources. The violation has been reported.";
    let asks = guest("reads-namespace");
    assert_eq!(run.says(&policy("ns", &asks, "")), [format!("error objects.yaml:1:1 clusterwide-ns: {denied}")]);
    assert_eq!(run.says(&policy("ns", &asks, "contextAwareResources: [{apiVersion: v1, kind: Secret}]")).len(), 1);
    assert_eq!(run.says(&policy("ns", &asks, "contextAwareResources: [{apiVersion: v1, kind: Namespace}]")), [""; 0]);
    // Policies of a namespace read nothing of the cluster.
    assert_eq!(run.says(&policy_of("AdmissionPolicy", "ns", &asks, "")).len(), 1);
}

fn server(text: &str, run: &Run<'_>) -> Outcome {
    run.with(text)
}

#[test]
fn capabilities_are_granted_in_the_file_of_a_policy_server() {
    let run = Run { context: NAMESPACE, ..Run::default() };
    let with = |capabilities: &str| {
        let text = format!(
            "ns: {{module: \"registry://{}\", contextAwareResources: [{{apiVersion: v1, kind: Namespace}}]{capabilities}}}",
            guest("reads-namespace")
        );
        server(&text, &run).findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
    };
    let denied = "Policy has not been granted access to the 'kubernetes/get_resource' host capability. The violation has been reported.";
    assert_eq!(with(""), [denied], "without the field none is granted");
    assert_eq!(with(", hostCapabilities: [\"net/*\"]"), [denied]);
    for granted in ["kubernetes/get_resource", "kubernetes/*", "*"] {
        assert_eq!(with(&format!(", hostCapabilities: [\"{granted}\"]")), [""; 0], "{granted}");
    }
}

#[test]
fn what_only_a_network_knows_is_an_error_to_the_policy() {
    let said = says(&policy("dns", &guest("looks-up"), ""));
    assert_eq!(said, ["error objects.yaml:1:1 clusterwide-dns: fedward: not known: net/v1/dns_lookup_host is not answered offline"]);
}

#[test]
fn a_policy_server_shows_a_module_what_it_is_made_for() {
    let text = format!("services: {{module: \"registry://{}\", policyMode: monitor, message: later}}", guest("for-services"));
    let service = "{apiVersion: v1, kind: Service, metadata: {name: till, namespace: shop}}";
    let outcome = server(&text, &Run { objects: service, ..Run::default() });
    let [finding] = outcome.findings.as_slice() else { panic!("{:?}", outcome.findings) };
    assert_eq!((finding.policy.as_str(), finding.severity.name(), finding.message.as_str()), ("services", "warning", "later: no services"));
    let other = server(&text, &Run { objects: TILL, ..Run::default() });
    assert!(other.findings.is_empty() && other.evaluated == 0);
}

#[test]
fn every_served_version_is_read() {
    for version in ["v1", "v1alpha2"] {
        let text = policy("no-root", &guest("rejects"), "").replace("kubewarden.io/v1", &format!("kubewarden.io/{version}"));
        assert_eq!(says(&text).len(), 1, "{version}");
    }
}

#[test]
fn the_same_policy_twice_runs_once() {
    let text = policy("no-root", &guest("rejects"), "");
    assert_eq!(says(&format!("{text}{text}")).len(), 1);
}

#[test]
fn policies_in_a_list_run() {
    let one = policy("no-root", &guest("rejects"), "");
    let item: String =
        one.lines().skip(1).enumerate().map(|(index, line)| format!("{}{line}\n", if index == 0 { "  - " } else { "    " })).collect();
    let said = says(&format!("apiVersion: v1\nkind: List\nitems:\n{item}"));
    assert_eq!(said, ["error objects.yaml:1:1 clusterwide-no-root: no till runs as root"]);
}

#[test]
fn a_policy_that_a_kustomization_changes_does_not_run_and_is_listed() {
    use fedward_engine::{Input, Options, Role, Sets, run_sets};
    use fedward_host::{Host, Limits};
    use fedward_tests::guests::Known;

    let host = Host::new(Limits::default());
    let input =
        |name: &str, text: &str| Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), named: false, role: Role::Policies };
    let kustomization = "resources: [policy.yaml]\npatches:\n  - target: {kind: ClusterAdmissionPolicy}\n    patch: '[{op: replace, path: /spec/mode, value: monitor}]'\n";
    let objects = Input { role: Role::Judged, ..input("objects.yaml", TILL) };
    let inputs = vec![objects, input("kustomization.yaml", kustomization), input("policy.yaml", &policy("no-root", &guest("rejects"), ""))];
    let sets = Sets { host: &host, modules: &Known, only_given: true };
    let outcome = run_sets(inputs, Vec::new(), sets, &Options::default(), &std::sync::atomic::AtomicUsize::new(0)).0;
    assert!(outcome.findings.is_empty() && outcome.evaluated == 0);
    assert!(
        outcome.skipped.iter().any(|skipped| skipped.file == "policy.yaml" && skipped.reason.contains("kustomization")),
        "{:?}",
        outcome.skipped
    );
}

#[test]
fn capabilities_are_answered_or_say_that_they_are_not() {
    let run = Run { context: NAMESPACE, options: Options { closed_world: true, threads: 1, ..Options::default() }, ..Run::default() };
    let resources = "contextAwareResources: [{apiVersion: v1, kind: Namespace}, {apiVersion: v1, kind: ConfigMap}]";
    for name in ["lists", "lists-within", "may-it", "logs"] {
        assert_eq!(run.says(&policy("asks", &guest(name), resources)), [""; 0], "{name}");
    }
    for (name, error) in [
        ("verifies", "fedward: not known: oci/v2/verify is not answered offline"),
        ("looks-up", "fedward: not known: net/v1/dns_lookup_host is not answered offline"),
        ("trusts", "fedward: not known: crypto/v1/is_certificate_trusted is not answered offline"),
        ("caches", "fedward: not known: cache/get is not answered offline"),
        ("asks-the-unknown", "unknown operation: delete_resource"),
        ("asks-elsewhere", "unknown namespace: moon"),
    ] {
        assert_eq!(
            run.says(&policy("asks", &guest(name), resources)),
            [format!("error objects.yaml:1:1 clusterwide-asks: {error}")],
            "{name}"
        );
    }
}

#[test]
fn access_reviews_need_no_grant_of_kinds_and_what_is_not_loaded_is_not_known() {
    let said = says(&policy("asks", &guest("may-it"), ""));
    assert!(said.len() == 1 && said[0].contains("fedward: not known: "), "{said:?}");
}

#[test]
fn policies_of_a_namespace_have_every_capability() {
    // A policy server's `namespacedPoliciesCapabilities` is read from no PolicyServer.
    let server = "---\n{apiVersion: policies.kubewarden.io/v1, kind: PolicyServer, metadata: {name: default}, spec: {namespacedPoliciesCapabilities: []}}\n";
    let said = says(&format!("{server}{}", policy_of("AdmissionPolicy", "dns", &guest("looks-up"), "")));
    assert!(said.len() == 1 && said[0].ends_with("is not answered offline"), "{said:?}");
}

#[test]
fn what_only_a_cluster_needs_changes_nothing() {
    let fields = "policyServer: other, sideEffects: NoneOnDryRun, timeoutSeconds: 30, allowInsideAdmissionControllerNamespace: true";
    assert_eq!(says(&policy("no-root", &guest("rejects"), fields)), says(&policy("no-root", &guest("rejects"), "")));
    // The controller keeps policies out of its own namespace; which one that is nobody knows here.
    let own = TILL.replace("shop", "kubewarden");
    assert_eq!(Run { objects: &own, ..Run::default() }.says(&policy("no-root", &guest("rejects"), "")).len(), 1);
}

#[test]
fn a_mistake_in_the_file_of_a_policy_server_stands_at_its_entry() {
    let file = format!("typo:\n  modul: a\nnothing:\nno-root:\n  module: registry://{}\n", guest("rejects"));
    let mut said = says(&file);
    said.sort();
    let missing = "a policy needs a `module`, a group `policies` and an `expression`";
    assert_eq!(
        said,
        [
            "error objects.yaml:1:1 no-root: no till runs as root".to_owned(),
            format!("error policies.yaml:1:1 input: {missing}"),
            "error policies.yaml:3:1 input: a policy is a map with a `module`, or with `policies` and an `expression`".to_owned(),
            "warning policies.yaml:2:3 input: there is no field `modul`: the policy server ignores it".to_owned(),
        ]
    );
    // All entries wrong is still the file of a policy server, by its name.
    assert_eq!(says("typo:\n  modul: a\n").len(), 2);
}

#[test]
fn what_is_no_file_of_a_policy_server_is_none_by_its_entries() {
    use fedward_engine::{Input, Options, Role, Sets, run_sets};
    use fedward_host::{Host, Limits};
    use fedward_tests::guests::Known;

    let host = Host::new(Limits::default());
    let findings = |name: &str, text: &str| {
        let input = Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), named: true, role: Role::Policies };
        let sets = Sets { host: &host, modules: &Known, only_given: true };
        run_sets(vec![input], Vec::new(), sets, &Options::default(), &std::sync::atomic::AtomicUsize::new(0)).0.findings.len()
    };
    for (name, text, expected) in [
        ("server.yml", "a: {module: x/y/z}\nb: {modul: x}\n", 2),
        ("server.yml", "a: {modul: x}\n", 0),
        ("sub/policies.yml", "a: {modul: x}\n", 2),
        ("policies.yml", "kind: {modul: x}\n", 0),
        ("policies.yml", "{}\n", 0),
        ("policies.yml", "[a]\n", 0),
    ] {
        assert_eq!(findings(name, text), expected, "{name}: {text}");
    }
}

#[test]
fn a_policy_that_does_not_run_is_not_judged_though_nobody_says_why() {
    let refused = policy("strict", &guest("refuses-settings"), "");
    assert_eq!(says(&refused), ["error policies.yaml:5:7 input: `level` is required"]);
    for (severity, why) in [(None, "and is off"), (Some(Severity::Warning), "as `warning` only")] {
        let input_severities = [("unusable-policy".to_owned(), severity)].into();
        let options = Options { input_severities, threads: 1, ..Options::default() };
        let said = Run { options, ..Run::default() }.says(&refused);
        let last = said.last().unwrap();
        assert_eq!(*last, format!("not judged policies.yaml:5:7 input: `unusable-policy` says what is wrong, {why}"), "{said:?}");
    }
    let outcome = Run::default().with(&refused.replace("\nspec:", "\n# fedward: ignore[unusable-policy] it is mended soon\nspec:"));
    assert_eq!((outcome.findings.len(), outcome.not_evaluated.len()), (1, 1), "{:?}", outcome.findings);
    assert!(outcome.findings[0].suppressed.is_some() && outcome.not_evaluated[0].reason.ends_with("and is ignored here"));
}

#[test]
fn what_does_not_parse_is_not_judged_though_nobody_says_why() {
    let input_severities = [("unparsable-document".to_owned(), None)].into();
    let options = Options { input_severities, threads: 1, ..Options::default() };
    let broken = format!("{TILL}\n---\napiVersion: v1\nkind: Pod\nmetadata: [\n");
    let said = Run { objects: &broken, options, ..Run::default() }.says(&policy("no-root", &guest("accepts"), ""));
    assert!(said.len() == 1 && said[0].contains("`unparsable-document` says what is wrong, and is off"), "{said:?}");
}

#[test]
fn two_policies_of_one_name_are_said_and_both_run() {
    let first = policy("no-root", &guest("rejects"), "");
    let second = policy("no-root", &guest("warns"), "");
    assert_eq!(says(&format!("{first}{first}")).len(), 1, "the same twice is one");
    let said = says(&format!("{first}{second}{second}"));
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[2].starts_with("warning policies.yaml:9:") && said[2].contains("another `ClusterAdmissionPolicy` of this name"),
        "{said:?}"
    );
    // Another kind, another namespace, another file of a policy server: other policies.
    let own = policy_of("AdmissionPolicy", "no-root", &guest("warns"), "");
    let elsewhere = own.replace("namespace: shop", "namespace: post");
    assert_eq!(says(&format!("{first}{own}{elsewhere}")).len(), 2);
}
