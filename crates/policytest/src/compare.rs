//! What was expected against what was given.

mod paths;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::changes;
use crate::got::{Got, GotFinding};
use crate::matching;
use crate::model::{Expect, ExpectedFinding, Pattern};
use crate::read::PlacedSuite;
use paths::{joined, relative};

/// One expectation that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which, as it is called in `expect`.
    pub field: &'static str,
    /// Where it stands, from 1.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// What was expected, a line or several.
    pub expected: String,
    /// What was given.
    pub got: String,
}

/// What comparing a case gives.
pub(crate) struct Compared {
    /// What does not hold.
    pub(crate) differences: Vec<Difference>,
    /// The expectation as it would hold, or why none can be written.
    pub(crate) now: Result<Value, String>,
    /// What is to be said of that.
    pub(crate) notes: Vec<String>,
}

/// What does not hold, and the expectation as it would hold.
pub(crate) fn compare(suite: &PlacedSuite, index: [usize; 3], got: &Got) -> Compared {
    let at = format!("/cases/{}/expect", index[2]);
    let nothing = Expect::default();
    let expect = suite.suite.cases.get(index[2]).and_then(|case| case.expect.as_ref()).unwrap_or(&nothing);
    let written = suite.text.root().and_then(|root| root.find(&at)).map(crate::inline::json);
    let written: Map<String, Value> = written.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let folder = suite.source().name().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut all = Comparison { suite, at, got, folder, found: Vec::new(), now: written.clone(), refused: None, notes: Vec::new() };
    if written.is_empty() {
        all.now = all.fresh();
        let text = format!("{:#}", Value::Object(all.now.clone()));
        all.add("expect", String::new(), text);
    } else {
        all.expectations(expect, &written);
        if all.now.is_empty() && !all.found.is_empty() {
            all.now = all.fresh();
        }
    }
    if !got.not_evaluated.is_empty() {
        all.refused = Some("what is not judged is nothing to expect; if it is meant, write `notEvaluated` yourself".to_owned());
    }
    let now = all.refused.map_or_else(|| Ok(all.now.into()), Err);
    Compared { differences: all.found, now, notes: all.notes }
}

/// The rule of what modules of others say.
const REJECTED: &str = "rejected-by-policy";

struct Comparison<'c> {
    suite: &'c PlacedSuite,
    /// The pointer of `expect`.
    at: String,
    got: &'c Got,
    /// The folder of the case file, with which places of others begin.
    folder: String,
    found: Vec<Difference>,
    /// What would hold.
    now: Map<String, Value>,
    /// Why that is not written.
    refused: Option<String>,
    notes: Vec<String>,
}

impl Comparison<'_> {
    fn add(&mut self, field: &'static str, expected: String, got: String) {
        let (line, column) = self.suite.position(&format!("{}/{field}", self.at));
        self.found.push(Difference { field, line, column, expected, got });
    }

    /// A difference, and what would hold in its place; null takes the field away.
    fn differs(&mut self, field: &'static str, expected: String, got: String, now: Value) {
        self.add(field, expected, got);
        if now.is_null() {
            self.now.remove(field)
        } else {
            self.now.insert(field.to_owned(), now)
        };
    }

    fn expectations(&mut self, expect: &Expect, written: &Map<String, Value>) {
        let got = self.got;
        let is_judged = self.unjudged(expect);
        if let Some(reached) = expect.reached.or(is_judged.then_some(true)).filter(|reached| *reached != got.reached) {
            let text = |reached: bool| if reached { "an object reaches the policy" } else { "no object reaches the policy" }.to_owned();
            self.differs("reached", text(reached), text(got.reached), if got.reached { Value::Null } else { false.into() });
        }
        if let Some(allowed) = expect.allowed.filter(|allowed| *allowed != got.allowed()) {
            self.differs("allowed", allowed.to_string(), got.allowed().to_string(), got.allowed().into());
        }
        if let Some(findings) = &expect.findings {
            self.findings(findings, written);
        }
        if let Some(message) = expect.message.as_ref().filter(|message| !got.rejections.iter().any(|told| message.is_in(told))) {
            let now = got.rejections.first().map_or(Value::Null, |told| Pattern::literal(told).into());
            let told = if got.rejections.is_empty() { "nothing is rejected".to_owned() } else { got.rejections.join("\n") };
            self.differs("message", message.text.clone(), told, now);
        }
        if let Some(warnings) = &expect.warnings {
            self.warnings(warnings, written);
        }
        if let Some(mutated) = &expect.mutated {
            self.mutated(mutated);
        }
        if let Some(patch) = &expect.patch {
            self.patch(patch);
        }
    }

    /// What was not judged, or not because of its settings. Returns whether objects should have reached the policy.
    fn unjudged(&mut self, expect: &Expect) -> bool {
        let got = self.got;
        let fits = |pattern: &Option<Pattern>, told: &[String]| match pattern {
            Some(pattern) => told.iter().any(|told| pattern.is_in(told)),
            None => told.is_empty(),
        };
        let refused: Vec<String> = got.invalid_settings.iter().cloned().collect();
        for (field, pattern, told, otherwise) in [
            ("invalidSettings", &expect.invalid_settings, &refused, "the settings are accepted"),
            ("notEvaluated", &expect.not_evaluated, &got.not_evaluated, "every object is judged"),
        ] {
            if !fits(pattern, told) {
                let expected = pattern.as_ref().map_or_else(|| otherwise.to_owned(), |pattern| pattern.text.clone());
                let now = told.first().map_or(Value::Null, |told| Pattern::literal(told).into());
                self.differs(field, expected, if told.is_empty() { otherwise.to_owned() } else { told.join("\n") }, now);
            }
        }
        expect.invalid_settings.is_none()
            && expect.not_evaluated.is_none()
            && got.invalid_settings.is_none()
            && got.not_evaluated.is_empty()
    }

    fn findings(&mut self, expected: &[ExpectedFinding], written: &Map<String, Value>) {
        let got = &self.got.findings;
        let pairs = matching::pairs(expected.len(), got.len(), |one, other| match (expected.get(one), got.get(other)) {
            (Some(expected), Some(got)) => self.fits(expected, got),
            _ => false,
        });
        if pairs.len() == expected.len() && pairs.len() == got.len() {
            return;
        }
        let as_written = written.get("findings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // In the order of what was found; what was not, after what stands before it.
        let mut lines = Vec::new();
        let mut last = 0;
        for (index, one) in expected.iter().enumerate() {
            match pairs.get(&index).and_then(|other| Some((*other, got.get(*other)?))) {
                Some((other, found)) => {
                    last = other + 1;
                    lines.push((other, 0, found.line()));
                }
                None => lines.push((last, index + 1, described(one))),
            }
        }
        lines.sort();
        let new = |other: &usize| got.get(*other).map(|found| self.entry(found));
        let now = kept(&pairs, as_written, got.len(), new);
        let expected: Vec<String> = lines.into_iter().map(|(_, _, line)| line).collect();
        let got: Vec<String> = got.iter().map(GotFinding::line).collect();
        self.differs("findings", expected.join("\n"), got.join("\n"), now.into());
    }

    fn fits(&self, expected: &ExpectedFinding, got: &GotFinding) -> bool {
        let at = |at: &crate::model::At| {
            at.line == got.line && at.column.is_none_or(|column| column == got.column) && joined(&self.folder, &at.file) == got.file
        };
        expected.rule.as_ref().is_none_or(|rule| *rule == got.rule)
            && expected.severity.is_none_or(|severity| severity.name() == got.severity)
            && expected.message.as_ref().is_none_or(|message| message.is_in(&got.message))
            && expected.path.as_ref().is_none_or(|path| *path == got.path)
            && expected.at.as_ref().is_none_or(at)
    }

    /// A finding as an expectation.
    fn entry(&self, got: &GotFinding) -> Value {
        let mut entry = Map::new();
        let mut add = |field: &str, value: Value| drop(entry.insert(field.to_owned(), value));
        // What every finding of another's module has says nothing.
        if got.rule != REJECTED {
            add("rule", got.rule.clone().into());
        }
        add("severity", got.severity.into());
        add("message", Pattern::literal(&got.message).into());
        let own = got.file.split('#').next() == Some(&**self.suite.source().name());
        // The lines of this very file change with the next case.
        if !own {
            add("at", format!("{}:{}:{}", relative(&self.folder, &got.file), got.line, got.column).into());
        } else if !got.path.is_empty() {
            add("path", got.path.clone().into());
        }
        entry.into()
    }

    fn warnings(&mut self, expected: &[Pattern], written: &Map<String, Value>) {
        let got = &self.got.warnings;
        let pairs = matching::pairs(expected.len(), got.len(), |one, other| match (expected.get(one), got.get(other)) {
            (Some(pattern), Some(told)) => pattern.is_in(told),
            _ => false,
        });
        if pairs.len() == expected.len() && pairs.len() == got.len() {
            return;
        }
        let line =
            |(index, pattern): (usize, &Pattern)| pairs.get(&index).and_then(|other| got.get(*other)).unwrap_or(&pattern.text).clone();
        let expected: Vec<String> = expected.iter().enumerate().map(line).collect();
        let as_written = written.get("warnings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let now = kept(&pairs, as_written, got.len(), |other| got.get(*other).map(|told| Pattern::literal(told).into()));
        self.differs("warnings", expected.join("\n"), got.join("\n"), now.into());
    }

    fn mutated(&mut self, expected: &Value) {
        match self.got.changes.as_slice() {
            [] => {
                let wanted = changes::pretty(&changes::hidden_alone(expected));
                self.differs("mutated", wanted, "the policy changes nothing".to_owned(), Value::Null);
                self.now.insert("patch".to_owned(), json!([]));
            }
            [change] => {
                let Some(changes::Unlike { wanted, got, now }) = change.unlike(expected) else { return };
                match now {
                    Some(Ok(now)) => self.differs("mutated", wanted, got, now),
                    Some(Err(why)) => {
                        self.refused = Some(why);
                        self.add("mutated", wanted, got);
                    }
                    // Something only goes.
                    None => {
                        self.differs("mutated", wanted, got, Value::Null);
                        self.written_patch(change);
                    }
                }
            }
            several => self.several("mutated", &changes::pretty(&changes::hidden_alone(expected)), several),
        }
    }

    fn patch(&mut self, expected: &Value) {
        match self.got.changes.as_slice() {
            [] if expected.as_array().is_some_and(Vec::is_empty) => {}
            [] => self.differs("patch", changes::steps(expected), "[]".to_owned(), json!([])),
            [change] => {
                let Some((wanted, got)) = change.unlike_patch(expected) else { return };
                self.add("patch", wanted, got);
                self.written_patch(change);
            }
            several => self.several("patch", &changes::steps(expected), several),
        }
    }

    /// Expects what changed, if that has no value that no output shows.
    fn written_patch(&mut self, change: &changes::Change) {
        match change.patch() {
            Ok(patch) => drop(self.now.insert("patch".to_owned(), patch)),
            Err(why) => self.refused = Some(why),
        }
    }

    /// Both fields are about one object.
    fn several(&mut self, field: &'static str, wanted: &str, several: &[changes::Change]) {
        let told: Vec<String> = several.iter().map(changes::Change::told).collect();
        self.add(field, wanted.to_owned(), format!("the policy changes {} objects:\n{}", several.len(), told.join("\n")));
        let why = format!("the policy changes {} objects, and `mutated` and `patch` are about one: a case for each", several.len());
        self.notes.push(why.clone());
        self.refused = Some(why);
    }

    /// Everything that could be expected.
    fn fresh(&mut self) -> Map<String, Value> {
        let got = self.got;
        let mut fresh = Map::new();
        let mut add = |field: &str, value: Value| drop(fresh.insert(field.to_owned(), value));
        if let Some(told) = &got.invalid_settings {
            add("invalidSettings", Pattern::literal(told).into());
            return fresh;
        }
        if let Some(told) = got.not_evaluated.first() {
            add("notEvaluated", Pattern::literal(told).into());
            return fresh;
        }
        if !got.reached {
            add("reached", false.into());
            return fresh;
        }
        add("allowed", got.allowed().into());
        if got.is_raw {
            if let Some(told) = got.rejections.first() {
                add("message", Pattern::literal(told).into());
            }
            if !got.warnings.is_empty() {
                add("warnings", json!(got.warnings.iter().map(|told| Pattern::literal(told)).collect::<Vec<_>>()));
            }
        } else {
            add("findings", got.findings.iter().map(|found| self.entry(found)).collect());
        }
        match got.changes.as_slice() {
            [] => {}
            [change] => match change.patch() {
                Ok(patch) => add("patch", patch),
                Err(why) => self.notes.push(format!("`patch` is left out: {why}")),
            },
            several => self.notes.push(format!("`patch` is left out: the policy changes {} objects, and it is about one", several.len())),
        }
        fresh
    }
}

/// An expected finding as a line of a diff.
fn described(expected: &ExpectedFinding) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(expected.severity.map(|severity| severity.name().to_owned()));
    parts.extend(expected.rule.clone());
    if let Some(at) = &expected.at {
        let column = at.column.map_or_else(String::new, |column| format!(":{column}"));
        parts.push(format!("{}:{}{column}", at.file, at.line));
    }
    parts.extend(expected.path.as_ref().map(|path| format!("({path})")));
    let text = if parts.is_empty() { "any finding".to_owned() } else { parts.join(" ") };
    expected.message.as_ref().map_or_else(|| text.clone(), |message| format!("{text}: {}", message.text))
}

/// A list as it would hold: what fits stays as it is written and where it is, with its comments, and what is new follows.
fn kept(pairs: &BTreeMap<usize, usize>, written: &[Value], got: usize, new: impl Fn(&usize) -> Option<Value>) -> Vec<Value> {
    let stays = written.iter().enumerate().filter(|(index, _)| pairs.contains_key(index)).map(|(_, entry)| entry.clone());
    let paired: BTreeSet<usize> = pairs.values().copied().collect();
    let others: Vec<usize> = (0..got).filter(|other| !paired.contains(other)).collect();
    stays.chain(others.iter().filter_map(new)).collect()
}
