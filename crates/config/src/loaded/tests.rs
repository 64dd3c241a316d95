#![allow(clippy::unwrap_used, reason = "tests")]

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::settings::Field;

use super::*;

fn policies() -> Vec<Descriptor> {
    let rule = RuleDescriptor { id: "missing-label", summary: "", conditions: &[], supersedes: &[] };
    let severities = Field { name: "severities", doc: "", schema: json!({}) };
    vec![
        Descriptor { id: "require-labels", summary: "", rules: vec![rule], settings: vec![severities] },
        Descriptor { id: "input", summary: "", rules: Vec::new(), settings: Vec::new() },
    ]
}

fn read(text: &str) -> Result<Loaded, ConfigError> {
    let text = Placed::new("fedward.yaml", text.as_bytes().to_vec())?;
    Draft::new(text, "fedward.yaml".into(), &policies()).finish(Vec::new())
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    assert_eq!(read(text).unwrap_err().to_string(), expected, "{text}");
}

#[test]
fn a_field_that_does_not_fit_has_its_place() {
    refused(
        "a: 1\n",
        "fedward.yaml:1:1: no such field: `a` (there are `policies`, `severities`, `paths`, `context`, `namespace`, `closedWorld`, `failOn`, `modules`, `limits`, `ignore`)",
    );
    refused("# c\nclosedWorld: true\npolices: {}\n", "fedward.yaml:3:1: no such field: `polices` (did you mean `policies`?)");
    refused("paths:\n  exclude: []\n  includes: [a, b]\n", "fedward.yaml:3:3: no such field: `includes` (did you mean `include`?)");
    refused("policies:\n  require-labels:\n    setings: {}\n", "fedward.yaml:3:5: no such field: `setings` (did you mean `settings`?)");
    refused("ignore:\n  - rule: missing-label\n", "fedward.yaml:2:5: `reason` is required");
    refused("context: ../platform\n", "fedward.yaml:1:10: a list is required, not a string");
    refused("context:\n  - [a]\n", "fedward.yaml:2:5: a string is required, not a list");
    refused("namespace: 5\n", "fedward.yaml:1:12: a string is required, not a number: quote it");
    refused("closedWorld: perhaps\n", "fedward.yaml:1:14: true or false is required, not a string");
    refused("limits:\n  depth: -1\n", "fedward.yaml:2:10: a whole number, 0 or more is required, not a number");
    refused("ignore:\n", "fedward.yaml:1:1: a list is required, not nothing");
    refused("policies:\n  require-labels:\n", "fedward.yaml:2:3: a map is required, not nothing");
    refused("failOn: off\n", "fedward.yaml:1:9: a word is required, not true or false");
    refused("severities:\n  missing-label: warn\n", "fedward.yaml:2:18: one of `error`, `warning`, `info`, `off` is required");
    refused("[]\n", "fedward.yaml:1:1: a map is required, not a list");
}

#[test]
fn text_that_is_no_configuration() {
    refused(
        "a: b: c\n",
        "fedward.yaml:1:5: a second `:` or a key in the middle of a value; check the indentation, or quote a text that holds `: `",
    );
    refused("closedWorld: true\n---\nfailOn: info\n", "fedward.yaml:3:1: a second document; one is enough");
    refused("failOn: info\nfailOn: error\n", "fedward.yaml:2:1: key `failOn` stands twice; the last one wins");
    assert!(read("# nothing\n").is_ok());
}

#[test]
fn no_configuration_lets_a_text_exhaust_the_stack() {
    assert!(read("limits: {depth: 120}\n").is_ok());
    refused("limits: {depth: 121}\n", "fedward.yaml:1:17: at most 120: modules read nothing deeper");
}

#[test]
fn every_name_that_does_not_exist_is_told() {
    refused(
        "policies:\n  require-label: {}\n  input: {}\nseverities:\n  missing-labels: info\nnamespace: Shop\nignore:\n  - rule: missing-lable\n    reason: ' '\n    expires: 2030-02-30\n",
        "fedward.yaml:2:18: no such policy: `require-label` (did you mean `require-labels`?)
fedward.yaml:3:10: the rules of `input` are no policy and have no settings; `severities` has their severities
fedward.yaml:5:19: no such rule: `missing-labels` (did you mean `missing-label`?)
fedward.yaml:6:12: a namespace has lower-case letters, digits and `-`, with a letter or digit at both ends, and at most 63 characters
fedward.yaml:8:11: no such rule: `missing-lable` (did you mean `missing-label`?)
fedward.yaml:9:13: an ignore entry needs a reason
fedward.yaml:10:14: `expires` is a date of the form YYYY-MM-DD",
    );
}

#[test]
fn mistakes_of_all_kinds_are_told_at_once() {
    refused(
        "polices: {}
context: [1, src/no-such-folder, 2]
failOn: info
failOn: never
paths:
  exclude: ['{a', 3, 'b[', c]
ignore:
  - reason: it is right
  - rule: missing-lable
    reasons: it is right
  - rule: missing-label
    reason: ' '
    expires: [soon]
  - missing-label
closedWorld: perhaps
limits: {depth: 18446744073709551615, nodes: -1}
",
        "fedward.yaml:1:1: no such field: `polices` (did you mean `policies`?)
fedward.yaml:2:11: a string is required, not a number: quote it
fedward.yaml:2:14: cannot read `src/no-such-folder`: no such file or folder
fedward.yaml:2:34: a string is required, not a number: quote it
fedward.yaml:4:1: key `failOn` stands twice; the last one wins
fedward.yaml:4:9: one of `error`, `warning`, `info` is required
fedward.yaml:6:13: no glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
fedward.yaml:6:19: a string is required, not a number: quote it
fedward.yaml:6:22: no glob: unclosed character class; missing ']'
fedward.yaml:8:5: `rule` is required
fedward.yaml:9:5: `reason` is required
fedward.yaml:9:11: no such rule: `missing-lable` (did you mean `missing-label`?)
fedward.yaml:10:5: no such field: `reasons` (did you mean `reason`?)
fedward.yaml:12:13: an ignore entry needs a reason
fedward.yaml:13:14: a string is required, not a list
fedward.yaml:14:5: a map is required, not a string
fedward.yaml:15:14: true or false is required, not a string
fedward.yaml:16:17: at most 120: modules read nothing deeper
fedward.yaml:16:46: a whole number, 0 or more is required, not a number",
    );
}

#[test]
fn of_very_many_mistakes_the_first_are_told() {
    let text = format!("context:\n{}", "  - 1\n".repeat(1000));
    assert_eq!(read(&text).unwrap_err().0.len(), 50);
}

#[test]
fn a_mistake_in_settings_is_put_where_it_is_written() {
    let loaded = read("policies:\n  require-labels:\n    settings:\n      labels:\n        - 1\n      severities: {x: high}\nseverities:\n  missing-label: off\n").unwrap();
    let here = |told: &str| loaded.mistake("require-labels", None, told);
    assert_eq!(
        here("settings.labels.0: a string is required"),
        "fedward.yaml:5:11: settings of `require-labels`: `labels.0`: a string is required"
    );
    assert_eq!(here("settings.severities.x: no"), "fedward.yaml:6:23: settings of `require-labels`: `severities.x`: no");
    assert_eq!(here("settings: a map is required"), "fedward.yaml:3:5: settings of `require-labels`: a map is required");
    assert_eq!(here("anything else"), "policy `require-labels`: anything else");
    let file = Placed::new("own.json", b"{\"labels\":\n [2]}".to_vec()).unwrap();
    let there = |told: &str| loaded.mistake("require-labels", Some(&file), told);
    assert_eq!(there("settings.labels.0: no"), "own.json:2:3: settings of `require-labels`: `labels.0`: no");
    // What the file does not say comes from the configuration.
    assert_eq!(
        there("settings.severities.missing-label: no"),
        "fedward.yaml:8:18: settings of `require-labels`: `severities.missing-label`: no"
    );
    assert_eq!(Loaded::default().mistake("a", None, "settings.b: no"), "policy `a`: settings.b: no");
}

#[test]
fn severities_of_the_top_go_to_the_policy_of_the_rule() {
    let loaded =
        read("policies: {require-labels: {settings: {severities: {missing-label: info}}}}\nseverities: {missing-label: off}\n").unwrap();
    let settings: Vec<Value> = policies().iter().map(|policy| Value::Object(loaded.settings(policy))).collect();
    assert_eq!(settings, [json!({ "severities": { "missing-label": "off" } }), json!({})]);
}

#[test]
fn namespaces_are_labels() {
    for good in ["a", "shop", "team-1", "0", &"a".repeat(63)] {
        assert!(is_namespace(good), "{good}");
    }
    for bad in ["", "Shop", "a.b", "-a", "a-", "a b", "ä", &"a".repeat(64)] {
        assert!(!is_namespace(bad), "{bad}");
    }
}

#[test]
fn the_schema_describes_every_field() {
    let schema = crate::schema();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap();
    assert!(properties.values().all(|field| field.get("description").is_some()), "{schema:#}");
    assert_eq!(schema.get("additionalProperties"), Some(&json!(false)));
}
