//! Reports documents that do not parse because template syntax was left in them.
//!
//! ## What it does
//! A document that is broken by `{{ … }}`, `${…}` or the like is not a manifest yet: something still has to render it. Templates inside
//! strings that parse (Workflows, ApplicationSets, External Secrets) are ordinary values and not reported. A chart's `templates` folder
//! beside its `Chart.yaml` is not read as manifests at all: it is counted as skipped.
//!
//! ## Why it is bad
//! What is not rendered cannot be judged. A green result for a folder of templates would say nothing.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   name: {{ .Values.name }}
//! ```
//!
//! ## Use instead
//! Render first and check the result: `fedward check CHART` does both, and so does `helm template . | fedward check -`.
//! ```yaml
//! metadata:
//!   name: api
//! ```
//!
//! ## References
//! The Helm chart guide; `envsubst`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::Problem;

use super::Report;

const TEMPLATE: Condition = Condition::error("template", "the document does not parse, and template syntax stands where it breaks");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "leftover-template",
    summary: "a document does not parse because template syntax was left in it",
    conditions: &[TEMPLATE],
    supersedes: &[],
};

pub(super) fn report(problem: &Problem) -> Report<'static> {
    Report::new(&RULE, &TEMPLATE, problem.span, problem.message.clone())
        .help("render the template and check the result: `fedward check CHART` does both, and `helm template . | fedward check -`")
}
