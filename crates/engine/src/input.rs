//! What the reader finds: the rules of policy `input`, a file each for their pages, and how problems become findings.

mod duplicate_key;
mod flattened_manifest;
mod leftover_template;
mod limit_exceeded;
pub(crate) mod rejected_by_policy;
mod stale_ignore;
mod unparsable_document;
mod unparsable_embedded_document;
pub(crate) mod unusable_policy;

use std::sync::Arc;

use fedward_kit::finding::{ObjectId, Severity};
use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::{Limits, Node, Problem, ProblemKind, Source, Span};
use fedward_outcome::{Finding, Location, Related};

use crate::load::Object;
use crate::payload;

/// The id under which these rules are listed.
pub const INPUT_POLICY: &str = "input";

/// The rules.
pub const INPUT_RULES: [RuleDescriptor; 9] = [
    duplicate_key::RULE,
    flattened_manifest::RULE,
    leftover_template::RULE,
    limit_exceeded::RULE,
    rejected_by_policy::RULE,
    stale_ignore::RULE,
    unparsable_document::RULE,
    unparsable_embedded_document::RULE,
    unusable_policy::RULE,
];

/// A finding of the reader.
pub(crate) struct Report<'a> {
    pub(crate) rule: &'a RuleDescriptor,
    pub(crate) condition: &'a Condition,
    pub(crate) message: String,
    pub(crate) help: String,
    pub(crate) span: Span,
    pub(crate) pointer: String,
    pub(crate) related: Vec<(Span, String)>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(rule: &'a RuleDescriptor, condition: &'a Condition, span: Span, message: impl Into<String>) -> Self {
        Report { rule, condition, message: message.into(), help: String::new(), span, pointer: String::new(), related: Vec::new() }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The finding, in `source`, on `object` if it is on one.
    pub(crate) fn finding(self, source: &Arc<Source>, object: Option<ObjectId>) -> Finding {
        let location = |span, pointer| Location { source: Arc::clone(source), span, pointer };
        Finding {
            rule: self.rule.id.to_owned(),
            condition: self.condition.name.to_owned(),
            policy: INPUT_POLICY.to_owned(),
            severity: self.condition.severity,
            message: self.message,
            help: self.help,
            docs: format!("docs/rules/{}.md", self.rule.id),
            related: self.related.into_iter().map(|(span, message)| Related { location: location(span, String::new()), message }).collect(),
            location: location(self.span, self.pointer),
            related_more: 0,
            object,
            fix: Vec::new(),
            edits: Vec::new(),
            suppressed: None,
            rendered: None,
            manifests: Vec::new(),
        }
    }
}

/// A problem of the reader as a finding.
pub(crate) fn problem(source: &Arc<Source>, problem: &Problem) -> Finding {
    let report = match problem.kind {
        ProblemKind::TemplateSyntax => leftover_template::report(problem),
        ProblemKind::Limit(_) => limit_exceeded::report(problem),
        ProblemKind::DuplicateKey => duplicate_key::report(source, problem),
        _ => unparsable_document::report(problem),
    };
    let related = problem.related.iter().map(|related| (related.span, related.message.clone())).collect();
    Report { related, ..report }.finding(source, None)
}

/// A problem in a text that does not look like a manifest at all.
pub(crate) fn other_text(source: &Arc<Source>, problem: &Problem) -> Finding {
    let mut finding = self::problem(source, problem);
    if finding.rule == unparsable_document::RULE.id {
        finding.message = format!("not YAML or JSON: {}", finding.message);
    }
    finding
}

/// A file that is not text.
pub(crate) fn not_text(source: &Arc<Source>, error: &fedward_manifest::SourceError) -> Finding {
    unparsable_document::not_text(error).finding(source, None)
}

/// Too many objects in one run.
pub(crate) fn too_many(limit: usize, span: Span) -> Report<'static> {
    limit_exceeded::objects(limit, span)
}

/// What is wrong with an object that did parse.
pub(crate) fn object(source: &Arc<Source>, object: &Object, node: Node<'_>, limits: &Limits) -> Vec<Finding> {
    let mut reports = Vec::new();
    reports.extend(flattened_manifest::check(object, node));
    reports.extend(unparsable_embedded_document::check(object, node, limits));
    reports.into_iter().map(|report| report.finding(source, Some(payload::id(object)))).collect()
}

/// A document that is one string although it has the keys of a manifest: a comment or a stray word before it made it one.
pub(crate) fn not_a_map(source: &Arc<Source>, span: Span) -> Finding {
    unparsable_document::not_a_map(Span::at(span.start)).finding(source, None)
}

/// An AdmissionReview that no webhook was ever sent.
pub(crate) fn no_request(source: &Arc<Source>, span: Span, reason: &str) -> Finding {
    unparsable_document::no_request(span, reason).finding(source, None)
}

/// Whether a text that does not parse was meant as a manifest: it has the keys `apiVersion` and `kind`, in whatever form. Argo CD
/// decides alike: such a file without `apiVersion`, `kind` and `metadata` is taken for something else.
pub(crate) fn looks_like_manifest(text: &str) -> bool {
    ["apiVersion", "kind"].iter().all(|key| has_key(text, key))
}

/// Whether a word stands in a text as a key does: after a line's beginning, a bracket, a comma or a dash, and before a colon.
fn has_key(text: &str, key: &str) -> bool {
    let quotes = ['"', '\''];
    text.match_indices(key).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let before = before.strip_suffix(quotes).unwrap_or(before).trim_end_matches([' ', '\t']);
        let after = text.get(at + key.len()..).unwrap_or_default();
        let after = after.strip_prefix(quotes).unwrap_or(after).trim_start_matches([' ', '\t']);
        after.starts_with(':') && (before.is_empty() || before.ends_with(['\n', '\r', '\u{feff}', '{', ',', '-', '[', '}']))
    })
}

/// Whether a policy does not run, or a document is not read, for the reason that a finding tells.
pub(crate) fn leaves_unjudged(finding: &Finding) -> bool {
    let rules = [
        unusable_policy::RULE.id,
        unparsable_document::RULE.id,
        unparsable_embedded_document::RULE.id,
        leftover_template::RULE.id,
        limit_exceeded::RULE.id,
    ];
    finding.policy == INPUT_POLICY && finding.severity == Severity::Error && rules.contains(&finding.rule.as_str())
}

#[cfg(test)]
mod tests {
    use super::looks_like_manifest;

    #[test]
    fn manifests_are_told_from_other_text() {
        for text in [
            "apiVersion: v1\nkind: Pod\n  broken",
            "{\"apiVersion\": \"v1\", \"kind\" : \"Pod\", ",
            "{apiVersion: v1, kind: Pod, metadata: {name: [}}",
            "- apiVersion: v1\n  'kind': Pod\n\tx",
            "// pod\n{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}",
        ] {
            assert!(looks_like_manifest(text), "{text}");
        }
        for text in ["kind: Pod", "the apiVersion: and kind: keys", "apiVersions: 1\nkinds: 2", "a_kind: x\napiVersion: v1"] {
            assert!(!looks_like_manifest(text), "{text}");
        }
    }
}
