//! Keys that stand twice in one map.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Assembly, Entry};
use crate::{
    problem::{FOR_PEOPLE, Problem, ProblemKind},
    source::number,
    tree::Raw,
};

/// Up to this many entries, keys are compared pair by pair; beyond, they are looked up.
const FEW_ENTRIES: usize = 16;

impl Assembly<'_> {
    /// Tells most different keys apart without reading them whole.
    pub(super) fn mark(&self, raw: &Raw) -> u32 {
        let key = self.tree.key_text(raw, self.source).unwrap_or_default().as_bytes();
        let byte = |at: usize| u32::from(key.get(at).copied().unwrap_or_default());
        let length = key.len();
        byte(0) << 24 | byte(length / 2) << 16 | byte(length.wrapping_sub(1)) << 8 | (number(length) & 0xff)
    }

    /// Finds keys that stand twice in a map that is complete, and returns how many entries are left.
    pub(super) fn settle_entries(&mut self, from: usize) -> u32 {
        let entries = self.entries.get(from..).unwrap_or_default();
        let pairs = if entries.len() <= FEW_ENTRIES { self.few_duplicates(entries) } else { self.many_duplicates(entries) };
        let left = number(entries.len() - pairs.len());
        for (earlier, later) in pairs {
            if FOR_PEOPLE && !earlier.merged && !later.merged {
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
        // The parser has a map of this very type: in a module it costs nothing.
        let mut seen: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
        let earlier = |(index, later): (usize, &Entry)| {
            let earlier = seen.insert(Cow::Borrowed(self.key_of(later.node)), index)?;
            Some((*entries.get(earlier)?, *later))
        };
        entries.iter().enumerate().filter_map(earlier).collect()
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
}
