//! Reports keys that stand twice in one map.
//!
//! ## What it does
//! The last value wins, as in Kubernetes' decoder; the place of the first is given, too. It is an error where the key is one that
//! decides about an identity (an identity label or annotation, a subject, an issuer, a client or tenant id) and the two values differ.
//!
//! ## Why it is bad
//! Whoever reads the first value is wrong about what is applied. Stricter decoders refuse the document.
//!
//! ## Example
//! ```yaml
//! labels:
//!   azure.workload.identity/use: "true"
//!   app: api
//!   azure.workload.identity/use: "false"
//! ```
//!
//! ## Use instead
//! ```yaml
//! labels:
//!   app: api
//!   azure.workload.identity/use: "true"
//! ```
//!
//! ## References
//! YAML 1.2 §3.2.1.3 (keys are unique); sigs.k8s.io/yaml.

use std::sync::Arc;

use fedward_kit::policy::RuleDescriptor;
use fedward_kit::rule::Condition;
use fedward_manifest::{Problem, Source};

use super::Report;

const DUPLICATE: Condition = Condition::warning("duplicate", "a key stands twice in one map");
const IDENTITY: Condition = Condition::error("identity", "the key decides about an identity and the values differ");

pub(super) const RULE: RuleDescriptor =
    RuleDescriptor { id: "duplicate-key", summary: "a key stands twice in one map", conditions: &[DUPLICATE, IDENTITY], supersedes: &[] };

/// Keys and key prefixes that decide about an identity.
const IDENTITY_KEYS: [&str; 12] = [
    "azure.workload.identity/",
    "eks.amazonaws.com/",
    "iam.gke.io/",
    "subject",
    "issuer",
    "audience",
    "audiences",
    "serviceAccountName",
    "clientId",
    "clientID",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
];

pub(super) fn report(source: &Arc<Source>, problem: &Problem) -> Report<'static> {
    let key = source.slice(problem.span).trim_matches(['"', '\'']);
    let is_identity = IDENTITY_KEYS.iter().any(|known| key == *known || (known.ends_with('/') && key.starts_with(known)));
    let line = |offset: u32| {
        let position = source.position(offset);
        source.line_text(position.line).split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let differ = problem.related.first().is_some_and(|first| line(first.span.start) != line(problem.span.start));
    let condition = if is_identity && differ { &IDENTITY } else { &DUPLICATE };
    Report::new(&RULE, condition, problem.span, problem.message.clone()).help("keep one of them; the last one is what is applied")
}
