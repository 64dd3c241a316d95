//! A YAML or JSON file in which every field knows its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use fedward_manifest::{Document, Limits, Node, Source, Span, parse, split};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::{ConfigError, words};

/// No configuration is larger.
const MAX_BYTES: u64 = 16 << 20;

/// How many fields that do not fit are told: each costs a reading of the whole.
const MAX_MISFITS: usize = 50;

/// A file with one document, or none.
#[derive(Debug)]
pub struct Placed {
    source: Arc<Source>,
    document: Option<Document>,
    /// What is wrong with the text, although it can be read.
    wrong: Vec<Mistake>,
}

/// What is wrong, and the byte of the file where it is: by that, mistakes of all kinds are told in the order of the text.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mistake {
    at: u32,
    text: String,
}

impl Mistake {
    /// All of them, in the order of the text.
    pub(crate) fn texts(mut mistakes: Vec<Mistake>) -> Vec<String> {
        mistakes.sort_unstable();
        mistakes.into_iter().map(|mistake| mistake.text).collect()
    }
}

impl Placed {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, does not parse, or has several documents.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let shown = file.display().to_string();
        let mut bytes = Vec::new();
        let length = File::open(file).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
        match length {
            Err(error) => Err(ConfigError::one(format!("cannot read `{shown}`: {}", words::io(&error)))),
            Ok(length) if length as u64 > MAX_BYTES => {
                Err(ConfigError::one(format!("cannot read `{shown}`: larger than {MAX_BYTES} bytes")))
            }
            Ok(_) => Self::new(&shown, bytes),
        }
    }

    /// Takes a file's content; `name` is what errors call it.
    ///
    /// # Errors
    /// Text that does not parse, or has several documents.
    pub fn new(name: &str, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let source = Source::new(name, bytes).map_err(|error| ConfigError::one(format!("{name}: {error}")))?;
        let mut placed = Placed { source: Arc::new(source), document: None, wrong: Vec::new() };
        let limits = Limits::default();
        for chunk in split(&placed.source, &limits).chunks {
            let parsed = parse(&placed.source, chunk, &limits);
            let problems: Vec<Mistake> = parsed.problems.iter().map(|problem| placed.wrong(problem.span, &problem.message)).collect();
            placed.wrong.extend(problems);
            if parsed.document.is_none() {
                return Err(ConfigError(Mistake::texts(placed.wrong)));
            }
            if let Some(found) = parsed.document.filter(|document| !document.is_empty()) {
                if placed.document.is_some() {
                    return Err(ConfigError::one(format!("{}: a second document; one is enough", placed.place(found.root().span()))));
                }
                placed.document = Some(found);
            }
        }
        Ok(placed)
    }

    /// Takes the content of a file that may have several documents: each that has something in it.
    ///
    /// # Errors
    /// Text that does not parse: everything that is wrong.
    pub fn documents(name: &str, bytes: Vec<u8>) -> Result<Vec<Self>, ConfigError> {
        let source = Source::new(name, bytes).map_err(|error| ConfigError::one(format!("{name}: {error}")))?;
        let source = Arc::new(source);
        let limits = Limits::default();
        let found = split(&source, &limits);
        let bare = || Placed { source: Arc::clone(&source), document: None, wrong: Vec::new() };
        let mut broken: Vec<Mistake> = found.problems.iter().map(|problem| bare().wrong(problem.span, &problem.message)).collect();
        let mut all = Vec::new();
        for chunk in found.chunks {
            let parsed = parse(&source, chunk, &limits);
            let mut placed = bare();
            placed.wrong = parsed.problems.iter().map(|problem| placed.wrong(problem.span, &problem.message)).collect();
            match parsed.document {
                Some(document) if !document.is_empty() => all.push(Placed { document: Some(document), ..placed }),
                _ => broken.append(&mut placed.wrong),
            }
        }
        if broken.is_empty() { Ok(all) } else { Err(ConfigError(Mistake::texts(broken))) }
    }

    /// The file's text.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The document as a value of any type, and the file again; the type's default where there is nothing but comments.
    ///
    /// # Errors
    /// Every field that does not fit, with its place.
    pub fn get<T: DeserializeOwned + Default>(mut self) -> Result<(T, Self), ConfigError> {
        let (value, wrong) = self.fit();
        if wrong.is_empty() { Ok((value, self)) } else { Err(ConfigError(Mistake::texts(wrong))) }
    }

    /// The same without what does not fit, and what that is.
    pub(crate) fn fit<T: DeserializeOwned + Default>(&mut self) -> (T, Vec<Mistake>) {
        let mut wrong = std::mem::take(&mut self.wrong);
        let Some(document) = &self.document else { return (T::default(), wrong) };
        let mut json = Vec::new();
        document.root().write_json(&mut json);
        let mut left: Value = serde_json::from_slice(&json).unwrap_or_default();
        let mut gone = Gone::default();
        for _ in 0..MAX_MISFITS {
            let error = match serde_path_to_error::deserialize(&left) {
                Ok(value) => return (value, wrong),
                Err(error) => error,
            };
            let steps: Vec<&Segment> = error.path().iter().collect();
            let node = document.root().pointer(&gone.pointer(&steps)).node;
            let text = error.inner().to_string();
            // One that was taken away for its type is there.
            let is_there = words::missing(&text).is_some_and(|name| node.get(name).is_some());
            // An unknown field is shown by its name, whatever it holds.
            let span = node.key_span().filter(|_| text.starts_with("unknown field")).unwrap_or_else(|| node.place());
            if !is_there {
                wrong.push(self.wrong(span, &words::misfit(&text, node)));
            }
            if gone.take(&mut left, &steps).is_none() {
                break;
            }
        }
        (T::default(), wrong)
    }

    /// The outermost value, if there is any.
    pub fn root(&self) -> Option<Node<'_>> {
        Some(self.document.as_ref()?.root())
    }

    /// A mistake on its place.
    pub(crate) fn wrong(&self, span: Span, what: &str) -> Mistake {
        Mistake { at: span.start, text: format!("{}: {what}", self.place(span)) }
    }

    /// The place of a field, or of its nearest parent that is there, as `name:line:column`.
    pub fn at(&self, pointer: &str) -> String {
        self.place(self.span(pointer))
    }

    /// Whether there is such a field.
    pub fn has(&self, pointer: &str) -> bool {
        self.find(pointer).is_some()
    }

    /// The bytes to show for a field, or for its nearest parent that is there.
    pub fn span(&self, pointer: &str) -> Span {
        self.document.as_ref().map_or(Span::at(0), |document| document.root().pointer(pointer).node.place())
    }

    fn find(&self, pointer: &str) -> Option<Node<'_>> {
        self.document.as_ref()?.root().find(pointer)
    }

    fn place(&self, span: Span) -> String {
        let at = self.source.position(span.start);
        format!("{}:{}:{}", self.source.name(), at.line, at.column)
    }
}

/// The items that were taken from lists, by list: those behind them have other indices than in the file.
#[derive(Default)]
struct Gone(BTreeMap<String, BTreeSet<usize>>);

impl Gone {
    /// A way in what is left as a JSON Pointer in the file.
    fn pointer(&self, steps: &[&Segment]) -> String {
        let mut pointer = String::new();
        for step in steps {
            let token = match step {
                Segment::Seq { index } => {
                    let before = |index: usize, gone: &usize| if *gone <= index { index + 1 } else { index };
                    self.0.get(&pointer).into_iter().flatten().fold(*index, before).to_string()
                }
                Segment::Map { key } => escape(key),
                Segment::Enum { .. } | Segment::Unknown => continue,
            };
            pointer.push('/');
            pointer.push_str(&token);
        }
        pointer
    }

    /// Takes what a way leads to; `None` if that is nothing, or all.
    fn take(&mut self, from: &mut Value, steps: &[&Segment]) -> Option<()> {
        let steps: Vec<&Segment> = steps.iter().copied().filter(|step| matches!(step, Segment::Seq { .. } | Segment::Map { .. })).collect();
        let (last, way) = steps.split_last()?;
        let pointer = self.pointer(&steps);
        let parent = way.iter().try_fold(from, |value, step| match step {
            Segment::Seq { index } => value.get_mut(*index),
            Segment::Map { key } => value.get_mut(key),
            Segment::Enum { .. } | Segment::Unknown => None,
        })?;
        match (parent, last) {
            (Value::Array(items), Segment::Seq { index }) if *index < items.len() => {
                items.remove(*index);
                let (list, index) = pointer.rsplit_once('/')?;
                self.0.entry(list.to_owned()).or_default().insert(index.parse().ok()?);
            }
            (Value::Object(fields), Segment::Map { key }) => drop(fields.remove(key)?),
            _ => return None,
        }
        Some(())
    }
}

/// A name as a step of a JSON Pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
