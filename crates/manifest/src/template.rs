//! Template syntax left in a manifest: Helm's and Jinja's braces, shell variables, ERB.

use crate::{
    problem::{Problem, ProblemKind},
    source::Span,
    tree::Tree,
};

const MARKERS: [&str; 3] = ["{{", "{%", "<%"];

/// Says of a document that does not parse whether a template is the reason: a marker stands outside of every text that
/// was read so far, up to the line of the error. A variable (`${`) counts only on that line, because scripts are full
/// of them.
pub(crate) fn explain(problem: Problem, source: &str, from: usize, tree: &Tree) -> Problem {
    if !matches!(problem.kind, ProblemKind::Syntax | ProblemKind::Alias) {
        return problem;
    }
    let at = problem.span.start as usize;
    let line_end = source.get(at..).and_then(|rest| rest.find(['\n', '\r'])).map_or(source.len(), |end| at + end);
    let line_start = source.get(from..at).and_then(|text| text.rfind(['\n', '\r'])).map_or(from, |start| from + start + 1);
    let marker = first_outside(source, from, line_end, tree);
    let marker = marker.or_else(|| find(source, line_start, line_end, &["${"]));
    match marker {
        Some(marker) => leftover(marker).with_related(problem.span, problem.message),
        None => problem,
    }
}

/// The problem of a template marker.
pub(crate) fn leftover(marker: Span) -> Problem {
    let message = "template syntax: render the template and check its output";
    Problem::new(ProblemKind::TemplateSyntax, marker, message)
}

/// The marker of a template around a map that stands as a key: `{{ .Values.x }}` without quotes.
pub(crate) fn around_key(source: &str, key: Span) -> Option<Span> {
    let outer = (key.start as usize).checked_sub(1)?;
    let is_braces = source.as_bytes().get(outer..outer + 2) == Some(b"{{".as_slice());
    is_braces.then(|| Span::new(key.start - 1, key.start + 1))
}

fn first_outside(source: &str, from: usize, to: usize, tree: &Tree) -> Option<Span> {
    let mut texts: Vec<Span> = Vec::new();
    for raw in &tree.nodes {
        texts.extend(tree.key_span(raw));
        if !raw.is_collection() {
            texts.push(raw.span);
        }
    }
    texts.sort_unstable();
    let mut at = from;
    for text in texts {
        let start = (text.start as usize).min(to);
        if start > at
            && let Some(marker) = find(source, at, start, &MARKERS)
        {
            return Some(marker);
        }
        at = at.max(text.end as usize);
    }
    find(source, at, to, &MARKERS)
}

fn find(source: &str, from: usize, to: usize, markers: &[&str]) -> Option<Span> {
    let text = source.get(from..to)?;
    let found = markers.iter().filter_map(|marker| text.find(marker)).min()?;
    let start = u32::try_from(from + found).ok()?;
    Some(Span::new(start, start + 2))
}
