//! `fedward rules`.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use crate::args::{ListFormat, Rules};
use crate::exit::Exit;
use crate::outputs;

pub(crate) fn run(args: &Rules) -> Result<Exit> {
    let mut out = String::new();
    let policies: Vec<_> = crate::commands::descriptors();
    match args.format {
        ListFormat::Human => {
            for policy in &policies {
                writeln!(out, "{}: {}", policy.id, policy.summary)?;
                for rule in &policy.rules {
                    writeln!(out, "{}", super::line(rule))?;
                }
            }
        }
        ListFormat::Json => {
            let rules: Vec<_> = policies
                .iter()
                .flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)))
                .map(|(policy, rule)| {
                    let conditions: Vec<_> =
                        rule.conditions.iter().map(|condition| json!({ "name": condition.name, "severity": condition.severity, "when": condition.when })).collect();
                    json!({ "id": rule.id, "policy": policy.id, "summary": rule.summary, "conditions": conditions, "supersedes": rule.supersedes, "docs": format!("docs/rules/{}.md", rule.id) })
                })
                .collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "schema_version": 1, "rules": rules }))?)?;
        }
    }
    outputs::print(&out)?;
    Ok(Exit::Clean)
}
