//! The attributes of an instance, and which of them are not known or secret.

use std::collections::{HashMap, HashSet};

use fedward_manifest::{Builder, Node, Span};

use crate::lift::{NOT_KNOWN, SECRET, key_place};

/// Marks beside values: `true` for a value with all that it holds, or a map or list with marks of its parts.
#[derive(Clone, Copy, Default)]
pub(super) struct Marks<'d>(pub(super) Option<Node<'d>>);

impl<'d> Marks<'d> {
    fn is_set(self) -> bool {
        self.0.and_then(Node::as_bool) == Some(true)
    }

    fn of(self, key: &str) -> Self {
        if self.is_set() { self } else { Marks(self.0.and_then(|marks| marks.get(key))) }
    }

    /// The marks of the entries of a map, by key.
    fn entries(self) -> impl Fn(&str) -> Self + use<'d> {
        let whole = self.is_set();
        let entries: HashMap<&str, Node<'d>> = self.0.into_iter().flat_map(Node::entries).map(|entry| (entry.key, entry.value)).collect();
        move |key| if whole { self } else { Marks(entries.get(key).copied()) }
    }

    /// The marks of the items of a list, one after the other.
    fn items(self) -> impl Iterator<Item = Self> + use<'d> {
        let whole = self.is_set();
        let items = self.0.filter(|marks| marks.is_seq()).into_iter().flat_map(Node::items).map(|marks| Marks(Some(marks)));
        items.map(Some).chain(std::iter::repeat(None)).map(move |marks| if whole { self } else { marks.unwrap_or_default() })
    }
}

/// A value with what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Marked<'d> {
    /// The value, if it is written.
    pub(super) node: Option<Node<'d>>,
    unknown: Marks<'d>,
    secret: [Marks<'d>; 2],
    /// Where it would be written.
    place: Span,
}

/// The attributes of an instance.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'d> {
    pub(super) values: Node<'d>,
    pub(super) unknown: Marks<'d>,
    pub(super) secret: [Marks<'d>; 2],
}

impl<'d> Attributes<'d> {
    /// An attribute. One that is not written is not known.
    pub(super) fn get(&self, key: &str) -> Marked<'d> {
        let whole = Marked { node: Some(self.values), unknown: self.unknown, secret: self.secret, place: key_place(self.values) };
        whole.get(key)
    }

    /// An attribute that is known, and set.
    pub(super) fn known(&self, key: &str) -> Option<Node<'d>> {
        self.get(key).known()
    }

    /// Adds where the values are that are marked as secret.
    pub(super) fn secrets(&self, spans: &mut Vec<Span>) {
        let whole = Marked { node: Some(self.values), unknown: Marks::default(), secret: self.secret, place: key_place(self.values) };
        whole.secrets(spans);
    }
}

impl<'d> Marked<'d> {
    /// A value that is known.
    pub(super) fn plain(node: Node<'d>) -> Self {
        Marked { node: Some(node), unknown: Marks::default(), secret: [Marks::default(); 2], place: key_place(node) }
    }

    /// The value of a key.
    pub(super) fn get(self, key: &str) -> Self {
        Marked {
            node: self.node.and_then(|node| node.get(key)),
            unknown: self.unknown.of(key),
            secret: self.secret.map(|marks| marks.of(key)),
            place: self.node.and_then(|node| node.get(key)).map_or(self.place, key_place),
        }
    }

    /// The only item of a list, as Terraform writes a block that may stand once; `None` also where it is not known whether it does.
    pub(super) fn block(self) -> Option<Self> {
        self.known()?;
        self.items().into_iter().next()
    }

    /// The entries of a map.
    pub(super) fn entries(self) -> Vec<(&'d str, Self)> {
        let [one, other] = self.secret;
        let (unknown, one, other) = (self.unknown.entries(), one.entries(), other.entries());
        let entry = |key, node: Node<'d>| Marked {
            node: Some(node),
            unknown: unknown(key),
            secret: [one(key), other(key)],
            place: key_place(node),
        };
        self.node.into_iter().flat_map(Node::entries).map(|found| (found.key, entry(found.key, found.value))).collect()
    }

    /// The items of a list. Null stands for what is not known yet.
    pub(super) fn items(self) -> Vec<Self> {
        let [one, other] = self.secret;
        let marks = self.unknown.items().zip(one.items().zip(other.items()));
        let items = self.node.filter(|node| node.is_seq()).into_iter().flat_map(Node::items);
        items
            .zip(marks)
            .map(|(node, (unknown, (one, other)))| Marked {
                node: Some(node).filter(|node| !node.is_null()),
                unknown,
                secret: [one, other],
                place: node.span(),
            })
            .collect()
    }

    fn is_unknown(self) -> bool {
        self.node.is_none() || self.unknown.is_set()
    }

    fn is_secret(self) -> bool {
        self.secret.into_iter().any(Marks::is_set)
    }

    /// The value, if it is known and set.
    pub(super) fn known(self) -> Option<Node<'d>> {
        self.node.filter(|node| !self.is_unknown() && !self.is_secret() && !node.is_null())
    }

    /// Whether it is known that nothing is set.
    pub(super) fn is_unset(self) -> bool {
        !self.is_unknown() && !self.is_secret() && self.node.is_some_and(Node::is_null)
    }

    /// Where it is written.
    pub(super) fn place(self) -> Span {
        self.node.map_or(self.place, Node::span)
    }

    /// Where its key is written.
    pub(super) fn key_place(self) -> Span {
        self.place
    }

    /// Writes the value: what is not known or secret in it as a text that says so.
    pub(super) fn write(self, builder: &mut Builder<'_>) {
        if self.is_secret() {
            builder.string(SECRET, self.place());
            return;
        }
        let Some(node) = self.node.filter(|_| !self.is_unknown()) else {
            builder.string(NOT_KNOWN, self.place());
            return;
        };
        if node.is_map() {
            builder.map(node.span());
            let entries = self.entries();
            for (key, value) in &entries {
                builder.key(key, value.key_place());
                value.write(builder);
            }
            // Of a map the plan leaves out what is not known.
            let written: HashSet<&str> = entries.iter().map(|(key, _)| *key).collect();
            for mark in self.unknown.0.into_iter().flat_map(Node::entries).filter(|mark| mark.value.as_bool() == Some(true)) {
                if !written.contains(mark.key) {
                    builder.key(mark.key, node.span()).string(NOT_KNOWN, node.span());
                }
            }
            builder.end();
        } else if node.is_seq() {
            builder.list(node.span());
            self.items().into_iter().for_each(|item| item.write(builder));
            builder.end();
        } else {
            builder.copy(node);
        }
    }

    fn secrets(self, spans: &mut Vec<Span>) {
        let Some(node) = self.node else { return };
        if self.is_secret() {
            spans.push(node.span());
        } else if self.secret.iter().all(|marks| marks.0.is_none_or(|marks| marks.is_empty())) {
            // Nothing is marked in it.
        } else if node.is_map() {
            self.entries().into_iter().for_each(|(_, value)| value.secrets(spans));
        } else {
            self.items().into_iter().for_each(|item| item.secrets(spans));
        }
    }
}
