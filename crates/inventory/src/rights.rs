//! What accounts may do in the cluster: their bindings, and the roles that these name.

use std::collections::HashMap;
use std::rc::Rc;

use bumpalo::Bump;
use fedward_engine::{Survey, Surveyed};
use fedward_kit::context::{Lookup, Unknown};
use fedward_kit::finding::Severity;
use fedward_kit::index;
use fedward_kit::node::{Node, Origin, Session};
use fedward_kit::rights::{built_in, dangers};
use fedward_kit::value::Value;
use fedward_rbac::{MAX_WORK, Rbac, RoleKind, Rule, Source};
use serde::Deserialize;

use crate::facts::{BindingFact, Facts, RBAC, look};
use crate::model::{Binding, Power, Rights, Role, RoleState};
use crate::people::Person;
use crate::{object, place};

/// Rules of a role that are listed.
const MAX_RULES: usize = 50;
/// Bindings of the groups of an account that are listed: those of a group are the same for all of its members.
const MAX_OF_GROUPS: usize = 20;
/// What all aggregated roles together may take.
const MAX_AGGREGATION: usize = 32 * MAX_WORK;

/// Bindings of accounts, and the roles met so far.
pub(crate) struct Access<'s> {
    survey: &'s Survey<'s>,
    facts: &'s Facts,
    /// The rights in each cluster.
    rbac: HashMap<String, Rbac>,
    work: usize,
    pub(crate) roles: Vec<Role>,
    known: HashMap<RoleId, usize>,
    /// The bindings of groups. They are the same for all accounts that see the same ones, which are a stretch of one list: its first and its
    /// length tell which.
    of_groups: HashMap<(String, Option<usize>, usize), OfGroup>,
}

/// How many bindings a group has, the first few, and what all of them give at most.
type OfGroup = (usize, Rc<[usize]>, Power);

/// A role: by its number, or by cluster, kind, namespace and name where there is no one object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum RoleId {
    Object(usize),
    Name(RoleState, String, String, String, String),
}

/// What an account may do.
#[derive(Default)]
pub(crate) struct Granted {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) more: usize,
    pub(crate) power: Power,
}

impl<'s> Access<'s> {
    pub(crate) fn new(survey: &'s Survey<'s>, facts: &'s Facts) -> Self {
        Access {
            survey,
            facts,
            rbac: HashMap::new(),
            work: MAX_AGGREGATION,
            roles: Vec::new(),
            known: HashMap::new(),
            of_groups: HashMap::new(),
        }
    }

    /// What an account may do, as far as it is seen from where its object is.
    pub(crate) fn of(&mut self, person: &Person) -> Granted {
        let mut granted = Granted::default();
        let Some(asker) = person.asker(self.facts).filter(|_| !person.name.1.is_empty()) else { return granted };
        let mut room = MAX_OF_GROUPS;
        for (key, group) in index::bindings_of(&person.name.0, &person.name.1) {
            let numbers = if group.is_some() {
                let (count, first, power) = self.of_group(asker, key);
                granted.power = granted.power.max(power);
                let listed = first.len().min(room);
                room -= listed;
                granted.more += count - listed;
                first.get(..listed).unwrap_or_default().to_vec()
            } else {
                self.survey.filed(asker, &key).into_owned()
            };
            for number in numbers {
                let Some(fact) = self.facts.bindings.get(&number) else { continue };
                granted.bindings.extend(self.binding(number, fact, group.clone()));
            }
        }
        // What is not listed counts as well.
        granted.power = granted.bindings.iter().map(|binding| binding.power).fold(granted.power, Power::max);
        granted
            .bindings
            .sort_by(|one, other| (&one.group, &one.object, &one.location).cmp(&(&other.group, &other.object, &other.location)));
        granted
    }

    /// How many bindings a group has as seen from an object, the first few of them, and what all of them give at most.
    fn of_group(&mut self, asker: usize, key: index::Key) -> OfGroup {
        let list = self.survey.filed(asker, &key);
        let id = (key.selector, list.first().copied(), list.len());
        if let Some(known) = self.of_groups.get(&id) {
            return known.clone();
        }
        let facts = self.facts;
        let bindings: Vec<(usize, &BindingFact)> = list.iter().filter_map(|number| Some((*number, facts.bindings.get(number)?))).collect();
        let power = bindings.iter().map(|(number, fact)| self.power_of(*number, fact)).max().unwrap_or_default();
        let first = bindings.iter().map(|(number, _)| *number).take(MAX_OF_GROUPS).collect();
        let known = (bindings.len(), first, power);
        self.of_groups.insert(id, known.clone());
        known
    }

    /// What a binding gives.
    fn power_of(&mut self, number: usize, fact: &BindingFact) -> Power {
        let role = self.role(number, fact);
        let is_wide = fact.namespace.is_empty();
        self.roles.get(role).map(|role| if is_wide { role.in_cluster.power } else { role.in_namespace.power }).unwrap_or_default()
    }

    fn binding(&mut self, number: usize, fact: &BindingFact, group: Option<String>) -> Option<Binding> {
        let power = self.power_of(number, fact);
        let role = self.role(number, fact);
        Some(Binding {
            object: object(self.survey, number)?,
            location: place(self.survey, number),
            group,
            role,
            in_namespace: Some(fact.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            power,
        })
    }

    /// The role of a binding, by its place among the roles.
    fn role(&mut self, binding: usize, fact: &BindingFact) -> usize {
        let BindingFact { role_kind: kind, role: name, namespace } = fact;
        let is_cluster_role = kind == "ClusterRole";
        let namespace = if is_cluster_role { "" } else { namespace.as_str() };
        let found = self.survey.find(binding, RBAC, kind, namespace, name);
        let cluster = self.survey.cluster(binding);
        let state = match found {
            Lookup::Found(_) => RoleState::Declared,
            Lookup::NotKnown(Unknown::Ambiguous) => RoleState::Ambiguous,
            _ if is_cluster_role && built_in(name).is_some() => RoleState::BuiltIn,
            _ => RoleState::Absent,
        };
        let id = match found {
            Lookup::Found(number) => RoleId::Object(number),
            _ => RoleId::Name(state, cluster.to_owned(), kind.clone(), namespace.to_owned(), name.clone()),
        };
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let mut role = Role {
            kind: kind.clone(),
            namespace: namespace.to_owned(),
            name: name.clone(),
            state,
            location: found.found().map(|number| place(self.survey, number)),
            aggregated: false,
            rules: Vec::new(),
            rules_more: 0,
            certain: true,
            in_cluster: Rights::default(),
            in_namespace: Rights::default(),
        };
        match (found, state) {
            (Lookup::Found(number), _) => self.declared(number, &mut role),
            (_, RoleState::BuiltIn) => self.built_in(cluster, &mut role),
            _ => {
                role.certain = false;
                (role.in_cluster.power, role.in_namespace.power) = (Power::NotKnown, Power::NotKnown);
            }
        }
        // What it is called decides, whatever stands in it.
        if is_cluster_role && name == "cluster-admin" {
            role.in_cluster.power = Power::ClusterAdmin;
        }
        self.roles.push(role);
        self.known.insert(id, self.roles.len() - 1);
        self.roles.len() - 1
    }

    fn declared(&mut self, number: usize, role: &mut Role) {
        let is_aggregated = |node: Node<'_>| node.peek("aggregationRule").is_present();
        if role.kind == "ClusterRole" && look(self.survey, number, |look, _| is_aggregated(look.object)) == Some(true) {
            return self.aggregated(self.survey.cluster(number), role);
        }
        #[derive(Deserialize)]
        struct Rules {
            #[serde(default)]
            rules: Option<Vec<Rule>>,
        }
        match serde_json::from_slice::<Rules>(&self.survey.text(number)) {
            Ok(Rules { rules }) => set_rules(role, rules.unwrap_or_default()),
            Err(_) => role.certain = false,
        }
        look(self.survey, number, |look, _| set_rights(role, look.object.peek("rules")));
    }

    /// One of Kubernetes' own that nobody loaded.
    fn built_in(&mut self, cluster: &str, role: &mut Role) {
        self.aggregated(cluster, role);
        if role.rules.is_empty() {
            // Of those of the control plane no rules are known here, only what they come to.
            let rights = built_in(&role.name).unwrap_or_default();
            role.certain = false;
            role.in_cluster = Rights {
                power: rights.iter().map(|(level, _)| power(*level, true)).max().unwrap_or(Power::NotKnown),
                may: rights.iter().map(|(_, what)| (*what).to_owned()).collect(),
            };
            role.in_namespace.power = Power::NotKnown;
        }
    }

    /// A cluster role as the control plane fills it: with those of its cluster, and those that may be in any.
    fn aggregated(&mut self, cluster: &str, role: &mut Role) {
        let survey = self.survey;
        let rbac = self.rbac.entry(cluster.to_owned()).or_insert_with(|| {
            let is_there = |object: Surveyed<'_>| {
                fedward_kit::request::group_of(&object.id.api_version) == RBAC && (object.cluster.is_empty() || object.cluster == cluster)
            };
            let texts = survey.numbers().filter(|number| survey.object(*number).is_some_and(is_there)).map(|number| survey.text(number));
            Rbac::new(texts.filter_map(|text| serde_json::from_slice::<serde_json::Value>(&text).ok()))
        });
        let Some(found) = rbac.rules(RoleKind::ClusterRole, "", &role.name, &mut self.work) else { return };
        role.aggregated = found.is_aggregated;
        role.certain = found.is_certain && (found.source == Source::BuiltIn || !found.is_aggregated);
        let bump = Bump::new();
        let text = serde_json::to_vec(&found.rules).unwrap_or_default();
        if let Ok(rules) = Value::from_json(bump.alloc_slice_copy(&text), &bump) {
            set_rights(role, Session::new(&bump).root(rules, Origin::Aside));
        }
        set_rules(role, found.rules);
    }
}

fn set_rules(role: &mut Role, mut rules: Vec<Rule>) {
    role.rules_more = rules.len().saturating_sub(MAX_RULES);
    rules.truncate(MAX_RULES);
    role.rules = rules;
}

fn set_rights(role: &mut Role, rules: Node<'_>) {
    for (is_wide, rights) in [(true, &mut role.in_cluster), (false, &mut role.in_namespace)] {
        let found = dangers(rules, is_wide);
        rights.power = found.iter().map(|danger| power(danger.level, is_wide)).max().unwrap_or_default();
        rights.may = found.iter().map(fedward_kit::rights::Danger::text).collect();
    }
}

fn power(level: Severity, is_wide: bool) -> Power {
    match level {
        Severity::Error if is_wide => Power::ClusterAdmin,
        // Everything in one namespace.
        Severity::Error | Severity::Warning => Power::Dangerous,
        Severity::Info => Power::Indirect,
    }
}
