//! A finding as a result.

use std::borrow::Cow;

use fedward_outcome::{Edit, Finding, Suppression, SuppressionKind};
use serde::Serialize;

use super::location::{Artifact, Place, Region};
use super::{Message, level};
use crate::entry::deployed_by;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultEntry<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message<'a>,
    locations: [Place<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Place<'a>>,
    partial_fingerprints: Fingerprint,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixes: Option<[Fix<'a>; 1]>,
    /// Empty where nothing suppresses: the standard wants it on all results of a run or on none.
    suppressions: Vec<SuppressionEntry<'a>>,
    properties: Properties<'a>,
}

impl<'a> ResultEntry<'a> {
    pub(super) fn new(finding: &'a Finding, rule_index: Option<usize>, fingerprint: String) -> Self {
        ResultEntry {
            rule_id: &finding.rule,
            rule_index,
            level: level(finding.severity),
            message: Message::new(text(finding)),
            locations: [Place::new(&finding.location, finding.object.as_ref())],
            related_locations: finding.related.iter().zip(1..).map(|(related, id)| Place::related(id, related)).collect(),
            partial_fingerprints: Fingerprint { finding: fingerprint },
            fixes: Fix::new(finding).map(|fix| [fix]),
            suppressions: finding.suppressed.iter().map(SuppressionEntry::new).collect(),
            properties: Properties {
                policy: &finding.policy,
                manifests: finding.manifests.iter().map(ToString::to_string).collect(),
                condition: &finding.condition,
                pointer: &finding.location.pointer,
            },
        }
    }
}

/// The message, and what to do: viewers show nothing else beside the place.
fn text(finding: &Finding) -> Cow<'_, str> {
    let more = match finding.related_more {
        0 => String::new(),
        1 => "\n(+1 more place)".to_owned(),
        more => format!("\n(+{more} more places)"),
    };
    // Where its values are set is a place of its own.
    let by = finding.rendered.as_ref().and_then(deployed_by).map(|by| format!("\n{by}")).unwrap_or_default();
    let policy = finding.said_by().filter(|_| finding.is_ambiguous()).map(|policy| format!("\npolicy: {policy}")).unwrap_or_default();
    let by = policy + &by;
    match (finding.help.is_empty(), more.is_empty() && by.is_empty()) {
        (true, true) => Cow::Borrowed(&finding.message),
        (true, false) => format!("{}{more}{by}", finding.message).into(),
        (false, _) => format!("{}{more}{by}\n{}", finding.message, finding.help).into(),
    }
}

/// The number in the name changes with what is hashed.
#[derive(Serialize)]
struct Fingerprint {
    #[serde(rename = "fedwardFinding/v1")]
    finding: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix<'a> {
    description: Message<'a>,
    artifact_changes: [Change<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    artifact_location: Artifact<'a>,
    replacements: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region,
    #[serde(skip_serializing_if = "Option::is_none")]
    inserted_content: Option<Content<'a>>,
}

#[derive(Serialize)]
struct Content<'a> {
    text: &'a str,
}

impl<'a> Fix<'a> {
    fn new(finding: &'a Finding) -> Option<Self> {
        if finding.edits.is_empty() {
            return None;
        }
        let source = &finding.location.source;
        let replacement = |edit: &'a Edit| Replacement {
            deleted_region: Region::new(source, edit.span),
            inserted_content: Some(Content { text: &edit.text }).filter(|content| !content.text.is_empty()),
        };
        let replacements = finding.edits.iter().map(replacement).collect();
        let description = if finding.help.is_empty() { &finding.message } else { &finding.help };
        Some(Fix {
            description: Message::new(description.as_str()),
            artifact_changes: [Change { artifact_location: Artifact::new(source.name()), replacements }],
        })
    }
}

#[derive(Serialize)]
struct SuppressionEntry<'a> {
    kind: &'static str,
    justification: &'a str,
}

impl<'a> SuppressionEntry<'a> {
    fn new(suppression: &'a Suppression) -> Self {
        let kind = match suppression.kind {
            SuppressionKind::Inline => "inSource",
            SuppressionKind::Config => "external",
        };
        SuppressionEntry { kind, justification: &suppression.reason }
    }
}

#[derive(Serialize)]
struct Properties<'a> {
    policy: &'a str,
    /// The policy manifests that say it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    manifests: Vec<String>,
    condition: &'a str,
    pointer: &'a str,
}
