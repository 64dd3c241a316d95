//! What a case gave, as far as expectations are about it.

use std::collections::BTreeSet;

use fedward_engine::INPUT_POLICY;
use fedward_kit::finding::Severity;
use fedward_outcome::{Finding, Outcome};

use crate::changes::Change;
use crate::given::shown;

/// What a policy said of the requests of a case.
#[derive(Debug, Default)]
pub(crate) struct Got {
    pub(crate) findings: Vec<GotFinding>,
    pub(crate) warnings: Vec<String>,
    /// What is rejected, in the policy's words.
    pub(crate) rejections: Vec<String>,
    pub(crate) changes: Vec<Change>,
    pub(crate) not_evaluated: Vec<String>,
    pub(crate) invalid_settings: Option<String>,
    pub(crate) reached: bool,
    /// What may explain it.
    pub(crate) notes: Vec<String>,
    /// What of folders was not used.
    pub(crate) left_out: Vec<String>,
    pub(crate) is_raw: bool,
}

/// A finding with its place.
#[derive(Debug)]
pub(crate) struct GotFinding {
    pub(crate) rule: String,
    pub(crate) severity: &'static str,
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) path: String,
}

/// Rules about what does not get as far as a policy.
pub(crate) const UNREADABLE: [&str; 3] = ["unparsable-document", "limit-exceeded", "leftover-template"];

impl Got {
    /// That of a run of the engine. `policies` are the names of files with manifests, `used` says what of the objects was left out.
    ///
    /// # Errors
    /// The case could not be run: what is wrong with its policy or its objects.
    pub(crate) fn new(
        mut outcome: Outcome,
        policies: &BTreeSet<String>,
        used: impl Fn(&Outcome) -> Result<Vec<String>, String>,
    ) -> Result<Self, String> {
        let (findings, notes) = (std::mem::take(&mut outcome.findings), std::mem::take(&mut outcome.notes));
        let mut got = Got { notes, reached: outcome.evaluated > 0, ..Got::default() };
        for finding in findings {
            let start = finding.location.start();
            let place = || format!("{}:{}:{}: {}", finding.location.source.name(), start.line, start.column, finding.message);
            match finding.rule.as_str() {
                "unusable-policy" if finding.condition == "settings" => {
                    let told = got.invalid_settings.get_or_insert_default();
                    told.push_str(if told.is_empty() { "" } else { "\n" });
                    told.push_str(&finding.message);
                }
                "unusable-policy" if finding.severity == Severity::Error => return Err(place()),
                rule if UNREADABLE.contains(&rule) => return Err(place()),
                // Whatever else the reader finds, a policy in a cluster does not.
                _ if finding.policy == INPUT_POLICY => got.notes.push(place()),
                _ => got.finding(&finding),
            }
        }
        got.left_out = used(&outcome)?;
        got.left_out.extend(outcome.skipped.iter().filter(|skipped| policies.contains(&skipped.file)).map(shown));
        for failed in outcome.not_evaluated {
            if policies.contains(&**failed.location.source.name()) {
                return Err(failed.reason);
            }
            got.not_evaluated.push(failed.reason);
        }
        for mutation in outcome.mutations {
            let place = (mutation.location.source.name().to_string(), mutation.location.span.start);
            match got.changes.iter_mut().find(|change| change.place == place) {
                Some(change) => change.after = mutation.after,
                None => got.changes.push(Change { place, object: mutation.object, before: mutation.before, after: mutation.after }),
            }
        }
        got.reached |= !got.findings.is_empty() || !got.not_evaluated.is_empty();
        Ok(got)
    }

    fn finding(&mut self, finding: &Finding) {
        match finding.severity {
            Severity::Error => self.rejections.push(finding.message.clone()),
            Severity::Warning => self.warnings.push(finding.message.clone()),
            Severity::Info => {}
        }
        let start = finding.location.start();
        self.findings.push(GotFinding {
            rule: finding.rule.clone(),
            severity: finding.severity.name(),
            message: finding.message.clone(),
            file: finding.location.source.name().to_string(),
            line: start.line,
            column: start.column,
            path: finding.location.pointer.clone(),
        });
    }

    /// Whether every object is accepted. What is not judged is not.
    pub(crate) fn allowed(&self) -> bool {
        self.rejections.is_empty() && self.not_evaluated.is_empty() && self.invalid_settings.is_none()
    }
}

impl GotFinding {
    /// As diffs and expectations of it begin.
    pub(crate) fn line(&self) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!(" ({})", self.path) };
        format!("{} {} {}:{}:{}{path}: {}", self.severity, self.rule, self.file, self.line, self.column, self.message)
    }
}
