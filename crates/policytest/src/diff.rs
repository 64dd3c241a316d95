//! What was expected and what was given, side by side.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::compare::Difference;

/// Lines of one difference that are shown at most.
const MAX_LINES: usize = 200;
/// Bytes of each side that are compared at most.
const MAX_BYTES: usize = 256 << 10;
/// Lines around what differs.
const CONTEXT: usize = 3;

/// A line of a diff.
pub(crate) struct Line {
    /// `-` for what was expected, `+` for what was given, a space for both.
    pub(crate) sign: char,
    pub(crate) text: String,
}

/// The lines of a difference.
pub(crate) fn lines(difference: &Difference) -> Vec<Line> {
    let (expected, got) = (text(&difference.expected), text(&difference.got));
    let diff = TextDiff::configure().timeout(Duration::from_secs(1)).diff_lines(expected.as_str(), got.as_str());
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push(Line { sign: ' ', text: "…".to_owned() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(Line { sign, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        lines.truncate(MAX_LINES);
        lines.push(Line { sign: ' ', text: format!("… (+{more} more lines)") });
    }
    lines
}

/// One side, as lines that all end in the same way; nothing stays nothing.
fn text(side: &str) -> String {
    let mut end = side.len().min(MAX_BYTES);
    while !side.is_char_boundary(end) {
        end -= 1;
    }
    let text = side.get(..end).unwrap_or_default().trim_end_matches('\n');
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}
