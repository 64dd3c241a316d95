//! What is asked: operations, the state before, users, recorded requests.

use fedward_engine::{Operation, Options, User};

use crate::{LABELLED, Run, TILL, guest, is_rejected, policy};

fn when(expression: &str) -> String {
    format!("matchConditions: [{{name: one, expression: {expression:?}}}]")
}

fn with(operation: Operation) -> Options {
    Options { operation, threads: 1, ..Options::default() }
}

#[test]
fn an_operation_for_all() {
    for (operation, expression) in [
        (Operation::Create, "request.operation == 'CREATE' && oldObject == null && object != null"),
        (Operation::Update, "request.operation == 'UPDATE' && oldObject == object"),
        (Operation::Delete, "request.operation == 'DELETE' && object == null && oldObject.metadata.name == 'till'"),
    ] {
        assert!(is_rejected(&Run { options: with(operation), ..Run::default() }, &when(expression)), "{operation:?}");
    }
    let only_create = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}]";
    assert!(!is_rejected(&Run { options: with(Operation::Delete), ..Run::default() }, only_create));
}

#[test]
fn what_is_there_before_makes_updates_and_deletions() {
    let update = when("request.operation == 'UPDATE' && !has(oldObject.metadata.labels) && has(object.metadata.labels)");
    assert!(is_rejected(&Run { objects: LABELLED, old: TILL, ..Run::default() }, &update));
    let create = when("request.operation == 'CREATE'");
    let other = TILL.replace("till", "other");
    assert!(is_rejected(&Run { objects: TILL, old: &TILL.replace("shop", "post"), ..Run::default() }, &create));
    // Gone: the finding is where it was.
    let gone = policy("no-root", &guest("rejects"), &when("request.operation == 'DELETE' && oldObject.metadata.name == 'other'"));
    let said = Run { objects: TILL, old: &other, ..Run::default() }.says(&gone);
    assert_eq!(said, ["error old.yaml:1:1 clusterwide-no-root: no till runs as root"]);
}

#[test]
fn what_was_wrong_before_is_a_warning_of_ours() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: till, namespace: shop, labels: {azure.workload.identity/use: \"True\"}}\nspec: {serviceAccountName: till, containers: [{name: main, image: registry.example/till}]}\n";
    let rules = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE, UPDATE]}]";
    let outcome = Run { objects: pod, old: pod, ..Run::default() }.with(&policy("labels", "require-identity-labels", rules));
    assert_eq!(outcome.objects, 1);
    let fresh = Run { objects: pod, ..Run::default() }.with(&policy("labels", "require-identity-labels", rules));
    assert_eq!(fresh.findings[0].severity.name(), "error");
    assert!(outcome.findings.iter().all(|finding| finding.severity.name() == "warning"), "{:?}", outcome.findings);
}

#[test]
fn the_state_before_is_no_context() {
    let old = format!("{TILL}\n---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{team: shop}}}}}}");
    let run = Run { old: &old, options: Options { closed_world: true, threads: 1, ..Options::default() }, ..Run::default() };
    assert!(!is_rejected(&run, "namespaceSelector: {matchLabels: {team: shop}}"));
}

#[test]
fn users_and_groups() {
    let user = User { name: "ana".to_owned(), groups: Some(vec!["tills".to_owned(), "shop".to_owned()]) };
    let run = Run { options: Options { user, threads: 1, ..Options::default() }, ..Run::default() };
    let expression = "request.userInfo.username == 'ana' && 'tills' in request.userInfo.groups";
    assert!(is_rejected(&run, &when(expression)) && !is_rejected(&run, &when("request.userInfo.username == 'fedward'")));
}

const REVIEW: &str = r#"{
  "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
  "request": {
    "uid": "0f6e3c0a", "operation": "UPDATE", "namespace": "post", "name": "till", "subResource": null, "dryRun": false,
    "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
    "resource": {"group": "", "version": "v1", "resource": "configmaps"},
    "userInfo": {"username": "ben", "groups": ["system:authenticated"]},
    "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "till", "labels": {"tier": "web"}}},
    "oldObject": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "till"}}
  }
}"#;

#[test]
fn a_recorded_request_is_sent_as_it_is() {
    let run = Run { objects: REVIEW, ..Run::default() };
    for expression in [
        "request.operation == 'UPDATE' && request.userInfo.username == 'ben' && request.namespace == 'post'",
        "object.metadata.labels.tier == 'web' && !has(oldObject.metadata.labels)",
        "!has(request.subResource) && request.dryRun == false",
    ] {
        let said = run.says(&policy("no-root", &guest("rejects"), &when(expression)));
        assert_eq!(said, ["error objects.yaml:8:15 clusterwide-no-root: no till runs as root"], "{expression}");
    }
    // Its namespace and its operation select.
    let own = "objectSelector: {matchLabels: {tier: web}}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: post}}";
    assert_eq!(run.says(&policy("no-root", &guest("rejects"), own)).len(), 1);
    let create = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}]";
    assert_eq!(run.says(&policy("no-root", &guest("rejects"), create)), [""; 0]);
}

#[test]
fn a_recorded_request_without_an_object_is_sent_too() {
    let connect = r#"{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "1", "operation": "CONNECT", "namespace": "shop", "name": "till", "subResource": "exec", "userInfo": {"username": "ben"},
        "kind": {"group": "", "version": "v1", "kind": "PodExecOptions"}, "resource": {"group": "", "version": "v1", "resource": "pods"}}}"#;
    let rules = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods/exec], operations: [CONNECT]}], matchConditions: [{name: one, expression: 'object == null'}]";
    let outcome = Run { objects: connect, ..Run::default() }.with(&policy("no-root", &guest("rejects"), rules));
    assert_eq!((outcome.findings.len(), outcome.evaluated), (1, 1), "{:?}", outcome.not_evaluated);
    let empty = r#"{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": null}"#;
    let said = Run { objects: empty, ..Run::default() }.says(&policy("no-root", &guest("rejects"), ""));
    assert_eq!(said, ["error objects.yaml:1:77 input: an AdmissionReview without a request"]);
}

#[test]
fn a_request_without_the_review_around_it_is_sent_too() {
    let bare: serde_json::Value = serde_json::from_str::<serde_json::Value>(REVIEW).unwrap()["request"].clone();
    let rejects = policy("no-root", &guest("rejects"), &when("request.operation == 'UPDATE' && request.userInfo.username == 'ben'"));
    let with = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut bare = bare.clone();
        change(bare.as_object_mut().unwrap());
        let outcome = Run { objects: &bare.to_string(), ..Run::default() }.with(&rejects);
        (outcome.findings.len(), outcome.skipped.into_iter().map(|skipped| skipped.reason).collect::<Vec<_>>())
    };
    assert_eq!(with(&|_| ()), (1, Vec::new()));
    // What may be something else is left alone.
    for field in ["uid", "kind", "operation"] {
        assert_eq!(with(&|bare| drop(bare.remove(field))), (0, vec!["not a Kubernetes manifest".to_owned()]), "{field}");
    }
    for (field, value) in [
        ("operation", 7.into()),
        ("kind", "ConfigMap".into()),
        ("kind", serde_json::json!({"version": "v1", "kind": "ConfigMap"})),
        ("apiVersion", "v1".into()),
        ("uid", 7.into()),
    ] {
        let said = with(&|bare| drop(bare.insert(field.to_owned(), value.clone())));
        assert_eq!(said, (0, vec!["not a Kubernetes manifest".to_owned()]), "{field}: {value}");
    }
    // What no API server sent.
    let without =
        "no Kubernetes manifest, and no admission request: an admission request without `resource`, which every request that was sent has";
    assert_eq!(with(&|bare| drop(bare.remove("resource"))), (0, vec![without.to_owned()]));
    let (findings, said) = with(&|bare| drop(bare.insert("operation".to_owned(), "update".into())));
    assert!(findings == 0 && said[0].ends_with("an admission request with the operation `update`, which does not exist"), "{said:?}");
}

#[test]
fn what_a_request_says_of_its_kind_is_no_guess() {
    let connect = r#"{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "1", "operation": "CONNECT", "namespace": "shop", "name": "till", "subResource": "exec", "userInfo": {"username": "ben"},
        "kind": {"group": "", "version": "v1", "kind": "PodExecOptions"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
        "object": {"apiVersion": "v1", "kind": "PodExecOptions", "command": ["sh"]}}}"#;
    let rules = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods/exec], operations: [CONNECT]}]";
    let rejects = policy("no-root", &guest("rejects"), rules);
    let outcome = Run { objects: connect, ..Run::default() }.with(&rejects);
    assert_eq!((outcome.findings.len(), outcome.notes.as_slice()), (1, [].as_slice()));
    // The object by itself does not say what its resource is called.
    let alone = r#"{"apiVersion": "v1", "kind": "PodExecOptions", "command": ["sh"]}"#;
    let notes = Run { objects: alone, ..Run::default() }.with(&rejects).notes;
    assert!(notes.iter().any(|note| note.ends_with("guessed: PodExecOptions")), "{notes:?}");
}

#[test]
fn raw_policies_judge_requests_of_any_form() {
    let options = Options { raw: true, threads: 1, ..Options::default() };
    let run = Run { objects: "{uid: \"7\", till: 1}", options, ..Run::default() };
    let rejects = format!("raw: {{module: \"registry://{}\"}}", guest("is-raw"));
    assert_eq!(run.says(&rejects), ["error objects.yaml:1:1 raw: no till"]);
    let changes = format!("raw: {{module: \"registry://{}\", allowedToMutate: true}}", guest("changes-raw"));
    let outcome = run.with(&changes);
    let [mutation] = outcome.mutations.as_slice() else { panic!("{:?}", outcome.findings) };
    let patch = serde_json::to_value(&mutation.patch).unwrap();
    assert_eq!(patch, serde_json::json!([{"op": "replace", "path": "/till", "value": 2}]));
    // They see no objects, and others see no raw requests.
    assert_eq!(Run::default().says(&rejects), [""; 0]);
    let other = format!("other: {{module: \"registry://{}\"}}", guest("rejects"));
    assert_eq!(run.with(&other).evaluated, 0);
}

#[test]
fn a_recorded_request_for_a_sub_resource_reaches_those_that_name_it() {
    let review = REVIEW.replace(r#""subResource": null"#, r#""subResource": "status""#);
    let run = Run { objects: &review, ..Run::default() };
    let of = |resource: &str| format!("rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [{resource:?}], operations: [UPDATE]}}]");
    for (resource, reaches) in
        [("configmaps/status", true), ("configmaps/*", true), ("*/status", true), ("*/*", true), ("configmaps", false), ("*", false)]
    {
        let said = run.says(&policy("no-root", &guest("rejects"), &of(resource)));
        assert_eq!(!said.is_empty(), reaches, "{resource}: {said:?}");
    }
}

#[test]
fn several_recorded_requests_are_each_sent() {
    let two = format!("{REVIEW}\n{}", REVIEW.replace("\"till\"", "\"other\""));
    let said = Run { objects: &two, ..Run::default() }.says(&policy("no-root", &guest("rejects"), ""));
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn a_request_has_what_a_manifest_tells_and_no_more() {
    for expression in [
        "request.dryRun && request.kind.kind == 'ConfigMap' && request.resource.resource == 'configmaps'",
        "request.name == 'till' && request.namespace == 'shop'",
        "!has(request.subResource)",
    ] {
        assert!(is_rejected(&Run::default(), &when(expression)), "{expression}");
    }
}

#[test]
fn a_request_is_as_complete_as_the_api_servers() {
    for expression in [
        "request.requestKind.kind == 'ConfigMap' && request.requestResource.resource == 'configmaps'",
        "request.options.kind == 'CreateOptions'",
    ] {
        assert!(is_rejected(&Run::default(), &when(expression)), "{expression}");
    }
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";
    let rules = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [namespaces], operations: [CREATE]}]";
    let own = format!("{rules}, {}", when("request.namespace == 'shop' && request.name == 'shop'"));
    assert!(is_rejected(&Run { objects: namespace, ..Run::default() }, &own));
}

#[test]
fn no_webhook_sees_what_decides_over_admission() {
    let rules = "rules: [{apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\"], operations: [\"*\"]}]";
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy"] {
        let object = format!("{{apiVersion: admissionregistration.k8s.io/v1, kind: {kind}, metadata: {{name: till}}}}");
        assert!(!is_rejected(&Run { objects: &object, ..Run::default() }, rules), "{kind}");
    }
}
