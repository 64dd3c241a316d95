//! The objects, filed by what questions ask for: bindings by namespace and subject, roles by name, cluster roles by label.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::answer::{RoleKind, Source};
use crate::builtin;
use crate::object::{Binding, Named, Object, Refusal, Role};
use crate::selector::Selector;

/// RBAC objects, ready for questions. Memory is linear in what was loaded.
#[derive(Debug, Default)]
pub struct Rbac {
    /// Bindings, in the order in which they are tried.
    pub(crate) bindings: Vec<Slot<Bound>>,
    /// Cluster roles, in the order of their names.
    pub(crate) cluster_roles: Vec<Slot<Role>>,
    pub(crate) roles: Vec<Slot<Role>>,
    /// By namespace, empty for cluster role bindings.
    subjects: HashMap<String, Subjects>,
    /// Positions in `cluster_roles` by label and value.
    labels: HashMap<String, HashMap<String, Vec<usize>>>,
    refused: Vec<(usize, Refusal)>,
}

/// An object that may have several differing copies.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) named: Named,
    /// At least one; sorted by what they say, so that the order of loading does not matter.
    pub(crate) copies: Vec<(T, Source)>,
}

/// A binding with its role looked up.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bound {
    pub(crate) binding: Binding,
    /// A position among the cluster roles or the roles, as the binding's kind of role says.
    pub(crate) role: Option<usize>,
}

/// Where a subject is named: binding, copy, subject. Ordered so that the first one is the one that Kubernetes names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) slot: usize,
    pub(crate) copy: usize,
    pub(crate) subject: usize,
}

#[derive(Debug, Default)]
struct Subjects {
    users: HashMap<String, Vec<Place>>,
    groups: HashMap<String, Vec<Place>>,
}

/// Copies by name. What has no name yet is nobody's copy; the number tells such objects apart.
type Filed<T> = BTreeMap<(Named, Option<usize>), Vec<(T, Source)>>;

impl Rbac {
    /// Reads the objects; what is none of RBAC is passed over. Positions in answers count every item, those passed over too.
    ///
    /// Namespaces must be filled in: a role or role binding without one is refused.
    pub fn new<V: Borrow<Value>>(objects: impl IntoIterator<Item = V>) -> Self {
        let mut rbac = Rbac::default();
        let mut cluster_roles = Filed::new();
        let mut roles = Filed::new();
        let mut bindings = Filed::new();
        for (number, object) in objects.into_iter().enumerate() {
            let key = |named: Named| {
                let unnamed = named.name.is_empty().then_some(number);
                (named, unnamed)
            };
            match Object::read(object.borrow()) {
                None => {}
                Some(Err(refusal)) => rbac.refused.push((number, refusal)),
                Some(Ok(Object::Role(named, role))) => {
                    let filed = if named.namespace.is_empty() { &mut cluster_roles } else { &mut roles };
                    filed.entry(key(named)).or_default().push((role, Source::Loaded(number)));
                }
                Some(Ok(Object::Binding(named, binding))) => {
                    bindings.entry(key(named)).or_default().push((binding, Source::Loaded(number)));
                }
            }
        }
        for (name, role) in builtin::roles() {
            let named = Named { namespace: String::new(), name: name.to_owned() };
            cluster_roles.entry((named, None)).or_insert_with(|| vec![(role, Source::BuiltIn)]);
        }
        for (name, binding) in builtin::bindings() {
            let named = Named { namespace: String::new(), name: name.to_owned() };
            bindings.entry((named, None)).or_insert_with(|| vec![(binding, Source::BuiltIn)]);
        }
        rbac.cluster_roles = slots(cluster_roles);
        rbac.roles = slots(roles);
        rbac.bind(bindings);
        rbac.file();
        rbac
    }

    /// The objects that the API server would not accept, by position, and why. They grant nothing.
    pub fn refused(&self) -> &[(usize, Refusal)] {
        &self.refused
    }

    /// Where a user (`false`) or a group (`true`) is a subject, in the order of bindings. The namespace is empty for cluster role
    /// bindings.
    pub(crate) fn places(&self, namespace: &str, group: bool, name: &str) -> &[Place] {
        let found =
            self.subjects.get(namespace).and_then(|subjects| if group { subjects.groups.get(name) } else { subjects.users.get(name) });
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// The cluster roles with a label of that value.
    pub(crate) fn labelled(&self, key: &str, value: &str) -> &[usize] {
        self.labels.get(key).and_then(|values| values.get(value)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The cluster roles that the selectors of a role may select: those with the rarest label that a selector names, all if it names none.
    pub(crate) fn selected<'q>(&'q self, role: &'q Role) -> impl Iterator<Item = (&'q Selector, usize)> {
        role.selectors.iter().flat_map(move |selector| {
            let labelled = selector.match_labels.iter().map(|(key, value)| self.labelled(key, value));
            let some = labelled.min_by_key(|slots| slots.len());
            let all = if some.is_none() { 0..self.cluster_roles.len() } else { 0..0 };
            some.unwrap_or_default().iter().copied().chain(all).map(move |slot| (selector, slot))
        })
    }

    /// The position of a role by its name.
    pub(crate) fn position(&self, kind: RoleKind, namespace: &str, name: &str) -> Option<usize> {
        let (slots, namespace) = match kind {
            RoleKind::ClusterRole => (&self.cluster_roles, ""),
            RoleKind::Role => (&self.roles, namespace),
        };
        slots.binary_search_by(|slot| (slot.named.namespace.as_str(), slot.named.name.as_str()).cmp(&(namespace, name))).ok()
    }

    /// A role by kind and position.
    pub(crate) fn role(&self, kind: RoleKind, slot: usize) -> Option<&Slot<Role>> {
        match kind {
            RoleKind::ClusterRole => self.cluster_roles.get(slot),
            RoleKind::Role => self.roles.get(slot),
        }
    }

    fn bind(&mut self, bindings: Filed<Binding>) {
        let names = |slots: &[Slot<Role>]| -> HashMap<Named, usize> {
            slots.iter().enumerate().filter(|(_, slot)| !slot.named.name.is_empty()).map(|(at, slot)| (slot.named.clone(), at)).collect()
        };
        let (cluster_roles, roles) = (names(&self.cluster_roles), names(&self.roles));
        self.bindings = slots(bindings)
            .into_iter()
            .map(|slot| {
                let look_up = |(binding, source): (Binding, Source)| {
                    let named = |namespace: &str| Named { namespace: namespace.to_owned(), name: binding.role.clone() };
                    let role = match binding.role_kind {
                        RoleKind::ClusterRole => cluster_roles.get(&named("")),
                        RoleKind::Role => roles.get(&named(&slot.named.namespace)),
                    };
                    let role = role.copied();
                    (Bound { binding, role }, source)
                };
                let copies = slot.copies.into_iter().map(look_up).collect();
                Slot { named: slot.named, copies }
            })
            .collect();
    }

    fn file(&mut self) {
        for (slot, binding) in self.bindings.iter().enumerate() {
            let subjects = self.subjects.entry(binding.named.namespace.clone()).or_default();
            for (copy, (bound, _)) in binding.copies.iter().enumerate() {
                for (subject, who) in bound.binding.subjects.iter().enumerate() {
                    let (group, name) = who.key();
                    let places = if group { &mut subjects.groups } else { &mut subjects.users }.entry(name).or_default();
                    // A subject that a binding names twice counts where it is named first.
                    if places.last().is_none_or(|last| (last.slot, last.copy) != (slot, copy)) {
                        places.push(Place { slot, copy, subject });
                    }
                }
            }
        }
        for (slot, role) in self.cluster_roles.iter().enumerate() {
            for (key, value) in role.copies.iter().flat_map(|(role, _)| &role.labels) {
                let slots = self.labels.entry(key.clone()).or_default().entry(value.clone()).or_default();
                if slots.last() != Some(&slot) {
                    slots.push(slot);
                }
            }
        }
    }
}

/// In the order of names, copies that are the same made one.
fn slots<T: Ord>(filed: Filed<T>) -> Vec<Slot<T>> {
    let mut slots: Vec<Slot<T>> = filed
        .into_iter()
        .map(|((named, _), mut copies)| {
            copies.sort();
            copies.dedup_by(|one, other| one.0 == other.0);
            Slot { named, copies }
        })
        .collect();
    // Among unnamed ones the order of loading must not show.
    slots.sort_by(|one, other| {
        (&one.named, one.copies.first().map(|(copy, _)| copy)).cmp(&(&other.named, other.copies.first().map(|(copy, _)| copy)))
    });
    slots
}
