//! The subcommands, a file each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod rules;
