//! `fedward explain`.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use fedward_config::words;
use fedward_kit::policy::Descriptor;

use super::descriptors;
use crate::args::Explain;
use crate::exit::Exit;
use crate::outputs;
use crate::pages::PAGES;

pub(crate) fn run(args: &Explain) -> Result<Exit> {
    // Writing to a string cannot fail.
    let mut out = String::new();
    for line in text(&args.name)?.lines() {
        if line.starts_with('#') {
            // Bold; the writer drops it where colours are not wanted.
            let _ = writeln!(out, "\u{1b}[1m{line}\u{1b}[0m");
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    outputs::print(&out)?;
    Ok(Exit::Clean)
}

/// What there is to say of a rule or a policy.
fn text(name: &str) -> Result<String> {
    if let Some(page) = page(name) {
        return Ok(page.to_owned());
    }
    let policies = descriptors();
    if let Some(policy) = policies.iter().find(|policy| policy.id == name) {
        return Ok(about(policy));
    }
    if name == fedward_modules::SUITE.id {
        return Ok(suite());
    }
    let known = PAGES.iter().map(|(id, _)| *id).chain(policies.iter().map(|policy| policy.id)).chain([fedward_modules::SUITE.id]);
    let near = words::did_you_mean(name, known);
    bail!("no such rule or policy: `{name}`{}", if near.is_empty() { " (`fedward rules` lists them)" } else { &near })
}

/// A rule's page, without the line that says how the file was made.
fn page(rule: &str) -> Option<&'static str> {
    let (_, page) = PAGES.iter().find(|(id, _)| *id == rule)?;
    Some(page.split_once("-->\n").map_or(*page, |(_, body)| body))
}

/// A rule's page with the text alone of links to the project's own files, which nobody else has.
pub(crate) fn standalone(rule: &str) -> String {
    let mut rest = page(rule).unwrap_or_default();
    let mut text = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once("](") {
        let link = before.rsplit_once('[').zip(after.split_once(')'));
        match link.filter(|(_, (target, _))| target.ends_with(".md") || target.contains(".md#")) {
            Some(((before, label), (_, after))) => {
                text.push_str(before);
                text.push_str(label);
                rest = after;
            }
            None => {
                text.push_str(before);
                text.push_str("](");
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// The suite: what it is, what is in it, how it is set.
fn suite() -> String {
    // Writing to a string cannot fail.
    let mut text = format!(
        "# {}\n\nall policies in one module, so that a cluster pays one call for each request; `fedward check` runs it, too\n\n## Policies\n",
        fedward_modules::SUITE.id
    );
    for builtin in fedward_modules::ALL {
        let _ = writeln!(text, "  {:<32} {}", builtin.id, builtin.policy.describe().summary);
    }
    text.push_str(
        "\n## Settings\nIn a cluster `policies` has an entry for each policy that is not to run as it is: `enabled: false` turns it off, `settings` has its own.\n\
        `fedward explain POLICY` lists those. In `fedward.yaml` they are below `policies`, as for single policies.\n",
    );
    text
}

/// A policy: what it is for, its rules, its settings.
fn about(policy: &Descriptor) -> String {
    // Writing to a string cannot fail.
    let mut text = format!("# {}\n\n{}\n\n## Rules\n", policy.id, policy.summary);
    for rule in &policy.rules {
        let _ = writeln!(text, "{}", super::line(rule));
    }
    if policy.settings.is_empty() {
        let when = if policy.id == fedward_engine::INPUT_POLICY { "always run" } else { "run where Argo CD's Applications are found" };
        let _ = writeln!(text, "\nThese rules {when}. `severities` in `fedward.yaml` has their severities.");
        return text;
    }
    let _ = writeln!(
        text,
        "\n## Settings\nIn `fedward.yaml` below `policies.{}.settings`, or in a file with `--settings {}=FILE`.\n",
        policy.id, policy.id
    );
    for field in &policy.settings {
        let default = field.schema.get("default").map(|value| format!("; default `{value}`")).unwrap_or_default();
        let _ = writeln!(text, "  {} ({}{default})\n      {}", field.name, words::schema(&field.schema), field.doc);
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_rule_has_a_page_that_begins_with_its_id() {
        let policies = descriptors();
        for rule in policies.iter().flat_map(|policy| &policy.rules) {
            assert!(page(rule.id).unwrap().starts_with(&format!("# {}\n", rule.id)), "{}", rule.id);
        }
    }

    #[test]
    fn outside_of_the_project_pages_have_no_links_into_it() {
        for (id, page) in PAGES {
            let text = standalone(id);
            assert!(text.starts_with(&format!("# {id}\n")) && !text.contains(".md)") && !text.contains(".md#"), "{text}");
            assert_eq!(text.matches("](http").count(), page.matches("](http").count(), "{id}");
        }
    }

    #[test]
    fn the_suite_is_explained_with_its_policies() {
        let text = text("suite").unwrap();
        for builtin in fedward_modules::ALL {
            assert!(text.contains(&format!("\n  {} ", builtin.id)), "{text}");
        }
    }

    #[test]
    fn every_policy_is_explained_with_its_rules_and_settings() {
        for policy in descriptors() {
            let text = text(policy.id).unwrap();
            for name in policy.rules.iter().map(|rule| rule.id).chain(policy.settings.iter().map(|field| field.name)) {
                assert!(text.contains(&format!(" {name} ")), "{name}: {text}");
            }
        }
    }
}
