//! Reports values of `useAzureWorkloadIdentity` that Argo CD cannot read.
//!
//! ## What it does
//! Argo CD reads the flag as Go does: `1`, `t`, `T`, `TRUE`, `true`, `True`, and `0`, `f`, `F`, `FALSE`, `false`, `False`. Everything else
//! is an error, an empty value too. A value without quotes is no string at all; `wrong-field-type` says so.
//!
//! ## Why it is bad
//! The whole repository becomes an error, not only the flag: Argo CD shows "Configuration error" and reads nothing.
//!
//! ## Example
//! ```yaml
//! stringData:
//!   useAzureWorkloadIdentity: "yes"
//! ```
//!
//! ## Use instead
//! ```yaml
//! stringData:
//!   useAzureWorkloadIdentity: "true"
//! ```
//!
//! ## References
//! Argo CD: `util/db/secrets.go` (`boolOrFalse`); Go: `strconv.ParseBool`.

use fedward_kit::finding::PatchStep;
use fedward_kit::rule::{Check, Condition, Report, Rule};

use crate::registered::{FLAG, Flag, Repository};
use crate::settings::Settings;

const WRONG: Condition = Condition::error("no-boolean", "the value is no boolean of Go");

/// The rule.
pub const RULE: Rule<Settings> = Rule {
    id: "unparsable-identity-flag",
    summary: "`useAzureWorkloadIdentity` has a value that Argo CD cannot read",
    conditions: &[WRONG],
    supersedes: &[],
    check,
};

fn check(cx: &Check<'_, Settings>) {
    let Some(repository) = Repository::under(cx).filter(|repository| repository.flag == Flag::Wrong) else { return };
    let node = repository.secret.value(FLAG);
    let report = Report::new(&WRONG, node, format!("`{FLAG}` is no boolean: Argo CD refuses the whole repository"))
        .help("write \"true\" or \"false\"");
    let meant = node.peek_str().and_then(|text| meant(text.trim()));
    cx.report(match meant {
        Some(meant) => report.fix(PatchStep::set(node, meant)),
        None => report,
    });
}

/// What a value can only have meant.
fn meant(text: &str) -> Option<&'static str> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "yes", "y", "on", "enabled"]) {
        Some("true")
    } else if is(&["false", "no", "n", "off", "disabled"]) {
        Some("false")
    } else {
        None
    }
}
