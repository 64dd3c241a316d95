//! One chunk of a source to a document.

use std::sync::Arc;

use crate::{
    assembly::Assembly,
    document::{Document, Origin},
    json,
    limits::{Limit, Limits},
    offsets::Outer,
    problem::{FOR_PEOPLE, Problem, ProblemKind},
    source::{Source, Span, number},
    split::{Chunk, Format, documents, json_start},
    template, yaml,
};

/// What came of one chunk.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The tree, unless a problem prevents one.
    pub document: Option<Document>,
    /// What is wrong, in the order of the text.
    pub problems: Vec<Problem>,
    /// Where comments stand in a text without a tree, as far as that can be told. See [`crate::Comment::of`].
    pub stray_comments: Vec<Span>,
}

/// Parses one chunk of a source. Chunks do not depend on one another: they can be parsed in any order and on any
/// thread.
#[must_use]
#[inline(never)]
pub fn parse(source: &Arc<Source>, chunk: Chunk, limits: &Limits) -> Parsed {
    parse_within(source, None, chunk, limits)
}

/// The first document of a YAML text that is not empty, or the last if all are; `None` where something is fatally wrong with it or
/// with one before it, and for a text of no bytes. A module reads its texts with this, which has no other format in it.
#[must_use]
pub fn first_yaml(text: String, limits: &Limits) -> Option<Document> {
    let source = Arc::new(Source::from_text("", text).ok()?);
    let mut found = None;
    for (index, (start, end)) in documents(source.text()).enumerate() {
        if index >= limits.documents || end - start > limits.document_bytes {
            return None;
        }
        let document = parse_yaml(&source, Span::new(number(start), number(end)), limits).document?;
        let is_empty = document.is_empty();
        found = Some(document);
        if !is_empty {
            break;
        }
    }
    found
}

/// [`parse`] for a text that may stand in another.
pub(crate) fn parse_within(text: &Arc<Source>, outer: Option<&Arc<Outer>>, chunk: Chunk, limits: &Limits) -> Parsed {
    let mut parsed = parse_chunk(text, chunk, limits);
    if let Some(outer) = outer {
        for problem in &mut parsed.problems {
            problem.span = outer.span(problem.span);
            problem.related.iter_mut().for_each(|related| related.span = outer.span(related.span));
        }
        parsed.stray_comments.iter_mut().for_each(|comment| *comment = outer.span(*comment));
        if let Some(document) = &mut parsed.document {
            document.outer = Some(Arc::clone(outer));
        }
    }
    parsed
}

fn parse_chunk(source: &Arc<Source>, chunk: Chunk, limits: &Limits) -> Parsed {
    let text = source.text();
    let Some(body) = text.get(chunk.span.range()) else { return Parsed::default() };
    if body.len() > limits.document_bytes {
        let problem = Problem::limit(Limit::DocumentBytes(limits.document_bytes), Span::at(chunk.span.start));
        return Parsed { problems: vec![problem], ..Parsed::default() };
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
        Ok(()) => finish(source, Origin::Json, assembly, Vec::new()),
        Err(problem) if chunk.format == Format::Json || problem.kind != ProblemKind::Syntax => fail(assembly, problem),
        // As YAML, the comment would be the beginning of the next key or value: that is never meant.
        Err(problem) if is_comment_before(text, problem.span.start as usize) => fail(assembly, problem),
        Err(problem) => {
            let parsed = parse_yaml(source, chunk.span, limits);
            let is_yaml = parsed.document.is_some();
            let is_template = || parsed.problems.iter().any(|problem| problem.kind == ProblemKind::TemplateSyntax);
            // What begins as JSON is better explained as JSON.
            if is_yaml || is_template() { parsed } else { fail(assembly, problem) }
        }
    }
}

/// Whether a comment as JavaScript has them stands where a key or a value is expected.
fn is_comment_before(text: &str, at: usize) -> bool {
    let Some((before, rest)) = text.split_at_checked(at) else { return false };
    json::is_comment(rest.as_bytes()) && !before.trim_ascii_end().ends_with(|last: char| last.is_ascii_alphanumeric())
}

fn parse_yaml(source: &Arc<Source>, span: Span, limits: &Limits) -> Parsed {
    let text = source.text();
    let (from, to) = (span.start as usize, span.end as usize);
    let mut assembly = Assembly::new(text, limits, span.start);
    let mut comments = Vec::new();
    match yaml::read(text, from, to, limits, &mut assembly, &mut comments) {
        Ok(()) => finish(source, Origin::Yaml, assembly, comments),
        Err(problem) if !FOR_PEOPLE => fail(assembly, problem),
        Err(problem) => {
            let problem = template::explain(problem, text, from, assembly.tree());
            add_own_line_comments(text, assembly.last_end() as usize, to, &mut comments);
            Parsed { stray_comments: comments, ..fail(assembly, problem) }
        }
    }
}

/// Where a document is broken, what follows is not understood: a line that begins with `#` is taken for a comment.
fn add_own_line_comments(text: &str, from: usize, to: usize, comments: &mut Vec<Span>) {
    let known = comments.last().map_or(from, |last| from.max(last.end as usize));
    let mut start = known;
    for line in text.get(known..to).unwrap_or_default().split_inclusive(['\n', '\r']) {
        let comment = line.trim_start_matches([' ', '\t']);
        if comment.starts_with('#') {
            let from = start + line.len() - comment.len();
            comments.push(Span::new(number(from), number(from + comment.trim_end_matches(['\n', '\r']).len())));
        }
        start += line.len();
    }
}

fn finish(source: &Arc<Source>, origin: Origin, assembly: Assembly<'_>, comments: Vec<Span>) -> Parsed {
    let (tree, problems) = assembly.finish();
    let document = Document { text: Arc::clone(source), outer: None, origin, tree, comments };
    Parsed { document: Some(document), problems, stray_comments: Vec::new() }
}

fn fail(assembly: Assembly<'_>, problem: Problem) -> Parsed {
    let (_, mut problems) = assembly.finish();
    problem.insert_into(&mut problems);
    Parsed { problems, ..Parsed::default() }
}
