//! What was expected against what was given.

mod paths;
mod values;

use fedward_engine::hide_secrets;
use serde_json::{Map, Value, json};

use crate::got::{Got, GotFinding};
use crate::matching;
use crate::model::{Expect, ExpectedFinding, Pattern};
use crate::read::PlacedSuite;
use paths::{joined, relative};
use values::{hide_alike, pretty, projected, steps};

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

/// What does not hold, and the expectation as it would hold.
pub(crate) fn compare(suite: &PlacedSuite, index: [usize; 3], got: &Got) -> (Vec<Difference>, Value) {
    let at = format!("/cases/{}/expect", index[2]);
    let nothing = Expect::default();
    let expect = suite.suite.cases.get(index[2]).and_then(|case| case.expect.as_ref()).unwrap_or(&nothing);
    let written = suite.text.root().and_then(|root| root.find(&at)).map(crate::inline::json);
    let written: Map<String, Value> = written.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    let folder = suite.source().name().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut all = Comparison { suite, at, got, folder, found: Vec::new(), now: written.clone() };
    if written.is_empty() {
        all.now = all.fresh();
        let text = format!("{:#}", Value::Object(all.now.clone()));
        all.add("expect", String::new(), text);
    } else {
        all.expectations(expect, &written);
    }
    (all.found, all.now.into())
}

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
            self.differs("reached", text(reached), text(got.reached), got.reached.into());
        }
        if let Some(allowed) = expect.allowed.filter(|allowed| *allowed != got.allowed()) {
            self.differs("allowed", allowed.to_string(), got.allowed().to_string(), got.allowed().into());
        }
        if let Some(findings) = &expect.findings {
            self.findings(findings, written);
        }
        if let Some(message) = expect.message.as_ref().filter(|message| !got.rejections.iter().any(|told| message.is_in(told))) {
            let now = got.rejections.first().map_or(Value::Null, |told| Pattern::literal(told).into());
            self.differs("message", message.text.clone(), got.rejections.join("\n"), now);
        }
        if let Some(warnings) = &expect.warnings {
            self.warnings(warnings);
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
        let now = got.iter().enumerate().map(|(other, found)| {
            let known = pairs.iter().find(|(_, paired)| **paired == other).and_then(|(index, _)| as_written.get(*index));
            known.cloned().unwrap_or_else(|| self.entry(found))
        });
        let now: Vec<Value> = now.collect();
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
        let mut entry = json!({ "rule": got.rule, "severity": got.severity, "message": Pattern::literal(&got.message) });
        let own = got.file.split('#').next() == Some(&**self.suite.source().name());
        // The lines of this very file change with the next case.
        let (field, value) = if own {
            ("path", got.path.clone())
        } else {
            ("at", format!("{}:{}:{}", relative(&self.folder, &got.file), got.line, got.column))
        };
        if let Some(entry) = entry.as_object_mut() {
            entry.insert(field.to_owned(), value.into());
        }
        entry
    }

    fn warnings(&mut self, expected: &[Pattern]) {
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
        let now: Vec<String> = got.iter().map(|told| Pattern::literal(told)).collect();
        let got = got.join("\n");
        self.differs("warnings", expected.join("\n"), got, json!(now));
    }

    fn mutated(&mut self, expected: &Value) {
        let got = self.got;
        let mut wanted = expected.clone();
        hide_secrets(&mut wanted, None);
        match got.changes.as_slice() {
            [] => {
                self.differs("mutated", pretty(&wanted), "the policy changes nothing".to_owned(), Value::Null);
                self.now.insert("patch".to_owned(), json!([]));
            }
            [change] => {
                let mut seen = projected(&change.after, &wanted);
                hide_alike(&mut wanted, &seen);
                hide_alike(&mut seen, &change.after);
                if seen != wanted {
                    self.differs("mutated", pretty(&wanted), pretty(&seen), seen);
                }
            }
            several => {
                let told = format!("the policy changes {} objects: `patch` has a list for each", several.len());
                self.differs("mutated", pretty(&wanted), told, Value::Null);
                self.now.insert("patch".to_owned(), got.patch());
            }
        }
    }

    fn patch(&mut self, expected: &Value) {
        let got = self.got.patch();
        let (same, wanted) = match (self.got.changes.as_slice(), serde_json::from_value::<json_patch::Patch>(expected.clone())) {
            ([change], Ok(patch)) => {
                let mut after = change.before.clone();
                match json_patch::patch(&mut after, &patch) {
                    Ok(()) => {
                        hide_secrets(&mut after, Some(&change.before));
                        (after == change.after, pretty(&json!(json_patch::diff(&change.before, &after))))
                    }
                    Err(error) => (false, format!("{}\n{error}", steps(expected))),
                }
            }
            _ => (*expected == got, steps(expected)),
        };
        if !same {
            self.differs("patch", wanted, pretty(&got), got);
        }
    }

    /// Everything that could be expected.
    fn fresh(&self) -> Map<String, Value> {
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
        if !got.changes.is_empty() {
            add("patch", got.patch());
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
