//! A run in which no policy sees anything: what is told of each policy.

use fedward_engine::{Operation, Options};

use crate::{LABELLED, Run, TILL, guest, policy, policy_of};

/// What is told of one policy, after its name, its place and the number of objects.
fn why(run: &Run<'_>, policies: &str) -> String {
    let outcome = run.with(policies);
    assert_eq!(outcome.evaluated, 0);
    let told: Vec<&str> = outcome.notes.iter().filter_map(|note| Some(note.split_once(" does not select the only object: ")?.1)).collect();
    let [one] = told.as_slice() else { panic!("{:?}", outcome.notes) };
    (*one).to_owned()
}

fn rules(text: &str) -> String {
    policy("no-root", &guest("rejects"), &format!("rules: [{{{text}}}]"))
}

#[test]
fn what_keeps_a_request_from_a_policy_is_told() {
    let run = Run::default();
    let deployments = rules("apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE]");
    assert_eq!(why(&run, &deployments), "its `rules` do not name `configmaps` of `v1`");
    let updates = rules("apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [UPDATE, DELETE]");
    assert_eq!(why(&run, &updates), "its `rules` do not name the operation `CREATE`");
    let cluster = rules("apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE], scope: Cluster");
    // The last thing that keeps it away is told, not that others would not.
    assert_eq!(why(&run, &cluster), "its `rules` have another `scope`");
    let of = |more: &str| policy("no-root", &guest("rejects"), more);
    assert_eq!(why(&run, &of("objectSelector: {matchLabels: {tier: db}}")), "its `objectSelector` selects other labels");
    let elsewhere = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: post}}";
    assert_eq!(why(&run, &of(elsewhere)), "its `namespaceSelector` selects other namespaces");
    let other = TILL.replace("shop", "post");
    let namespaced = policy_of("AdmissionPolicy", "no-root", &guest("rejects"), "");
    assert_eq!(why(&Run { objects: &other, ..Run::default() }, &namespaced), "it is for the namespace `shop` alone");
    let namespaces = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [namespaces], operations: [CREATE]}]";
    let namespaced = policy_of("AdmissionPolicy", "no-root", &guest("rejects"), namespaces);
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";
    let scope = "a policy of a namespace sees no cluster-scoped objects";
    assert_eq!(why(&Run { objects: namespace, ..Run::default() }, &namespaced), scope);
    let condition = "matchConditions: [{name: updates, expression: \"request.operation == 'UPDATE'\"}]";
    assert_eq!(why(&run, &of(condition)), "its match condition `updates` is false");
    let webhook = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: till}}";
    let all = rules("apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\"], operations: [\"*\"]");
    let exempt = "API servers ask no webhook about `validatingwebhookconfigurations` of `admissionregistration.k8s.io/v1`";
    assert_eq!(why(&Run { objects: webhook, ..Run::default() }, &all), exempt);
}

#[test]
fn what_a_raw_policy_is_and_what_it_sees_is_told() {
    let run = Run { objects: "{uid: \"7\", till: 1}", options: Options { raw: true, threads: 1, ..Options::default() }, ..Run::default() };
    let server = |name: &str| format!("one: {{module: \"registry://{}\"}}", guest(name));
    let unsaid = why(&run, &server("rejects"));
    assert!(unsaid.starts_with("its module has no metadata that make it a raw policy (`policyType: raw`;"), "{unsaid}");
    let other = why(&run, "one: {module: require-identity-labels}");
    assert_eq!(other, "it judges objects, and `--raw` makes raw requests of all documents");
    let raw = why(&Run::default(), &server("is-raw"));
    assert!(raw.starts_with("it is a raw policy, which sees no objects"), "{raw}");
}

#[test]
fn several_reasons_are_counted_and_each_policy_has_its_own() {
    let objects =
        format!("{TILL}\n---\n{}\n---\n{{apiVersion: v1, kind: Pod, metadata: {{name: till}}}}", LABELLED.replace("till", "other"));
    let more = "objectSelector: {matchLabels: {tier: db}}";
    let policies = policy("first", &guest("rejects"), more) + &policy("second", &guest("rejects"), "");
    let run = Run { objects: &objects, ..Run::default() };
    let outcome = run.with(&policies);
    // One of the two judges something: nothing needs a reason.
    assert_eq!((outcome.evaluated, outcome.notes.as_slice()), (2, [].as_slice()));
    let outcome = run.with(&policy("first", &guest("rejects"), more));
    let reasons = "its `rules` do not name `pods` of `v1` (1); its `objectSelector` selects other labels (2)";
    assert_eq!(outcome.notes, [format!("policy `clusterwide-first` (policies.yaml:2) selects none of the 3 objects: {reasons}")]);
    let many: String = (0..22).map(|number| policy(&format!("p{number}"), &guest("rejects"), more)).collect();
    let outcome = run.with(&many);
    assert_eq!((outcome.notes.len(), outcome.notes.last().unwrap().as_str()), (21, "(+2 more policies that select nothing)"));
    // What could not be judged is the reason where there is such a thing.
    let options = Options { operation: Operation::Delete, threads: 1, ..Options::default() };
    let asks = "matchConditions: [{name: may, expression: \"authorizer.group('').resource('pods').check('get').allowed()\"}]";
    let outcome = Run { options, ..Run::default() }.with(&policy("first", &guest("rejects"), asks));
    assert_eq!((outcome.evaluated, outcome.not_evaluated.len(), outcome.notes.len()), (0, 1, 0));
}
