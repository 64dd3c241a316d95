//! Changes of flow collections: entries and items with commas between them.

use serde_json::{Map, Value};

use super::{
    Refusal,
    block::{MAX_PAIRS, is_scalar_of},
    draft::{MapChange, Slot},
    page::MAX_STEP,
    scalar::{self, Place},
    value::FlowStyle,
    writer::Writer,
};
use crate::{
    document::{Node, Origin},
    tree::Style,
};

/// The longest blank space between items that is copied.
const MAX_GAP: usize = 160;

/// An entry or item as it stands in the text.
struct Part<'d> {
    node: Node<'d>,
    start: u32,
    end: u32,
    goes: bool,
}

impl<'d> Writer<'d, '_> {
    pub(super) fn flow_map(&mut self, map: Node<'d>, change: &MapChange) -> Result<(), Refusal> {
        if map.is_empty() {
            let entries: Map<String, Value> = change.added.iter().cloned().collect();
            return self.fill(map, &Value::Object(entries));
        }
        let mut parts = self.parts(map)?;
        let mut added: Vec<&(String, Value)> = change.added.iter().collect();
        let style = self.flow_style(map)?;
        for part in &mut parts {
            part.goes = change.removed.contains(&part.node.id);
        }
        if change.removed.len() > parts.iter().filter(|part| part.goes).count() {
            // What a merge key brings is overridden, or cannot be removed.
            let overridden = |node: &Node<'_>| added.iter().any(|(key, _)| Some(key.as_str()) == node.key());
            let mut merged = map.items().filter(|node| change.removed.contains(&node.id) && self.is_merged(map, *node));
            if !merged.all(|node| overridden(&node)) {
                return Err(Refusal::Reused);
            }
        }
        let pairs = if added.len() <= MAX_PAIRS { MAX_PAIRS } else { 0 };
        for part in parts.iter_mut().filter(|part| part.goes).take(pairs) {
            if let Some(at) = added.iter().position(|(_, value)| is_scalar_of(part.node, value)) {
                let (key, _) = added.remove(at);
                let end = self.page.document.tree.key_span(part.node.raw).map_or(part.start, |key| key.end);
                self.edit(part.start, end, scalar::string(key, self.key_style(part.node), style.place));
                part.goes = false;
            }
        }
        let mut added = added.into_iter();
        for part in parts.iter_mut().filter(|part| part.goes) {
            let Some((key, value)) = added.next() else { break };
            self.edit(part.start, part.end, style.entry(key, value, self.key_style(part.node)));
            part.goes = false;
        }
        let key_style = parts.last().map_or(Style::Plain, |part| self.key_style(part.node));
        let entries: Vec<String> = added.map(|(key, value)| style.entry(key, value, key_style)).collect();
        self.write_behind(map, &parts, parts.len(), &entries)?;
        self.remove_parts(map, &parts)
    }

    pub(super) fn flow_list(&mut self, list: Node<'d>, slots: &[Slot]) -> Result<(), Refusal> {
        if list.is_empty() {
            let values = slots.iter().filter_map(|slot| match slot {
                Slot::New(value) => Some(value.clone()),
                Slot::Old(_) => None,
            });
            return self.fill(list, &Value::Array(values.collect()));
        }
        let mut parts = self.parts(list)?;
        let style = self.flow_style(list)?;
        for part in &mut parts {
            part.goes = true;
        }
        let mut next = 0;
        let mut new: Vec<String> = Vec::new();
        for slot in slots {
            match slot {
                Slot::New(value) => {
                    let like = parts.first().map_or(Style::Plain, |part| part.node.raw.style);
                    new.push(style.write(value, like));
                }
                Slot::Old(id) => {
                    let at =
                        next + parts.get(next..).unwrap_or_default().iter().position(|part| part.node.id == *id).ok_or(Refusal::Layout)?;
                    self.write_run(list, &mut parts, next..at, &mut new)?;
                    if let Some(part) = parts.get_mut(at) {
                        part.goes = false;
                    }
                    next = at + 1;
                }
            }
        }
        let end = parts.len();
        self.write_run(list, &mut parts, next..end, &mut new)?;
        self.remove_parts(list, &parts)
    }

    /// Writes new items in the places of those of a range that all go, and what is left behind them.
    fn write_run(
        &mut self,
        list: Node<'d>,
        parts: &mut [Part<'d>],
        gone: std::ops::Range<usize>,
        new: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let mut texts = std::mem::take(new).into_iter();
        let behind = gone.end;
        for part in parts.get_mut(gone).unwrap_or_default() {
            let Some(text) = texts.next() else { return Ok(()) };
            self.edit(part.start, part.end, text);
            part.goes = false;
        }
        let rest: Vec<String> = texts.collect();
        self.write_behind(list, parts, behind, &rest)
    }

    /// Writes texts behind the first parts, or before all.
    fn write_behind(&mut self, node: Node<'d>, parts: &[Part<'d>], count: usize, texts: &[String]) -> Result<(), Refusal> {
        if texts.is_empty() {
            return Ok(());
        }
        let separator = self.separator(node, parts)?;
        match count.checked_sub(1).and_then(|at| parts.get(at)) {
            Some(before) => {
                let text: String = texts.iter().map(|text| format!("{separator}{text}")).collect();
                self.edit(before.end, before.end, text);
            }
            None => {
                let at = parts.first().map(|part| part.start).ok_or(Refusal::Layout)?;
                let text: String = texts.iter().map(|text| format!("{text}{separator}")).collect();
                self.edit(at, at, text);
            }
        }
        Ok(())
    }

    /// Removes parts with the commas that are theirs.
    fn remove_parts(&mut self, node: Node<'d>, parts: &[Part<'d>]) -> Result<(), Refusal> {
        let Some(stays) = parts.iter().position(|part| !part.goes) else {
            let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Ok(()) };
            // A comma may follow the last.
            let close = node.raw.span.end - 1;
            let rest = self.page.slice(last.end, close);
            let comma = rest.find(',').map_or(0, |at| crate::source::number(at) + 1);
            let blank = |text: &str| text.trim_matches([',', ' ', '\t', '\n', '\r']).is_empty();
            let end = if blank(rest) { close } else { last.end + comma };
            let start = if blank(self.page.slice(node.raw.span.start + 1, first.start)) { node.raw.span.start + 1 } else { first.start };
            self.edit(start, end, String::new());
            return Ok(());
        };
        if stays > 0
            && let (Some(first), Some(next)) = (parts.first(), parts.get(stays))
        {
            self.check_gaps(parts.get(..=stays).unwrap_or_default())?;
            self.edit(first.start, next.start, String::new());
        }
        for pair in parts.get(stays..).unwrap_or_default().windows(2) {
            if let [before, part] = pair
                && part.goes
            {
                self.check_gaps(pair)?;
                self.edit(before.end, part.end, String::new());
            }
        }
        Ok(())
    }

    /// Whether there is nothing but a comma and blank space between parts.
    fn check_gaps(&self, parts: &[Part<'d>]) -> Result<(), Refusal> {
        let is_gap = |pair: &[Part<'_>]| match pair {
            [before, part] => self.page.slice(before.end, part.start).trim_matches([' ', '\t', '\n', '\r']) == ",",
            _ => true,
        };
        if parts.windows(2).all(is_gap) { Ok(()) } else { Err(Refusal::Layout) }
    }

    /// The entries or items that are written in a collection.
    fn parts(&self, node: Node<'d>) -> Result<Vec<Part<'d>>, Refusal> {
        let span = node.raw.span;
        let brackets = (self.page.byte(span.start), span.end.checked_sub(1).and_then(|at| self.page.byte(at)));
        if !matches!(brackets, (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))) {
            return Err(Refusal::Layout);
        }
        let mut parts = Vec::new();
        for child in node.items().filter(|child| !self.is_merged(node, *child)) {
            let end = self.page.end(child, false)?;
            let start = match self.page.document.tree.key_span(child.raw) {
                Some(key) => key.start,
                None => child.raw.span.start,
            };
            let before = self.page.back(start);
            if !matches!(before.checked_sub(1).and_then(|at| self.page.byte(at)), Some(b'{' | b'[' | b',')) {
                return Err(Refusal::Layout);
            }
            parts.push(Part { node: child, start, end, goes: false });
        }
        if parts.is_empty() { Err(Refusal::Layout) } else { Ok(parts) }
    }

    /// What to write between items: what stands between the last two, or what a single one has before it.
    fn separator(&self, node: Node<'d>, parts: &[Part<'d>]) -> Result<String, Refusal> {
        let style = self.flow_style(node)?;
        if let [.., before, last] = parts {
            let gap = self.page.slice(before.end, last.start);
            if gap.len() <= MAX_GAP && gap.trim_matches([' ', '\t', '\n', '\r']) == "," {
                return Ok(gap.to_owned());
            }
        }
        Ok(match style.lines {
            Some((line, _)) => format!(",{line}"),
            None => style.comma.to_owned(),
        })
    }

    /// How the items of a flow collection are written.
    pub(super) fn flow_style(&self, node: Node<'d>) -> Result<FlowStyle, Refusal> {
        let mut style = FlowStyle::yaml();
        let first = node.items().find(|child| !self.is_merged(node, *child));
        let Some(first) = first else {
            if self.page.document.origin == Origin::Json {
                style.place = Place::Json;
            }
            return Ok(style);
        };
        let key = self.page.document.tree.key_span(first.raw);
        let start = key.map_or(first.raw.span.start, |key| key.start);
        if self.page.document.origin == Origin::Json
            || first.raw.style == Style::Flow && !first.raw.is_collection()
            || self.page.byte(start) == Some(b'"')
        {
            style.place = Place::Json;
        }
        if let Some(key) = key {
            let colon = self.page.slice(key.end, first.raw.span.start.max(key.end));
            if colon.trim_matches([' ', '\t']) == ":" && colon.len() <= MAX_GAP && (style.place == Place::Json || colon.ends_with(' ')) {
                colon.clone_into(&mut style.colon);
            }
        }
        if style.colon == ":" {
            style.comma = ",";
        }
        let lead = self.page.slice(node.raw.span.start + 1, start);
        if let Some(at) = lead.find(['\n', '\r'])
            && let Some(line) = lead.get(at..)
            && line.len() <= MAX_GAP
            && line.trim_matches([' ', '\t', '\n', '\r']).is_empty()
        {
            let indent = line.trim_start_matches(['\n', '\r']);
            let closing = self.page.prefix(node.raw.span.end - 1);
            let unit = indent.strip_prefix(closing).filter(|unit| (1..=MAX_STEP).contains(&unit.len())).unwrap_or("  ");
            style.lines = Some((format!("{}{indent}", self.page.line_break), unit.to_owned()));
        }
        Ok(style)
    }
}
