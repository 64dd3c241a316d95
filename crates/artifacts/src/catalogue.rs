//! Every rule there is, with its source file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use fedward_kit::policy::RuleDescriptor;

/// Rules that every policy has: one page for all of them.
pub const SHARED: &str = "all policies";

/// A rule, where it is from and what its author says of it.
#[derive(Debug, Clone)]
pub struct Documented {
    /// What the code says of it.
    pub rule: RuleDescriptor,
    /// The policy's id, [`SHARED`], or one of the lists of native rules: [`fedward_engine::INPUT_POLICY`], [`fedward_gitops::rules::POLICY`].
    pub policy: &'static str,
    /// The file that holds it, relative to the root.
    pub source: String,
    /// The text of its `//!` comments.
    pub doc: String,
}

/// All rules by id, each once.
///
/// # Errors
/// A rule whose file is not where its id says.
pub fn rules(root: &Path) -> Result<Vec<Documented>> {
    let mut rules: Vec<Documented> = Vec::new();
    for builtin in fedward_modules::ALL {
        for rule in builtin.policy.describe().rules {
            if rules.iter().any(|known| known.rule.id == rule.id) {
                continue;
            }
            let file = rule.id.replace('-', "_");
            let own = format!("policies/{}/src/rules/{file}.rs", builtin.id);
            let shared = format!("policies/kit/src/rules/{file}.rs");
            let (policy, source) = if root.join(&own).is_file() { (builtin.id, own) } else { (SHARED, shared) };
            rules.push(read(root, rule, policy, source)?);
        }
    }
    for rule in fedward_engine::INPUT_RULES {
        let source = format!("crates/engine/src/input/{}.rs", rule.id.replace('-', "_"));
        rules.push(read(root, rule, fedward_engine::INPUT_POLICY, source)?);
    }
    for rule in fedward_gitops::rules::descriptors() {
        let source = format!("crates/gitops/src/rules/{}.rs", rule.id.replace('-', "_"));
        rules.push(read(root, rule, fedward_gitops::rules::POLICY, source)?);
    }
    rules.sort_by_key(|rule| rule.rule.id);
    Ok(rules)
}

fn read(root: &Path, rule: RuleDescriptor, policy: &'static str, source: String) -> Result<Documented> {
    let text = fs::read_to_string(root.join(&source)).with_context(|| format!("rule `{}` has no file `{source}`", rule.id))?;
    Ok(Documented { rule, policy, doc: module_doc(&text), source })
}

/// The text of the `//!` comments at the head of a file.
pub fn module_doc(source: &str) -> String {
    let mut doc = String::new();
    for line in source.lines() {
        let Some(text) = line.strip_prefix("//!") else { break };
        doc.push_str(text.strip_prefix(' ').unwrap_or(text).trim_end());
        doc.push('\n');
    }
    doc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doc_ends_with_the_comments() {
        let source = "//! One line.\n//!\n//! ```yaml\n//!   indented: true\n//! ```\n\nuse x;\n//! not this\n";
        assert_eq!(module_doc(source), "One line.\n\n```yaml\n  indented: true\n```\n");
    }
}
