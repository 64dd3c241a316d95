//! From a stream of keys, scalars and collection bounds to a [`Tree`]: duplicate keys, merges, aliases and bounds.

use std::cmp::Ordering;

use crate::{
    document::Node,
    limits::{Limit, Limits},
    problem::{Problem, ProblemKind},
    source::{Span, number},
    template,
    tree::{KeyForm, OwnedKey, Raw, Shape, Style, Tree},
};

/// Up to this many entries, keys are compared pair by pair; beyond, they are sorted.
const FEW_ENTRIES: usize = 16;

/// A scalar's value, ready for the tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'t> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// Text that stands in the source from this offset, this many bytes.
    Source(u32, u32),
    /// Text that does not stand in the source.
    Owned(&'t str),
}

/// A key that waits for its value.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Key(Span, KeyForm),
    /// `<<`
    Merge(Span),
    /// The entry is left out.
    Dropped,
}

#[derive(Debug)]
struct Frame {
    node: u32,
    /// Where this map's entries begin in `Assembly::entries`.
    entries: usize,
    children: u32,
    pending: Option<Pending>,
    /// The last value taken.
    value: u32,
    /// Stands where a key should: the value is still to come.
    is_key: bool,
}

/// An entry of an open map, in the order in which they apply: the last of two with the same key wins.
#[derive(Clone, Copy, Debug)]
struct Entry {
    node: u32,
    /// Differs only where the keys differ.
    mark: u32,
    merged: bool,
}

/// Builds one tree. Offsets are those of `source`.
#[derive(Debug)]
pub(crate) struct Assembly<'s> {
    source: &'s str,
    limits: &'s Limits,
    tree: Tree,
    frames: Vec<Frame>,
    entries: Vec<Entry>,
    /// Nodes that anchors name.
    anchors: Vec<u32>,
    alias_nodes: usize,
    /// End of the last token taken.
    last_end: u32,
    problems: Vec<Problem>,
}

impl<'s> Assembly<'s> {
    pub(crate) fn new(source: &'s str, limits: &'s Limits, start: u32) -> Self {
        Self {
            source,
            limits,
            tree: Tree::default(),
            frames: Vec::new(),
            entries: Vec::new(),
            anchors: Vec::new(),
            alias_nodes: 0,
            last_end: start,
            problems: Vec::new(),
        }
    }

    /// The tree, and the problems that do not prevent one.
    pub(crate) fn finish(mut self) -> (Tree, Vec<Problem>) {
        if self.tree.nodes.is_empty() {
            self.tree.nodes.push(blank(Shape::Null, Span::at(self.last_end), Style::Plain));
        }
        self.tree.nodes.shrink_to_fit();
        (self.tree, self.problems)
    }

    pub(crate) fn report(&mut self, problem: Problem) {
        match self.problems.len().cmp(&self.limits.problems) {
            Ordering::Less => self.problems.push(problem),
            Ordering::Equal => self.problems.push(Problem::limit(Limit::Problems(self.limits.problems), problem.span)),
            Ordering::Greater => {}
        }
    }

    /// Whether the next scalar or collection is a key.
    pub(crate) fn expects_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.pending.is_none() && self.is_map(frame.node))
    }

    /// Whether the next scalar or collection is the value of a map's key.
    pub(crate) fn expects_value_of_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.pending.is_some())
    }

    fn is_map(&self, node: u32) -> bool {
        self.tree.get(node).is_some_and(|raw| raw.shape == Shape::Map)
    }

    fn set_pending(&mut self, pending: Pending, end: u32) {
        self.last_end = end;
        if let Some(frame) = self.frames.last_mut() {
            frame.pending = Some(pending);
        }
    }

    /// A key whose text is that of `span`, or, if quoted, the one between its quotes.
    pub(crate) fn key(&mut self, span: Span, quoted: bool) {
        let form = if quoted { KeyForm::Quoted } else { KeyForm::Verbatim };
        self.set_pending(Pending::Key(span, form), span.end);
    }

    /// A key that reads otherwise than it is written.
    pub(crate) fn owned_key(&mut self, text: &str, span: Span) {
        let text = self.own(text);
        let index = number(self.tree.owned_keys.len());
        self.tree.owned_keys.push(OwnedKey { text, span });
        self.set_pending(Pending::Key(Span::at(index), KeyForm::Owned), span.end);
    }

    pub(crate) fn merge_key(&mut self, span: Span) {
        self.set_pending(Pending::Merge(span), span.end);
    }

    /// A key that cannot be one: its value is left out.
    pub(crate) fn dropped_key(&mut self, span: Span) {
        self.set_pending(Pending::Dropped, span.end);
    }

    /// The text of the node that an anchor names, where that is a scalar.
    pub(crate) fn anchored(&self, anchor: usize) -> Option<&Raw> {
        self.tree.get(*self.anchors.get(anchor)?)
    }

    /// End of the last token taken.
    pub(crate) fn last_end(&self) -> u32 {
        self.last_end
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Lets `anchor` name the node that comes next. Anchors are numbered from 0 as they come.
    pub(crate) fn anchor(&mut self, anchor: usize) {
        let next = number(self.tree.nodes.len());
        if self.anchors.len() <= anchor {
            self.anchors.resize(anchor + 1, u32::MAX);
        }
        if let Some(slot) = self.anchors.get_mut(anchor) {
            *slot = next;
        }
    }

    pub(crate) fn scalar(&mut self, value: Value<'_>, span: Span, style: Style) -> Result<(), Problem> {
        let raw = self.leaf(value, span, style);
        self.last_end = span.end;
        self.push(raw)?;
        self.settle()
    }

    /// Keeps a scalar that stands nowhere in the tree, for aliases to use: an anchored key.
    pub(crate) fn aside(&mut self, value: Value<'_>, span: Span, style: Style) -> Result<(), Problem> {
        self.room(1, span)?;
        let raw = self.leaf(value, span, style);
        self.tree.nodes.push(Raw { dead: true, ..raw });
        Ok(())
    }

    fn leaf(&mut self, value: Value<'_>, span: Span, style: Style) -> Raw {
        let mut raw = blank(Shape::Null, span, style);
        match value {
            Value::Null => {}
            Value::Bool(value) => raw.shape = if value { Shape::True } else { Shape::False },
            Value::Int(value) => {
                raw.shape = Shape::Int;
                raw.set_bits(value.cast_unsigned());
            }
            Value::Uint(value) => {
                raw.shape = Shape::Uint;
                raw.set_bits(value);
            }
            Value::Float(value) => {
                raw.shape = Shape::Float;
                raw.set_bits(value.to_bits());
            }
            Value::Source(start, length) => (raw.shape, raw.a, raw.b) = (Shape::Str, start, length),
            Value::Owned(text) => {
                let text = self.own(text);
                (raw.shape, raw.a, raw.b) = (Shape::OwnedStr, text.start, text.len());
            }
        }
        raw
    }

    /// Opens a list or map; `start` is where it begins.
    pub(crate) fn open(&mut self, map: bool, start: u32, style: Style) -> Result<(), Problem> {
        if self.frames.len() >= self.limits.depth {
            return Err(Problem::limit(Limit::Depth(self.limits.depth), Span::at(start)));
        }
        let shape = if map { Shape::Map } else { Shape::Seq };
        if style == Style::Flow {
            self.last_end = start + 1;
        }
        let raw = blank(shape, Span::at(start), style);
        let node = number(self.tree.nodes.len());
        let is_key = self.expects_key();
        if is_key {
            self.unusable_key(raw)?;
        } else {
            self.push(raw)?;
        }
        self.frames.push(Frame { node, entries: self.entries.len(), children: 0, pending: None, value: node, is_key });
        Ok(())
    }

    /// A collection as a key: it and its value stay out of the map, unless it is a template's braces.
    fn unusable_key(&mut self, mut raw: Raw) -> Result<(), Problem> {
        if let Some(marker) = template::around_key(self.source, raw.span) {
            return Err(template::leftover(marker));
        }
        self.report(Problem::new(ProblemKind::Key, raw.span, "a list or map cannot be a key"));
        self.set_pending(Pending::Dropped, self.last_end);
        raw.dead = true;
        self.room(1, raw.span)?;
        self.tree.nodes.push(raw);
        Ok(())
    }

    /// Closes the innermost collection; `end` is where its bracket ends, if it has one.
    pub(crate) fn close(&mut self, end: Option<u32>) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        self.last_end = end.unwrap_or(self.last_end);
        let children = if self.is_map(frame.node) { self.settle_entries(frame.entries) } else { frame.children };
        self.entries.truncate(frame.entries);
        let size = number(self.tree.nodes.len()) - frame.node;
        if let Some(raw) = self.tree.nodes.get_mut(frame.node as usize) {
            raw.span.end = self.last_end.max(raw.span.start);
            (raw.a, raw.b) = (size, children);
        }
        if frame.is_key { Ok(()) } else { self.settle() }
    }

    /// Uses an anchored node again.
    pub(crate) fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let target = self.anchors.get(anchor).copied().unwrap_or(u32::MAX);
        let Some(raw) = self.tree.get(target).copied() else {
            return Err(Problem::new(ProblemKind::Alias, span, "alias names no anchor before it"));
        };
        if raw.is_collection() && raw.a == 0 {
            return Err(Problem::new(ProblemKind::Alias, span, "alias stands inside its own anchor"));
        }
        let (first, size) = (target as usize, raw.size() as usize);
        self.alias_nodes += size;
        if self.alias_nodes > self.limits.alias_nodes {
            return Err(Problem::limit(Limit::AliasNodes(self.limits.alias_nodes), span));
        }
        self.room(size, span)?;
        if self.frames.len() + self.tree.height(target) > self.limits.depth {
            return Err(Problem::limit(Limit::Depth(self.limits.depth), span));
        }
        self.last_end = span.end;
        if let Some(key) = self.take_merge() {
            if raw.shape == Shape::Map {
                return self.merge(target, span);
            }
            self.report(unmergeable(key));
            self.set_pending(Pending::Dropped, span.end);
        }
        let (key, key_form) = (Span::default(), KeyForm::None);
        self.push(Raw { span, style: Style::Alias, key, key_form, dead: false, ..raw })?;
        self.tree.nodes.extend_from_within(first + 1..first + size);
        self.settle()
    }

    /// The place of `<<` whose value the innermost map waits for; it waits no longer.
    fn take_merge(&mut self) -> Option<Span> {
        let frame = self.frames.last_mut()?;
        let Some(Pending::Merge(span)) = frame.pending else { return None };
        frame.pending = None;
        Some(span)
    }

    /// Copies a node of another tree, with places in the file. With `same_text` its texts stand in the source here, too.
    pub(crate) fn copy(&mut self, node: Node<'_>, same_text: bool) -> Result<(), Problem> {
        let (document, first) = (node.document, node.id);
        let size = node.raw.size();
        let place = document.place_of(node.raw.span);
        self.room(size as usize, place)?;
        if self.frames.len() + document.tree.height(first) > self.limits.depth {
            return Err(Problem::limit(Limit::Depth(self.limits.depth), place));
        }
        for id in first..first + size {
            let Some(raw) = document.tree.get(id) else { break };
            let mut copy = Raw { span: document.place_of(raw.span), ..*raw };
            if !(same_text && raw.shape == Shape::Str)
                && let Some(text) = document.tree.text(raw, document.text.text())
            {
                let text = self.own(text);
                (copy.shape, copy.a, copy.b) = (Shape::OwnedStr, text.start, text.len());
            }
            if id == first {
                (copy.key, copy.key_form, copy.dead) = (Span::default(), KeyForm::None, false);
                self.push(copy)?;
                continue;
            }
            let keeps_key = matches!(raw.key_form, KeyForm::None) || same_text && raw.key_form != KeyForm::Owned;
            if !keeps_key
                && let Some(key) = document.tree.key_text(raw, document.text.text())
                && let Some(span) = document.tree.key_span(raw)
            {
                let text = self.own(key);
                copy.key = Span::at(number(self.tree.owned_keys.len()));
                copy.key_form = KeyForm::Owned;
                self.tree.owned_keys.push(OwnedKey { text, span: document.place_of(span) });
            }
            self.tree.nodes.push(copy);
        }
        self.settle()
    }

    /// Whether so many nodes still fit, and the texts of those that are there.
    fn room(&self, more: usize, span: Span) -> Result<(), Problem> {
        if self.tree.nodes.len() + more > self.limits.nodes {
            return Err(Problem::limit(Limit::Nodes(self.limits.nodes), span));
        }
        if self.tree.owned.len() > self.limits.document_bytes {
            return Err(Problem::limit(Limit::DocumentBytes(self.limits.document_bytes), span));
        }
        Ok(())
    }

    /// Adds a node as the next value of the innermost collection.
    fn push(&mut self, mut raw: Raw) -> Result<(), Problem> {
        self.room(1, raw.span)?;
        let node = number(self.tree.nodes.len());
        if let Some(frame) = self.frames.last_mut() {
            frame.value = node;
            match frame.pending {
                None => frame.children += 1,
                Some(Pending::Key(key, form)) => (raw.key, raw.key_form) = (key, form),
                Some(Pending::Merge(_)) => {}
                Some(Pending::Dropped) => raw.dead = true,
            }
        }
        self.tree.nodes.push(raw);
        let Some(Frame { pending: Some(Pending::Key(..)), .. }) = self.frames.last() else { return Ok(()) };
        let mark = self.mark(&raw);
        self.entries.push(Entry { node, mark, merged: false });
        Ok(())
    }

    /// After a value is complete: its key is used up, and a merge spreads it.
    fn settle(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let value = frame.value;
        match frame.pending.take() {
            Some(Pending::Merge(span)) => self.spread(value, span),
            _ => Ok(()),
        }
    }

    /// Merges the value of `<<`, which is complete, into the innermost map. Of several maps the first wins, so they
    /// are taken from last to first, as Kubernetes' decoder does.
    fn spread(&mut self, value: u32, key: Span) -> Result<(), Problem> {
        if let Some(raw) = self.tree.nodes.get_mut(value as usize) {
            raw.dead = true;
        }
        if self.is_map(value) {
            return self.merge(value, key);
        }
        let mut maps = Vec::new();
        let end = value + self.tree.get(value).map_or(1, Raw::size);
        let mut next = self.tree.first_child(value);
        while let Some(map) = next {
            maps.push(map);
            next = self.tree.next_sibling(map, end);
        }
        let is_list = self.tree.get(value).is_some_and(|raw| raw.shape == Shape::Seq);
        if !is_list || !maps.iter().all(|map| self.is_map(*map)) {
            self.report(unmergeable(key));
            return Ok(());
        }
        maps.into_iter().rev().try_for_each(|map| self.merge(map, key))
    }

    /// Copies a map's entries to the end of the innermost map, which is the end of the arena.
    fn merge(&mut self, map: u32, span: Span) -> Result<(), Problem> {
        let size = self.tree.get(map).map_or(1, Raw::size);
        self.alias_nodes += size as usize;
        if self.alias_nodes > self.limits.alias_nodes {
            return Err(Problem::limit(Limit::AliasNodes(self.limits.alias_nodes), span));
        }
        self.room(size as usize, span)?;
        let mut next = self.tree.first_child(map);
        let copies = number(self.tree.nodes.len());
        while let Some(child) = next {
            let Some(raw) = self.tree.get(child) else { break };
            let mark = self.mark(raw);
            self.entries.push(Entry { node: copies + (child - map - 1), mark, merged: true });
            next = self.tree.next_sibling(child, map + size);
        }
        self.tree.nodes.extend_from_within(map as usize + 1..(map + size) as usize);
        Ok(())
    }

    /// Tells most different keys apart without reading them whole.
    fn mark(&self, raw: &Raw) -> u32 {
        let key = self.tree.key_text(raw, self.source).unwrap_or_default().as_bytes();
        let byte = |at: usize| u32::from(key.get(at).copied().unwrap_or_default());
        let length = key.len();
        byte(0) << 24 | byte(length / 2) << 16 | byte(length.wrapping_sub(1)) << 8 | (number(length) & 0xff)
    }

    /// Finds keys that stand twice in a map that is complete, and returns how many entries are left.
    fn settle_entries(&mut self, from: usize) -> u32 {
        let entries = self.entries.get(from..).unwrap_or_default();
        let pairs = if entries.len() <= FEW_ENTRIES { self.few_duplicates(entries) } else { self.many_duplicates(entries) };
        let left = number(entries.len() - pairs.len());
        for (earlier, later) in pairs {
            if !earlier.merged && !later.merged {
                self.report_duplicate(earlier.node, later.node);
            }
            if let Some(raw) = self.tree.nodes.get_mut(earlier.node as usize) {
                raw.dead = true;
            }
        }
        left
    }

    /// Entries that a later one replaces, each with the next one of the same key.
    fn few_duplicates(&self, entries: &[Entry]) -> Vec<(Entry, Entry)> {
        let mut pairs = Vec::new();
        for (index, earlier) in entries.iter().enumerate() {
            let later = entries
                .iter()
                .skip(index + 1)
                .find(|later| later.mark == earlier.mark && self.key_of(later.node) == self.key_of(earlier.node));
            pairs.extend(later.map(|later| (*earlier, *later)));
        }
        pairs
    }

    fn many_duplicates(&self, entries: &[Entry]) -> Vec<(Entry, Entry)> {
        let mut sorted: Vec<(&str, usize, Entry)> =
            entries.iter().enumerate().map(|(index, entry)| (self.key_of(entry.node), index, *entry)).collect();
        sorted.sort_unstable_by_key(|(key, index, _)| (*key, *index));
        let neighbours = sorted.iter().zip(sorted.iter().skip(1));
        neighbours.filter(|(one, two)| one.0 == two.0).map(|(one, two)| (one.2, two.2)).collect()
    }

    fn key_of(&self, node: u32) -> &str {
        self.tree.get(node).and_then(|raw| self.tree.key_text(raw, self.source)).unwrap_or_default()
    }

    fn report_duplicate(&mut self, earlier: u32, later: u32) {
        let span = |node| self.tree.get(node).and_then(|raw| self.tree.key_span(raw)).unwrap_or_default();
        let message = format!("key `{}` stands twice; the last one wins", self.key_of(later));
        let problem = Problem::new(ProblemKind::DuplicateKey, span(later), message);
        let problem = problem.with_related(span(earlier), "it stands here first");
        self.report(problem);
    }

    /// Keeps a text that does not stand in the source.
    fn own(&mut self, text: &str) -> Span {
        let start = number(self.tree.owned.len());
        self.tree.owned.push_str(text);
        Span::new(start, number(self.tree.owned.len()))
    }
}

fn unmergeable(key: Span) -> Problem {
    Problem::new(ProblemKind::Merge, key, "`<<` needs a map or a list of maps")
}

const fn blank(shape: Shape, span: Span, style: Style) -> Raw {
    Raw { shape, span, style, ..Raw::NULL }
}
