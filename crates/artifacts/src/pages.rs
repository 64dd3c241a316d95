//! A page for every rule, their index, and the list of pages that the command line embeds.

use std::fmt::Write as _;

use crate::catalogue::{Documented, SHARED};
use crate::files::{Generated, MARK};

/// Pages, index and embedding.
pub fn generate(rules: &[Documented]) -> Vec<Generated> {
    let mut files: Vec<Generated> =
        rules.iter().map(|rule| Generated { path: format!("docs/rules/{}.md", rule.rule.id), text: page(rule) }).collect();
    files.push(Generated { path: "docs/rules/README.md".to_owned(), text: index(rules) });
    files.push(Generated { path: "cli/src/pages.rs".to_owned(), text: embedding(rules) });
    files
}

fn page(documented: &Documented) -> String {
    let Documented { rule, policy, source, doc } = documented;
    let mut text = format!("<!-- {MARK} from `{source}`: change that file. -->\n# {}\n\n", rule.id);
    text.push_str(&format!("Policy: {} · {}\n\n", policy_link(policy), rule.summary));
    text.push_str("| condition | severity | when |\n|---|---|---|\n");
    for condition in rule.conditions {
        text.push_str(&format!("| `{}` | {} | {} |\n", condition.name, condition.severity.name(), cell(condition.when)));
    }
    if !rule.supersedes.is_empty() {
        let others: Vec<String> = rule.supersedes.iter().map(|id| format!("[{id}]({id}.md)")).collect();
        text.push_str(&format!("\nReported instead of {} at the same place.\n", others.join(", ")));
    }
    text.push('\n');
    text.push_str(doc);
    text
}

fn policy_link(policy: &str) -> String {
    if fedward_modules::find(policy).is_some() { format!("[{policy}](../settings.md#{policy})") } else { policy.to_owned() }
}

fn index(rules: &[Documented]) -> String {
    let mut text = format!("<!-- {MARK} from the rules' own descriptions. -->\n# Rules\n\n");
    text.push_str("The severity is that of the gravest condition; each rule's page lists all of them.\n");
    let native = [SHARED, fedward_engine::INPUT_POLICY, fedward_gitops::rules::POLICY];
    for policy in fedward_modules::ALL.iter().map(|builtin| builtin.id).chain(native) {
        let summary = match fedward_modules::find(policy) {
            Some(builtin) => builtin.policy.describe().summary,
            None if policy == fedward_gitops::rules::POLICY => fedward_gitops::rules::SUMMARY,
            None => "",
        };
        let _ = write!(text, "\n## {policy}\n\n");
        if !summary.is_empty() {
            let _ = write!(text, "{summary}\n\n");
        }
        text.push_str("| rule | severity | what is reported |\n|---|---|---|\n");
        for rule in rules.iter().filter(|rule| rule.policy == policy) {
            let gravest = rule.rule.conditions.iter().map(|condition| condition.severity).max();
            let severity = gravest.map_or("", |severity| severity.name());
            let _ = writeln!(text, "| [{0}]({0}.md) | {severity} | {1} |", rule.rule.id, cell(rule.rule.summary));
        }
    }
    text
}

fn embedding(rules: &[Documented]) -> String {
    let mut text = format!("// {MARK} from the list of rules.\n//! The rules' pages, for `fedward explain`.\n\n");
    text.push_str("/// Every rule's id and page, by id.\npub(crate) const PAGES: &[(&str, &str)] = &[\n");
    for rule in rules {
        let _ = writeln!(text, "    (\"{0}\", include_str!(\"../../docs/rules/{0}.md\")),", rule.rule.id);
    }
    text.push_str("];\n");
    text
}

/// Text that may stand in a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
