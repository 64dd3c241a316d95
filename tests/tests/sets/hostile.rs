//! What would never end, or take everything.

use fedward_engine::Options;

use crate::{Run, guest, policy, says};

#[test]
fn a_module_that_never_ends_is_stopped_in_its_time() {
    let said = says(&policy("slow", &guest("hangs"), "timeoutEvalSeconds: 2"));
    assert!(
        said.len() == 1 && said[0].starts_with("not judged objects.yaml:1:1 clusterwide-slow: ") && said[0].contains("2000 ms"),
        "{said:?}"
    );
}

#[test]
fn a_webhook_out_of_time_follows_the_failure_policy() {
    let [message] = &says(&policy("slow", &guest("hangs"), "timeoutSeconds: 1"))[..] else { panic!("one finding") };
    assert!(message.starts_with("error objects.yaml:1:1 clusterwide-slow: the policy does not answer within the 1 s"), "{message}");
    // It is the API server that rejects, not the policy.
    let [message] = &says(&policy("slow", &guest("hangs"), "timeoutSeconds: 1, mode: monitor"))[..] else { panic!("one finding") };
    assert!(message.starts_with("error "), "{message}");
    let [message] = &says(&policy("slow", &guest("hangs"), "timeoutSeconds: 1, failurePolicy: Ignore"))[..] else { panic!("one finding") };
    assert!(message.starts_with("warning ") && message.contains("goes on without"), "{message}");
    // Both at once: the webhook's time holds the way to the policy server, too.
    let [message] = &says(&policy("slow", &guest("hangs"), "timeoutSeconds: 2, timeoutEvalSeconds: 2"))[..] else { panic!("one finding") };
    assert!(message.contains("within the 2 s"), "{message}");
}

#[test]
fn an_expression_that_never_ends_is_an_error_of_the_condition() {
    let list = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]";
    let mut bomb = "1 == 1".to_owned();
    for depth in 0..8 {
        bomb = format!("{list}.all(x{depth}, {bomb})");
    }
    let said = says(&policy("bomb", &guest("accepts"), &format!("matchConditions: [{{name: one, expression: {bomb:?}}}]")));
    assert!(
        said.len() == 1 && said[0].starts_with("not judged objects.yaml:1:1 clusterwide-bomb: ") && said[0].contains("`one`"),
        "{said:?}"
    );
}

#[test]
fn conditions_that_run_out_of_time_are_given_up() {
    let objects: Vec<String> =
        (0..8).map(|number| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: till-{number}, namespace: shop}}}}")).collect();
    let (list, mut bomb) = ("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", "1 == 1".to_owned());
    for depth in 0..8 {
        bomb = format!("{list}.all(x{depth}, {bomb})");
    }
    let run = Run { objects: &objects.join("\n---\n"), ..Run::default() };
    let said = run.says(&policy("bomb", &guest("accepts"), &format!("matchConditions: [{{name: one, expression: {bomb:?}}}]")));
    assert_eq!(said.iter().filter(|said| said.starts_with("not judged ")).count(), 8, "{said:?}");
    assert_eq!(
        said.iter().filter(|said| said.ends_with("it ran out of time for 5 objects, and is not asked any more")).count(),
        3,
        "{said:?}"
    );
}

#[test]
fn a_group_expression_without_end_is_refused() {
    let deep = format!("{}fine(){}", "(".repeat(100_000), ")".repeat(100_000));
    let long = vec!["fine()"; 100_000].join(" && ");
    for expression in [deep, long] {
        let text = format!(
            "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicyGroup\nmetadata: {{name: both}}\nspec:\n  expression: \"{expression}\"\n  message: till rules\n  rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}}]\n  policies: {{fine: {{module: \"registry://{}\"}}}}\n",
            guest("accepts")
        );
        let said = says(&text);
        assert!(
            said.is_empty() || (said.len() == 1 && said[0].starts_with("error policies.yaml:5:15")),
            "{}",
            said[0].chars().take(300).collect::<String>()
        );
    }
}

#[test]
fn a_million_labels_are_compared_with_a_selector() {
    let mut object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: till\n  namespace: shop\n  labels:\n".to_owned();
    for number in 0..1_000_000 {
        object.push_str("    l");
        object.push_str(&number.to_string());
        object.push_str(": x\n");
    }
    let mut options = Options { threads: 1, ..Options::default() };
    options.limits.document_bytes = 1 << 30;
    let run = Run { objects: &object, options, ..Run::default() };
    let selects = |value: &str| policy("no-root", &guest("rejects"), &format!("objectSelector: {{matchLabels: {{l999999: {value}}}}}"));
    let said = run.says(&selects("x"));
    assert!(said.len() == 1 && said[0].contains("no till runs as root"), "{said:?}");
    assert_eq!(run.says(&selects("z")), [""; 0]);
}

#[test]
fn more_policies_than_any_cluster_has_are_a_finding() {
    let mut text = String::new();
    for number in 0..2_100 {
        text.push_str(&policy(&format!("policy-{number}"), &guest("accepts"), ""));
    }
    let said = says(&text);
    assert!(said.len() == 1 && said[0].starts_with("error policies.yaml:") && said[0].contains("more than 2000 policies"), "{said:?}");
}

#[test]
fn a_policy_that_never_ends_is_not_asked_for_ever() {
    let mut objects = String::new();
    for number in 0..200 {
        objects.push_str(&format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: till-{number}, namespace: shop}}}}\n"));
    }
    let said = Run { objects: &objects, ..Run::default() }.says(&policy("slow", &guest("hangs"), "timeoutEvalSeconds: 2"));
    assert_eq!(said.len(), 200);
    assert_eq!(said.iter().filter(|line| line.contains("not asked any more")).count(), 195, "{:?}", said.last());
}

#[test]
fn maps_in_maps_are_looked_through_for_secrets_once() {
    let mut object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: till, namespace: shop}, note: secret, data: ".to_owned();
    object.push_str(&"{a: {}, b: ".repeat(60));
    object.push_str(&"}".repeat(61));
    let object = object.replace("b: }", "b: 1}");
    let said = Run { objects: &object, ..Run::default() }.says(&policy("no-root", &guest("rejects"), ""));
    assert_eq!(said, ["error objects.yaml:1:1 clusterwide-no-root: no till runs as root"]);
}
