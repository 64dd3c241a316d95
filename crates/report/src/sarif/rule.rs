//! What the run says of its rules.

use std::borrow::Cow;
use std::collections::HashSet;

use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;
use serde::Serialize;

use super::{Message, level};
use crate::{RuleInfo, Tool};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule<'a> {
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Help<'a>>,
    default_configuration: Configuration,
    properties: Properties<'a>,
}

/// The page. Viewers that do not know Markdown show it as it is.
#[derive(Serialize)]
struct Help<'a> {
    text: &'a str,
    markdown: &'a str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties<'a> {
    tags: [&'a str; 1],
}

/// The rules given, and those of findings that are not among them: policies of others name theirs as they like.
pub(super) fn all<'a>(outcome: &'a Outcome, tool: &Tool<'a>, rules: &[RuleInfo<'a>]) -> Vec<Rule<'a>> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for rule in rules.iter().filter(|rule| seen.insert(rule.id)) {
        let help = Some(Help { text: rule.page, markdown: rule.page }).filter(|_| !rule.page.is_empty());
        all.push(Rule { help, ..Rule::new(rule.id, rule.policy, rule.summary, rule.default_severity, help_uri(tool, rule.docs)) });
    }
    for finding in outcome.findings.iter() {
        if seen.insert(&*finding.rule) {
            all.push(Rule::new(&finding.rule, &finding.policy, "", finding.severity, help_uri(tool, &finding.docs)));
        }
    }
    all
}

impl<'a> Rule<'a> {
    fn new(id: &'a str, policy: &'a str, summary: &'a str, severity: Severity, help_uri: Option<Cow<'a, str>>) -> Self {
        Rule {
            id,
            short_description: Some(Message::new(summary)).filter(|_| !summary.is_empty()),
            help_uri,
            help: None,
            default_configuration: Configuration { level: level(severity) },
            properties: Properties { tags: [policy] },
        }
    }
}

/// An absolute address, or none: SARIF has no relative links here.
fn help_uri<'a>(tool: &Tool<'_>, docs: &'a str) -> Option<Cow<'a, str>> {
    if docs.is_empty() || !docs.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    if docs.starts_with("https://") || docs.starts_with("http://") {
        return Some(docs.into());
    }
    tool.home.map(|home| format!("{home}{docs}").into())
}
