//! Parts of an inventory.

use fedward_kit::text::Glob;

use crate::model::{Account, Identity, Inventory};

/// Which identities are wanted: those that fit all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of which the id or the name fits one of these; any if there are none. `*` stands for any text.
    pub identities: Vec<Glob>,
    /// That a service account in one of these namespaces uses; any if there are none. `*` stands for any text.
    pub namespaces: Vec<Glob>,
    /// That more than one workload uses.
    pub shared: bool,
}

impl Filter {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Leaves the identities that are wanted, with all their accounts, and the roles of these.
    pub fn apply(&self, inventory: Inventory) -> Inventory {
        if self.is_empty() {
            return inventory;
        }
        let Inventory { mut identities, accounts, roles, .. } = inventory;
        identities.retain(|identity| self.wants(identity, &accounts));
        let places = Places::of(accounts.len(), identities.iter().flat_map(|identity| &identity.accounts));
        let mut accounts = places.kept(accounts);
        for identity in &mut identities {
            identity.accounts = identity.accounts.iter().filter_map(|at| places.get(*at)).collect();
            for credential in &mut identity.credentials {
                credential.account = credential.account.and_then(|at| places.get(at));
            }
        }
        let places = Places::of(roles.len(), accounts.iter().flat_map(|account| &account.bindings).map(|binding| &binding.role));
        let roles = places.kept(roles);
        for binding in accounts.iter_mut().flat_map(|account| &mut account.bindings) {
            binding.role = places.get(binding.role).unwrap_or_default();
        }
        Inventory { identities, accounts, roles, ..Inventory::default() }
    }

    fn wants(&self, identity: &Identity, accounts: &[Account]) -> bool {
        let texts = || identity.id.iter().chain(&identity.name);
        let namespaces = || identity.accounts.iter().filter_map(|at| accounts.get(*at)).map(|account| &account.namespace);
        (!self.shared || identity.shared)
            && (self.identities.is_empty() || self.identities.iter().any(|glob| texts().any(|text| glob.matches(text))))
            && (self.namespaces.is_empty() || self.namespaces.iter().any(|glob| namespaces().any(|namespace| glob.matches(namespace))))
    }
}

/// The new places of those elements of a list that are named.
struct Places(Vec<Option<usize>>);

impl Places {
    fn of<'n>(count: usize, named: impl Iterator<Item = &'n usize>) -> Self {
        let mut is_named = vec![false; count];
        for at in named {
            if let Some(entry) = is_named.get_mut(*at) {
                *entry = true;
            }
        }
        let mut next = 0..;
        Places(is_named.into_iter().map(|is_named| if is_named { next.next() } else { None }).collect())
    }

    fn get(&self, at: usize) -> Option<usize> {
        self.0.get(at).copied().flatten()
    }

    /// The elements that are named, in their order.
    fn kept<T>(&self, all: Vec<T>) -> Vec<T> {
        all.into_iter().zip(&self.0).filter(|(_, place)| place.is_some()).map(|(one, _)| one).collect()
    }
}
