//! The JSON document; `docs/schema/report.schema.json` describes it.

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;

use fedward_kit::finding::{ObjectId, PatchStep, Severity};
use fedward_outcome::{
    Deployed, DeployedCounts, Finding, Location, Manifest, Mutation, NotEvaluated, Outcome, Related, Skipped, Suppression, SuppressionKind,
    Unread, count_states,
};
use serde::{Serialize, Serializer};

use crate::Tool;
use crate::gate::Gate;
use crate::writer::{self, Each};

/// Grows by one when a reader of the old form would go wrong; new members alone do not count.
const SCHEMA_VERSION: u32 = 1;

/// Writes the outcome as one JSON document on one line. Lines and columns are 1-based, columns count Unicode scalar values.
///
/// # Errors
/// Those of the writer.
pub fn json(outcome: &Outcome, gate: &Gate, tool: &Tool<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool,
        summary: Summary::new(outcome, gate),
        findings: Each(&outcome.findings, FindingEntry::new),
        not_evaluated: Each(&outcome.not_evaluated, NotEvaluatedEntry::new),
        unread: Each(&outcome.unread, UnreadEntry::new),
        skipped: Each(&outcome.skipped, SkippedEntry::new),
        mutations: Some(Each(&outcome.mutations, MutationEntry::new)).filter(|_| !outcome.mutations.is_empty()),
        deployed: Some(Each(&outcome.deployed, DeployedEntry::new)).filter(|_| !outcome.deployed.is_empty()),
        notes: &outcome.notes,
    };
    writer::write(&document, out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: &'a Tool<'a>,
    summary: Summary,
    findings: Each<'a, Finding, FindingEntry<'a>>,
    not_evaluated: Each<'a, NotEvaluated, NotEvaluatedEntry<'a>>,
    unread: Each<'a, Unread, UnreadEntry<'a>>,
    skipped: Each<'a, Skipped, SkippedEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutations: Option<Each<'a, Mutation, MutationEntry<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployed: Option<Each<'a, Deployed, DeployedEntry<'a>>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Summary {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    files: usize,
    objects: usize,
    evaluated: usize,
    skipped: usize,
    not_evaluated: usize,
    unread: usize,
    findings: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    applications: Option<States>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_sets: Option<States>,
}

/// How many there are of each state.
#[derive(Serialize)]
struct States {
    rendered: usize,
    partial: usize,
    deferred: usize,
    failed: usize,
    /// Only where a change narrows what is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    untouched: Option<usize>,
}

#[derive(Serialize)]
struct Counts {
    error: usize,
    warning: usize,
    info: usize,
}

/// The kind of what makes Applications.
const SET: &str = "ApplicationSet";

impl States {
    fn of(kind: &str, outcome: &Outcome) -> Self {
        let DeployedCounts { rendered, partial, deferred, failed, untouched } = count_states(&outcome.deployed, &[kind]);
        States { rendered, partial, deferred, failed, untouched: outcome.is_narrowed.then_some(untouched) }
    }
}

impl Summary {
    fn new(outcome: &Outcome, gate: &Gate) -> Self {
        let [error, warning, info] = [Severity::Error, Severity::Warning, Severity::Info].map(|severity| outcome.count(severity));
        Summary {
            verdict: gate.verdict(outcome).name(),
            reason: gate.why(outcome),
            files: outcome.files,
            objects: outcome.objects,
            evaluated: outcome.evaluated,
            skipped: outcome.skipped.len(),
            not_evaluated: outcome.not_evaluated.len(),
            unread: outcome.unread.len(),
            findings: Counts { error, warning, info },
            applications: (!outcome.deployed.is_empty()).then(|| States::of("Application", outcome)),
            application_sets: outcome.deployed.iter().any(|one| one.kind == SET).then(|| States::of(SET, outcome)),
        }
    }
}

#[derive(Serialize)]
struct FindingEntry<'a> {
    rule: &'a str,
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifests: Option<Each<'a, Arc<Manifest>, ManifestEntry<'a>>>,
    severity: Severity,
    message: &'a str,
    help: &'a str,
    docs: &'a str,
    location: Place<'a>,
    related: Each<'a, Related, RelatedEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related_more: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a ObjectId>,
    #[serde(skip_serializing_if = "<[PatchStep]>::is_empty")]
    fix: &'a [PatchStep],
    #[serde(skip_serializing_if = "Option::is_none")]
    edits: Option<Edits<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Suppressed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<OriginEntry<'a>>,
}

/// A policy manifest that says a finding.
#[derive(Serialize)]
struct ManifestEntry<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    name: &'a str,
    file: &'a str,
    line: u32,
}

impl<'a> ManifestEntry<'a> {
    fn new(manifest: &'a Manifest) -> Self {
        ManifestEntry {
            kind: manifest.kind,
            namespace: &manifest.namespace,
            name: &manifest.name,
            file: manifest.location.source.name(),
            line: manifest.location.start().line,
        }
    }
}

/// What a finding was made in, where that is not the file itself.
#[derive(Serialize)]
struct OriginEntry<'a> {
    deployed_by: &'a [String],
    count: usize,
    exact: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    rendered: &'a str,
}

/// An Application, ApplicationSet, chart or kustomization.
#[derive(Serialize)]
struct DeployedEntry<'a> {
    kind: &'static str,
    name: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    destination: &'a str,
    objects: usize,
    reasons: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place<'a>>,
}

impl<'a> DeployedEntry<'a> {
    fn new(one: &'a Deployed) -> Self {
        DeployedEntry {
            kind: one.kind,
            name: &one.name,
            state: one.state.name(),
            destination: &one.destination,
            objects: one.objects,
            reasons: &one.reasons,
            location: one.location.as_ref().map(Place::new),
        }
    }
}

impl<'a> FindingEntry<'a> {
    fn new(finding: &'a Finding) -> Self {
        FindingEntry {
            rule: &finding.rule,
            policy: &finding.policy,
            manifests: Some(Each(&finding.manifests, |manifest| ManifestEntry::new(manifest))).filter(|_| !finding.manifests.is_empty()),
            severity: finding.severity,
            message: &finding.message,
            help: &finding.help,
            docs: &finding.docs,
            location: Place::new(&finding.location),
            related: Each(&finding.related, RelatedEntry::new),
            related_more: Some(finding.related_more).filter(|more| *more > 0),
            object: finding.object.as_ref(),
            fix: &finding.fix,
            edits: Some(Edits(finding)).filter(|_| !finding.edits.is_empty()),
            suppressed: finding.suppressed.as_ref().map(Suppressed::new),
            origin: finding.rendered.as_ref().map(|rendered| OriginEntry {
                deployed_by: &rendered.by,
                count: rendered.count,
                exact: rendered.exact,
                rendered: &rendered.text,
            }),
        }
    }
}

/// Edits of the file that the finding is in.
struct Edits<'a>(&'a Finding);

impl Serialize for Edits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = &self.0.location.source;
        serializer.collect_seq(self.0.edits.iter().map(|edit| {
            let (start, end) = (source.position(edit.span.start), source.position(edit.span.end));
            EditEntry { line: start.line, column: start.column, end_line: end.line, end_column: end.column, text: &edit.text }
        }))
    }
}

#[derive(Serialize)]
struct EditEntry<'a> {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    pointer: &'a str,
}

impl<'a> Place<'a> {
    fn new(location: &'a Location) -> Self {
        let (start, end) = (location.start(), location.end());
        Place {
            file: location.source.name(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            pointer: &location.pointer,
        }
    }
}

#[derive(Serialize)]
struct RelatedEntry<'a> {
    #[serde(flatten)]
    location: Place<'a>,
    message: &'a str,
}

impl<'a> RelatedEntry<'a> {
    fn new(related: &'a Related) -> Self {
        RelatedEntry { location: Place::new(&related.location), message: &related.message }
    }
}

#[derive(Serialize)]
struct Suppressed<'a> {
    kind: &'static str,
    reason: &'a str,
}

impl<'a> Suppressed<'a> {
    fn new(suppression: &'a Suppression) -> Self {
        let kind = match suppression.kind {
            SuppressionKind::Inline => "inline",
            SuppressionKind::Config => "config",
        };
        Suppressed { kind, reason: &suppression.reason }
    }
}

#[derive(Serialize)]
struct MutationEntry<'a> {
    policy: &'a str,
    location: Place<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a ObjectId>,
    patch: &'a [PatchStep],
}

impl<'a> MutationEntry<'a> {
    fn new(mutation: &'a Mutation) -> Self {
        MutationEntry {
            policy: &mutation.policy,
            location: Place::new(&mutation.location),
            object: mutation.object.as_ref(),
            patch: &mutation.patch,
        }
    }
}

#[derive(Serialize)]
struct NotEvaluatedEntry<'a> {
    file: &'a str,
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a ObjectId>,
    policy: &'a str,
    reason: &'a str,
}

impl<'a> NotEvaluatedEntry<'a> {
    fn new(not_evaluated: &'a NotEvaluated) -> Self {
        NotEvaluatedEntry {
            file: not_evaluated.location.source.name(),
            line: not_evaluated.location.start().line,
            object: not_evaluated.object.as_ref(),
            policy: &not_evaluated.policy,
            reason: &not_evaluated.reason,
        }
    }
}

#[derive(Serialize)]
struct UnreadEntry<'a> {
    file: &'a str,
    reason: &'a str,
}

impl<'a> UnreadEntry<'a> {
    fn new(unread: &'a Unread) -> Self {
        UnreadEntry { file: &unread.file, reason: &unread.reason }
    }
}

#[derive(Serialize)]
struct SkippedEntry<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    reason: &'a str,
}

impl<'a> SkippedEntry<'a> {
    fn new(skipped: &'a Skipped) -> Self {
        SkippedEntry { file: &skipped.file, line: skipped.line, reason: &skipped.reason }
    }
}
