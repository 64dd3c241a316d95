//! Template syntax left in a manifest: Helm's and Jinja's braces, shell variables, ERB.

use crate::{
    problem::{Problem, ProblemKind},
    source::{Span, number},
    tree::Tree,
};

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
    let variable = |pair: &[u8]| pair == b"${";
    match first_outside(source, from, line_end, tree).or_else(|| find(source, line_start, line_end, variable)) {
        // What the parser makes of a template's text, and where, helps nobody.
        Some(marker) => leftover(marker),
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

/// Nodes are in the order of the text, except that those made by aliases stand further up, in what is already passed.
fn first_outside(source: &str, from: usize, to: usize, tree: &Tree) -> Option<Span> {
    let marker = |pair: &[u8]| matches!(pair, b"{{" | b"{%" | b"<%");
    let mut at = from;
    for raw in &tree.nodes {
        let value = (!raw.is_collection()).then_some(raw.span);
        for text in tree.key_span(raw).into_iter().chain(value) {
            let start = (text.start as usize).min(to);
            if start >= at {
                let found = find(source, at, start, marker);
                if found.is_some() {
                    return found;
                }
                at = (text.end as usize).max(at);
            }
        }
    }
    find(source, at, to, marker)
}

fn find(source: &str, from: usize, to: usize, is_marker: fn(&[u8]) -> bool) -> Option<Span> {
    let at = from + source.as_bytes().get(from..to)?.windows(2).position(is_marker)?;
    Some(Span::new(number(at), number(at + 2)))
}
