//! The service accounts: what federates each, and who uses it.

use std::collections::{HashMap, HashSet};

use fedward_engine::Survey;
use fedward_kit::context::{Lookup, Unknown};
use fedward_kit::identity::ServiceAccount;
use fedward_kit::index::{self, Key};
use fedward_kit::text::{Glob, any_matches};

use crate::facts::{Facts, Look, Marks, Missing, Name, PodAccount, look};

/// A service account.
pub(crate) struct Person {
    /// Where it is, or what uses it.
    pub(crate) cluster: String,
    pub(crate) name: Name,
    pub(crate) state: State,
    pub(crate) marks: Marks,
    /// Credentials that let it in, by their places among the facts.
    pub(crate) credentials: Vec<usize>,
    pub(crate) users: Vec<Use>,
    /// Whether the settings say that it is federated.
    pub(crate) by_settings: bool,
}

/// Where an account's object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// The object of that number.
    Object(usize),
    /// It is not known.
    Missing(Missing),
    /// The object of that number makes it itself.
    Own(usize),
}

/// How many pods of an object are told by name.
const MAX_PODS: usize = 20;
/// Credentials that nothing deploys, times the accounts of one name in different clusters that each may let in.
const MAX_PAIRS: usize = 1_000_000;

/// An object that uses an account.
pub(crate) struct Use {
    pub(crate) number: usize,
    /// At most [`MAX_PODS`].
    pub(crate) pods: Vec<String>,
    pub(crate) pods_more: usize,
    pub(crate) without_pods: bool,
    pub(crate) counted: bool,
}

impl Person {
    /// The client id that it names, in lower case.
    pub(crate) fn client_id(&self) -> Option<String> {
        self.marks.client_id.as_ref().map(|id| id.to_ascii_lowercase())
    }

    /// Whether anything lets it act as somebody.
    pub(crate) fn is_federated(&self) -> bool {
        !self.marks.is_empty() || !self.credentials.is_empty() || self.by_settings || self.users.iter().any(|user| user.without_pods)
    }

    /// An object from which to look for what belongs to it.
    pub(crate) fn asker(&self, facts: &Facts) -> Option<usize> {
        match self.state {
            State::Object(number) | State::Own(number) => Some(number),
            State::Missing(_) => {
                let credential = self.credentials.first().and_then(|at| facts.credentials.get(*at)).map(|credential| credential.number);
                self.users.first().map(|user| user.number).or(credential)
            }
        }
    }
}

/// All accounts.
#[derive(Default)]
pub(crate) struct People {
    pub(crate) all: Vec<Person>,
    /// Objects with pods of which the account is not known.
    pub(crate) unknown: Vec<Use>,
    by_state: HashMap<(State, String, Name), usize>,
    by_number: HashMap<usize, usize>,
    users: HashMap<(usize, usize), usize>,
}

impl People {
    /// The accounts of all objects. `federated` are the globs of the settings.
    pub(crate) fn of(survey: &Survey, facts: &Facts, federated: &[Glob]) -> Self {
        let mut people = People::default();
        // What an object says of one account: of a role that lets in thousands, each looks at its own part.
        let mut credentials: HashMap<(usize, &Name), Vec<usize>> = HashMap::new();
        for (at, credential) in facts.credentials.iter().enumerate() {
            if let Some(account) = &credential.account {
                credentials.entry((credential.number, account)).or_default().push(at);
            }
        }
        for number in &facts.accounts {
            look(survey, *number, |look, _| people.object(survey, &look, &credentials, federated));
        }
        // Credentials that name an account which does not find them: there are more than one answer holds, the account is not among the files,
        // or they stand beside all clusters.
        let known = |(account, person): (usize, &Person)| person.credentials.iter().map(|at| (account, *at)).collect::<Vec<_>>();
        let seen: HashSet<(usize, usize)> = people.all.iter().enumerate().flat_map(known).collect();
        let mut deployed: HashMap<Name, Vec<usize>> = HashMap::new();
        for (at, person) in people.all.iter().enumerate().filter(|(_, person)| !person.cluster.is_empty()) {
            deployed.entry(person.name.clone()).or_default().push(at);
        }
        let mut room = MAX_PAIRS;
        for (at, credential) in facts.credentials.iter().enumerate() {
            let Some(name) = &credential.account else { continue };
            // Two always have room: that there is more than one cluster is said.
            let elsewhere = deployed.get(name).map(|all| all.get(..room.max(2)).unwrap_or(all)).unwrap_or_default();
            let let_in = people.let_in(survey, credential.number, name, elsewhere, federated);
            room = room.saturating_sub(let_in.len());
            for account in let_in {
                if let Some(person) = people.all.get_mut(account).filter(|_| !seen.contains(&(account, at))) {
                    person.credentials.push(at);
                }
            }
        }
        for (number, name) in &facts.consumers {
            let account = people.meant(survey, *number, name, federated);
            people.used(account, *number, None, false);
        }
        for pod in &facts.pods {
            let account = match &pod.account {
                PodAccount::Object(number) => people.by_number.get(number).copied(),
                PodAccount::Named(name, missing) => Some(people.missing(survey.cluster(pod.number), name, *missing, federated)),
                PodAccount::Own(name, marks) => {
                    let account = people.add(State::Own(pod.number), survey.cluster(pod.number), name);
                    if let Some(person) = people.all.get_mut(account) {
                        person.marks.clone_from(marks);
                    }
                    Some(account)
                }
                PodAccount::NotKnown => {
                    if people.unknown.last().is_none_or(|last| last.number != pod.number) {
                        people.unknown.push(Use {
                            number: pod.number,
                            pods: Vec::new(),
                            pods_more: 0,
                            without_pods: false,
                            counted: pod.counted,
                        });
                    }
                    None
                }
            };
            if let Some(account) = account {
                people.used(account, pod.number, Some(&pod.title), pod.counted);
            }
        }
        people
    }

    fn object(&mut self, survey: &Survey, look: &Look<'_>, credentials: &HashMap<(usize, &Name), Vec<usize>>, federated: &[Glob]) {
        let Look { number, object, namespace, .. } = *look;
        let name = object.peek("metadata").peek("name").peek_str().unwrap_or("");
        let own = (namespace.to_owned(), name.to_owned());
        let account = self.add(State::Object(number), look.cluster, &own);
        self.by_number.insert(number, account);
        let filed = |kind: &'static str, namespace: &str, selector: String| {
            survey.filed(number, &Key { kind, namespace: namespace.to_owned(), selector }).into_owned()
        };
        let subject = format!("subject=system:serviceaccount:{namespace}:{name}");
        let lets_in = [
            filed(index::CREDENTIAL, "", subject.clone()),
            filed(index::POD_IDENTITY, "", format!("serviceAccount={namespace}/{name}")),
            filed(index::AWS_TRUST, "", subject),
        ];
        if let Some(person) = self.all.get_mut(account) {
            person.marks = Marks::of(ServiceAccount::of(object));
            person.by_settings = any_matches(federated, &format!("{namespace}/{name}"));
            let mut seen = HashSet::new();
            let numbers = lets_in.iter().flatten().filter(|number| seen.insert(**number));
            person.credentials = numbers.filter_map(|number| credentials.get(&(*number, &own))).flatten().copied().collect();
        }
        for consumer in filed(index::TOKEN_CONSUMER, namespace, format!("serviceAccount={name}")) {
            self.used(account, consumer, None, false);
        }
    }

    /// The account that an object means by name.
    fn meant(&mut self, survey: &Survey, asker: usize, name: &Name, federated: &[Glob]) -> usize {
        match self.seen_from(survey, asker, name) {
            Ok(account) => account,
            Err(missing) => self.missing(survey.cluster(asker), name, missing, federated),
        }
    }

    /// The accounts that a credential may let in. One that nothing deploys may be of any cluster: of those `elsewhere`.
    fn let_in(&mut self, survey: &Survey, credential: usize, name: &Name, elsewhere: &[usize], federated: &[Glob]) -> Vec<usize> {
        let is_elsewhere = survey.cluster(credential).is_empty() && self.seen_from(survey, credential, name) == Err(Missing::Absent);
        if is_elsewhere && !elsewhere.is_empty() { elsewhere.to_vec() } else { vec![self.meant(survey, credential, name, federated)] }
    }

    fn seen_from(&self, survey: &Survey, asker: usize, name: &Name) -> Result<usize, Missing> {
        match survey.find(asker, "", "ServiceAccount", &name.0, &name.1) {
            Lookup::Found(number) => self.by_number.get(&number).copied().ok_or(Missing::Absent),
            Lookup::NotKnown(Unknown::Ambiguous) => Err(Missing::Ambiguous),
            Lookup::NotFound | Lookup::NotKnown(_) => Err(Missing::Absent),
        }
    }

    fn missing(&mut self, cluster: &str, name: &Name, missing: Missing, federated: &[Glob]) -> usize {
        let account = self.add(State::Missing(missing), cluster, name);
        if let Some(person) = self.all.get_mut(account) {
            person.by_settings = any_matches(federated, &format!("{}/{}", name.0, name.1));
        }
        account
    }

    fn add(&mut self, state: State, cluster: &str, name: &Name) -> usize {
        *self.by_state.entry((state, cluster.to_owned(), name.clone())).or_insert_with(|| {
            self.all.push(Person {
                cluster: cluster.to_owned(),
                name: name.clone(),
                state,
                marks: Marks::default(),
                credentials: Vec::new(),
                users: Vec::new(),
                by_settings: false,
            });
            self.all.len() - 1
        })
    }

    fn used(&mut self, account: usize, number: usize, pod: Option<&str>, counted: bool) {
        let Some(person) = self.all.get_mut(account) else { return };
        let at = *self.users.entry((account, number)).or_insert_with(|| {
            person.users.push(Use { number, pods: Vec::new(), pods_more: 0, without_pods: pod.is_none(), counted });
            person.users.len() - 1
        });
        if let Some(user) = person.users.get_mut(at) {
            user.without_pods &= pod.is_none();
            user.counted |= counted;
            match pod.filter(|pod| !user.pods.iter().any(|known| known == pod)) {
                Some(pod) if user.pods.len() < MAX_PODS => user.pods.push(pod.to_owned()),
                Some(_) => user.pods_more += 1,
                None => {}
            }
        }
    }
}
