//! Expectations rewritten in the text of their files: what does not change stays as it is written, comments included.

use fedward_manifest::Node;
use fedward_manifest::edit::{self, Edit, Step};

use serde_json::Value;

use crate::inline;
use crate::read::CaseFile;
use crate::run::{CaseResult, Verdict};

/// A case file with other expectations.
#[derive(Debug)]
pub struct Rewritten {
    /// Which of the files.
    pub file: usize,
    /// Its text.
    pub text: String,
}

/// Rewrites the expectations of the cases that failed, and marks these as updated. One that cannot be rewritten in place stays failed, with
/// a note that says why.
pub fn update(files: &[CaseFile], results: &mut [CaseResult]) -> Vec<Rewritten> {
    let mut rewritten = Vec::new();
    for (file_index, file) in files.iter().enumerate() {
        let mut edits: Vec<Edit> = Vec::new();
        for (suite_index, suite) in file.suites.iter().enumerate() {
            let own = |result: &&mut CaseResult| result.index[..2] == [file_index, suite_index];
            let failed: Vec<&mut CaseResult> =
                results.iter_mut().filter(own).filter(|result| matches!(result.verdict, Verdict::Failed { .. })).collect();
            let Some(root) = suite.text.root().filter(|_| !failed.is_empty()) else { continue };
            edits.extend(of_suite(root, failed));
        }
        if let Some(source) = file.suites.first().map(|suite| suite.source()).filter(|_| !edits.is_empty()) {
            rewritten.push(Rewritten { file: file_index, text: edit::apply(source.text(), &edits) });
        }
    }
    rewritten
}

/// The edits of one document: each case's by itself, so that one that is in the way does not keep the others. Cases stand one after
/// another, and no edit reaches beyond its own.
fn of_suite(root: Node<'_>, failed: Vec<&mut CaseResult>) -> Vec<Edit> {
    let mut all = Vec::new();
    for result in failed {
        let Verdict::Failed { now, .. } = &result.verdict else { continue };
        let path = format!("/cases/{}/expect", result.index[2]);
        let edits = match now {
            Ok(now) => edits(root, &path, now).map_err(|refusal| refusal.to_string()),
            Err(why) => Err(why.clone()),
        };
        match edits {
            Ok(edits) => {
                all.extend(edits);
                result.verdict = Verdict::Updated;
            }
            Err(why) => result.notes.push(format!("the expectation cannot be rewritten in place: {why}")),
        }
    }
    all.sort_by_key(|edit| (edit.span.start, edit.span.end));
    all
}

/// The lists whose entries stay as they are, with what is said beside them, or go.
const LISTS: [&str; 2] = ["findings", "warnings"];

/// The edits that make an expectation what it would be.
fn edits(root: Node<'_>, path: &str, now: &Value) -> Result<Vec<Edit>, edit::Refusal> {
    let Some(written) = root.find(path) else { return root.edits([Step::Add { path, value: now }]) };
    let whole = || root.edits([Step::Replace { path, value: now }]);
    let mut steps: Vec<(String, Option<&Value>)> = Vec::new();
    let mut rest = now.clone();
    for field in LISTS {
        let (Some(old), Some(items)) = (written.get(field).filter(|old| old.is_seq()), now.get(field).and_then(Value::as_array)) else {
            continue;
        };
        let mut stays: Vec<usize> = Vec::new();
        let mut gone = Vec::new();
        for (index, item) in old.items().enumerate() {
            let item = serde_json::from_slice::<Value>(&inline::json(item)).unwrap_or_default();
            if items.get(stays.len()) == Some(&item) { stays.push(index) } else { gone.push(index) }
        }
        // What is new is not written where something goes: what is said beside that would be said of it.
        let gap = match stays.as_slice() {
            [.., last] if last + 1 == old.len() => None,
            [0, ..] => Some(0),
            stays => stays.windows(2).position(|pair| matches!(pair, [one, next] if one + 1 == *next)).map(|at| at + 1),
        };
        let at = gap.map_or_else(|| "-".to_owned(), |gap| gap.to_string());
        steps.extend(gone.iter().rev().map(|index| (format!("{path}/{field}/{index}"), None)));
        steps.extend(items.iter().skip(stays.len()).map(|item| (format!("{path}/{field}/{at}"), Some(item))));
        // The step for the whole leaves the list alone.
        if let Some(place) = rest.get_mut(field) {
            *place = serde_json::from_slice(&inline::json(old)).unwrap_or_default();
        }
    }
    if steps.is_empty() {
        return whole();
    }
    let lists = steps.iter().map(|(path, item)| match item {
        Some(value) => Step::Add { path, value },
        None => Step::Remove { path },
    });
    root.edits([Step::Replace { path, value: &rest }].into_iter().chain(lists)).or_else(|_| whole())
}
