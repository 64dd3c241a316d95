//! The text around a node: lines, columns, and what stands between a value and its key.

use super::Refusal;
use crate::{
    document::{Document, Node},
    source::{Span, number},
    tree::Style,
};

/// The most by which a collection is written further in than what holds it.
pub(super) const MAX_STEP: usize = 16;

/// Nodes that are looked at to learn how a document is indented.
const SAMPLE: u32 = 1000;

/// A document's text, with what its writer's habits are.
#[derive(Clone, Copy)]
pub(super) struct Page<'d> {
    pub(super) document: &'d Document,
    pub(super) text: &'d str,
    /// The line break that the file uses.
    pub(super) line_break: &'static str,
    /// Columns by which a map is further in than the key that it is the value of.
    pub(super) step: usize,
    /// The same for a list.
    pub(super) list_step: usize,
}

impl<'d> Page<'d> {
    pub(super) fn new(root: Node<'d>) -> Self {
        let document = root.document;
        let text = document.text.text();
        let line_break = match text.find(['\n', '\r']).and_then(|at| text.get(at..)) {
            Some(rest) if rest.starts_with("\r\n") => "\r\n",
            Some(rest) if rest.starts_with('\r') => "\r",
            _ => "\n",
        };
        let mut page = Page { document, text, line_break, step: 2, list_step: 2 };
        let (step, list_step) = page.habits(root);
        page.step = step.unwrap_or(2);
        page.list_step = list_step.unwrap_or(page.step.min(2));
        page
    }

    /// By how much the first maps and lists of an object are further in than their keys.
    fn habits(&self, root: Node<'d>) -> (Option<usize>, Option<usize>) {
        let (mut step, mut list_step) = (None, None);
        for id in root.id..(root.id + root.raw.size()).min(root.id + SAMPLE) {
            let Some(node) = self.document.node(crate::NodeId(id)) else { break };
            let Some(key) = self.document.tree.key_span(node.raw).filter(|_| node.raw.style == Style::Block) else { continue };
            let Some(by) = self.column(node.raw.span.start).checked_sub(self.column(key.start)).filter(|by| *by <= MAX_STEP) else {
                continue;
            };
            match node.is_map() {
                true if by > 0 => step = step.or(Some(by)),
                false => list_step = list_step.or(Some(by)),
                true => {}
            }
            if step.is_some() && list_step.is_some() {
                break;
            }
        }
        (step, list_step)
    }

    pub(super) fn slice(&self, from: u32, to: u32) -> &'d str {
        self.text.get(from as usize..to as usize).unwrap_or_default()
    }

    pub(super) fn byte(&self, at: u32) -> Option<u8> {
        self.text.as_bytes().get(at as usize).copied()
    }

    /// The line that holds an offset, with its line break.
    pub(super) fn line(&self, at: u32) -> Span {
        let line = self.document.text.line_span(self.document.text.position(at).line);
        let bom = if line.start == 0 && self.text.starts_with('\u{feff}') { 3 } else { 0 };
        Span::new((line.start + bom).min(line.end), line.end)
    }

    /// What stands before an offset on its line.
    pub(super) fn prefix(&self, at: u32) -> &'d str {
        self.slice(self.line(at).start, at)
    }

    pub(super) fn column(&self, at: u32) -> usize {
        self.prefix(at).len()
    }

    /// Whether nothing but blank space precedes an offset on its line.
    pub(super) fn begins_line(&self, at: u32) -> bool {
        self.prefix(at).bytes().all(|byte| byte == b' ')
    }

    /// Where the line after a value begins. Only a comment may follow the value on its line.
    pub(super) fn next_line(&self, value_end: u32) -> Result<u32, Refusal> {
        let line = self.line(value_end);
        if line.start == value_end && value_end > 0 {
            // A block scalar ends with its line.
            return Ok(value_end);
        }
        let rest = self.slice(value_end, line.end);
        let after = rest.trim_start_matches([' ', '\t']);
        if after.trim_end_matches(['\n', '\r']).is_empty() || after.starts_with('#') && after.len() < rest.len() {
            Ok(line.end)
        } else {
            Err(Refusal::Layout)
        }
    }

    /// Where the comments end that stand further in than what is removed before them. They are about what is in it, and would become a
    /// part of a block scalar that comes before.
    pub(super) fn past_comments(&self, from: u32, column: usize) -> u32 {
        let (mut end, mut at) = (from, from);
        loop {
            let line = Span::new(at, self.line(at).end);
            let text = self.slice(line.start, line.end);
            let content = text.trim_start_matches([' ', '\t']);
            match content.bytes().next() {
                Some(b'#') if text.len() - content.len() > column => end = line.end,
                Some(b'\n' | b'\r') => {}
                _ => return end,
            }
            at = line.end;
        }
    }

    /// Whether the text from a line on can follow a literal: a comment could become a part of it.
    pub(super) fn may_follow_literal(&self, at: u32) -> bool {
        !self.text.get(at as usize..).unwrap_or_default().trim_start_matches([' ', '\t', '\n', '\r']).starts_with('#')
    }

    /// Whether a line ends before an offset.
    pub(super) fn after_break(&self, at: u32) -> bool {
        at == 0 || matches!(self.byte(at - 1), Some(b'\n' | b'\r'))
    }

    /// The end of what precedes an offset, blank space and comments apart.
    pub(super) fn back(&self, at: u32) -> u32 {
        let comments = &self.document.comments;
        let mut next = comments.partition_point(|comment| comment.end <= at);
        let mut end = at;
        loop {
            end = number(self.slice(0, end).trim_end_matches([' ', '\t', '\n', '\r']).len());
            match next.checked_sub(1).and_then(|index| comments.get(index)).filter(|comment| comment.end == end) {
                Some(comment) => (end, next) = (comment.start, next - 1),
                None => return end,
            }
        }
    }

    /// Where the text behind a key's colon begins.
    pub(super) fn behind_colon(&self, key: Span) -> Result<u32, Refusal> {
        let rest = self.text.get(key.end as usize..).unwrap_or_default();
        let colon = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if colon.starts_with(':') { Ok(key.end + number(rest.len() - colon.len()) + 1) } else { Err(Refusal::Layout) }
    }

    /// Where the text behind a value's colon, dash, comma or bracket begins; only blank space and comments may stand between.
    pub(super) fn lead(&self, node: Node<'_>, in_block: bool) -> Result<u32, Refusal> {
        let span = node.raw.span;
        if let Some(key) = self.document.tree.key_span(node.raw)
            && self.document.origin != crate::document::Origin::Built
        {
            let lead = self.behind_colon(key)?;
            if span.is_empty() {
                // Nothing that belongs to the null, such as an anchor, may stand there.
                let rest = self.text.get(lead as usize..).unwrap_or_default();
                let next = rest.trim_start_matches([' ', '\t']).bytes().next();
                let ends = if in_block { b"\n\r#".as_slice() } else { b"\n\r#,}".as_slice() };
                return if next.is_none_or(|next| ends.contains(&next)) { Ok(lead) } else { Err(Refusal::Layout) };
            }
            return if self.back(span.start) == lead { Ok(lead) } else { Err(Refusal::Layout) };
        }
        let lead = self.back(span.start);
        let marks = if in_block { b"-".as_slice() } else { b",[{:-".as_slice() };
        match lead.checked_sub(1).and_then(|at| self.byte(at)) {
            Some(mark) if marks.contains(&mark) => Ok(lead),
            _ => Err(Refusal::Layout),
        }
    }

    /// Where the text of a value ends; of a null without text: where its key's or dash's does.
    pub(super) fn end(&self, node: Node<'_>, in_block: bool) -> Result<u32, Refusal> {
        match node.raw.style {
            _ if node.raw.span.is_empty() => self.lead(node, in_block),
            Style::Literal | Style::Folded => Ok(self.end_of_text(node)),
            _ => Ok(node.raw.span.end),
        }
    }

    /// Where a block scalar ends without the blank lines after it, unless they are of its text.
    pub(super) fn end_of_text(&self, node: Node<'_>) -> u32 {
        let span = node.raw.span;
        let text = self.slice(span.start, span.end);
        let header = text.split(char::is_whitespace).next().unwrap_or_default();
        let rest = text.trim_end_matches([' ', '\t', '\n', '\r']);
        if header.contains('+') || rest.len() == text.len() {
            return span.end;
        }
        self.line(span.start + number(rest.len())).end.min(span.end)
    }

    /// Where the text of a block collection ends, as [`Self::end_of_text`].
    pub(super) fn end_of_block(&self, node: Node<'_>) -> u32 {
        let last = self.document.node(crate::NodeId(node.id + node.raw.size() - 1));
        let is_block = |last: &Node<'_>| matches!(last.raw.style, Style::Literal | Style::Folded) && last.raw.span.end == node.raw.span.end;
        last.filter(is_block).map_or(node.raw.span.end, |last| self.end_of_text(last))
    }

    /// Text that is put on lines of its own at an offset where a line begins, or at the end of a file that does not end its last line.
    /// `literal` says whether a text in it ends with a line break.
    pub(super) fn on_lines(&self, at: u32, lines: &str, literal: bool) -> Result<String, Refusal> {
        let line_break = self.line_break;
        if self.after_break(at) {
            return Ok(format!("{lines}{line_break}"));
        }
        // A line break more would be one in the text of a block scalar before it.
        let last = self.document.tree.nodes.last().filter(|last| last.span.end == at);
        if last.is_some_and(|last| matches!(last.style, Style::Literal | Style::Folded)) {
            return Err(Refusal::Layout);
        }
        let end = if literal { line_break } else { "" };
        Ok(format!("{line_break}{lines}{end}"))
    }
}
