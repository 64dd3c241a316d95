//! Accounts, credentials and objects of clouds to identities: what belongs to which.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fedward_engine::Survey;
use fedward_kit::text::is_guid;

use crate::facts::{CredentialOf, Facts, Missing, Name, Principal};
use crate::model::{Assignment, Cloud, Credential, IdFrom, Identity};
use crate::people::{People, Person, State};
use crate::{declared, object, place, place_at, shown};

/// What an identity is told apart by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// A client id of Azure, in lower case.
    Client(String),
    /// What credentials of Azure call their identity.
    Parent(String),
    /// A credential of which nobody knows whose it is.
    Alone(usize),
    /// The ARN of a role.
    Arn(String),
    /// An object that makes a role, of which the ARN is not known.
    Role(usize),
    Google(String),
    /// An account that signs in to Google Cloud as itself.
    GoogleDirect(Name),
    Sso(String),
    /// An account of which nobody knows as whom it signs in, and to which cloud.
    Account(usize, Cloud),
}

/// An identity, with its accounts as places among all people.
pub(crate) struct Draft {
    pub(crate) identity: Identity,
    pub(crate) people: Vec<usize>,
    /// Credentials, with the account that each lets in.
    pub(crate) credentials: Vec<(Credential, Option<usize>)>,
    /// Whether any part of it is among what the inventory is of, and not only looked at.
    pub(crate) is_asked: bool,
    /// Whether it is not known of which cluster the account is that a credential lets in.
    pub(crate) is_unsure: bool,
}

pub(crate) struct Assembled {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) unattached: Vec<Assignment>,
}

/// What is found out about all before identities are made of it.
struct Assembler<'a> {
    survey: &'a Survey<'a>,
    facts: &'a Facts,
    people: &'a People,
    /// The people that a credential lets in, by its place among the facts.
    let_in: HashMap<usize, Vec<usize>>,
    /// An identity's own key by any of the texts that it is called by.
    parents: HashMap<&'a str, &'a str>,
    /// The client id behind a parent, and how that is known.
    clients: HashMap<String, (String, IdFrom)>,
    /// Every client id that an account names.
    client_ids: HashSet<String>,
    /// Every ARN that somebody names, by the name of its role.
    arns: HashMap<String, BTreeSet<String>>,
    made: HashMap<Key, usize>,
    drafts: Vec<Draft>,
}

/// Makes identities of all that belongs to one.
pub(crate) fn assemble<'a>(survey: &'a Survey<'a>, facts: &Facts, people: &People) -> Assembled {
    let mut let_in: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, person) in people.all.iter().enumerate() {
        for credential in &person.credentials {
            let_in.entry(*credential).or_default().push(at);
        }
    }
    let mut parents: HashMap<&str, &str> = HashMap::new();
    for identity in &facts.identities {
        let Some(first) = identity.keys.first() else { continue };
        let own = *parents.entry(first).or_insert(first);
        for key in &identity.keys {
            parents.entry(key).or_insert(own);
        }
    }
    let client_ids = people.all.iter().filter_map(Person::client_id).collect();
    let of_associations = facts.credentials.iter().filter_map(|credential| match &credential.of {
        CredentialOf::Role(arn) | CredentialOf::Account(arn) => arn.as_ref(),
        CredentialOf::Azure(_) | CredentialOf::Itself(_) => None,
    });
    let mut arns: HashMap<String, BTreeSet<String>> = HashMap::new();
    for arn in people.all.iter().filter_map(|person| person.marks.role_arn.as_ref()).chain(of_associations) {
        arns.entry(last(arn).to_owned()).or_default().insert(arn.clone());
    }
    let (clients, made, drafts) = (HashMap::new(), HashMap::new(), Vec::new());
    let mut assembler = Assembler { survey, facts, people, let_in, parents, clients, client_ids, arns, made, drafts };
    assembler.find_clients();
    assembler.objects();
    assembler.accounts();
    assembler.credentials();
    let unattached = assembler.assignments();
    Assembled { drafts: assembler.drafts, unattached }
}

impl Assembler<'_> {
    /// Which client id a parent of credentials has: that of its status, or the only one of the accounts that it lets in, if that is no other
    /// identity's as well.
    fn find_clients(&mut self) {
        for identity in &self.facts.identities {
            if let (Some(key), Some(id)) = (identity.keys.first(), &identity.client_id) {
                self.clients.insert(self.own_key(key), (id.clone(), IdFrom::Status));
            }
        }
        let mut guesses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (at, credential) in self.facts.credentials.iter().enumerate() {
            if let CredentialOf::Azure(Some(parent)) = &credential.of {
                guesses.entry(self.own_key(parent)).or_default().extend(self.client_ids_of(at));
            }
        }
        // Two identities that are called differently are not one.
        let mut claimed: HashMap<String, BTreeSet<String>> = HashMap::new();
        for (parent, ids) in &guesses {
            if let (Some(id), None) = (only(ids), self.clients.get(parent)) {
                claimed.entry(id.clone()).or_default().insert(last(parent).to_ascii_lowercase());
            }
        }
        for (parent, ids) in guesses {
            let id = only(&ids).filter(|id| claimed.get(*id).is_some_and(|names| names.len() == 1));
            if let Some(id) = id {
                self.clients.entry(parent).or_insert_with(|| (id.clone(), IdFrom::Credentials));
            }
        }
    }

    /// The one key of an identity that has several.
    fn own_key(&self, key: &str) -> String {
        self.parents.get(key).copied().unwrap_or(key).to_owned()
    }

    /// The client ids of the accounts that a credential lets in.
    fn client_ids_of(&self, credential: usize) -> BTreeSet<String> {
        let people = self.let_in.get(&credential).into_iter().flatten().filter_map(|at| self.people.all.get(*at));
        people.filter_map(Person::client_id).collect()
    }

    /// The roles that the accounts name which a credential lets in.
    fn arns_of(&self, credential: usize) -> BTreeSet<String> {
        let people = self.let_in.get(&credential).into_iter().flatten().filter_map(|at| self.people.all.get(*at));
        people.filter_map(|person| person.marks.role_arn.clone()).collect()
    }

    fn key_of_parent(&self, parent: &str) -> (Key, Option<IdFrom>) {
        let parent = self.own_key(parent);
        match self.clients.get(&parent) {
            Some((id, from)) => (Key::Client(id.clone()), Some(*from)),
            // Terraform and Crossplane may name the client id itself.
            None if is_guid(&parent) && self.client_ids.contains(&parent) => (Key::Client(parent), None),
            None => (Key::Parent(parent), None),
        }
    }

    /// A role that an object makes: by its ARN where the status has it, or where only one role of that name is spoken of.
    fn key_of_role(&self, at: usize) -> Key {
        let Some(fact) = self.facts.roles.get(at) else { return Key::Role(at) };
        let named = || self.arns.get(fact.name.as_deref()?).and_then(only);
        fact.arn.as_ref().or_else(named).map_or(Key::Role(at), |arn| Key::Arn(arn.clone()))
    }

    fn key_of_credential(&self, at: usize) -> Option<(Key, Option<IdFrom>)> {
        Some(match &self.facts.credentials.get(at)?.of {
            CredentialOf::Azure(Some(parent)) => self.key_of_parent(parent),
            CredentialOf::Azure(None) => match only(&self.client_ids_of(at)) {
                Some(id) => (Key::Client(id.clone()), Some(IdFrom::Credentials)),
                None => (Key::Alone(at), None),
            },
            CredentialOf::Role(Some(arn)) => (Key::Arn(arn.clone()), None),
            CredentialOf::Role(None) => (Key::Alone(at), None),
            CredentialOf::Itself(role) => (self.key_of_role(*role), None),
            CredentialOf::Account(arn) => match arn.as_ref().or(only(&self.arns_of(at))) {
                Some(arn) => (Key::Arn(arn.clone()), None),
                None => (Key::Alone(at), None),
            },
        })
    }

    /// The identities that an account signs in as, as far as that is known.
    fn keys_of(&self, person: &Person) -> Vec<Key> {
        let marks = &person.marks;
        let mut keys = Vec::new();
        keys.extend(person.client_id().map(Key::Client));
        keys.extend(marks.role_arn.clone().map(Key::Arn));
        keys.extend(marks.google.clone().map(Key::Google));
        if marks.google_direct && marks.google.is_none() {
            keys.push(Key::GoogleDirect(person.name.clone()));
        }
        keys.extend(marks.sso_rule.clone().map(Key::Sso));
        keys.extend(person.credentials.iter().filter_map(|credential| Some(self.key_of_credential(*credential)?.0)));
        keys
    }

    /// The identity of a key, made if it is new.
    fn identity(&mut self, key: &Key) -> Option<&mut Draft> {
        let at = match self.made.get(key) {
            Some(at) => *at,
            None => {
                self.drafts.push(Draft {
                    identity: self.blank(key),
                    people: Vec::new(),
                    credentials: Vec::new(),
                    is_asked: false,
                    is_unsure: false,
                });
                self.made.insert(key.clone(), self.drafts.len() - 1);
                self.drafts.len() - 1
            }
        };
        self.drafts.get_mut(at)
    }

    /// An identity of which nothing but its key is known.
    fn blank(&self, key: &Key) -> Identity {
        let (cloud, id) = match key {
            Key::Client(id) => (Cloud::Azure, Some(id.clone())),
            Key::Parent(_) => (Cloud::Azure, None),
            Key::Alone(at) => match self.facts.credentials.get(*at).map(|credential| &credential.of) {
                Some(CredentialOf::Azure(_)) => (Cloud::Azure, None),
                _ => (Cloud::Aws, None),
            },
            Key::Arn(arn) => (Cloud::Aws, Some(arn.clone())),
            Key::Role(_) => (Cloud::Aws, None),
            Key::Google(address) => (Cloud::Gcp, Some(address.clone())),
            Key::GoogleDirect((namespace, name)) => (Cloud::Gcp, Some(format!("subject/ns/{namespace}/sa/{name}"))),
            Key::Sso(rule) => (Cloud::ArgoSso, Some(rule.clone())),
            Key::Account(_, cloud) => (*cloud, None),
        };
        let name = match key {
            Key::Parent(parent) => Some(last(parent).to_owned()),
            _ => None,
        };
        Identity {
            cloud,
            id_from: id.as_ref().map(|_| IdFrom::Account),
            id,
            name,
            shared: false,
            workloads: 0,
            declared: Vec::new(),
            credentials: Vec::new(),
            accounts: Vec::new(),
            assignments: Vec::new(),
            not_known: Vec::new(),
        }
    }

    fn is_asked(&self, number: usize) -> bool {
        self.survey.object(number).is_some_and(|object| object.is_judged)
    }

    /// Identities that objects make.
    fn objects(&mut self) {
        let (survey, facts) = (self.survey, self.facts);
        for fact in &facts.identities {
            let Some(first) = fact.keys.first() else { continue };
            let (key, from) = self.key_of_parent(first);
            let asked = self.is_asked(fact.number);
            let Some(draft) = self.identity(&key) else { continue };
            draft.is_asked |= asked;
            draft.identity.id_from = from.or(draft.identity.id_from);
            draft.identity.name = Some(fact.name.clone()).filter(|name| !name.is_empty());
            draft.identity.declared.extend(declared(survey, fact.number));
        }
        for (at, fact) in facts.roles.iter().enumerate() {
            let key = self.key_of_role(at);
            let asked = self.is_asked(fact.number);
            let Some(draft) = self.identity(&key) else { continue };
            draft.is_asked |= asked;
            draft.identity.name.clone_from(&fact.name);
            if fact.arn.is_some() {
                draft.identity.id_from = Some(IdFrom::Status);
            }
            draft.identity.declared.extend(declared(survey, fact.number));
        }
    }

    fn accounts(&mut self) {
        let people = self.people;
        let mut copies: HashMap<&Name, Vec<&Person>> = HashMap::new();
        for person in people.all.iter().filter(|person| matches!(person.state, State::Object(_))) {
            copies.entry(&person.name).or_default().push(person);
        }
        for (at, person) in people.all.iter().enumerate() {
            let mut keys = self.keys_of(person);
            if person.state == State::Missing(Missing::Ambiguous) {
                // It is one of them, and so is its identity.
                keys.extend(copies.get(&person.name).into_iter().flatten().flat_map(|copy| self.keys_of(copy)));
            }
            keys.extend(person.marks.unfilled.iter().map(|cloud| Key::Account(at, *cloud)));
            if keys.is_empty() && person.is_federated() {
                keys.push(Key::Account(at, Cloud::Unknown));
            }
            let own = match person.state {
                State::Object(number) | State::Own(number) => Some(number),
                State::Missing(_) => None,
            };
            let asked = own.into_iter().chain(person.users.iter().map(|user| user.number)).any(|number| self.is_asked(number));
            let mut seen = HashSet::new();
            for key in keys.into_iter().filter(|key| seen.insert(key.clone())) {
                if let Some(draft) = self.identity(&key) {
                    draft.people.push(at);
                    draft.is_asked |= asked;
                }
            }
        }
    }

    fn credentials(&mut self) {
        let (survey, facts) = (self.survey, self.facts);
        for (at, fact) in facts.credentials.iter().enumerate() {
            let Some((key, from)) = self.key_of_credential(at) else { continue };
            let asked = self.is_asked(fact.number);
            let let_in = self.let_in.get(&at).map(Vec::as_slice).unwrap_or_default();
            let clusters: HashSet<&str> = let_in.iter().filter_map(|person| Some(self.people.all.get(*person)?.cluster.as_str())).collect();
            let is_unsure = clusters.len() > 1;
            let account = let_in.first().filter(|_| !is_unsure).copied();
            let name = match &fact.of {
                CredentialOf::Azure(Some(parent)) => Some(last(parent).to_owned()),
                _ => None,
            };
            let Some(object) = object(survey, fact.number) else { continue };
            let credential = Credential {
                kind: fact.kind,
                object,
                location: fact
                    .pointer
                    .as_ref()
                    .map_or_else(|| place(survey, fact.number), |pointer| place_at(survey, fact.number, pointer)),
                subject: fact.subject.as_deref().map(shown),
                issuer: fact.issuer.as_deref().map(shown),
                account: None,
            };
            let Some(draft) = self.identity(&key) else { continue };
            draft.is_asked |= asked;
            if draft.identity.declared.is_empty() {
                draft.identity.id_from = from.filter(|_| draft.identity.id.is_some()).or(draft.identity.id_from);
            }
            let is_id = |name: &String| draft.identity.id.as_ref() != Some(name);
            draft.identity.name = draft.identity.name.take().or(name.filter(is_id));
            draft.credentials.push((credential, account));
            draft.is_unsure |= is_unsure;
        }
    }

    /// Roles of Azure to the identities that have them. Returns those of which that is not known.
    fn assignments(&mut self) -> Vec<Assignment> {
        let (survey, facts) = (self.survey, self.facts);
        let mut by_id: HashMap<&str, &str> = HashMap::new();
        let mut by_config = HashMap::new();
        for identity in &facts.identities {
            let Some(key) = identity.keys.first() else { continue };
            by_id.extend(identity.principal_id.as_deref().map(|id| (id, key.as_str())));
            by_config.extend(identity.principal_config.as_ref().map(|config| (config, key.as_str())));
        }
        let mut unattached = Vec::new();
        for fact in &facts.assignments {
            let parent = match &fact.principal {
                Principal::Id(id) => by_id.get(id.as_str()).copied(),
                Principal::Config(config) => by_config.get(config).copied(),
                Principal::Named(key) => self.parents.get(key.as_str()).copied(),
                Principal::NotKnown => None,
            };
            let Some(object) = object(survey, fact.number) else { continue };
            let assignment = Assignment {
                object,
                location: place(survey, fact.number),
                role: fact.role.clone(),
                scope: fact.scope.clone(),
                conditional: fact.conditional,
                principal: None,
            };
            let key = parent.map(|parent| self.key_of_parent(parent).0);
            let asked = self.is_asked(fact.number);
            match key.and_then(|key| self.identity(&key)) {
                Some(draft) => {
                    draft.is_asked |= asked;
                    draft.identity.assignments.push(assignment);
                }
                None if asked => unattached.push(Assignment { principal: fact.principal.title(), ..assignment }),
                None => {}
            }
        }
        unattached
    }
}

/// The element of a set of one.
fn only(set: &BTreeSet<String>) -> Option<&String> {
    if set.len() == 1 { set.first() } else { None }
}

/// What follows the last slash.
fn last(text: &str) -> &str {
    text.trim_end_matches('/').rsplit('/').next().unwrap_or(text)
}
