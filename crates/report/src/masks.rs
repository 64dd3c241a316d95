//! Which stretches of the files must not be shown.

use std::collections::HashMap;
use std::sync::Arc;

use fedward_manifest::{Source, Span};

/// The secret stretches of each file, sorted and joined, so that those of a line are found without looking at all.
#[derive(Debug, Default)]
pub(crate) struct Masks<'a> {
    files: HashMap<&'a str, Vec<Span>>,
}

impl<'a> Masks<'a> {
    /// Takes them in any order, overlapping or not.
    pub(crate) fn new(secrets: &'a HashMap<Arc<str>, Vec<Span>>) -> Self {
        let files = secrets.iter().map(|(name, spans)| (&**name, joined(spans))).collect();
        Masks { files }
    }

    /// Those that hide something of `start..end`, in order.
    pub(crate) fn within(&self, source: &Source, start: u32, end: u32) -> &[Span] {
        let spans = self.files.get(&**source.name()).map(Vec::as_slice).unwrap_or_default();
        let first = spans.partition_point(|span| span.end <= start);
        let rest = spans.get(first..).unwrap_or_default();
        let count = rest.partition_point(|span| span.start < end);
        rest.get(..count).unwrap_or_default()
    }
}

fn joined(spans: &[Span]) -> Vec<Span> {
    let mut spans: Vec<Span> = spans.iter().copied().filter(|span| !span.is_empty()).collect();
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let overlap = next.start <= kept.end;
        if overlap {
            kept.end = kept.end.max(next.end);
        }
        overlap
    });
    spans
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn overlapping_and_unsorted_spans_are_joined() {
        let secrets = HashMap::from([(
            Arc::from("a.yaml"),
            vec![Span::new(30, 40), Span::new(5, 9), Span::at(20), Span::new(8, 12), Span::new(12, 14)],
        )]);
        let masks = Masks::new(&secrets);
        let source = Source::from_text("a.yaml", " ".repeat(50)).unwrap();
        assert_eq!(masks.within(&source, 0, 50), [Span::new(5, 14), Span::new(30, 40)]);
        assert_eq!(masks.within(&source, 14, 30), []);
        assert_eq!(masks.within(&source, 13, 31), [Span::new(5, 14), Span::new(30, 40)]);
        let other = Source::from_text("b.yaml", " ".repeat(50)).unwrap();
        assert_eq!(masks.within(&other, 0, 50), []);
    }
}
