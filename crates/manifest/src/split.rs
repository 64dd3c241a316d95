//! A source into documents, before anything is parsed: a broken document never hides the next.

use memchr::memchr2_iter;

use crate::{
    json::{is_comment, next_object, value_end},
    limits::{Limit, Limits},
    problem::Problem,
    source::{Source, Span, number},
};

const BOM: &str = "\u{feff}";

/// How a text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON where it is valid JSON that begins with `{` or `[`, YAML otherwise.
    #[default]
    Auto,
    /// YAML 1.2, scalars typed as Kubernetes does.
    Yaml,
    /// JSON and nothing else, as Go's `encoding/json` reads it: no comments, trailing commas or single quotes.
    Json,
}

/// The text of one document, with the directives and comments that belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it stands.
    pub span: Span,
    /// How it is read.
    pub format: Format,
}

/// The documents of a source.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// In the order of the text; together they cover it. Some may turn out to be empty.
    pub chunks: Vec<Chunk>,
    /// Too many documents, at most.
    pub problems: Vec<Problem>,
}

/// Splits a source at its document markers, and JSON with several top-level values between them.
#[must_use]
#[inline(never)]
pub fn split(source: &Source, limits: &Limits) -> Split {
    let text = source.text();
    let mut split = Split::default();
    for (start, end) in documents(text) {
        push_values(text, start, end, limits.documents, &mut split.chunks);
        if split.chunks.len() > limits.documents {
            split.chunks.truncate(limits.documents);
            let from = split.chunks.last().map_or(0, |chunk| chunk.span.end);
            split.problems.push(Problem::limit(Limit::Documents(limits.documents), Span::at(from)));
            break;
        }
    }
    split
}

/// Where the documents of a text begin and end.
pub(crate) fn documents(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    boundaries(text).chain([text.len()]).map(move |end| (std::mem::replace(&mut start, end), end)).filter(|(start, end)| end > start)
}

/// What a line means for the bounds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// `---`
    Start,
    /// `...`
    End,
    /// `%YAML` or `%TAG`
    Directive,
    /// A comment or a blank line.
    Blank,
    Content,
}

impl Line {
    fn of(line: &str) -> Self {
        let bytes = line.as_bytes();
        let blank = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
        match bytes {
            [b'-', b'-', b'-', ..] if blank(3) => Self::Start,
            [b'.', b'.', b'.', ..] if blank(3) => Self::End,
            [b'%', ..] if line.starts_with("%YAML ") || line.starts_with("%TAG ") => Self::Directive,
            [b'-' | b'.' | b'%' | b'a'..=b'z' | b'A'..=b'Z', ..] => Self::Content,
            _ => match line.trim_ascii_start().as_bytes() {
                [] | [b'#', ..] => Self::Blank,
                _ => Self::Content,
            },
        }
    }
}

/// Offsets at which a new document begins, without 0 and the end of the text.
fn boundaries(text: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = text.as_bytes();
    let is_crlf = |at: usize| bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n');
    let ends = memchr2_iter(b'\n', b'\r', bytes).filter(move |at| !is_crlf(*at)).map(|at| at + 1).chain([bytes.len()]);
    // Whether the current document has a marker or content, and where directives began that belong to the next one.
    let (mut line_start, mut begun, mut prefix) = (0, false, None);
    let boundaries = ends.filter_map(move |end| {
        let start = std::mem::replace(&mut line_start, end);
        let line = text.get(start..end).unwrap_or_default();
        match Line::of(line.strip_prefix(BOM).unwrap_or(line)) {
            Line::Start => {
                let boundary = begun.then(|| prefix.unwrap_or(start));
                (begun, prefix) = (true, None);
                return boundary;
            }
            Line::End => {
                (begun, prefix) = (false, None);
                return Some(end);
            }
            Line::Directive => prefix = prefix.or(Some(start)),
            // Where files were put together, a byte order mark begins the next.
            Line::Blank if line.starts_with(BOM) => prefix = prefix.or(Some(start)),
            Line::Content => (begun, prefix) = (true, None),
            Line::Blank => {}
        }
        None
    });
    boundaries.filter(move |at| *at > 0 && *at < bytes.len())
}

/// One chunk, or one for each value where it is JSON with several.
fn push_values(text: &str, from: usize, to: usize, limit: usize, chunks: &mut Vec<Chunk>) {
    let chunk = |start, end, format| Chunk { span: Span::new(number(start), number(end)), format };
    let body = text.get(..to).unwrap_or_default();
    let Some(mut value) = json_start(body.get(from..).unwrap_or_default()) else {
        chunks.push(chunk(from, to, Format::Yaml));
        return;
    };
    let mut start = from;
    value += from;
    if is_comment(body.as_bytes().get(value..).unwrap_or_default()) {
        chunks.push(chunk(from, to, Format::Auto));
        return;
    }
    let mut broken = false;
    while start < to && chunks.len() <= limit {
        let end = match value_end(body, value, broken) {
            Ok(end) => {
                let rest = body.get(end..).unwrap_or_default().trim_ascii_start();
                let next = to - rest.len();
                if rest.is_empty() || rest.starts_with(['{', '[']) { next } else { next_object(body.as_bytes(), next) }
            }
            Err(next) => {
                broken = true;
                next
            }
        };
        chunks.push(chunk(start, end, Format::Auto));
        (start, value) = (end, end);
    }
}

/// Where JSON begins in the text of a document, if its first significant character opens an object or array, or is that of a
/// comment before one.
pub(crate) fn json_start(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(BOM).unwrap_or(text).trim_ascii_start();
    let rest = rest.strip_prefix("---").map_or(rest, str::trim_ascii_start);
    let opens = match after_comments(rest.as_bytes()) {
        [b'[', ..] => true,
        // A key in quotes, or none: `{{` and `{a: b}` are YAML, if anything.
        [b'{', inside @ ..] => matches!(after_comments(inside.trim_ascii_start()), [] | [b'"' | b'}', ..]),
        _ => false,
    };
    opens.then(|| text.len() - rest.len())
}

/// What follows comments as JavaScript has them: people write them in JSON, where they are mistakes.
fn after_comments(mut rest: &[u8]) -> &[u8] {
    while is_comment(rest) {
        let end = if rest.starts_with(b"//") {
            memchr::memchr2(b'\n', b'\r', rest)
        } else {
            rest.get(2..).unwrap_or_default().windows(2).position(|pair| pair == b"*/").map(|at| at + 4)
        };
        rest = end.and_then(|end| rest.get(end..)).unwrap_or_default().trim_ascii_start();
    }
    rest
}
