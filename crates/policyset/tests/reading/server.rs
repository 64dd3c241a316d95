//! The file of a policy server.

use fedward_policyset::{Mode, Policy, read_server};
use serde_json::json;

#[test]
fn policies_of_a_policy_server() {
    let file = json!({
        "labels": { "module": "registry://modules.example/labels:v1", "policyMode": "monitor", "allowedToMutate": true, "somethingNew": 1 },
        "both": { "policies": { "a": { "module": "file:///a.wasm", "hostCapabilities": ["oci/*"] } }, "expression": "a()", "message": "no" },
        "a/b": { "module": "x" },
        "nothing": {},
    });
    let (policies, problems) = read_server(&file);
    let names: Vec<String> = policies.iter().map(Policy::unique_name).collect();
    assert_eq!(names, ["both", "labels"]);
    let of = |name: &str| policies.iter().find(|policy| policy.name == name).unwrap();
    assert!(of("labels").mutating && of("labels").mode == Mode::Monitor && of("labels").matching.is_none());
    let (_, member) = of("labels").body.members().next().unwrap();
    assert_eq!(member.host_capabilities, Some(Vec::new()), "nothing is granted unless it is said");
    let (_, member) = of("both").body.members().next().unwrap();
    assert_eq!(member.host_capabilities, Some(vec!["oci/*".to_owned()]));
    let fatal: Vec<&str> = problems.iter().filter(|problem| problem.fatal).map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(fatal, ["/a~1b", "/nothing/module"]);
}

#[test]
fn a_mistake_in_the_file_of_a_policy_server_is_one_of_its_entry() {
    let file = json!({
        "fine": { "module": "a" },
        "typo": { "modul": "a" },
        "group": { "polices": { "a": { "module": "a" } }, "expression": "a()", "message": "no" },
        "member": { "policies": { "a": { "module": "a", "setings": {} } }, "expression": "a()", "message": "no" },
        "silent": { "policies": { "a": { "module": "a" } }, "expression": "a()" },
        "null": null,
        "text": "a",
        "both": { "module": "a", "policies": {} },
    });
    let (policies, problems) = read_server(&file);
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["both", "fine"]);
    let said: Vec<String> = problems.iter().map(|problem| format!("{} {}: {}", problem.fatal, problem.pointer, problem.message)).collect();
    assert_eq!(
        said,
        [
            "false /both/policies: there is no field `policies`: the policy server ignores it",
            "false /group/polices: there is no field `polices`: the policy server ignores it",
            "true /group/module: a policy needs a `module`, a group `policies` and an `expression`",
            "true /member/policies/a/setings: there is no field `setings`: the policy server refuses the file",
            "true /null: a policy is a map with a `module`, or with `policies` and an `expression`",
            "true /silent/message: `message` is required",
            "true /text: a policy is a map with a `module`, or with `policies` and an `expression`",
            "false /typo/modul: there is no field `modul`: the policy server ignores it",
            "true /typo/module: a policy needs a `module`, a group `policies` and an `expression`",
        ]
    );
}
