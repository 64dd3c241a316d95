//! What changed in a tree, written into its text.

use serde_json::Value;

use super::{
    Edit, Refusal,
    draft::{Change, Draft},
    page::Page,
    scalar::{self, Place},
    value::FlowStyle,
};
use crate::{
    document::{Node, Origin},
    source::Span,
    tree::Style,
};

/// The widest indentation that is written: beyond it, a few lines would be megabytes.
const MAX_COLUMN: usize = 160;

pub(super) struct Writer<'d, 'p> {
    pub(super) page: Page<'d>,
    draft: &'p Draft<'d>,
    edits: Vec<Edit>,
}

/// How a node is written, as far as its surroundings are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    /// The value of a key in a block map at this column.
    Key(usize),
    /// Behind the dash of a block list at this column.
    Dash(usize),
    Flow,
}

impl<'d, 'p> Writer<'d, 'p> {
    pub(super) fn new(root: Node<'d>, draft: &'p Draft<'d>) -> Self {
        Self { page: Page::new(root), draft, edits: Vec::new() }
    }

    pub(super) fn change(&mut self, id: u32, change: &'p Change) -> Result<(), Refusal> {
        let node = self.node(id)?;
        let empties = match change {
            Change::Value(_) => true,
            Change::Map(change) => change.removed.len() == node.len(),
            Change::Seq(slots) => slots.is_empty(),
        };
        let tree = &self.page.document.tree;
        if if empties { tree.has_shared(id) } else { tree.is_shared(id) } {
            return Err(Refusal::Shared);
        }
        match (change, node.raw.style) {
            (Change::Value(value), _) => self.overwrite(node, value),
            (Change::Map(change), Style::Block) => self.block_map(node, change),
            (Change::Seq(slots), Style::Block) => self.block_list(node, slots),
            (Change::Map(change), Style::Flow) => self.flow_map(node, change),
            (Change::Seq(slots), Style::Flow) => self.flow_list(node, slots),
            _ => Err(Refusal::Layout),
        }
    }

    /// The edits in the order of the text; those that touch are one.
    pub(super) fn finish(self) -> Result<Vec<Edit>, Refusal> {
        let page = self.page;
        let mut edits = self.edits;
        if edits.iter().map(|edit| edit.text.len()).sum::<usize>() > super::MAX_TEXT {
            return Err(Refusal::TooLarge);
        }
        edits.retain(|edit| !edit.span.is_empty() || !edit.text.is_empty());
        edits.sort_by_key(|edit| edit.span);
        let mut merged: Vec<Edit> = Vec::with_capacity(edits.len());
        for edit in edits {
            match merged.last_mut() {
                Some(last) if last.span.end > edit.span.start => return Err(Refusal::Layout),
                Some(last) if last.span.end == edit.span.start => {
                    // Where the last lines of a file without a final line break are gone, the break before them is there.
                    let gone = last.text.is_empty() && page.after_break(last.span.start) && edit.span.is_empty();
                    let text = if gone { edit.text.strip_prefix(page.line_break).unwrap_or(&edit.text) } else { &edit.text };
                    last.text.push_str(text);
                    last.span.end = edit.span.end;
                }
                _ => merged.push(edit),
            }
        }
        Ok(merged)
    }

    pub(super) fn edit(&mut self, from: u32, to: u32, text: impl Into<String>) {
        self.edits.push(Edit { span: Span::new(from, to.max(from)), text: text.into() });
    }

    pub(super) fn node(&self, id: u32) -> Result<Node<'d>, Refusal> {
        self.page.document.node(crate::NodeId(id)).ok_or(Refusal::Layout)
    }

    fn parent(&self, node: Node<'d>) -> Option<Node<'d>> {
        self.draft.parents.get(&node.id).and_then(|parent| self.node(*parent).ok())
    }

    /// The column of the entries of a block map, or of the dashes of a block list.
    pub(super) fn column(&self, node: Node<'d>) -> Result<usize, Refusal> {
        let prefix = self.page.prefix(node.raw.span.start);
        let is_indent = prefix.bytes().all(|byte| matches!(byte, b' ' | b'-'));
        if is_indent && prefix.len() <= MAX_COLUMN { Ok(prefix.len()) } else { Err(Refusal::Layout) }
    }

    pub(super) fn around(&self, node: Node<'d>) -> Result<Around, Refusal> {
        let Some(parent) = self.parent(node) else { return Err(Refusal::Layout) };
        Ok(match parent.raw.style {
            Style::Block if parent.is_map() => Around::Key(self.column(parent)?),
            Style::Block => Around::Dash(self.column(parent)?),
            _ => Around::Flow,
        })
    }

    /// Puts another value in the place of one.
    pub(super) fn overwrite(&mut self, node: Node<'d>, value: &Value) -> Result<(), Refusal> {
        let mut span = node.raw.span;
        span.end = match node.raw.style {
            Style::Block => self.page.end_of_block(node),
            Style::Literal | Style::Folded => self.page.end_of_text(node),
            _ => span.end,
        };
        let around = self.around(node)?;
        let in_block = around != Around::Flow;
        let lead = self.page.lead(node, in_block)?;
        let column = match around {
            Around::Flow => return self.overwrite_in_flow(node, lead, value),
            Around::Key(column) | Around::Dash(column) => column,
        };
        let is_collection = match value {
            Value::Object(entries) => !entries.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => false,
        };
        // The text of a literal follows its key at once.
        let follows = node.raw.style != Style::Block || self.page.line(lead).end == self.page.line(span.start).start;
        let after = self.page.next_line(if span.is_empty() { lead } else { span.end });
        let literal = follows && after.is_ok_and(|after| self.page.may_follow_literal(after));
        let written = self.page.write(value, column, node.raw.style, literal);
        // Behind a dash, a collection begins on its line, and may stand in the very place of what was there.
        let compact = is_collection && matches!(around, Around::Dash(_));
        let lines = if compact { String::new() } else { written.joined(self.page.line_break) };
        let literal = written.head == "|" || has_literal(&lines);
        let ends_line = !span.is_empty() && self.page.after_break(span.end);
        match node.raw.style {
            _ if span.is_empty() => {
                let head = if compact { self.page.compact(value, column + 2) } else { written.head };
                if !head.is_empty() {
                    self.edit(lead, lead, format!(" {head}"));
                }
                if !lines.is_empty() {
                    let at = self.page.next_line(lead)?;
                    self.edit(at, at, self.page.on_lines(at, &lines, literal)?);
                }
            }
            _ if compact => {
                let at = self.page.column(span.start);
                if at > MAX_COLUMN || at <= column {
                    return Err(Refusal::Layout);
                }
                let end = if ends_line { self.page.line_break } else { "" };
                self.edit(span.start, span.end, self.page.compact(value, at) + end);
            }
            Style::Block if matches!(around, Around::Dash(_)) => {
                if !lines.is_empty() {
                    return Err(Refusal::Layout);
                }
                let end = if ends_line { self.page.line_break } else { "" };
                self.edit(span.start, span.end, written.head + end);
            }
            Style::Block => {
                let line = self.page.line(span.start);
                if !self.page.begins_line(span.start) || line.start < lead {
                    return Err(Refusal::Layout);
                }
                if !written.head.is_empty() {
                    self.edit(lead, lead, format!(" {}", written.head));
                }
                let end = self.page.past_comments(self.page.next_line(span.end)?, column);
                self.edit(line.start, end, String::new());
                if !lines.is_empty() {
                    self.edit(end, end, self.page.on_lines(end, &lines, literal)?);
                }
            }
            Style::Literal | Style::Folded => {
                let header = self.page.slice(span.start, self.page.line(span.start).end);
                let header = span.start + crate::source::number(header.find(char::is_whitespace).unwrap_or(header.len()));
                let body = self.page.line(span.start).end;
                self.edit(self.before(span.start, &written.head), header, written.head);
                self.edit(body, span.end.max(body), String::new());
                if !lines.is_empty() {
                    let at = span.end.max(body);
                    self.edit(at, at, self.page.on_lines(at, &lines, literal)?);
                }
            }
            _ if self.page.begins_line(span.start) && written.head.is_empty() => {
                let end = self.page.next_line(span.end)?;
                self.edit(self.page.line(span.start).start, end, String::new());
                self.edit(end, end, self.page.on_lines(end, &lines, literal)?);
            }
            _ => {
                self.edit(self.before(span.start, &written.head), span.end, written.head);
                if !lines.is_empty() {
                    let at = self.page.next_line(span.end)?;
                    self.edit(at, at, self.page.on_lines(at, &lines, literal)?);
                }
            }
        }
        Ok(())
    }

    /// Where to begin to replace a value: with nothing in its place, the blank space before it goes, too.
    fn before(&self, at: u32, head: &str) -> u32 {
        let blank = |text: &str| crate::source::number(text.len() - text.trim_end_matches([' ', '\t']).len());
        if head.is_empty() { at - blank(self.page.prefix(at)) } else { at }
    }

    fn overwrite_in_flow(&mut self, node: Node<'d>, lead: u32, value: &Value) -> Result<(), Refusal> {
        let span = node.raw.span;
        let parent = self.parent(node).ok_or(Refusal::Layout)?;
        let text = if parent.raw.style == Style::Flow {
            self.flow_style(parent)?.write(value, node.raw.style)
        } else {
            // The parent is not written as such: what is known is the value itself.
            let place = if node.raw.style == Style::Flow { Place::Json } else { Place::Flow };
            let simple = !value.is_object() && !value.is_array() && !node.raw.is_collection();
            if !simple || matches!(node.raw.style, Style::Literal | Style::Folded | Style::Alias) {
                return Err(Refusal::Layout);
            }
            scalar::write(value, node.raw.style, place)
        };
        if span.is_empty() {
            self.edit(lead, lead, format!(" {text}"));
        } else {
            self.edit(span.start, span.end, text);
        }
        Ok(())
    }

    /// Fills an empty flow collection: in block style where its parent is.
    pub(super) fn fill(&mut self, node: Node<'d>, value: &Value) -> Result<(), Refusal> {
        if self.page.document.origin != Origin::Yaml || self.parent(node).is_none() {
            let style = self.parent(node).filter(|parent| parent.raw.style == Style::Flow).map(|parent| self.flow_style(parent));
            let style = style.unwrap_or_else(|| Ok(FlowStyle { place: Place::Json, ..FlowStyle::yaml() }))?;
            self.edit(node.raw.span.start, node.raw.span.end, style.write(value, Style::Plain));
            return Ok(());
        }
        self.overwrite(node, value)
    }
}

/// Whether lines may hold a literal that ends with a line break.
pub(super) fn has_literal(lines: &str) -> bool {
    lines.contains(" |\n") || lines.contains(" |\r")
}
