//! What a case is about: its objects as inputs, and whether all that it names could be used. What was left out proves nothing.

use std::collections::HashMap;
use std::ops::Range;

use fedward_engine::{Input, Role};
use fedward_outcome::{Outcome, Skipped};

use crate::inline;
use crate::model::{Case, Given};
use crate::read::PlacedSuite;

/// Reads what case files name.
pub trait Files: Sync {
    /// What is at `path`, as it stands in the case file `suite`.
    ///
    /// # Errors
    /// Why it is not read.
    fn read(&self, suite: &str, path: &str, role: Role) -> Result<Behind, String>;
}

/// What stands behind a path.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// The files.
    pub inputs: Vec<Input>,
    /// Whether it is a folder, and the files are those that were met in it.
    pub is_folder: bool,
    /// What is in the folder and was not read, and why; a line each.
    pub left_out: Vec<String>,
    /// Files that are templates of Helm charts ([`fedward_engine::Options::templates`]).
    pub templates: HashMap<String, String>,
}

/// The inputs of a case.
#[derive(Default)]
pub(crate) struct Objects {
    pub(crate) inputs: Vec<Input>,
    pub(crate) templates: HashMap<String, String>,
    parts: Vec<Part>,
    notes: Vec<String>,
}

/// What one entry of a case became.
struct Part {
    /// Where it stands: file, line, column.
    place: String,
    source: Source,
    form: Form,
    inputs: Range<usize>,
}

/// What is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Objects,
    /// A request as a webhook was sent it.
    Request,
    /// Any JSON.
    Raw,
}

enum Source {
    Inline,
    File(String),
    Folder(String),
}

/// Notes on what was left out, of one case, at most.
const MAX_NOTES: usize = 10;

impl Objects {
    /// Reads what a case names. `index` is its number in its suite.
    ///
    /// # Errors
    /// What cannot be read, with the place where it is named.
    pub(crate) fn of(case: &Case, suite: &PlacedSuite, index: usize, files: &dyn Files) -> Result<Self, String> {
        let mut objects = Objects::default();
        for (field, all, role) in
            [("objects", &case.objects, Role::Judged), ("context", &case.context, Role::Context), ("old", &case.old, Role::Old)]
        {
            for (item, given) in all.iter().enumerate() {
                objects.add(suite, given, &format!("/cases/{index}/{field}/{item}"), Form::Objects, role, files)?;
            }
        }
        if let Some(given) = &case.request {
            objects.add(suite, given, &format!("/cases/{index}/request"), Form::Request, Role::Judged, files)?;
        }
        if case.raw.is_some() {
            objects.add(suite, &Given::Inline, &format!("/cases/{index}/raw"), Form::Raw, Role::Judged, files)?;
        }
        Ok(objects)
    }

    fn add(&mut self, suite: &PlacedSuite, given: &Given, pointer: &str, form: Form, role: Role, files: &dyn Files) -> Result<(), String> {
        let name = suite.source().name();
        let (line, column) = suite.position(pointer);
        let place = format!("{name}:{line}:{column}");
        let start = self.inputs.len();
        let source = match given {
            Given::Inline => {
                let node = suite.text.root().and_then(|root| root.find(pointer)).ok_or("a field disappeared")?;
                self.inputs.push(inline::input(node, suite.source(), pointer, role));
                Source::Inline
            }
            Given::Path(path) => {
                let behind = files.read(name, path, role).map_err(|why| format!("{place}: {why}"))?;
                self.inputs.extend(behind.inputs);
                self.templates.extend(behind.templates);
                self.notes.extend(behind.left_out);
                if behind.is_folder { Source::Folder(path.clone()) } else { Source::File(path.clone()) }
            }
        };
        self.parts.push(Part { place, source, form, inputs: start..self.inputs.len() });
        Ok(())
    }

    /// The names of the inputs, by which a run tells what it skipped.
    pub(crate) fn names(&self) -> Vec<String> {
        self.inputs.iter().map(|input| input.name.clone()).collect()
    }

    /// Holds what a run made of the inputs against what the case names, and returns what of folders was left out. `names` are those of
    /// the inputs.
    ///
    /// # Errors
    /// Something that the case names is not used.
    pub(crate) fn used(&self, names: &[String], outcome: &Outcome) -> Result<Vec<String>, String> {
        let mut notes = self.notes.clone();
        // All that stands in the case file has its name, so that nobody knows which of them it was.
        let mut partly = None;
        for part in self.parts.iter().filter(|part| part.form != Form::Raw) {
            let held: usize = outcome.held.get(part.inputs.clone()).unwrap_or_default().iter().sum();
            let own = names.get(part.inputs.clone()).unwrap_or_default();
            let skipped: Vec<&Skipped> = outcome.skipped.iter().filter(|skipped| own.contains(&skipped.file)).collect();
            let told = |why: String| Err(format!("{}: {why}", part.place));
            match (&part.source, skipped.first()) {
                (Source::Inline, _) if held == 0 => return told("no object: `apiVersion` and `kind` are required".to_owned()),
                (Source::File(path), Some(skipped)) => {
                    let line = skipped.line.map_or_else(String::new, |line| format!(", line {line}"));
                    return told(format!("`{path}` cannot be used{line}: {}", skipped.reason));
                }
                (Source::File(path), None) if held == 0 => return told(format!("`{path}` has nothing in it")),
                (Source::Folder(path), _) if held == 0 => {
                    let why = skipped.first().map(|skipped| shown(skipped)).or_else(|| self.notes.first().cloned());
                    let why = why.map_or_else(String::new, |why| format!(": {why}"));
                    return told(format!("nothing in `{path}` can be used{why}"));
                }
                (source, _) if part.form == Form::Request && held != 1 => {
                    let what = match source {
                        Source::Inline => "this",
                        Source::File(path) | Source::Folder(path) => &format!("`{path}`"),
                    };
                    return told(format!("{what} has {held} requests, and a case is about one: a case for each"));
                }
                (Source::Inline, Some(skipped)) => partly = Some(format!("{}: {}", part.place, skipped.reason)),
                (Source::Folder(_), _) => notes.extend(skipped.into_iter().map(shown)),
                _ => {}
            }
        }
        if let Some(partly) = partly {
            return Err(partly);
        }
        let more = notes.len().saturating_sub(MAX_NOTES);
        if more > 0 {
            notes.truncate(MAX_NOTES);
            notes.push(format!("(+{more} more files and documents that were left out)"));
        }
        Ok(notes)
    }
}

/// What was skipped, and why.
pub(crate) fn shown(skipped: &Skipped) -> String {
    let line = skipped.line.map_or_else(String::new, |line| format!(":{line}"));
    format!("{}{line}: {}", skipped.file, skipped.reason)
}
