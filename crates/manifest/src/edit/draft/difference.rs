//! A list or map that is replaced by another: only what differs changes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Change, Draft, Refusal, Slot,
    children::{dead_keys, own_children},
};
use crate::document::{Kind, Node};

impl<'d> Draft<'d> {
    pub(super) fn replace_entries(&mut self, node: Node<'d>, entries: &Map<String, Value>) -> Result<(), Refusal> {
        let mut known = BTreeSet::new();
        let (own, dead) = (own_children(node), dead_keys(node));
        for child in node.items() {
            let key = child.key().unwrap_or_default();
            known.insert(key);
            let own = own.as_ref().is_none_or(|own| own.contains(&child.id));
            match entries.get(key) {
                Some(value) => self.replace_child(node.id, child.id, own, value)?,
                None => self.remove_entry(node.id, child.id, own, &dead)?,
            }
        }
        for (key, value) in entries.iter().filter(|(key, _)| !known.contains(key.as_str())) {
            self.add(node.id, key, value)?;
        }
        Ok(())
    }

    /// What is equal at both ends stays. Between, items that only came or only went are found; others are replaced one by one.
    pub(super) fn replace_items(&mut self, node: Node<'d>, items: &[Value]) -> Result<(), Refusal> {
        let old: Vec<Node<'d>> = node.items().collect();
        let same = |(old, new): &(&Node<'d>, &Value)| is_same(**old, new);
        let head = old.iter().zip(items).take_while(same).count();
        let rest = old.len().min(items.len()) - head;
        let tail = old.iter().rev().zip(items.iter().rev()).take(rest).take_while(same).count();
        let old_middle = old.get(head..old.len() - tail).unwrap_or_default();
        let new_middle = items.get(head..items.len() - tail).unwrap_or_default();
        let mut slots: Vec<Slot> = old.get(..head).unwrap_or_default().iter().map(|item| Slot::Old(item.id)).collect();
        if new_middle.len() < old_middle.len() && is_part(new_middle.iter(), old_middle.iter(), |new, old| is_same(**old, new)) {
            let mut wanted = new_middle.iter().peekable();
            slots.extend(old_middle.iter().filter(|old| wanted.next_if(|new| is_same(**old, new)).is_some()).map(|old| Slot::Old(old.id)));
        } else if new_middle.len() > old_middle.len() && is_part(old_middle.iter(), new_middle.iter(), |old, new| is_same(**old, new)) {
            let mut there = old_middle.iter().peekable();
            slots.extend(new_middle.iter().map(|new| match there.next_if(|old| is_same(**old, new)) {
                Some(old) => Slot::Old(old.id),
                None => Slot::New(new.clone()),
            }));
        } else {
            for (old, new) in old_middle.iter().zip(new_middle) {
                self.replace_child(node.id, old.id, true, new)?;
                slots.push(Slot::Old(old.id));
            }
            slots.extend(new_middle.iter().skip(old_middle.len()).map(|new| Slot::New(new.clone())));
        }
        slots.extend(old.iter().skip(old.len() - tail).map(|item| Slot::Old(item.id)));
        let unchanged = slots.len() == old.len() && slots.iter().all(|slot| matches!(slot, Slot::Old(_)));
        let stays: BTreeSet<u32> = slots.iter().filter_map(|slot| if let Slot::Old(id) = slot { Some(*id) } else { None }).collect();
        for gone in old.iter().filter(|item| !stays.contains(&item.id)) {
            self.forget(gone.id)?;
        }
        if !unchanged && let Change::Seq(change) = self.change(node.id)? {
            *change = slots;
        }
        Ok(())
    }
}

/// Whether one sequence is the other with items left out.
fn is_part<'x, S: 'x, L: 'x>(
    short: impl Iterator<Item = &'x S>,
    long: impl Iterator<Item = &'x L>,
    same: impl Fn(&&'x S, &&'x L) -> bool,
) -> bool {
    let mut short = short.peekable();
    for item in long {
        short.next_if(|wanted| same(wanted, &item));
    }
    short.peek().is_none()
}

/// Whether a node has a value, numbers compared as JSON writes them.
pub(in crate::edit) fn is_same(node: Node<'_>, value: &Value) -> bool {
    match (node.kind(), value) {
        (Kind::Null, Value::Null) => true,
        (Kind::Bool(one), Value::Bool(other)) => one == *other,
        (Kind::Int(one), Value::Number(other)) => other.as_i64() == Some(one),
        (Kind::Uint(one), Value::Number(other)) => other.as_u64() == Some(one),
        (Kind::Float(one), Value::Number(other)) => other.is_f64() && other.as_f64() == Some(one),
        (Kind::Str(one), Value::String(other)) => one == other,
        (Kind::Seq, Value::Array(items)) => node.len() == items.len() && node.items().zip(items).all(|(one, other)| is_same(one, other)),
        (Kind::Map, Value::Object(entries)) => {
            node.len() == entries.len()
                && node.entries().all(|entry| entries.get(entry.key).is_some_and(|value| is_same(entry.value, value)))
        }
        _ => false,
    }
}
