//! Reports Go templates of ApplicationSets that put `<no value>` in for what is missing.
//!
//! ## What it does
//! An ApplicationSet with `goTemplate: true` and actions in its template is reported if its `goTemplateOptions` have no `missingkey=error`.
//!
//! ## Why it is bad
//! A parameter that a generator does not give, or a name with a typing error, becomes the text `<no value>`: a path, a namespace or a label of
//! that name is deployed, and no error tells of it.
//!
//! ## Example
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   goTemplate: true
//!   template:
//!     metadata: {name: 'shop-{{ .name }}'}
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: argoproj.io/v1alpha1
//! kind: ApplicationSet
//! metadata: {name: shops, namespace: argocd}
//! spec:
//!   goTemplate: true
//!   goTemplateOptions: [missingkey=error]
//!   template:
//!     metadata: {name: 'shop-{{ .name }}'}
//! ```
//!
//! ## References
//! Argo CD `docs/operator-manual/applicationset/GoTemplate.md`; Go `text/template`, `Option`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;

use super::{Check, Report};
use crate::value::Value;

const MISSING: Condition = Condition::warning("missing-key", "the templates do not stop at a parameter that is missing");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unstrict-go-template",
    summary: "Go templates of an ApplicationSet that do not stop at a missing parameter",
    conditions: &[MISSING],
    supersedes: &[],
};

pub(super) fn check(check: &Check<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    for spec in check.discovery.sets.iter().filter_map(|set| set.object.get("spec")) {
        // The last option of a kind counts.
        let last = spec.texts("goTemplateOptions").filter(|option| option.starts_with("missingkey=")).last();
        let has_actions = ["template", "templatePatch"]
            .iter()
            .filter_map(|key| spec.get(key))
            .any(|value| value.any_text(&mut |text| text.contains("{{")));
        if spec.flag("goTemplate") && has_actions && last != Some("missingkey=error") {
            let place = spec.get("goTemplateOptions").or(spec.get("goTemplate")).map_or(&spec.place, |value: &Value| &value.place);
            let message = "a parameter that is missing becomes the text `<no value>`: `goTemplateOptions` have no `missingkey=error`";
            reports.push(Report::at(&MISSING, place, message).help("set `goTemplateOptions: [missingkey=error]`"));
        }
    }
    reports
}
