//! A JSON Patch played on a tree: what it changes is kept beside the tree, by node.

mod children;
pub(super) mod difference;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::{
    children::{dead_keys, is_own},
    difference::is_same,
};
use super::{Refusal, Step};
use crate::{
    document::{Document, Kind, Node},
    pointer::{index, unescape},
    tree::Style,
};

/// What became of a node.
#[derive(Debug)]
pub(super) enum Change {
    /// Another value stands there.
    Value(Value),
    /// Some of its entries are others.
    Map(MapChange),
    /// Its items are these.
    Seq(Vec<Slot>),
}

#[derive(Debug, Default)]
pub(super) struct MapChange {
    /// Entries that are gone.
    pub(super) removed: BTreeSet<u32>,
    /// Entries that came, in their order.
    pub(super) added: Vec<(String, Value)>,
}

#[derive(Debug)]
pub(super) enum Slot {
    Old(u32),
    New(Value),
}

pub(super) struct Draft<'d> {
    document: &'d Document,
    root: u32,
    pub(super) changes: BTreeMap<u32, Change>,
    /// Of every node that the steps went through.
    pub(super) parents: BTreeMap<u32, u32>,
}

/// What a path leads to.
enum Spot<'t> {
    /// A node of the tree.
    Old(u32),
    /// A value that came with the patch, by its owner, and the way inside.
    New { owner: u32, at: At, inside: &'t [String] },
}

/// Which of the values that came with the patch.
#[derive(Clone, Copy)]
enum At {
    Value,
    Entry(usize),
    Item(usize),
}

enum Child {
    Old { id: u32, own: bool },
    New(At),
}

impl<'d> Draft<'d> {
    pub(super) fn new(root: Node<'d>) -> Self {
        Self { document: root.document, root: root.id, changes: BTreeMap::new(), parents: BTreeMap::new() }
    }

    fn node(&self, id: u32) -> Node<'d> {
        self.document.node(crate::NodeId(id)).unwrap_or_else(|| self.document.root())
    }

    pub(super) fn apply(&mut self, step: Step<'_>) -> Result<(), Refusal> {
        let (Step::Add { path, .. } | Step::Replace { path, .. } | Step::Remove { path }) = step;
        let nowhere = || Refusal::Path(path.to_owned());
        let tokens = tokens(path).ok_or_else(nowhere)?;
        let Some((last, way)) = tokens.split_last() else {
            let (Step::Add { value, .. } | Step::Replace { value, .. }) = step else { return Err(nowhere()) };
            return self.replace(self.root, value);
        };
        match self.follow(way)?.ok_or_else(nowhere)? {
            Spot::New { owner, at, inside } => {
                let value = self.new_value(owner, at).ok_or_else(nowhere)?;
                let parent = inside.iter().try_fold(value, value_at).ok_or_else(nowhere)?;
                change_value(parent, last, step).ok_or_else(nowhere)
            }
            Spot::Old(parent) => {
                let node = self.node(parent);
                match (self.child(parent, last)?, step) {
                    (None, Step::Add { value, .. }) if node.is_map() => self.add(parent, last, value),
                    (_, Step::Add { value, .. }) if node.is_seq() => self.insert(parent, last, value)?.ok_or_else(nowhere),
                    (None, _) => Err(nowhere()),
                    (Some(Child::Old { id, own }), Step::Remove { .. }) if node.is_map() => {
                        self.remove_entry(parent, id, own, &dead_keys(node))
                    }
                    (Some(Child::Old { id, own }), Step::Add { value, .. } | Step::Replace { value, .. }) => {
                        self.replace_child(parent, id, own, value)
                    }
                    (Some(Child::New(at)), Step::Add { value, .. } | Step::Replace { value, .. }) => {
                        if let Some(place) = self.new_value(parent, at) {
                            *place = value.clone();
                        }
                        Ok(())
                    }
                    (Some(_), Step::Remove { .. }) => self.remove(parent, last)?.ok_or_else(nowhere),
                }
            }
        }
    }

    /// Follows a path; `None` if it leads nowhere.
    fn follow<'t>(&mut self, way: &'t [String]) -> Result<Option<Spot<'t>>, Refusal> {
        let mut id = self.root;
        for (index, token) in way.iter().enumerate() {
            let new = |at, from| Ok(Some(Spot::New { owner: id, at, inside: way.get(from..).unwrap_or_default() }));
            if let Some(Change::Value(_)) = self.changes.get(&id) {
                return new(At::Value, index);
            }
            match self.child(id, token)? {
                Some(Child::New(at)) => return new(at, index + 1),
                Some(Child::Old { own: false, .. }) => return Err(Refusal::Reused),
                Some(Child::Old { id: child, .. }) => id = child,
                None => return Ok(None),
            }
        }
        let replaced = matches!(self.changes.get(&id), Some(Change::Value(_)));
        Ok(Some(if replaced { Spot::New { owner: id, at: At::Value, inside: &[] } } else { Spot::Old(id) }))
    }

    /// What a token leads to in a node whose place is still its own.
    fn child(&mut self, id: u32, token: &str) -> Result<Option<Child>, Refusal> {
        let node = self.node(id);
        if node.raw.is_collection() && node.raw.style == Style::Alias && !node.is_built() {
            return Err(Refusal::Reused);
        }
        let old = if node.is_map() {
            let change = match self.changes.get(&id) {
                Some(Change::Map(change)) => Some(change),
                _ => None,
            };
            if let Some(at) = change.and_then(|change| change.added.iter().position(|(key, _)| key == token)) {
                return Ok(Some(Child::New(At::Entry(at))));
            }
            node.get(token).filter(|child| change.is_none_or(|change| !change.removed.contains(&child.id))).map(|child| child.id)
        } else {
            let Some(at) = index(token) else { return Ok(None) };
            match self.changes.get(&id) {
                Some(Change::Seq(slots)) => match slots.get(at) {
                    Some(Slot::New(_)) => return Ok(Some(Child::New(At::Item(at)))),
                    Some(Slot::Old(child)) => Some(*child),
                    None => None,
                },
                _ => node.index(at).map(|child| child.id),
            }
        };
        let Some(child) = old else { return Ok(None) };
        self.parents.insert(child, id);
        Ok(Some(Child::Old { id: child, own: self.document.tree.reused.is_empty() || is_own(node, child) }))
    }

    fn new_value(&mut self, owner: u32, at: At) -> Option<&mut Value> {
        match (self.changes.get_mut(&owner)?, at) {
            (Change::Value(value), At::Value) => Some(value),
            (Change::Map(change), At::Entry(at)) => change.added.get_mut(at).map(|(_, value)| value),
            (Change::Seq(slots), At::Item(at)) => match slots.get_mut(at)? {
                Slot::New(value) => Some(value),
                Slot::Old(_) => None,
            },
            _ => None,
        }
    }

    /// The changes of a map or list that is going to change itself.
    fn change(&mut self, id: u32) -> Result<&mut Change, Refusal> {
        let node = self.node(id);
        if node.is_built() {
            return Err(Refusal::Built);
        }
        if node.raw.style == Style::Alias {
            return Err(Refusal::Reused);
        }
        Ok(self.changes.entry(id).or_insert_with(|| match node.kind() {
            Kind::Seq => Change::Seq(node.items().map(|item| Slot::Old(item.id)).collect()),
            _ => Change::Map(MapChange::default()),
        }))
    }

    fn add(&mut self, map: u32, key: &str, value: &Value) -> Result<(), Refusal> {
        if let Change::Map(change) = self.change(map)? {
            change.added.push((key.to_owned(), value.clone()));
        }
        Ok(())
    }

    /// `None` if there is no such place.
    fn insert(&mut self, list: u32, token: &str, value: &Value) -> Result<Option<()>, Refusal> {
        let Change::Seq(slots) = self.change(list)? else { return Ok(None) };
        let at = if token == "-" { Some(slots.len()) } else { index(token) };
        Ok(at.filter(|at| *at <= slots.len()).map(|at| slots.insert(at, Slot::New(value.clone()))))
    }

    /// `dead` are the keys of the map of which one would come back.
    fn remove_entry(&mut self, map: u32, id: u32, own: bool, dead: &BTreeSet<&str>) -> Result<(), Refusal> {
        if !own {
            return Err(Refusal::Reused);
        }
        let key = self.node(id).key().unwrap_or_default();
        if dead.contains(key) {
            return Err(Refusal::Duplicate(key.to_owned()));
        }
        self.forget(id)?;
        if let Change::Map(change) = self.change(map)? {
            change.removed.insert(id);
        }
        Ok(())
    }

    /// Removes an item, or an entry that came with the patch; `None` if there is none.
    fn remove(&mut self, parent: u32, token: &str) -> Result<Option<()>, Refusal> {
        let gone = match self.change(parent)? {
            Change::Map(change) => {
                change.added.retain(|(key, _)| key != token);
                return Ok(Some(()));
            }
            Change::Seq(slots) => match index(token).filter(|at| *at < slots.len()) {
                Some(at) => slots.remove(at),
                None => return Ok(None),
            },
            Change::Value(_) => return Ok(None),
        };
        if let Slot::Old(id) = gone {
            self.forget(id)?;
        }
        Ok(Some(()))
    }

    /// A node goes, with the changes of all in it.
    fn forget(&mut self, id: u32) -> Result<(), Refusal> {
        self.drop_changes(id);
        if self.document.tree.has_shared(id) { Err(Refusal::Shared) } else { Ok(()) }
    }

    fn drop_changes(&mut self, id: u32) {
        let end = id + self.node(id).raw.size();
        let gone: Vec<u32> = self.changes.range(id..end).map(|(id, _)| *id).collect();
        for id in gone {
            self.changes.remove(&id);
        }
    }

    fn replace_child(&mut self, parent: u32, id: u32, own: bool, value: &Value) -> Result<(), Refusal> {
        if own {
            self.parents.insert(id, parent);
            return self.replace(id, value);
        }
        let child = self.node(id);
        if is_same(child, value) {
            return Ok(());
        }
        // What a merge key brings is overridden by an entry of the map itself.
        if let Change::Map(change) = self.change(parent)? {
            change.removed.insert(id);
            change.added.push((child.key().unwrap_or_default().to_owned(), value.clone()));
        }
        Ok(())
    }

    fn replace(&mut self, id: u32, value: &Value) -> Result<(), Refusal> {
        self.drop_changes(id);
        let node = self.node(id);
        if is_same(node, value) {
            return Ok(());
        }
        if node.is_built() {
            return Err(Refusal::Built);
        }
        let written_here = node.raw.style != Style::Alias;
        match (node.kind(), value) {
            (Kind::Map, Value::Object(entries)) if written_here => self.replace_entries(node, entries),
            (Kind::Seq, Value::Array(items)) if written_here => self.replace_items(node, items),
            _ => {
                self.forget(id)?;
                self.changes.insert(id, Change::Value(value.clone()));
                Ok(())
            }
        }
    }
}

/// The reference tokens of a JSON Pointer.
fn tokens(path: &str) -> Option<Vec<String>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    Some(path.strip_prefix('/')?.split('/').map(|token| unescape(token).into_owned()).collect())
}

fn value_at<'v>(value: &'v mut Value, token: &String) -> Option<&'v mut Value> {
    match value {
        Value::Object(entries) => entries.get_mut(token),
        Value::Array(items) => items.get_mut(index(token)?),
        _ => None,
    }
}

/// The step inside a value that came with the patch.
fn change_value(parent: &mut Value, last: &String, step: Step<'_>) -> Option<()> {
    match (parent, step) {
        (Value::Object(entries), Step::Add { value, .. }) => drop(entries.insert(last.clone(), value.clone())),
        (Value::Object(entries), Step::Remove { .. }) => drop(entries.remove(last)?),
        (Value::Array(items), Step::Add { value, .. }) => {
            let at = if last == "-" { items.len() } else { index(last).filter(|at| *at <= items.len())? };
            items.insert(at, value.clone());
        }
        (Value::Array(items), Step::Remove { .. }) => {
            let at = index(last).filter(|at| *at < items.len())?;
            items.remove(at);
        }
        (parent, Step::Replace { value, .. }) => *value_at(parent, last)? = value.clone(),
        _ => return None,
    }
    Some(())
}
