//! Policy groups.

use crate::{Run, guest};

fn group(kind: &str, expression: &str, members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, module)| format!("{name}: {{module: \"registry://{module}\"}}")).collect();
    format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: {kind}\nmetadata: {{name: both, namespace: shop}}\nspec:\n  expression: {expression:?}\n  message: till rules\n  rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps, pods], operations: [CREATE]}}]\n  policies: {{{}}}\n",
        members.join(", ")
    )
}

fn says(expression: &str) -> Vec<String> {
    let (yes, no, bad) = (guest("accepts"), guest("rejects"), guest("talks-nonsense"));
    Run::default().says(&group("ClusterAdmissionPolicyGroup", expression, &[("fine", &yes), ("strict", &no), ("broken", &bad)]))
}

#[test]
fn the_expression_decides() {
    for accepted in ["fine()", "fine() || strict()", "!strict()", "!(strict() && fine())"] {
        assert_eq!(says(accepted), [""; 0], "{accepted}");
    }
    let by_member = "error objects.yaml:1:1 clusterwide-group-both: till rules: member `strict`: no till runs as root";
    for rejected in ["strict()", "fine() && strict()", "strict() || !fine()"] {
        assert_eq!(says(rejected), [by_member], "{rejected}");
    }
    assert_eq!(says("!fine()"), ["error objects.yaml:1:1 clusterwide-group-both: till rules: the group's expression is false"]);
}

#[test]
fn members_are_asked_only_where_it_matters() {
    assert_eq!(says("fine() || broken()"), [""; 0]);
    let said = says("strict() || broken()");
    assert!(said.len() == 1 && said[0].starts_with("not judged objects.yaml:1:1 clusterwide-group-both: member `broken`: "), "{said:?}");
}

#[test]
fn an_expression_that_names_no_member_is_a_finding_on_it() {
    let said = says("fine() && other()");
    assert!(said.len() == 1 && said[0].starts_with("error policies.yaml:5:15 input: ") && said[0].contains("other"), "{said:?}");
}

#[test]
fn a_group_of_a_namespace() {
    let said = Run::default().says(&group("AdmissionPolicyGroup", "strict()", &[("strict", &guest("rejects"))]));
    assert_eq!(said, ["error objects.yaml:1:1 namespaced-group-shop-both: till rules: member `strict`: no till runs as root"]);
}

#[test]
fn findings_of_members_keep_their_places() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: till\n  namespace: shop\n  labels:\n    azure.workload.identity/use: \"True\"\nspec: {serviceAccountName: till, containers: [{name: main, image: registry.example/till}]}\n";
    let text = group("ClusterAdmissionPolicyGroup", "labels()", &[("labels", "require-identity-labels")]);
    let said = Run { objects: pod, ..Run::default() }.says(&text);
    assert!(said.len() == 1 && said[0].starts_with("error objects.yaml:7:34 clusterwide-group-both: till rules: `azure"), "{said:?}");
}

#[test]
fn a_group_in_the_file_of_a_policy_server() {
    let text = format!(
        "both: {{expression: \"strict()\", message: till rules, policies: {{strict: {{module: \"registry://{}\"}}}}}}",
        guest("rejects")
    );
    assert_eq!(Run::default().says(&text), ["error objects.yaml:1:1 both: till rules: member `strict`: no till runs as root"]);
}

#[test]
fn a_member_called_yes_is_a_boolean() {
    let said = says_of("yes()", &[("yes", &guest("accepts"))]);
    assert!(said.len() == 1 && said[0].starts_with("error policies.yaml:8:19 input: ") && said[0].contains("quoted"), "{said:?}");
    assert_eq!(says_of("yes()", &[("\"yes\"", &guest("accepts"))]), [""; 0]);
}

fn says_of(expression: &str, members: &[(&str, &str)]) -> Vec<String> {
    Run::default().says(&group("ClusterAdmissionPolicyGroup", expression, members))
}

#[test]
fn members_do_not_warn() {
    let text = group("ClusterAdmissionPolicyGroup", "soft()", &[("soft", &guest("warns"))]);
    let outcome = Run::default().with(&text);
    assert!(outcome.findings.is_empty() && outcome.mutations.is_empty() && outcome.not_evaluated.is_empty());
}

#[test]
fn a_member_that_changes_the_object_rejects_it() {
    let text = group("ClusterAdmissionPolicyGroup", "change()", &[("change", &guest("labels"))]);
    let said = Run::default().says(&text);
    assert_eq!(
        said,
        [
            "error objects.yaml:1:1 clusterwide-group-both: till rules: member `change`: it changes the object, which no member of a group may"
        ]
    );
}
