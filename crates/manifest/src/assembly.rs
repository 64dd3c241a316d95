//! From a stream of keys, scalars and collection bounds to a [`Tree`]: duplicate keys, merges, aliases and bounds.

mod duplicates;
mod reuse;

use std::cmp::Ordering;

use crate::{
    limits::{Limit, Limits},
    number::Floats,
    problem::{FOR_PEOPLE, Problem, ProblemKind},
    source::{Span, number},
    template,
    tree::{KeyForm, OwnedKey, Raw, Shape, Style, Tree},
};

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
        let mut tree = Tree::default();
        // Most documents fit; one after the other, they use the same memory.
        if FOR_PEOPLE {
            tree.nodes.reserve(256);
        }
        Self {
            source,
            limits,
            tree,
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
        // A copy, since an allocator may leave a block that shrinks where it is, with what it no longer needs.
        if FOR_PEOPLE {
            self.tree.nodes = self.tree.nodes.as_slice().to_vec();
        }
        (self.tree, self.problems)
    }

    pub(crate) fn report(&mut self, problem: Problem) {
        if !FOR_PEOPLE {
            return;
        }
        match self.problems.len().cmp(&self.limits.problems) {
            Ordering::Less => problem.insert_into(&mut self.problems),
            Ordering::Equal => {
                let limit = Limit::Problems(self.limits.problems);
                Problem::limit(limit, problem.span).insert_into(&mut self.problems);
            }
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

    pub(crate) fn floats(&self) -> Floats {
        self.limits.floats
    }

    /// End of the last token taken.
    pub(crate) fn last_end(&self) -> u32 {
        self.last_end
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
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

    /// Keeps a text that does not stand in the source.
    fn own(&mut self, text: &str) -> Span {
        let start = number(self.tree.owned.len());
        self.tree.owned.push_str(text);
        Span::new(start, number(self.tree.owned.len()))
    }
}

const fn blank(shape: Shape, span: Span, style: Style) -> Raw {
    Raw { shape, span, style, ..Raw::NULL }
}
