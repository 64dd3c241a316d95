//! Expectations rewritten in the text of their files: what does not change stays as it is written, comments included.

use fedward_manifest::Node;
use fedward_manifest::edit::{self, Edit, Step};

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
        let Verdict::Failed { now: value, .. } = &result.verdict else { continue };
        let path = &format!("/cases/{}/expect", result.index[2]);
        let step = if root.find(path).is_some() { Step::Replace { path, value } } else { Step::Add { path, value } };
        match root.edits([step]) {
            Ok(edits) => {
                all.extend(edits);
                result.verdict = Verdict::Updated;
            }
            Err(refusal) => result.notes.push(format!("the expectation cannot be rewritten in place: {refusal}")),
        }
    }
    all.sort_by_key(|edit| (edit.span.start, edit.span.end));
    all
}
