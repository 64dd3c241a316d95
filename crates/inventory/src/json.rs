//! For programs; `docs/schema/identities-report.schema.json` describes it.

use std::io::{self, Write};

use fedward_outcome::{Deployed, Outcome};
use fedward_report::Tool;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use crate::model::{Inventory, Place};

/// Grows by one when a reader of the old form would go wrong; new members alone do not count.
const SCHEMA_VERSION: u32 = 1;

/// What `fedward identities --format json` writes.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Identities")]
struct Document<'a> {
    /// 1
    schema_version: u32,
    tool: ToolEntry<'a>,
    summary: Summary,
    #[serde(flatten)]
    inventory: &'a Inventory,
    /// What of Argo CD's is among what was read, with what became of each; left out where there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deployed: Vec<DeployedEntry<'a>>,
    /// What is wrong with what was read.
    problems: Vec<Problem<'a>>,
    /// Files and folders that could not be read, so that nobody knows what is in them.
    unread: Vec<LeftOut<'a>>,
    /// What was not read, on purpose.
    skipped: Vec<LeftOut<'a>>,
    /// What else is worth saying.
    notes: &'a [String],
}

/// The program.
#[derive(Serialize, JsonSchema)]
struct ToolEntry<'a> {
    name: &'a str,
    version: &'a str,
}

/// How many of each.
#[derive(Serialize, JsonSchema)]
struct Summary {
    files: usize,
    /// Objects that the inventory is of, without those that are only looked at.
    objects: usize,
    identities: usize,
    /// Identities that more than one workload uses.
    shared: usize,
    accounts: usize,
    problems: usize,
    unread: usize,
    skipped: usize,
}

/// An Application, an ApplicationSet, a chart or a kustomization.
#[derive(Serialize, JsonSchema)]
struct DeployedEntry<'a> {
    kind: &'a str,
    name: &'a str,
    state: State,
    /// The cluster and the namespace that it goes to.
    #[serde(skip_serializing_if = "str::is_empty")]
    destination: &'a str,
    /// Why it is not rendered, or not all of it.
    reasons: &'a [String],
    location: Option<Place>,
}

/// What became of something that is deployed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// All of it is in the list.
    Rendered,
    /// Some of it is not in the list.
    Partial,
    /// It depends on what is not here.
    Deferred,
    /// It is wrong, and what it would deploy is not in the list.
    Failed,
}

impl<'a> DeployedEntry<'a> {
    fn new(one: &'a Deployed) -> Self {
        DeployedEntry {
            kind: one.kind,
            name: &one.name,
            state: match one.state {
                fedward_outcome::State::Partial => State::Partial,
                fedward_outcome::State::Failed => State::Failed,
                // Without a change all is touched.
                fedward_outcome::State::Deferred | fedward_outcome::State::Untouched => State::Deferred,
                fedward_outcome::State::Rendered => State::Rendered,
            },
            destination: &one.destination,
            reasons: &one.reasons,
            location: one.location.as_ref().map(Place::from),
        }
    }
}

/// Something wrong with a document.
#[derive(Serialize, JsonSchema)]
struct Problem<'a> {
    /// The rule that says so.
    rule: &'a str,
    severity: Severity,
    message: &'a str,
    location: Place,
    /// Whether an ignore entry says that it does not count.
    suppressed: bool,
}

/// How much a problem matters.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Warning,
    Info,
}

/// A file, or a document in it, that was left out.
#[derive(Serialize, JsonSchema)]
struct LeftOut<'a> {
    file: &'a str,
    /// The line where the document begins, from 1; `null` for a whole file.
    line: Option<u32>,
    reason: &'a str,
}

/// Writes the inventory as one JSON document on one line.
///
/// # Errors
/// Those of the writer.
pub fn json(inventory: &Inventory, outcome: &Outcome, tool: &Tool<'_>, out: &mut dyn Write) -> io::Result<()> {
    let problems: Vec<Problem<'_>> = outcome
        .findings
        .iter()
        .map(|finding| Problem {
            rule: &finding.rule,
            severity: match finding.severity {
                fedward_kit::finding::Severity::Error => Severity::Error,
                fedward_kit::finding::Severity::Warning => Severity::Warning,
                fedward_kit::finding::Severity::Info => Severity::Info,
            },
            message: &finding.message,
            location: Place::from(&finding.location),
            suppressed: finding.suppressed.is_some(),
        })
        .collect();
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: ToolEntry { name: tool.name, version: tool.version },
        summary: Summary {
            files: outcome.files,
            objects: outcome.objects,
            identities: inventory.identities.len(),
            shared: inventory.identities.iter().filter(|identity| identity.shared).count(),
            accounts: inventory.accounts.len(),
            problems: problems.len(),
            unread: outcome.unread.len(),
            skipped: outcome.skipped.len(),
        },
        inventory,
        deployed: outcome.deployed.iter().map(DeployedEntry::new).collect(),
        problems,
        unread: outcome.unread.iter().map(|unread| LeftOut { file: &unread.file, line: None, reason: &unread.reason }).collect(),
        skipped: outcome
            .skipped
            .iter()
            .map(|skipped| LeftOut { file: &skipped.file, line: skipped.line, reason: &skipped.reason })
            .collect(),
        notes: &outcome.notes,
    };
    fedward_report::write_json(&document, out)
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    // What is written, of which some is left out where it says nothing.
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Document<'_>>().into()
}
