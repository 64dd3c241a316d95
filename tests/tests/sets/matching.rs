//! Which requests reach a policy.

use fedward_engine::Options;

use crate::{LABELLED, Run, TILL, guest, is_rejected, policy, policy_of, says};

fn rules(text: &str) -> bool {
    is_rejected(&Run::default(), &format!("rules: [{{{text}}}]"))
}

#[test]
fn rules_name_groups_versions_resources_and_operations() {
    assert!(rules("apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE]"));
    assert!(rules("apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\"], operations: [\"*\"]"));
    assert!(rules("apiGroups: [\"\"], apiVersions: [v1], resources: [\"*/*\"], operations: [CREATE]"));
    assert!(!rules("apiGroups: [apps], apiVersions: [v1], resources: [configmaps], operations: [CREATE]"));
    assert!(!rules("apiGroups: [\"\"], apiVersions: [v1], resources: [secrets], operations: [CREATE]"));
    assert!(!rules("apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps/status], operations: [CREATE]"));
    assert!(!rules("apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [UPDATE, DELETE]"));
}

const SCALER: &str = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: till, namespace: shop}}";

fn scalers(version: &str) -> String {
    format!("rules: [{{apiGroups: [autoscaling], apiVersions: [{version}], resources: [horizontalpodautoscalers], operations: [CREATE]}}]")
}

#[test]
fn another_version_matches_where_it_is_equivalent() {
    let run = Run { objects: SCALER, ..Run::default() };
    assert!(is_rejected(&run, &scalers("v1")), "`Equivalent` is the default");
    assert!(is_rejected(&run, &format!("{}, matchPolicy: Equivalent", scalers("v1"))));
    assert!(!is_rejected(&run, &format!("{}, matchPolicy: Exact", scalers("v1"))));
}

#[test]
fn events_of_both_groups_are_the_same() {
    let rule = |group: &str| format!("rules: [{{apiGroups: [{group:?}], apiVersions: [v1], resources: [events], operations: [CREATE]}}]");
    for (version, own, other) in [("v1", "", "events.k8s.io"), ("events.k8s.io/v1", "events.k8s.io", "")] {
        let event = format!("{{apiVersion: {version}, kind: Event, metadata: {{name: till, namespace: shop}}}}");
        let run = Run { objects: &event, ..Run::default() };
        assert!(is_rejected(&run, &rule(own)) && is_rejected(&run, &rule(other)), "{version}");
        assert!(!is_rejected(&run, &format!("{}, matchPolicy: Exact", rule(other))), "{version}");
        assert!(!is_rejected(&run, &rule("apps")), "{version}");
    }
}

#[test]
fn a_version_that_no_resource_has_is_equivalent_to_none() {
    assert!(!is_rejected(&Run { objects: SCALER, ..Run::default() }, &scalers("v9")));
    assert!(!is_rejected(&Run { objects: &SCALER.replace("v2", "v9"), ..Run::default() }, &scalers("v2")));
    // As it is written, it matches all the same.
    assert!(is_rejected(&Run { objects: &SCALER.replace("v2", "v9"), ..Run::default() }, &scalers("v9")));
    let definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: tills.shop.example}, spec: {group: shop.example, names: {kind: Till, plural: tills}, scope: Namespaced, versions: [{name: v1, served: true}, {name: v2, served: true}, {name: v3, served: false}]}}";
    let till = "{apiVersion: shop.example/v2, kind: Till, metadata: {name: till, namespace: shop}}";
    let tills = |version: &str| {
        format!("rules: [{{apiGroups: [shop.example], apiVersions: [{version}], resources: [tills], operations: [CREATE]}}]")
    };
    let defined = Run { objects: till, context: definition, ..Run::default() };
    assert!(is_rejected(&defined, &tills("v1")) && !is_rejected(&defined, &tills("v3")) && !is_rejected(&defined, &tills("v9")));
    // Nobody knows what versions there are.
    assert!(is_rejected(&Run { objects: till, ..Run::default() }, &tills("v9")));
}

#[test]
fn a_scope_bounds_a_rule() {
    let scope =
        |scope: &str| rules(&format!("apiGroups: [\"\"], apiVersions: [v1], resources: [\"*\"], operations: [CREATE], scope: {scope}"));
    assert!(scope("Namespaced") && scope("\"*\"") && !scope("Cluster"));
}

#[test]
fn labels_of_the_object_select() {
    let labelled = Run { objects: LABELLED, ..Run::default() };
    let web = "objectSelector: {matchLabels: {tier: web}}";
    assert!(is_rejected(&labelled, web) && !is_rejected(&Run::default(), web));
    let not_web = "objectSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [web]}]}";
    assert!(!is_rejected(&labelled, not_web) && is_rejected(&Run::default(), not_web));
}

#[test]
fn labels_of_the_namespace_select() {
    let selector = "namespaceSelector: {matchLabels: {team: shop}}";
    let with = |labels: &str| {
        let context = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {labels}}}}}");
        is_rejected(&Run { context: &context, ..Run::default() }, selector)
    };
    assert!(with("{team: shop}") && !with("{team: post}") && !with("{}"));
    assert!(is_rejected(&Run::default(), "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}"));
    assert!(!is_rejected(&Run::default(), "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: post}}"));
}

#[test]
fn unknown_labels_of_a_namespace_are_said() {
    let policies = policy("no-root", &guest("rejects"), "namespaceSelector: {matchLabels: {team: shop}}");
    let outcome = Run::default().with(&policies);
    assert_eq!(outcome.findings.len(), 1, "it is judged all the same");
    assert!(outcome.notes.iter().any(|note| note.contains("not known here: it judged 1 object")), "{:?}", outcome.notes);
    // In a closed world a namespace that is not there has no labels.
    let closed = Run { options: Options { closed_world: true, threads: 1, ..Options::default() }, ..Run::default() }.with(&policies);
    let [note] = closed.notes.as_slice() else { panic!("{:?}", closed.notes) };
    assert!(closed.findings.is_empty() && note.ends_with("its `namespaceSelector` selects other namespaces"), "{note}");
}

#[test]
fn a_policy_of_a_namespace_sees_that_only() {
    let own = policy_of("AdmissionPolicy", "no-root", &guest("rejects"), "");
    assert_eq!(Run::default().says(&own), ["error objects.yaml:1:1 namespaced-shop-no-root: no till runs as root"]);
    let other = TILL.replace("namespace: shop", "namespace: post");
    assert_eq!(Run { objects: &other, ..Run::default() }.says(&own), [""; 0]);
}

#[test]
fn a_policy_of_a_namespace_sees_nothing_of_the_clusters() {
    let all = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [nodes, namespaces], operations: [CREATE]}]";
    let node = "{apiVersion: v1, kind: Node, metadata: {name: shop}}";
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";
    for object in [node, namespace] {
        let run = Run { objects: object, ..Run::default() };
        assert!(is_rejected(&run, all), "{object}");
        assert_eq!(run.says(&policy_of("AdmissionPolicy", "no-root", &guest("rejects"), all)), [""; 0], "{object}");
    }
    let cluster = all.replace("operations", "scope: Cluster, operations");
    let said = Run { objects: node, ..Run::default() }.says(&policy_of("AdmissionPolicy", "no-root", &guest("rejects"), &cluster));
    assert!(said.len() == 1 && said[0].starts_with("warning policies.yaml:5:") && said[0].contains("`Namespaced`"), "{said:?}");
}

fn condition(expression: &str) -> String {
    format!("matchConditions: [{{name: one, expression: {expression:?}}}]")
}

#[test]
fn conditions_decide() {
    for (expression, expected) in [
        ("object.metadata.name == 'till'", true),
        ("object.metadata.name == 'other'", false),
        ("request.operation == 'CREATE' && request.namespace == 'shop'", true),
        ("request.userInfo.username == 'fedward'", true),
        ("oldObject == null", true),
        ("namespaceObject == null", true),
        ("object.metadata.name.matches('^t[a-z]+$')", true),
        ("!has(object.data)", true),
    ] {
        assert_eq!(is_rejected(&Run::default(), &condition(expression)), expected, "{expression}");
    }
    let both = "matchConditions: [{name: one, expression: 'true'}, {name: two, expression: 'false'}]";
    assert!(!is_rejected(&Run::default(), both));
}

#[test]
fn a_condition_without_a_value_follows_the_failure_policy() {
    let broken = condition("object.data.missing == 'x'");
    let said = Run::default().says(&policy("no-root", &guest("accepts"), &broken));
    assert!(
        said.len() == 1 && said[0].starts_with("error objects.yaml:1:1 clusterwide-no-root: match condition `one` has no value"),
        "{said:?}"
    );
    assert_eq!(Run::default().says(&policy("no-root", &guest("accepts"), &format!("{broken}, failurePolicy: Fail"))).len(), 1);
    let ignored = policy("no-root", &guest("rejects"), &format!("{broken}, failurePolicy: Ignore"));
    assert_eq!(Run::default().says(&ignored), [""; 0]);
    let told = "policy `clusterwide-no-root` did not see 1 object, for which a match condition has no value: `failurePolicy: Ignore` lets them pass";
    let notes = Run::default().with(&ignored).notes;
    assert!(notes.iter().any(|note| note == told), "{notes:?}");
}

#[test]
fn what_a_condition_without_a_value_rejects_is_judged() {
    let outcome = Run::default().with(&policy("no-root", &guest("accepts"), &condition("object.data.absent == 'x'")));
    assert_eq!((outcome.findings.len(), outcome.evaluated, outcome.not_evaluated.len()), (1, 1, 0));
    let ignored = policy("no-root", &guest("accepts"), &format!("{}, failurePolicy: Ignore", condition("object.data.absent == 'x'")));
    assert_eq!(Run::default().with(&ignored).evaluated, 0);
}

#[test]
fn the_authorizer_is_not_known() {
    let asks = condition("authorizer.group('').resource('pods').check('get').allowed()");
    let said = Run::default().says(&policy("no-root", &guest("rejects"), &asks));
    assert!(
        said.len() == 1 && said[0].starts_with("not judged objects.yaml:1:1 clusterwide-no-root: ") && said[0].contains("authorizer"),
        "{said:?}"
    );
}

/// Whatever the module would say: a cluster may not even have asked it.
#[test]
fn what_is_not_computed_here_is_not_judged() {
    let deep = "[1].transformList(i, v, true, ".repeat(200) + "true" + &")".repeat(200) + " != []";
    for (expression, reason) in [
        ("timestamp('2026-01-01T00:00:00Z').getHours('Europe/Paris') == 1", "time zones by name are not known offline"),
        ("lists.range(1000001).size() == 0", "lists of more than 1000000 elements"),
        ("object.kind.matches('^\\\\pL+$')", "regular expressions of this form or size"),
        ("quantity('1e40') == quantity('1')", "numbers with this many digits"),
        (deep.as_str(), "nested too deeply to be read here"),
    ] {
        for module in ["rejects", "accepts"] {
            let said = Run::default().says(&policy("no-root", &guest(module), &condition(expression)));
            let expected = "not judged objects.yaml:1:1 clusterwide-no-root: match condition `one` has no value here: ";
            assert!(said.len() == 1 && said[0].starts_with(expected) && said[0].contains(reason), "{expression}: {said:?}");
        }
    }
}

#[test]
fn times_are_read_and_written_as_in_a_cluster() {
    for holds in [
        "timestamp('2026-01-01T00:30:00Z').getHours('-01:00') == 23 && timestamp('2026-01-01T00:30:00+05:00').getHours() == 19",
        "string(timestamp('2026-01-01T00:30:00+05:00')) == '2026-01-01T00:30:00+05:00' && string(duration('90m')) == '5400s'",
    ] {
        let said = Run::default().says(&policy("no-root", &guest("rejects"), &condition(holds)));
        assert!(said.len() == 1 && said[0].starts_with("error objects.yaml:1:1 "), "{holds}: {said:?}");
    }
}

#[test]
fn an_error_of_a_cluster_is_one_whatever_its_words() {
    let said = Run::default().says(&policy("no-root", &guest("accepts"), &condition("object['is not known offline'] == 1")));
    assert!(said.len() == 1 && said[0].contains("has no value: no such key: `is not known offline`"), "{said:?}");
}

#[test]
fn a_condition_that_does_not_compile_is_a_finding_on_it() {
    let said = Run::default().says(&policy("no-root", &guest("rejects"), &condition("object.metadata.(")));
    assert!(said.len() == 1 && said[0].starts_with("error policies.yaml:5:") && said[0].contains("condition `one`: "), "{said:?}");
}

#[test]
fn an_equivalent_object_is_not_converted() {
    // A cluster would send it as `v1`.
    let as_it_is = condition("object.apiVersion == 'autoscaling/v2' && request.kind.version == 'v2'");
    assert!(is_rejected(&Run { objects: SCALER, ..Run::default() }, &format!("{}, {as_it_is}", scalers("v1"))));
}

#[test]
fn rules_that_never_match_are_warnings_on_their_place() {
    let rules = "rules: [{apiGroups: [core/v1], apiVersions: [v1], resources: [configmaps, Secret], operations: [CREATE]}]";
    let said = says(&policy("no-root", &guest("rejects"), rules));
    assert!(said.len() == 2 && said.iter().all(|line| line.starts_with("warning policies.yaml:5:")), "{said:?}");
    assert!(said[0].contains("`core/v1`") && said[1].contains("`secrets`"), "{said:?}");
}

#[test]
fn a_version_that_does_not_exist_is_refused_where_it_stands() {
    let text = policy("no-root", &guest("rejects"), "").replace("kubewarden.io/v1", "kubewarden.io/v2");
    let said = says(&text);
    assert!(said.len() == 1 && said[0].starts_with("error policies.yaml:2:13 input: there is no `ClusterAdmissionPolicy`"), "{said:?}");
}
