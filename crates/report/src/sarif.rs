//! SARIF 2.1.0, with the errata of 2023, for code scanning.
//!
//! The types are our own: they borrow, hold only what is written, and need no build script. `serde-sarif` generates owned types for all of
//! SARIF from its schema, which brings a code generator into every build and a copy of every text into every result.

mod location;
mod notification;
mod result;
mod rule;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use fedward_kit::finding::Severity;
use fedward_outcome::Outcome;
use serde::{Serialize, Serializer};

use self::notification::{Descriptor, Invocation};
use self::result::ResultEntry;
use self::rule::Rule;
use crate::fingerprint::Fingerprints;
use crate::gate::Gate;
use crate::{RuleInfo, Tool, clean, writer};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative addresses are read against.
const ROOT: &str = "%SRCROOT%";

/// Writes the outcome as a SARIF log with one run.
///
/// `rules` are all that could have found something; the rules of findings that are not among them are added. What could not be judged
/// or read, or is not rendered, makes the invocation unsuccessful, and so does a run that judged nothing; that is listed in its notifications,
/// and so is what was skipped.
///
/// # Errors
/// Those of the writer.
pub fn sarif(outcome: &Outcome, gate: &Gate, tool: &Tool<'_>, rules: &[RuleInfo<'_>], out: &mut dyn Write) -> io::Result<()> {
    let rules = rule::all(outcome, tool, rules);
    let indices: HashMap<&str, usize> = rules.iter().enumerate().map(|(index, rule)| (rule.id, index)).collect();
    let run = Run {
        tool: ToolEntry {
            driver: Driver {
                name: tool.name,
                version: tool.version,
                information_uri: tool.home,
                rules: &rules,
                notifications: notification::DESCRIPTORS,
            },
        },
        invocations: [Invocation::new(outcome, gate)],
        results: Results { outcome, indices: &indices },
        original_uri_base_ids: BaseIds { root: Base { description: Message::new("the folder in which the check ran") } },
        column_kind: "unicodeCodePoints",
        default_encoding: "utf-8",
        newline_sequences: ["\r\n", "\n", "\r"],
    };
    writer::write(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] }, out)
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: ToolEntry<'a>,
    invocations: [Invocation<'a>; 1],
    original_uri_base_ids: BaseIds,
    column_kind: &'static str,
    default_encoding: &'static str,
    /// A lone carriage return ends a line in YAML, but not by SARIF's default.
    newline_sequences: [&'static str; 3],
    results: Results<'a>,
}

#[derive(Serialize)]
struct ToolEntry<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    information_uri: Option<&'a str>,
    rules: &'a [Rule<'a>],
    notifications: &'static [Descriptor],
}

#[derive(Serialize)]
struct BaseIds {
    #[serde(rename = "%SRCROOT%")]
    root: Base,
}

#[derive(Serialize)]
struct Base {
    description: Message<'static>,
}

/// Text for the reader.
///
/// Nothing in it is a link. Braces are not doubled, although the standard asks for it: they matter only beside `arguments`, which we never
/// write, and viewers show the doubled ones, in messages that quote templates.
#[derive(Serialize)]
struct Message<'a> {
    text: Cow<'a, str>,
}

impl<'a> Message<'a> {
    fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Message {
            text: match text.into() {
                Cow::Borrowed(text) => clean::unlinked(text),
                Cow::Owned(text) => clean::unlinked(&text).into_owned().into(),
            },
        }
    }
}

/// Results, made one by one while they are written.
struct Results<'a> {
    outcome: &'a Outcome,
    indices: &'a HashMap<&'a str, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fingerprints = Fingerprints::default();
        serializer.collect_seq(self.outcome.findings.iter().map(|finding| {
            let index = self.indices.get(&*finding.rule).copied();
            ResultEntry::new(finding, index, fingerprints.next(finding))
        }))
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}
