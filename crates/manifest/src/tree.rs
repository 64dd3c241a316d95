//! The arena behind a document: nodes in reading order, each collection directly before what it holds.
//!
//! A subtree is one contiguous run of nodes and holds no absolute index, so an alias is a copy of that run. What a
//! later key or a merge replaces stays in the arena, marked dead: removing it would move the targets of aliases.

use std::sync::OnceLock;

use crate::source::Span;

/// What a node is. `Raw::a` and `Raw::b` mean something else for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Shape {
    Null,
    False,
    True,
    /// Low and high half of an `i64`.
    Int,
    /// Low and high half of a `u64` above `i64::MAX`.
    Uint,
    /// Low and high half of an `f64`'s bits.
    Float,
    /// Start and length of the text in the source.
    Str,
    /// Start and length of the text in [`Tree::owned`].
    OwnedStr,
    /// Nodes of the subtree, itself included (0 while it is open), and children alive.
    Seq,
    /// As for `Seq`.
    Map,
}

/// How the key of a node is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum KeyForm {
    /// Not an entry of a map.
    None,
    /// The text is the span's.
    Verbatim,
    /// The text is the span's without its two quotes.
    Quoted,
    /// `Raw::key.start` is an index into [`Tree::owned_keys`].
    Owned,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
    /// A collection in braces or brackets, and everything in JSON.
    Flow,
    /// A collection by indentation.
    Block,
    /// The value is used here and written elsewhere.
    Alias,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    /// Where the value is written; empty for a null without text.
    pub(crate) span: Span,
    /// Where the key is written, unless `key_form` says otherwise.
    pub(crate) key: Span,
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) shape: Shape,
    pub(crate) key_form: KeyForm,
    pub(crate) style: Style,
    /// Replaced or left out. For a collection: its whole subtree, except that the dead head of a merged map stands
    /// alone (`a` is 1).
    pub(crate) dead: bool,
}

impl Raw {
    /// A null at the start of the source.
    pub(crate) const NULL: Self = Self {
        span: Span::new(0, 0),
        key: Span::new(0, 0),
        a: 0,
        b: 0,
        shape: Shape::Null,
        key_form: KeyForm::None,
        style: Style::Plain,
        dead: false,
    };

    pub(crate) const fn is_collection(&self) -> bool {
        matches!(self.shape, Shape::Seq | Shape::Map)
    }

    /// How many nodes the subtree has.
    pub(crate) const fn size(&self) -> u32 {
        if self.is_collection() && self.a > 0 { self.a } else { 1 }
    }

    pub(crate) fn set_bits(&mut self, bits: u64) {
        self.a = (bits & u64::from(u32::MAX)) as u32;
        self.b = (bits >> 32) as u32;
    }

    pub(crate) const fn bits(&self) -> u64 {
        (self.b as u64) << 32 | self.a as u64
    }
}

/// A key whose text is not written as such.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnedKey {
    /// In [`Tree::owned`].
    pub(crate) text: Span,
    /// In the source.
    pub(crate) span: Span,
}

/// Nodes in reading order; the first is the root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Raw>,
    /// Texts that do not stand in the source as they are.
    pub(crate) owned: String,
    pub(crate) owned_keys: Vec<OwnedKey>,
    /// Nodes whose text makes more than them: what aliases and merge keys use, in any order.
    pub(crate) reused: Vec<u32>,
    /// The same in rising order, without those that stand in another. Only edits ask for it, and modules never edit.
    shared: OnceLock<Vec<u32>>,
}

impl Tree {
    pub(crate) fn get(&self, id: u32) -> Option<&Raw> {
        self.nodes.get(id as usize)
    }

    /// The key's text, where the node has one.
    pub(crate) fn key_text<'t>(&'t self, raw: &Raw, source: &'t str) -> Option<&'t str> {
        match raw.key_form {
            KeyForm::None => None,
            KeyForm::Verbatim => source.get(raw.key.range()),
            KeyForm::Quoted => source.get(raw.key.start as usize + 1..raw.key.end as usize - 1),
            KeyForm::Owned => {
                let key = self.owned_keys.get(raw.key.start as usize)?;
                self.owned.get(key.text.range())
            }
        }
    }

    /// Where the key is written, where the node has one.
    pub(crate) fn key_span(&self, raw: &Raw) -> Option<Span> {
        match raw.key_form {
            KeyForm::None => None,
            KeyForm::Verbatim | KeyForm::Quoted => Some(raw.key),
            KeyForm::Owned => self.owned_keys.get(raw.key.start as usize).map(|key| key.span),
        }
    }

    /// The text of a string node.
    pub(crate) fn text<'t>(&'t self, raw: &Raw, source: &'t str) -> Option<&'t str> {
        let range = raw.a as usize..raw.a as usize + raw.b as usize;
        match raw.shape {
            Shape::Str => source.get(range),
            Shape::OwnedStr => self.owned.get(range),
            _ => None,
        }
    }

    /// First child that is alive, of a collection.
    pub(crate) fn first_child(&self, id: u32) -> Option<u32> {
        let raw = self.get(id)?;
        if !raw.is_collection() {
            return None;
        }
        self.skip_dead(id + 1, id + raw.size())
    }

    /// The next node alive after `id` and its subtree, before `end`.
    pub(crate) fn next_sibling(&self, id: u32, end: u32) -> Option<u32> {
        self.skip_dead(id + self.get(id)?.size(), end)
    }

    /// How many collections stand in one another in a closed subtree.
    pub(crate) fn height(&self, id: u32) -> usize {
        let mut ends: Vec<u32> = Vec::new();
        let mut height = 0;
        let end = id + self.get(id).map_or(1, Raw::size);
        for at in id..end {
            while ends.last().is_some_and(|end| *end <= at) {
                ends.pop();
            }
            if let Some(raw) = self.get(at).filter(|raw| raw.is_collection()) {
                ends.push(at + raw.size());
                height = height.max(ends.len());
            }
        }
        height
    }

    /// Whether the node is used elsewhere, or stands in one that is.
    pub(crate) fn is_shared(&self, id: u32) -> bool {
        let shared = self.shared();
        let before = shared.partition_point(|shared| *shared <= id).checked_sub(1).and_then(|at| shared.get(at));
        before.is_some_and(|shared| id < shared + self.get(*shared).map_or(1, Raw::size))
    }

    /// Whether the node, or something in it, is used elsewhere, or it stands in one that is.
    pub(crate) fn has_shared(&self, id: u32) -> bool {
        let end = id + self.get(id).map_or(1, Raw::size);
        let shared = self.shared();
        let next = shared.get(shared.partition_point(|shared| *shared < id));
        next.is_some_and(|shared| *shared < end) || self.is_shared(id)
    }

    fn shared(&self) -> &[u32] {
        self.shared.get_or_init(|| {
            let mut shared = self.reused.clone();
            shared.sort_unstable();
            let mut end = 0;
            shared.retain(|id| {
                let outermost = *id >= end;
                end = if outermost { id + self.get(*id).map_or(1, Raw::size) } else { end };
                outermost
            });
            shared
        })
    }

    fn skip_dead(&self, mut id: u32, end: u32) -> Option<u32> {
        while id < end {
            let raw = self.get(id)?;
            if !raw.dead {
                return Some(id);
            }
            id += raw.size();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_stays_small() {
        assert_eq!(std::mem::size_of::<Raw>(), 28);
    }
}
