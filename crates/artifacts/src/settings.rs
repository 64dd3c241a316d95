//! What there is to set: a JSON Schema for each policy and one for `fedward.yaml`, for tests of policies and for what
//! `fedward test`, `fedward bench` and `fedward identities` report, and one page of tables.

use std::fmt::Write as _;

use fedward_config::words;
use fedward_kit::settings::{Field, schema};
use serde_json::Value;

use crate::files::{Generated, MARK};
use crate::pages::cell;

/// Schemas and tables.
pub fn generate() -> Vec<Generated> {
    let policies: Vec<_> = fedward_modules::ALL.iter().map(|builtin| builtin.policy.describe()).collect();
    let mut files = Vec::new();
    for policy in policies.iter().chain([&fedward_modules::SUITE.policy.describe()]) {
        let text = marked(&schema(policy.id, &policy.settings), "the policy's settings");
        files.push(Generated { path: format!("policies/{}/settings.schema.json", policy.id), text });
    }
    let text = marked(&fedward_config::schema(), "crates/config/src/model.rs");
    files.push(Generated { path: "docs/schema/fedward.schema.json".to_owned(), text });
    let text = marked(&fedward_policytest::schema(), "crates/policytest/src/model.rs");
    files.push(Generated { path: "docs/schema/policy-test.schema.json".to_owned(), text });
    for (name, schema, from) in [
        ("test-report", fedward_policytest::report_schema(), "crates/policytest/src/json.rs"),
        ("bench-report", fedward_bench::schema(), "crates/bench/src/report.rs"),
        ("identities-report", fedward_inventory::schema(), "crates/inventory/src/model.rs"),
    ] {
        files.push(Generated { path: format!("docs/schema/{name}.schema.json"), text: marked(&schema, from) });
    }
    let is_common = |field: &Field| policies.iter().all(|policy| policy.settings.iter().any(|other| other.name == field.name));
    let mut text = format!("<!-- {MARK} from the policies' settings. -->\n# Settings\n\n");
    text.push_str("Each policy's `settings.schema.json` says the same to editors and pipelines.\n");
    if let Some(policy) = policies.first() {
        table(&mut text, "Every policy", "", policy.settings.iter().filter(|field| is_common(field)));
    }
    for policy in &policies {
        table(&mut text, policy.id, policy.summary, policy.settings.iter().filter(|field| !is_common(field)));
    }
    files.push(Generated { path: "docs/settings.md".to_owned(), text });
    files
}

/// A schema that says on its first line what it is generated from.
fn marked(schema: &Value, from: &str) -> String {
    let pretty = format!("{schema:#}");
    let rest = pretty.strip_prefix('{').unwrap_or(&pretty);
    format!("{{ \"$comment\": \"{MARK} from {from}.\",{rest}\n")
}

fn table<'a>(text: &mut String, title: &str, summary: &str, fields: impl Iterator<Item = &'a Field>) {
    let _ = write!(text, "\n## {title}\n\n");
    if !summary.is_empty() {
        let _ = write!(text, "{summary}\n\n");
    }
    text.push_str(&rows(fields));
}

/// The table's head, and a row for each field.
pub(crate) fn rows<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let mut text = "| setting | type | default | what it does |\n|---|---|---|---|\n".to_owned();
    for field in fields {
        let default = field.schema.get("default").map_or_else(String::new, |value| format!("`{}`", cell(&spaced(value))));
        let _ = writeln!(text, "| `{}` | {} | {default} | {} |", field.name, cell(&words::schema(&field.schema)), cell(field.doc));
    }
    text
}

/// A list with a space after each comma, so that a table can break it.
fn spaced(value: &Value) -> String {
    match value.as_array() {
        Some(items) => format!("[{}]", items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_json_and_say_that_they_are_generated() {
        for file in generate().iter().filter(|file| file.path.ends_with(".json")) {
            assert!(file.text.lines().next().is_some_and(|line| line.contains(MARK)), "{}", file.path);
            let schema: Value = serde_json::from_str(&file.text).unwrap_or_default();
            // What people write has no unknown fields; a report may get new ones.
            if file.path.ends_with("-report.schema.json") {
                continue;
            }
            assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)), "{}", file.path);
        }
    }
}
