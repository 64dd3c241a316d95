//! Nodes used again: aliases, merges, and parts of other documents.

use super::{Assembly, Entry, Pending};
use crate::{
    document::Node,
    limits::Limit,
    problem::{Problem, ProblemKind},
    source::{Span, number},
    tree::{KeyForm, OwnedKey, Raw, Shape, Style},
};

impl Assembly<'_> {
    /// The text of the node that an anchor names, where that is a scalar.
    pub(crate) fn anchored(&self, anchor: usize) -> Option<&Raw> {
        self.tree.get(*self.anchors.get(anchor)?)
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
        self.tree.reused.push(target);
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
    pub(super) fn take_merge(&mut self) -> Option<Span> {
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
        if !same_text || !document.tree.reused.is_empty() {
            self.tree.reused.push(number(self.tree.nodes.len()));
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

    /// Merges the value of `<<`, which is complete, into the innermost map. Of several maps the first wins, so they
    /// are taken from last to first, as Kubernetes' decoder does.
    pub(super) fn spread(&mut self, value: u32, key: Span) -> Result<(), Problem> {
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
    pub(super) fn merge(&mut self, map: u32, span: Span) -> Result<(), Problem> {
        let size = self.tree.get(map).map_or(1, Raw::size);
        self.alias_nodes += size as usize;
        if self.alias_nodes > self.limits.alias_nodes {
            return Err(Problem::limit(Limit::AliasNodes(self.limits.alias_nodes), span));
        }
        self.room(size as usize, span)?;
        self.tree.reused.push(map);
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
}

fn unmergeable(key: Span) -> Problem {
    Problem::new(ProblemKind::Merge, key, "`<<` needs a map or a list of maps")
}
