//! The inventory of cloud identities: each with the credentials that lead to it, the service accounts and workloads that use it, and what
//! these may do.
//!
//! [`take`] makes it of objects that the engine has read ([`Survey`]), as the policies read them: who is federated, which pods an object makes
//! and which copy of an object is meant is decided by the kit and the engine alone. What is not known is said, never guessed.
//! [`human()`], [`json()`], [`mermaid()`] and [`dot()`] print it.

mod assemble;
mod dot;
mod facts;
mod filter;
mod graph;
mod human;
mod json;
mod mermaid;
pub mod model;
mod people;
mod rights;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use fedward_engine::Survey;
use fedward_kit::index::is_argo_cd;
use fedward_kit::request::group_of;
use fedward_kit::text::Glob;

use assemble::{Assembled, Draft, assemble};
pub use dot::dot;
use facts::{Facts, Missing};
pub use fedward_report::Options;
pub use filter::Filter;
pub use human::human;
pub use json::{json, schema};
pub use mermaid::mermaid;
use model::{Account, AccountState, Cloud, Credential, Declared, Inventory, Object, Place, User};
use people::{People, Person, State, Use};
use rights::Access;

/// Makes the inventory. `federated` are service accounts, as `namespace/name`, that count as federated whatever the objects say.
///
/// Identities are left out of which all is merely looked at ([`fedward_engine::Role::Context`]).
pub fn take(survey: &Survey, federated: &[Glob]) -> Inventory {
    take_within(survey, federated, MAX_COUNTED)
}

fn take_within(survey: &Survey, federated: &[Glob], most_counted: usize) -> Inventory {
    let facts = Facts::of(survey);
    let people = People::of(survey, &facts, federated);
    let Assembled { mut drafts, unattached } = assemble(survey, &facts, &people);
    drafts.retain(|draft| draft.is_asked);
    let mut inventory = Inventory { unattached_assignments: unattached, ..Inventory::default() };
    let mut access = Access::new(survey, &facts);
    let places = accounts(survey, &people, &drafts, &mut access, &mut inventory);
    inventory.roles = access.roles;
    let mut identities = Vec::new();
    let mut users = Users::new(&inventory.accounts, most_counted);
    for Draft { mut identity, people: who, credentials, is_unsure, .. } in drafts {
        let place = |at: &usize| places.get(*at).copied().flatten();
        identity.accounts = who.iter().filter_map(place).collect();
        identity.accounts.sort_unstable();
        identity.credentials = credentials
            .into_iter()
            .map(|(credential, account)| Credential { account: account.as_ref().and_then(place), ..credential })
            .collect();
        identity.credentials.sort_by(|one, other| {
            (one.kind, &one.object, &one.location, &one.subject).cmp(&(other.kind, &other.object, &other.location, &other.subject))
        });
        identity.declared.sort();
        identity.assignments.sort();
        let (workloads, may_be_more) = users.of(&identity.accounts);
        identity.workloads = workloads;
        identity.shared = workloads > 1;
        identity.not_known = not_known(&identity, &inventory.accounts);
        if is_unsure {
            identity
                .not_known
                .push("of which cluster the account is that a credential lets in: no file says whose issuer it names".to_owned());
        }
        if may_be_more {
            identity.not_known.push(format!("how many workloads use it: at least {workloads}"));
        }
        identities.push(identity);
    }
    inventory.identities = identities;
    inventory.identities.sort_by_cached_key(|identity| {
        let place = identity.credentials.first().map(|credential| credential.location.clone());
        let name = (identity.cloud, identity.id.is_none(), identity.id.clone(), identity.name.clone());
        (name, identity.declared.first().cloned(), place, identity.accounts.clone())
    });
    inventory.unattached_assignments.sort();
    if !inventory.identities.is_empty() {
        inventory.workloads_without_known_account = people.unknown.iter().filter_map(|user| used(survey, user)).collect();
        inventory.workloads_without_known_account.sort();
    }
    inventory
}

/// The accounts that identities name, in the order of their names; where each of all people is among them.
fn accounts(survey: &Survey, people: &People, drafts: &[Draft], access: &mut Access<'_>, inventory: &mut Inventory) -> Vec<Option<usize>> {
    let mut named: Vec<usize> = drafts.iter().flat_map(|draft| &draft.people).copied().collect();
    named.sort_unstable();
    named.dedup();
    let mut made: Vec<(usize, Account)> =
        named.into_iter().filter_map(|at| Some((at, account(survey, people.all.get(at)?, access)))).collect();
    made.sort_by_cached_key(|(_, account)| {
        (account.namespace.clone(), account.name.clone(), account.cluster.clone(), account.state, account.location.clone())
    });
    let mut places = vec![None; people.all.len()];
    for (place, (at, account)) in made.into_iter().enumerate() {
        if let Some(entry) = places.get_mut(at) {
            *entry = Some(place);
        }
        inventory.accounts.push(account);
    }
    places
}

fn account(survey: &Survey, person: &Person, access: &mut Access<'_>) -> Account {
    let (state, number) = match person.state {
        State::Object(number) => (AccountState::Declared, Some(number)),
        State::Own(number) => (AccountState::Own, Some(number)),
        State::Missing(Missing::Absent) => (AccountState::Absent, None),
        State::Missing(Missing::Ambiguous) => (AccountState::Ambiguous, None),
    };
    let granted = access.of(person);
    let mut users: Vec<User> = person.users.iter().filter_map(|user| used(survey, user)).collect();
    users.sort();
    Account {
        cluster: person.cluster.clone(),
        namespace: person.name.0.clone(),
        name: person.name.1.clone(),
        state,
        location: number.map(|number| place(survey, number)),
        draft: number.and_then(|number| survey.object(number)).is_some_and(|object| object.is_draft),
        users,
        bindings: granted.bindings,
        bindings_more: granted.more,
        power: granted.power,
    }
}

fn used(survey: &Survey, user: &Use) -> Option<User> {
    Some(User {
        object: object(survey, user.number)?,
        location: place(survey, user.number),
        without_pods: user.without_pods,
        pods: user.pods.clone(),
        pods_more: user.pods_more,
        counted: user.counted,
        draft: survey.object(user.number).is_some_and(|object| object.is_draft),
    })
}

/// How many workloads are compared with those of other accounts, over all identities; beyond, an identity has at least as many as the account
/// of it that has most.
const MAX_COUNTED: usize = 10_000_000;

/// What a workload is told apart by: group, kind, namespace, name.
type Workload<'a> = (&'a str, &'a str, &'a str, &'a str);

/// How many workloads use each account, as the rules about sharing count them, and two of them.
struct Users<'a> {
    all: &'a [Account],
    counts: Vec<(usize, Vec<Workload<'a>>)>,
    budget: usize,
}

impl<'a> Users<'a> {
    fn new(all: &'a [Account], budget: usize) -> Self {
        let count = |account: &'a Account| {
            let users: HashSet<Workload<'_>> = workloads(account).collect();
            let mut two: Vec<Workload<'_>> = users.iter().copied().collect();
            two.sort_unstable();
            two.truncate(2);
            (users.len(), two)
        };
        Users { all, counts: all.iter().map(count).collect(), budget }
    }

    /// How many workloads use accounts, and whether there may be more. Those of which it is not known which account they mean do not count.
    fn of(&mut self, accounts: &[usize]) -> (usize, bool) {
        let known = || {
            let known = accounts.iter().filter_map(|at| Some((self.all.get(*at)?, self.counts.get(*at)?)));
            known.filter(|(account, _)| account.state != AccountState::Ambiguous)
        };
        let work: usize = known().map(|(account, _)| account.users.len()).sum();
        if let Some(rest) = self.budget.checked_sub(work) {
            let count = known().flat_map(|(account, _)| workloads(account)).collect::<HashSet<_>>().len();
            self.budget = rest;
            return (count, false);
        }
        // Whether there is more than one is known even so.
        let some = known().flat_map(|(_, (_, two))| two).collect::<HashSet<_>>().len();
        let most = known().map(|(_, (count, _))| *count).max().unwrap_or(0).max(some);
        let sum: usize = known().map(|(_, (count, _))| count).sum();
        (most, most < sum)
    }
}

/// The workloads of an account that count.
fn workloads(account: &Account) -> impl Iterator<Item = Workload<'_>> {
    account.users.iter().filter(|user| user.counted).map(|user| {
        let Object { api_version, kind, namespace, name, .. } = &user.object;
        // The parts of Argo CD count as one.
        if is_argo_cd(name) {
            ("", "", account.namespace.as_str(), "")
        } else {
            (group_of(api_version), kind.as_str(), namespace.as_str(), name.as_str())
        }
    })
}

/// What is not known of an identity.
fn not_known(identity: &model::Identity, all: &[Account]) -> Vec<String> {
    let mut found = Vec::new();
    if identity.id.is_none() {
        found.push(match identity.cloud {
            // Only an account leads to it.
            _ if identity.credentials.is_empty() && identity.declared.is_empty() => {
                "as whom the account signs in: no object says it, or its value is still to be filled in".to_owned()
            }
            Cloud::Azure if identity.name.is_none() => "which identity this is: its credential does not say whose it is".to_owned(),
            Cloud::Azure => "its client id: no object says for certain which it is".to_owned(),
            Cloud::Aws => "its ARN: no object says for certain which it is".to_owned(),
            Cloud::Gcp | Cloud::ArgoSso | Cloud::Unknown => "as whom its accounts sign in".to_owned(),
        });
    }
    let accounts = || identity.accounts.iter().filter_map(|at| all.get(*at));
    if identity.accounts.is_empty() {
        found.push("who uses it: no service account among the files does".to_owned());
    }
    let count = |state| accounts().filter(|account| account.state == state).count();
    match count(AccountState::Absent) {
        0 => {}
        1 => found.push("what one of its service accounts says: it is not among the files".to_owned()),
        more => found.push(format!("what {more} of its service accounts say: they are not among the files")),
    }
    match count(AccountState::Ambiguous) {
        0 => {}
        1 => found.push("which copy of a service account some of its users mean: there are several that differ".to_owned()),
        more => found.push(format!("which copy of {more} service accounts some of its users mean: there are several that differ")),
    }
    found
}

/// An object, as outputs call it.
fn object(survey: &Survey, number: usize) -> Option<Object> {
    survey.object(number).map(Object::from)
}

/// Where an object stands: at its name.
fn place(survey: &Survey, number: usize) -> Place {
    place_at(survey, number, "/metadata/name")
}

/// Where a JSON Pointer of an object leads.
fn place_at(survey: &Survey, number: usize, pointer: &str) -> Place {
    let (location, is_exact) = survey.location(number, pointer);
    Place { near: !is_exact, ..Place::from(&location) }
}

fn declared(survey: &Survey, number: usize) -> Option<Declared> {
    Some(Declared { object: object(survey, number)?, location: place(survey, number) })
}

/// A text that may be a URL, without a user and a password in it.
fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|host| host.rfind('@')) {
        Some(at) => format!("{scheme}://{}{}", fedward_engine::HIDDEN, rest.get(at..).unwrap_or_default()),
        None => text.to_owned(),
    }
}
