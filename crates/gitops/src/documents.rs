//! The documents of a text.

use std::sync::Arc;

use fedward_manifest::{Chunk, Document, Format, Limits, Problem, ProblemKind, Source, parse, split};

/// A text, taken apart.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) source: Arc<Source>,
    /// What each document of the text is, in their order.
    pub(crate) parts: Vec<Part>,
}

/// One document, or why there is none.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) chunk: Chunk,
    pub(crate) document: Result<Arc<Document>, Problem>,
}

impl Parsed {
    pub(crate) fn new(source: Arc<Source>, limits: &Limits) -> Self {
        let found = split(&source, limits);
        let mut parts: Vec<Part> = found.chunks.into_iter().map(|chunk| part(&source, chunk, limits)).collect();
        parts.extend(found.problems.into_iter().map(|problem| {
            let chunk = Chunk { span: problem.span, format: Format::Auto };
            Part { chunk, document: Err(problem) }
        }));
        Parsed { source, parts }
    }

    /// The documents that can be read.
    #[cfg(test)]
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.parts.iter().filter_map(|part| part.document.as_ref().ok())
    }

    /// The first document with something in it, as `sigs.k8s.io/yaml` reads a text of one document; `None` for an empty text.
    ///
    /// # Errors
    /// The text is no YAML.
    pub(crate) fn only(&self) -> Result<Option<&Arc<Document>>, &Problem> {
        for part in &self.parts {
            match &part.document {
                Ok(document) if document.is_empty() => {}
                Ok(document) => return Ok(Some(document)),
                Err(problem) => return Err(problem),
            }
        }
        Ok(None)
    }
}

fn part(source: &Arc<Source>, chunk: Chunk, limits: &Limits) -> Part {
    let mut parsed = parse(source, chunk, limits);
    let document = parsed.document.map(Arc::new).ok_or_else(|| {
        let fatal = parsed.problems.iter().position(|problem| problem.kind.is_fatal());
        fatal.map_or_else(|| unknown(chunk), |at| parsed.problems.swap_remove(at))
    });
    Part { chunk, document }
}

fn unknown(chunk: Chunk) -> Problem {
    Problem {
        kind: ProblemKind::Syntax,
        span: chunk.span,
        message: "cannot be read".to_owned(),
        related: Vec::new(),
        text_offset: chunk.span.start,
    }
}
