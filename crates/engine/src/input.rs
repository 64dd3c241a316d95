//! What the reader finds: the rules of policy `input`, a file each for their pages, and how problems become findings.

mod duplicate_key;
mod flattened_manifest;
mod leftover_template;
mod limit_exceeded;
mod stale_ignore;
mod unparsable_document;
mod unparsable_embedded_document;

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
pub const INPUT_RULES: [RuleDescriptor; 7] = [
    duplicate_key::RULE,
    flattened_manifest::RULE,
    leftover_template::RULE,
    limit_exceeded::RULE,
    stale_ignore::RULE,
    unparsable_document::RULE,
    unparsable_embedded_document::RULE,
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

/// Whether a text that does not parse was meant as a manifest. Argo CD decides alike: such a file without `apiVersion`, `kind` and
/// `metadata` is taken for something else.
pub(crate) fn looks_like_manifest(text: &str) -> bool {
    let mut found = [false; 3];
    for line in text.lines() {
        let line = line.trim_start_matches([' ', '\t', '{', ',', '-', '"']);
        for (found, key) in found.iter_mut().zip(["apiVersion", "kind", "metadata"]) {
            *found |= line.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(['"', ' ']).starts_with(':'));
        }
        if let [true, true, _] = found {
            return true;
        }
    }
    false
}

/// The severity that the settings of policy `input` leave, `None` for off.
pub(crate) fn severity(severities: &std::collections::BTreeMap<String, Option<Severity>>, finding: &Finding) -> Option<Severity> {
    severities.get(&finding.rule).copied().unwrap_or(Some(finding.severity))
}
