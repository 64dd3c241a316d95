//! Changes of block collections: entries and items have lines of their own.

use serde_json::Value;

use super::{
    Refusal,
    draft::{MapChange, Slot},
    writer::{Around, Writer, has_literal},
};
use crate::{document::Node, tree::Style};

/// How many removed and added entries are compared, to find those that only change their key.
pub(super) const MAX_PAIRS: usize = 32;

/// An entry or item as it stands in the text.
struct Part<'d> {
    node: Node<'d>,
    /// The key, or the dash.
    start: u32,
    end: u32,
    goes: bool,
}

impl<'d> Writer<'d, '_> {
    pub(super) fn block_map(&mut self, map: Node<'d>, change: &MapChange) -> Result<(), Refusal> {
        let left = map.len() - change.removed.len() + change.added.len();
        if left == 0 {
            return self.empty(map, Value::Object(serde_json::Map::new()));
        }
        let column = self.column(map)?;
        let overridden = |key: Option<&str>| change.added.iter().any(|(added, _)| Some(added.as_str()) == key);
        let mut parts = Vec::new();
        for node in map.items() {
            let goes = change.removed.contains(&node.id);
            if goes && self.is_merged(map, node) {
                if overridden(node.key()) {
                    continue;
                }
                return Err(Refusal::Reused);
            }
            if goes {
                let start = self.key_start(node)?;
                // The shape of what stays does not matter.
                let end = self.page.end(node, true)?;
                self.page.lead(node, true)?;
                parts.push(Part { node, start, end, goes });
            }
        }
        let last = map.items().filter(|node| !self.is_merged(map, *node)).last();
        let like = last.map_or((Style::Plain, Style::Plain), |last| (self.key_style(last), Style::Plain));
        let mut added: Vec<&(String, Value)> = change.added.iter().collect();
        // An entry with a removed one's value takes its place, and with it its comments; others take the places that are left.
        let pairs = if added.len() <= MAX_PAIRS { MAX_PAIRS } else { 0 };
        for part in parts.iter_mut().take(pairs) {
            let same = added.iter().position(|(_, value)| is_scalar_of(part.node, value));
            if let Some(at) = same {
                let (key, _) = added.remove(at);
                let style = self.key_style(part.node);
                let end = self.page.document.tree.key_span(part.node.raw).map_or(part.start, |key| key.end);
                self.edit(part.start, end, super::scalar::string(key, style, super::scalar::Place::Block));
                part.goes = false;
            }
        }
        let mut added = added.into_iter();
        for part in parts.iter_mut().filter(|part| part.goes) {
            let Some((key, value)) = added.next() else { break };
            let text = self.page.entry(key, value, column, (self.key_style(part.node), part.node.raw.style), false);
            let end = if self.ends_line(part) { self.page.line_break } else { "" };
            self.edit(part.start, part.end, text + end);
            part.goes = false;
        }
        self.remove_lines(&parts, column)?;
        if added.len() > 0 {
            let at = self.page.next_line(self.page.end_of_block(map))?;
            let literal = self.page.may_follow_literal(at);
            let indent = " ".repeat(column);
            let lines = added.map(|(key, value)| format!("{indent}{}", self.page.entry(key, value, column, like, literal)));
            let lines = lines.collect::<Vec<_>>().join(self.page.line_break);
            self.edit(at, at, self.page.on_lines(at, &lines, has_literal(&lines))?);
        }
        Ok(())
    }

    pub(super) fn block_list(&mut self, list: Node<'d>, slots: &[Slot]) -> Result<(), Refusal> {
        if slots.is_empty() {
            return self.empty(list, Value::Array(Vec::new()));
        }
        let column = self.column(list)?;
        let mut parts = Vec::new();
        for node in list.items() {
            let lead = self.page.lead(node, true)?;
            let end = self.page.end(node, true)?;
            if self.page.column(lead - 1) != column {
                return Err(Refusal::Layout);
            }
            parts.push(Part { node, start: lead - 1, end, goes: true });
        }
        // Runs of new items between those that stay; each with the first part that is not passed yet.
        let mut next = 0;
        let mut new: Vec<&Value> = Vec::new();
        for slot in slots {
            match slot {
                Slot::New(value) => new.push(value),
                Slot::Old(id) => {
                    let at =
                        next + parts.get(next..).unwrap_or_default().iter().position(|part| part.node.id == *id).ok_or(Refusal::Layout)?;
                    self.write_items(&mut parts, next..at, &mut new, column)?;
                    if let Some(part) = parts.get_mut(at) {
                        part.goes = false;
                    }
                    next = at + 1;
                }
            }
        }
        let end = parts.len();
        self.write_items(&mut parts, next..end, &mut new, column)?;
        parts.retain(|part| part.goes);
        self.remove_lines(&parts, column)
    }

    /// Writes new items in the places of those of a range that all go, and what is left behind them.
    fn write_items(
        &mut self,
        parts: &mut [Part<'d>],
        gone: std::ops::Range<usize>,
        new: &mut Vec<&Value>,
        column: usize,
    ) -> Result<(), Refusal> {
        let mut values = std::mem::take(new).into_iter();
        let behind = gone.end;
        for part in parts.get_mut(gone).unwrap_or_default() {
            let Some(value) = values.next() else { return Ok(()) };
            let end = if self.ends_line(part) { self.page.line_break } else { "" };
            self.edit(part.start, part.end, self.page.item(value, column, false) + end);
            part.goes = false;
        }
        let values: Vec<&Value> = values.collect();
        if values.is_empty() {
            return Ok(());
        }
        let indent = " ".repeat(column);
        match behind.checked_sub(1).and_then(|at| parts.get(at)) {
            Some(before) => {
                let at = self.page.next_line(before.end)?;
                let literal = self.page.may_follow_literal(at);
                let lines: Vec<String> = values.iter().map(|value| format!("{indent}{}", self.page.item(value, column, literal))).collect();
                let lines = lines.join(self.page.line_break);
                self.edit(at, at, self.page.on_lines(at, &lines, has_literal(&lines))?);
            }
            None => {
                // In front of the first item, which may stand behind another dash.
                let at = parts.first().map(|part| part.start).ok_or(Refusal::Layout)?;
                let items: String =
                    values.iter().map(|value| format!("{}{}{indent}", self.page.item(value, column, true), self.page.line_break)).collect();
                self.edit(at, at, items);
            }
        }
        Ok(())
    }

    /// Leaves nothing in a collection.
    fn empty(&mut self, node: Node<'d>, nothing: Value) -> Result<(), Refusal> {
        if self.around(node).is_ok_and(|around| matches!(around, Around::Key(_))) {
            return self.overwrite(node, &nothing);
        }
        let end = if self.page.after_break(node.raw.span.end) { self.page.line_break } else { "" };
        self.column(node)?;
        self.edit(node.raw.span.start, self.page.end_of_block(node), format!("{nothing}{end}"));
        Ok(())
    }

    /// Removes parts with their lines. Others stay: that of all is [`Self::empty`].
    fn remove_lines(&mut self, parts: &[Part<'d>], column: usize) -> Result<(), Refusal> {
        let mut done = 0;
        for (index, part) in parts.iter().enumerate().filter(|(_, part)| part.goes) {
            if part.end <= done {
                continue;
            }
            if self.page.begins_line(part.start) {
                let end = self.page.past_comments(self.page.next_line(part.end)?, column);
                self.edit(self.page.line(part.start).start, end, String::new());
                continue;
            }
            // Behind a dash: what comes next takes its place.
            let mut next = self.page.next_line(part.end)?;
            for later in parts.get(index + 1..).unwrap_or_default().iter().filter(|part| part.goes) {
                if self.page.slice(next, later.start).bytes().any(|byte| byte != b' ') {
                    break;
                }
                next = self.page.next_line(later.end)?;
                done = later.end;
            }
            let text = self.page.slice(next, self.page.line(next).end);
            let indent = text.len() - text.trim_start_matches(' ').len();
            let follows = indent == column && !text.trim_start_matches(' ').starts_with(['#', '\n', '\r']) && text.len() > indent;
            if follows {
                self.edit(part.start, next + crate::source::number(indent), String::new());
            } else if done == 0 && !self.ends_line(part) {
                self.edit(part.start, part.end, String::new());
            } else {
                return Err(Refusal::Layout);
            }
        }
        Ok(())
    }

    /// Whether a part ends with its line break, as block scalars do.
    fn ends_line(&self, part: &Part<'d>) -> bool {
        !part.node.raw.span.is_empty() && self.page.after_break(part.end)
    }

    /// Where an entry begins, if that is at its key.
    fn key_start(&self, node: Node<'d>) -> Result<u32, Refusal> {
        let key = self.page.document.tree.key_span(node.raw).ok_or(Refusal::Layout)?;
        let is_first = self.page.prefix(key.start).bytes().all(|byte| matches!(byte, b' ' | b'-'));
        if is_first { Ok(key.start) } else { Err(Refusal::Layout) }
    }

    pub(super) fn key_style(&self, node: Node<'d>) -> Style {
        let key = self.page.document.tree.key_span(node.raw);
        match key.and_then(|key| self.page.byte(key.start)) {
            Some(b'"') => Style::DoubleQuoted,
            Some(b'\'') => Style::SingleQuoted,
            _ => Style::Plain,
        }
    }

    /// Whether a merge key brought an entry.
    pub(super) fn is_merged(&self, map: Node<'d>, entry: Node<'d>) -> bool {
        let key = self.page.document.tree.key_span(entry.raw).unwrap_or_default();
        !self.page.document.tree.reused.is_empty() && (key.start < map.raw.span.start || key.end > map.raw.span.end)
    }
}

/// Whether a node is a string, number or word of that value.
pub(super) fn is_scalar_of(node: Node<'_>, value: &Value) -> bool {
    !node.raw.is_collection() && node.raw.style != Style::Alias && super::draft::difference::is_same(node, value)
}
