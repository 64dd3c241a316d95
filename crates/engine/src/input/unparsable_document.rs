//! Reports documents that are not YAML or JSON.
//!
//! ## What it does
//! A document that does not parse is reported where it breaks, as are aliases without an anchor, keys that JSON cannot have and files
//! that are not UTF-8. The other documents of the file are judged all the same. A file that was met while walking a folder counts only
//! if it looks like a manifest (it has `apiVersion` and `kind`); otherwise it is counted as skipped.
//! A recorded AdmissionReview without a request, without what every request has, or with a field of another type is reported likewise.
//!
//! ## Why it is bad
//! Nothing in the document is applied, and nothing in it can be checked. Argo CD even ignores such a file without a word if it lacks
//! one of `apiVersion:`, `kind:` and `metadata:`.
//!
//! ## Example
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//! name: api
//!   namespace: shop
//! ```
//!
//! ## Use instead
//! ```yaml
//! apiVersion: v1
//! kind: ServiceAccount
//! metadata:
//!   name: api
//!   namespace: shop
//! ```
//!
//! ## References
//! YAML 1.2; sigs.k8s.io/yaml (`docs/input.md` says where they differ); Argo CD `reposerver/repository/repository.go`.

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::{Problem, ProblemKind, SourceError, Span};

use super::Report;

const SYNTAX: Condition = Condition::error("syntax", "the document is not YAML or not JSON");
const NOT_TEXT: Condition = Condition::error("not-text", "the file is not UTF-8");
const NO_REQUEST: Condition = Condition::error("no-request", "an AdmissionReview is none that a webhook was ever sent");
const VALUE: Condition = Condition::warning("value", "a key or value is one that JSON cannot have");

pub(super) const RULE: RuleDescriptor = RuleDescriptor {
    id: "unparsable-document",
    summary: "a document is not YAML or JSON",
    conditions: &[SYNTAX, NOT_TEXT, NO_REQUEST, VALUE],
    supersedes: &[],
};

pub(super) fn report(problem: &Problem) -> Report<'static> {
    let condition = match problem.kind {
        ProblemKind::Key | ProblemKind::Merge | ProblemKind::Value => &VALUE,
        _ => &SYNTAX,
    };
    Report::new(&RULE, condition, problem.span, problem.message.clone())
}

pub(super) fn not_text(error: &SourceError) -> Report<'static> {
    Report::new(&RULE, &NOT_TEXT, Span::at(0), error.to_string()).help("save the file as UTF-8")
}

pub(super) fn no_request(span: Span, reason: &str) -> Report<'static> {
    Report::new(&RULE, &NO_REQUEST, span, reason).help("record what the API server sends, with its `request`")
}

pub(super) fn not_a_map(span: Span) -> Report<'static> {
    Report::new(&RULE, &SYNTAX, span, "the document is one piece of text, not a map, although it has the keys of a manifest")
        .help("look at its first line: comments are written with `#`, and JSON has none")
}
