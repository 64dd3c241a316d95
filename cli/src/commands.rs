//! The subcommands, a file each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod rules;

use fedward_kit::policy::Descriptor;

/// Every policy, and what the reader itself finds.
pub(crate) fn descriptors() -> Vec<Descriptor> {
    let input = Descriptor {
        id: fedward_engine::INPUT_POLICY,
        summary: "what is read is what was meant",
        rules: fedward_engine::INPUT_RULES.to_vec(),
        settings: Vec::new(),
    };
    fedward_modules::ALL.iter().map(|builtin| builtin.policy.describe()).chain([input]).collect()
}
