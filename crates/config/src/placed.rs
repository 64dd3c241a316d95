//! A YAML or JSON file in which every field knows its place.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use fedward_manifest::{Document, Limits, Node, Source, Span, parse, split};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::{ConfigError, words};

/// No configuration is larger.
const MAX_BYTES: u64 = 16 << 20;

/// A file with one document, or none.
#[derive(Debug)]
pub struct Placed {
    source: Arc<Source>,
    document: Option<Document>,
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
        let mut placed = Placed { source: Arc::new(source), document: None };
        let limits = Limits::default();
        for chunk in split(&placed.source, &limits).chunks {
            let parsed = parse(&placed.source, chunk, &limits);
            if !parsed.problems.is_empty() {
                let told = parsed.problems.iter().map(|problem| format!("{}: {}", placed.place(problem.span), problem.message));
                return Err(ConfigError(told.collect()));
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

    /// The file's text.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The document as a value of any type; its default where there is nothing but comments.
    ///
    /// # Errors
    /// The first field that does not fit, with its place.
    pub fn get<T: DeserializeOwned + Default>(&self) -> Result<T, ConfigError> {
        let Some(document) = &self.document else { return Ok(T::default()) };
        let mut json = Vec::new();
        document.root().write_json(&mut json);
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&json)).map_err(|error| {
            let pointer: String = error.path().iter().filter_map(token).map(|token| format!("/{token}")).collect();
            let node = document.root().pointer(&pointer).node;
            let text = error.inner().to_string();
            let what = words::misfit(&text, node);
            // An unknown field is shown by its name, whatever it holds.
            let span = node.key_span().filter(|_| text.starts_with("unknown field")).unwrap_or_else(|| node.place());
            ConfigError::one(format!("{}: {what}", self.place(span)))
        })
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

/// A step of serde's path as one of a JSON Pointer.
fn token(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(escape(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// A name as a step of a JSON Pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
