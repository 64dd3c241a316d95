//! The subcommands, a file each.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod cmp;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod identities;
pub(crate) mod init;
pub(crate) mod render;
pub(crate) mod rules;
pub(crate) mod test;

use fedward_kit::policy::{Descriptor, RuleDescriptor};

/// Every policy, what the reader itself finds, and what is found in repositories.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    let input = Descriptor {
        id: fedward_engine::INPUT_POLICY,
        summary: "what is read is what was meant",
        rules: fedward_engine::INPUT_RULES.to_vec(),
        settings: Vec::new(),
    };
    let repository = Descriptor {
        id: fedward_gitops::rules::POLICY,
        summary: fedward_gitops::rules::SUMMARY,
        rules: fedward_gitops::rules::descriptors(),
        settings: Vec::new(),
    };
    fedward_modules::ALL.iter().map(|builtin| builtin.policy.describe()).chain([input, repository]).collect()
}

/// A rule as a line of a list: its severities, from the gravest to the least where conditions differ, its id, what it reports.
pub(crate) fn line(rule: &RuleDescriptor) -> String {
    let severities = || rule.conditions.iter().map(|condition| condition.severity);
    let range = match (severities().max(), severities().min()) {
        (Some(most), Some(least)) if most != least => format!("{}..{}", most.name(), least.name()),
        (Some(only), _) => only.name().to_owned(),
        _ => String::new(),
    };
    format!("  {range:<14} {:<42} {}", rule.id, rule.summary)
}
