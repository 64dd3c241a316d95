//! Every field of a case and of an expectation.

use std::sync::atomic::{AtomicUsize, Ordering};

use fedward_engine::{Found, Modules};
use fedward_host::{Host, Limits};
use fedward_policytest::Runner;
use fedward_tests::guests::Known;

use crate::{FILE, Memory, POD, TILL, guest, read, run, says, suite, told};

fn object() -> String {
    format!("objects: [{TILL}]")
}

#[test]
fn the_first_case_file_passes() {
    assert_eq!(told(&run(&[read(fedward_policytest::FIRST)], &Memory::default())), ["ok", "ok"]);
}

#[test]
fn verdicts_and_messages() {
    let said = says(&guest("rejects"), &object(), &["{allowed: false}", "{allowed: true}", "{message: till}", "{message: /^till/}"]);
    assert_eq!(said, ["ok", "allowed: true | false", "ok", "message: /^till/ | no till runs as root"]);
    let said = says(&guest("warns"), &object(), &["{allowed: true, warnings: [soon]}", "{warnings: []}", "{warnings: [/^soon/, more]}"]);
    assert_eq!(said[0], "ok");
    assert_eq!(said[1], "warnings:  | soon no till runs as root");
    assert_eq!(said[2], "warnings: soon no till runs as root\nmore | soon no till runs as root");
}

#[test]
fn findings_are_all_of_them() {
    let finding = format!("error rejected-by-policy {FILE}:3:30: no till runs as root");
    let said = says(
        &guest("rejects"),
        &object(),
        &[
            "{findings: [{rule: rejected-by-policy, severity: error, message: root, path: \"\", at: \"a.policy-test.yaml:3:30\"}]}",
            "{findings: [{at: \"a.policy-test.yaml:4\"}]}",
            "{findings: []}",
            "{findings: [{}, {severity: warning}]}",
            "{findings: [{rule: other}]}",
        ],
    );
    assert_eq!(said[..2], ["ok", "ok"]);
    assert_eq!(said[2], format!("findings:  | {}", finding.replace(":3:", ":5:")));
    assert_eq!(said[3], format!("findings: {0}\nwarning | {0}", finding.replace(":3:", ":6:")));
    assert_eq!(said[4], format!("findings: other | {}", finding.replace(":3:", ":7:")));
}

/// Objects of a case file are judged on the lines where they stand, in any notation.
#[test]
fn inline_objects_have_their_places() {
    let text = "policy: enforce-audience-issuer\ncases:\n  - name: x # ü\n    objects:\n      - apiVersion: v1\n        kind: ServiceAccount\n        # here\n        metadata:\n          name: api\n          namespace: shop\n          annotations:\n            azure.workload.identity/client-id: nonsense\n    expect: {findings: [{at: \"a.policy-test.yaml:12:49\"}]}\n";
    let said = told(&run(&[read(text)], &Memory::default()));
    assert!(said[0] == "ok" || said[0].contains("a.policy-test.yaml:12:"), "{said:?}");
    // An anchor elsewhere keeps a text from standing alone: then the pointer is what is left.
    let text = format!(
        "policy: {}\ncases:\n  - name: x\n    context: [{{apiVersion: v1, kind: Namespace, metadata: &m {{name: till}}}}]\n    objects: [{{apiVersion: v1, kind: ConfigMap, metadata: *m}}]\n    expect: {{findings: []}}\n",
        guest("rejects")
    );
    let said = told(&run(&[read(&text)], &Memory::default()));
    assert!(said[0].contains("a.policy-test.yaml#/cases/0/objects/0:1:1"), "{said:?}");
}

#[test]
fn changes() {
    let said = says(
        &guest("labels"),
        &object(),
        &[
            "{allowed: true, mutated: {metadata: {labels: {owner: shop}}}}",
            "{mutated: {metadata: {labels: {owner: till}}}}",
            "{patch: [{op: add, path: /metadata/labels, value: {owner: shop}}]}",
            "{patch: [{op: add, path: /metadata/labels, value: {}}, {op: add, path: /metadata/labels/owner, value: shop}]}",
            "{patch: []}",
        ],
    );
    assert_eq!((said[0].as_str(), said[2].as_str(), said[3].as_str()), ("ok", "ok", "ok"));
    assert!(
        said[1].contains("\"owner\": \"till\"") && said[1].contains("\"owner\": \"shop\"") && !said[1].contains("apiVersion"),
        "{}",
        said[1]
    );
    assert!(said[4].starts_with("patch: [] | ") && said[4].contains("/metadata/labels"), "{}", said[4]);
    let said = says(&guest("accepts"), &object(), &["{patch: []}", "{mutated: {metadata: {name: till}}}"]);
    assert_eq!(said[0], "ok");
    assert!(said[1].ends_with("| the policy changes nothing"), "{}", said[1]);
}

#[test]
fn no_difference_shows_a_secret() {
    let secret = "objects: [{apiVersion: v1, kind: Secret, metadata: {name: till, namespace: shop}, stringData: {pin: 4711-before}}]";
    let said = says(
        &guest("writes-secrets"),
        secret,
        &[
            "{patch: []}",
            "{mutated: {kind: x, stringData: {pin: 4711-wanted}}}",
            "{mutated: {stringData: {pin: 4711-other}}}",
            "{patch: [{op: replace, path: /stringData/pins, value: 4711-wanted}]}",
            "{patch: [{op: replace, path: /stringData/pin, value: 4711-wanted}]}",
        ],
    );
    assert!(said[0].starts_with("patch: ") && said[1].starts_with("mutated: ") && said[3].starts_with("patch: "), "{said:?}");
    for (index, field) in [(2, "mutated"), (4, "patch")] {
        assert!(said[index].starts_with(field) && said[index].contains("(hidden, not what is expected)"), "{said:?}");
    }
    assert!(!said.join("\n").contains("4711"), "{said:?}");
    let right = ["{mutated: {stringData: {pin: 4711-after}}}", "{patch: [{op: replace, path: /stringData/pin, value: 4711-after}]}"];
    assert_eq!(says(&guest("writes-secrets"), secret, &right), ["ok", "ok"]);
    // What is there and nowhere is hidden, too.
    let said = says(&guest("accepts"), secret, &["{mutated: {stringData: {pin: 4711-wanted}}}"]);
    assert!(said[0].ends_with("| the policy changes nothing") && !said[0].contains("4711"), "{said:?}");
}

#[test]
fn what_is_not_judged_fails_unless_it_is_expected() {
    let said =
        says(&guest("talks-nonsense"), &object(), &["{allowed: false}", "{notEvaluated: validation response}", "{notEvaluated: nothing}"]);
    assert!(said[0].starts_with("notEvaluated: every object is judged | "), "{said:?}");
    assert_eq!(said[1], "ok");
    assert!(said[2].starts_with("notEvaluated: nothing | "), "{said:?}");
    let said = says(&guest("accepts"), &object(), &["{notEvaluated: anything}"]);
    assert_eq!(said, ["notEvaluated: anything | every object is judged"]);
}

#[test]
fn a_policy_that_sees_nothing_proves_nothing() {
    let said = says(&guest("for-services"), &object(), &["{allowed: true}", "{reached: false}", "{reached: true}"]);
    let nothing = "reached: an object reaches the policy | no object reaches the policy";
    assert_eq!(said, [nothing, "ok", nothing]);
    let said = says(&guest("rejects"), &object(), &["{reached: false}"]);
    assert_eq!(said, ["reached: no object reaches the policy | an object reaches the policy"]);
}

#[test]
fn settings() {
    let said = says(&guest("refuses-settings"), &object(), &["{invalidSettings: level}", "{allowed: true}"]);
    assert_eq!(said[0], "ok");
    assert!(said[1].starts_with("invalidSettings: the settings are accepted | `level` is required"), "{said:?}");
    // A case's own win over the suite's.
    let text = format!(
        "policy: require-identity-labels\nsettings: {{onUpdate: sometimes}}\ncases:\n  - {{name: a, objects: [{POD}], expect: {{invalidSettings: rejectNew}}}}\n  - {{name: b, settings: {{}}, objects: [{POD}], expect: {{reached: true}}}}\n"
    );
    assert_eq!(told(&run(&[read(&text)], &Memory::default())), ["ok", "ok"]);
}

#[test]
fn nothing_expected_is_no_test() {
    let said = says(&guest("rejects"), &object(), &["{}"]);
    assert!(said[0].starts_with("expect:  | ") && said[0].contains("\"allowed\": false"), "{said:?}");
}

const SET: &str = "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: root}\nspec:\n  module: registry://registry.example/rejects:v1\n  mutating: false\n  rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [DELETE]}]\n  matchConditions: [{name: named, expression: \"request.userInfo.username == 'ada' || 'ops' in request.userInfo.groups\"}]\n";

/// Manifests run as a cluster runs them: their rules, their conditions.
#[test]
fn manifests_on_requests() {
    let memory = Memory::with(&[("policy.yaml", SET), ("till.yaml", TILL)]);
    let case = |name: &str, fields: &str, rejected: bool| {
        let expect = if rejected { "allowed: false" } else { "reached: false" };
        format!("  - {{name: {name}, objects: [till.yaml], {fields}, expect: {{{expect}}}}}\n")
    };
    let old = format!(
        "  - {{name: gone, old: [till.yaml], user: ada, expect: {{allowed: false}}}}\n  - {{name: stays, objects: [till.yaml], old: [{TILL}], user: ada, expect: {{reached: false}}}}\n"
    );
    let request = "{operation: DELETE, kind: {group: '', version: v1, kind: ConfigMap}, resource: {group: '', version: v1, resource: configmaps}, name: till, namespace: shop, userInfo: {username: ada}, oldObject: {apiVersion: v1, kind: ConfigMap, metadata: {name: till}}}";
    let text = format!(
        "policy: policy.yaml\ncases:\n{}{}{}{}{old}  - {{name: recorded, request: {request}, expect: {{allowed: false}}}}\n  - {{name: reviewed, request: {{apiVersion: admission.k8s.io/v1, kind: AdmissionReview, request: {request}}}, expect: {{allowed: false}}}}\n",
        case("a", "operation: DELETE, user: ada", true),
        case("b", "operation: DELETE, groups: [ops]", true),
        case("c", "operation: DELETE, user: eve, groups: [dev]", false),
        case("d", "operation: CREATE, user: ada", false),
    );
    assert_eq!(told(&run(&[read(&text)], &memory)), ["ok"; 8]);
}

#[test]
fn context_namespace_and_closed_world() {
    // The module asks for a namespace; who says nothing of itself may.
    let said = says(&guest("reads-namespace"), &format!("{}, closedWorld: true", object()), &["{allowed: false}"]);
    assert_eq!(said, ["ok"]);
    let with = format!("{}, closedWorld: true, context: [{{apiVersion: v1, kind: Namespace, metadata: {{name: shop}}}}]", object());
    assert_eq!(says(&guest("reads-namespace"), &with, &["{allowed: true}"]), ["ok"]);
    let text = suite(
        &guest("rejects"),
        "namespace: till, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]",
        &["{allowed: false}"],
    );
    assert_eq!(told(&run(&[read(&text)], &Memory::default())), ["ok"]);
}

#[test]
fn raw_policies() {
    let said = says(&guest("is-raw"), "raw: {user: ada}", &["{allowed: false}", "{allowed: true}", "{patch: []}"]);
    assert_eq!(said, ["ok", "allowed: true | false", "ok"]);
    let said = says(&guest("for-services"), "raw: {user: ada}", &["{allowed: true}"]);
    assert!(said[0].starts_with("broken: ") && said[0].contains("policyType: raw"), "{said:?}");
    let said = says(&guest("is-raw"), &object(), &["{allowed: true}"]);
    assert!(said[0].contains("whose cases have `raw`"), "{said:?}");
    let said = says(&guest("rejects"), "raw: [1]", &["{allowed: false, message: till}"]);
    assert_eq!(said, ["ok"]);
    let said = says(&guest("looks-up"), "raw: 1", &["{message: is not answered offline}"]);
    assert_eq!(said, ["ok"]);
    let patch = "{allowed: true, patch: [{op: replace, path: /till, value: 2}], mutated: {till: 2}}";
    assert_eq!(says(&guest("changes-raw"), "raw: {uid: \"7\", till: 1}", &[patch]), ["ok"]);
    assert_eq!(says(&guest("refuses-settings"), "raw: {}", &["{invalidSettings: level}"]), ["ok"]);
    assert_eq!(says(&guest("talks-nonsense"), "raw: {}", &["{notEvaluated: not a validation response}"]), ["ok"]);
}

#[test]
fn what_cannot_be_run_is_told_with_its_place() {
    let missing = says(&guest("nothing"), &object(), &["{allowed: true}"]);
    assert_eq!(missing, [format!("broken: policy `{}`: it is not here", guest("nothing"))]);
    let said = says(&guest("accepts"), "objects: [nowhere.yaml]", &["{allowed: true}"]);
    assert_eq!(said, ["broken: a.policy-test.yaml:3:30: cannot read `nowhere.yaml`: no such file or folder"]);
    let memory = Memory::with(&[
        ("policy.yaml", &SET.replace("mutating: false", "mutating: false\n  mode: sometimes")),
        ("a.yaml", "a: [\n"),
        ("b.yaml", "kind: Pod\n  x: 1\napiVersion: v1\n"),
    ]);
    let text = format!(
        "policy: policy.yaml\ncases: [{{name: a, objects: [{TILL}], expect: {{allowed: true}}}}]\n---\npolicy: {}\ncases: [{{name: b, objects: [b.yaml], expect: {{allowed: true}}}}]\n",
        guest("accepts")
    );
    let said = told(&run(&[read(&text)], &memory));
    assert!(said[0].starts_with("broken: policy.yaml:7:") && said[1].starts_with("broken: b.yaml:2:"), "{said:?}");
}

/// Counts how often modules are looked for.
struct Counting(AtomicUsize);

impl Modules for Counting {
    fn find(&self, reference: &str, manifest: &str) -> Result<Found, String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Known.find(reference, manifest)
    }
}

#[test]
fn a_module_of_manifests_is_looked_for_once() {
    let manifest = format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{name: no-root}}\nspec: {{module: \"registry://{}\", mutating: false, rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}}]}}\n",
        guest("rejects")
    );
    let memory = Memory::with(&[("policy.yaml", &manifest)]);
    let file = read(&suite("policy.yaml", &object(), &["{allowed: false}"; 8]));
    let (host, counting, done) = (Host::new(Limits::default()), Counting(AtomicUsize::new(0)), AtomicUsize::new(0));
    let runner = Runner { host: &host, modules: &counting, files: &memory, threads: 2 };
    assert_eq!(told(&runner.run(&[file], &|_, _| true, &done)), ["ok"; 8]);
    assert_eq!((counting.0.into_inner(), done.into_inner()), (1, 8));
}

/// What a module says of settings that it refuses by an error, as a cluster shows it: alone, by a manifest, raw.
#[test]
fn settings_that_are_refused_by_an_error() {
    let wanted = "{invalidSettings: sequence}";
    assert_eq!(says(&guest("errs-on-settings"), &object(), &[wanted]), ["ok"]);
    assert_eq!(says(&guest("raw-errs-on-settings"), "raw: 1", &[wanted]), ["ok"]);
    // Nothing needs to be judged for that.
    let text = format!("policy: {}\ncases: [{{name: a, expect: {wanted}}}]\n", guest("errs-on-settings"));
    assert_eq!(told(&run(&[read(&text)], &Memory::default())), ["ok"]);
    let text = format!("policy: {}\ncases: [{{name: a, expect: {wanted}}}]\n", guest("accepts"));
    assert!(told(&run(&[read(&text)], &Memory::default()))[0].contains("sequence | the settings are accepted"));
    let manifest = SET.replace("rejects:v1", "errs-on-settings:v1");
    let text = format!("policy: policy.yaml\ncases: [{{name: a, expect: {wanted}}}]\n");
    assert_eq!(told(&run(&[read(&text)], &Memory::with(&[("policy.yaml", &manifest)]))), ["ok"]);
    let said = says(&guest("panics-on-settings"), &object(), &[wanted]);
    assert!(said[0].starts_with("broken: ") && said[0].contains("trapped"), "{said:?}");
}

/// A list of groups that is empty is one.
#[test]
fn a_user_without_groups() {
    let policy =
        SET.replace("request.userInfo.username == 'ada' || 'ops' in request.userInfo.groups", "size(request.userInfo.groups) == 0");
    let case = |name: &str, groups: &str, reached: bool| {
        format!("  - {{name: {name}, objects: [{TILL}], operation: DELETE, user: x{groups}, expect: {{reached: {reached}}}}}\n")
    };
    let text = format!("policy: policy.yaml\ncases:\n{}{}", case("a", ", groups: []", true), case("b", "", false));
    assert_eq!(told(&run(&[read(&text)], &Memory::with(&[("policy.yaml", &policy)]))), ["ok", "ok"]);
}

/// A folder of manifests is a policy as `--policies` takes it.
#[test]
fn a_folder_of_manifests() {
    let memory = Memory::with(&[("./set/a.yaml", SET), ("./set/b.yaml", TILL)]);
    let text =
        format!("policy: ./set\ncases: [{{name: a, objects: [{TILL}], operation: DELETE, user: ada, expect: {{allowed: false}}}}]\n");
    assert_eq!(told(&run(&[read(&text)], &memory)), ["ok"]);
}

#[test]
fn a_message_without_a_rejection_says_so() {
    let said = says(&guest("accepts"), &object(), &["{message: till}"]);
    assert_eq!(said, ["message: till | nothing is rejected"]);
}

/// A module is sent the same whether a manifest names it or the case does.
#[test]
fn a_module_is_told_all_that_a_webhook_is() {
    assert_eq!(says(&guest("wants-options"), &object(), &["{allowed: true}"]), ["ok"]);
    let manifest = SET.replace("rejects:v1", "wants-options:v1").replace("DELETE", "CREATE");
    let text = format!("policy: policy.yaml\ncases: [{{name: a, objects: [{TILL}], user: ada, expect: {{allowed: true}}}}]\n");
    assert_eq!(told(&run(&[read(&text)], &Memory::with(&[("policy.yaml", &manifest)]))), ["ok"]);
}
