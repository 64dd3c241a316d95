//! Reports ignore entries that no longer do anything, or never did.
//!
//! ## What it does
//! An entry of `fedward.yaml` or an inline `# fedward: ignore[rule-id] reason` is reported when nothing that it names is found, when
//! its date has passed, when an inline one gives no reason (then it does not apply), when it names a rule that does not exist, and when
//! a comment begins like an entry (`# fedward: ignore …`) but is not written as one.
//!
//! ## Why it is bad
//! A stale entry hides the next mistake of that kind, and nobody remembers why it is there.
//!
//! ## Example
//! ```yaml
//! spec:
//!   serviceAccountName: api # fedward: ignore[missing-service-account]
//! ```
//!
//! ## Use instead
//! ```yaml
//! spec:
//!   serviceAccountName: api # fedward: ignore[missing-service-account] made by the platform's own chart
//! ```
//!
//! ## References
//! The guide, "Configuration and exceptions".

pub(super) use crate::ignores::RULE;
