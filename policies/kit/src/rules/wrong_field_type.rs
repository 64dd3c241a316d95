//! Reports fields that a rule needs to read and that have the wrong type.
//!
//! ## What it does
//! Every rule reads fields by their type: names are strings, labels and annotations maps of strings, containers lists. A field that is there
//! but of another type is reported on its place, by each policy for the fields that it reads.
//!
//! ## Why it is bad
//! The API server refuses such an object, or (for custom resources without a schema) hands it to a controller that ignores the
//! field. A checker that skipped it would pass what it never looked at.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: true
//! ```
//!
//! ## Use instead
//! ```yaml
//! metadata:
//!   labels:
//!     azure.workload.identity/use: "true"
//! ```
//!
//! ## References
//! Kubernetes API conventions: labels and annotations are `map[string]string`.

use crate::finding::PatchStep;
use crate::node::Node;
use crate::rule::{Check, Condition, Report, Rule};
use crate::settings::Settings;
use crate::text;
use crate::trust::GROUP;
use crate::value::Value;

const WRONG: Condition = Condition::error("wrong-type", "a field that the policy reads has the wrong type");

/// The rule; it comes last in a policy's list, since it reports what the others met.
pub const fn rule<S: Settings>() -> Rule<S> {
    Rule { id: "wrong-field-type", summary: "a field has the wrong type", conditions: &[WRONG], supersedes: &[], check }
}

fn check<S: Settings>(cx: &Check<'_, S>) {
    // What an object is called everything else goes by.
    let metadata = cx.object.get("metadata");
    for field in ["name", "namespace"] {
        metadata.get(field).str();
    }
    let mut seen = Vec::new();
    // An expression stands in the place of any value.
    let is_expression =
        |node: Node<'_>| cx.request.group == GROUP && node.peek_str().is_some_and(|text| text::classify(text) == text::Value::NotKnown);
    let met = cx.object.session().mistyped().filter(|mistyped| mistyped.node.shares_object(cx.object) && !is_expression(mistyped.node));
    for mistyped in met {
        let place = mistyped.node.place();
        if seen.contains(&place) || seen.len() >= MAX {
            continue;
        }
        seen.push(place);
        let value = mistyped.node.value();
        let found = value.map_or("nothing", Value::type_name);
        let report =
            Report::new(&WRONG, mistyped.node, format!("`{}` is {found}, but {} is required", mistyped.node.key(), mistyped.expected));
        let quoted = match (mistyped.expected, value) {
            ("a string", Some(Value::Bool(value))) => Some(value.to_string()),
            ("a string", Some(Value::Int(value))) => Some(value.to_string()),
            _ => None,
        };
        cx.report(match quoted {
            Some(text) => report.help(format!("put it in quotes: \"{text}\"")).fix(PatchStep::set(mistyped.node, &text)),
            None => report,
        });
    }
}

/// How many fields of one object are reported: more than this is a different kind of file.
const MAX: usize = 50;
