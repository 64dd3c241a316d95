//! One chunk of a source to a document.

use std::sync::Arc;

use crate::{
    assembly::Assembly,
    document::Document,
    json,
    limits::{Limit, Limits},
    problem::{Problem, ProblemKind},
    source::{Source, Span},
    split::{Chunk, Format, json_start},
    template, yaml,
};

/// What came of one chunk.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The tree, unless a problem prevents one.
    pub document: Option<Document>,
    /// What is wrong, in the order of the text.
    pub problems: Vec<Problem>,
}

/// Parses one chunk of a source. Chunks do not depend on one another: they can be parsed in any order and on any
/// thread.
#[must_use]
pub fn parse(source: &Arc<Source>, chunk: Chunk, limits: &Limits) -> Parsed {
    let text = source.text();
    let Some(body) = text.get(chunk.span.range()) else { return Parsed::default() };
    if body.len() > limits.document_bytes {
        let problem = Problem::limit(Limit::DocumentBytes(limits.document_bytes), Span::at(chunk.span.start));
        return Parsed { document: None, problems: vec![problem] };
    }
    let json_from = match chunk.format {
        Format::Json => Some(0),
        Format::Auto => json_start(body),
        Format::Yaml => None,
    };
    let Some(at) = json_from else { return parse_yaml(source, chunk.span, limits) };
    let mut assembly = Assembly::new(text, limits, chunk.span.start);
    let read = json::read(text, chunk.span.start as usize + at, chunk.span.end as usize, &mut assembly);
    match read {
        Ok(()) => finish(source, assembly, Vec::new()),
        Err(problem) if chunk.format == Format::Json || problem.kind != ProblemKind::Syntax => fail(assembly, problem),
        Err(problem) => {
            let parsed = parse_yaml(source, chunk.span, limits);
            // What begins as JSON is better explained as JSON.
            if parsed.document.is_some() { parsed } else { fail(assembly, problem) }
        }
    }
}

fn parse_yaml(source: &Arc<Source>, span: Span, limits: &Limits) -> Parsed {
    let text = source.text();
    let (from, to) = (span.start as usize, span.end as usize);
    let mut assembly = Assembly::new(text, limits, span.start);
    let mut comments = Vec::new();
    match yaml::read(text, from, to, limits, &mut assembly, &mut comments) {
        Ok(()) => finish(source, assembly, comments),
        Err(problem) => {
            let problem = template::explain(problem, text, from, assembly.tree());
            fail(assembly, problem)
        }
    }
}

fn finish(source: &Arc<Source>, assembly: Assembly<'_>, comments: Vec<Span>) -> Parsed {
    let (tree, mut problems) = assembly.finish();
    problems.sort_by_key(|problem| problem.span);
    let source = Arc::clone(source);
    Parsed { document: Some(Document { source, tree, comments }), problems }
}

fn fail(assembly: Assembly<'_>, problem: Problem) -> Parsed {
    let (_, mut problems) = assembly.finish();
    problems.push(problem);
    problems.sort_by_key(|problem| problem.span);
    Parsed { document: None, problems }
}
