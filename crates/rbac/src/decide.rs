//! The walk from a subject over bindings and roles to a rule.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::answer::{Decision, EvaluationError, Grant, RoleKind, Source, quoted};
use crate::index::{Place, Rbac, Slot};
use crate::object::{Role, Subject};
use crate::question::{Action, User};
use crate::rule::Rule;

/// How many errors an answer holds at most.
pub const MAX_ERRORS: usize = 100;

/// How many comparisons one question is worth, about; beyond, the answer is [`EvaluationError::TooMuch`]. Some ten milliseconds, and
/// far more than the roles of one user in a real cluster need.
pub const MAX_WORK: usize = 1 << 17;

/// The group that the API server lets do everything (`SystemPrivilegedGroup`), whatever the bindings say.
const MASTERS: &str = "system:masters";

impl Rbac {
    /// Whether the user may do that.
    ///
    /// Cost grows with the bindings of this user and these groups, the roles they name and the rules of these, not with what else
    /// is loaded; it is bounded by [`MAX_WORK`].
    pub fn decide(&self, user: &User, action: &Action) -> Decision {
        if user.groups.iter().any(|group| group == MASTERS) {
            return Decision::Allowed(Grant::SystemMasters);
        }
        let mut walk = Walk { rbac: self, action, left: MAX_WORK, verdicts: HashMap::new(), errors: Vec::new() };
        match walk.bindings(user) {
            Ok(Some(grant)) => Decision::Allowed(grant),
            Ok(None) => Decision::NoOpinion(walk.errors),
            Err(Exhausted) => Decision::NoOpinion(vec![EvaluationError::TooMuch]),
        }
    }
}

/// The question took too long.
struct Exhausted;

/// A rule that allows.
#[derive(Clone, Copy)]
struct Hit {
    role: Source,
    rules_of: Source,
    rule: usize,
}

/// What a role says.
#[derive(Clone, Copy)]
enum Verdict {
    Yes(Hit),
    /// It cannot be known; why is among the errors already.
    Perhaps,
    No,
}

struct Walk<'q> {
    rbac: &'q Rbac,
    action: &'q Action,
    left: usize,
    /// Of the roles that were asked: no role is walked twice, however many bindings name it.
    verdicts: HashMap<(RoleKind, usize), Verdict>,
    errors: Vec<EvaluationError>,
}

/// An aggregated role that is still to be followed.
struct Open<'q> {
    slot: usize,
    role: &'q Role,
    source: Source,
    /// A cluster role on the way with differing copies, if there is one.
    unsure: Option<usize>,
}

impl<'q> Walk<'q> {
    fn spend(&mut self, work: usize) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(work).ok_or(Exhausted)?;
        Ok(())
    }

    fn note(&mut self, error: EvaluationError) {
        self.left = self.left.saturating_sub(self.errors.len());
        if self.errors.len() < MAX_ERRORS && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// The places where the user is a subject, those of one binding together; as in `VisitRulesFor`, cluster role bindings first, and
    /// role bindings only for actions in a namespace.
    fn places(&mut self, user: &User) -> Result<Vec<Place>, Exhausted> {
        let namespace = self.action.namespace();
        let mut places = Vec::new();
        for namespace in [Some(""), Some(namespace).filter(|namespace| !namespace.is_empty())].into_iter().flatten() {
            let names = std::iter::once((false, &user.name)).chain(user.groups.iter().map(|group| (true, group)));
            for (group, name) in names {
                let found = self.rbac.places(namespace, group, name);
                self.spend(1 + found.len())?;
                places.extend_from_slice(found);
            }
        }
        places.sort_unstable();
        Ok(places)
    }

    fn bindings(&mut self, user: &User) -> Result<Option<Grant>, Exhausted> {
        let places = self.places(user)?;
        for of_binding in places.chunk_by(|one, other| one.slot == other.slot) {
            let Some(binding) = of_binding.first().and_then(|place| self.rbac.bindings.get(place.slot)) else { continue };
            let mut granted = None;
            let mut granting = 0;
            for of_copy in of_binding.chunk_by(|one, other| one.copy == other.copy) {
                let Some(place) = of_copy.first() else { continue };
                let Some((bound, source)) = binding.copies.get(place.copy) else { continue };
                let kind = bound.binding.role_kind;
                let verdict = match bound.role {
                    Some(slot) => self.role(kind, slot)?,
                    None => {
                        let namespace = if kind == RoleKind::Role { binding.named.namespace.clone() } else { String::new() };
                        self.note(EvaluationError::RoleNotFound { kind, namespace, name: bound.binding.role.clone(), binding: *source });
                        Verdict::Perhaps
                    }
                };
                if let Verdict::Yes(hit) = verdict {
                    granting += 1;
                    granted = granted.or(Some((*place, hit)));
                }
            }
            match granted {
                Some((place, hit)) if granting == binding.copies.len() => return Ok(self.grant(place, hit)),
                Some(_) => {
                    let kind = if binding.named.namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
                    self.ambiguous(kind, binding);
                }
                None => {}
            }
        }
        Ok(None)
    }

    fn ambiguous<T>(&mut self, kind: &'static str, slot: &Slot<T>) {
        let Some((_, first)) = slot.copies.first() else { return };
        let named = slot.named.clone();
        self.note(EvaluationError::Ambiguous { kind, namespace: named.namespace, name: named.name, first: *first });
    }

    /// Whether the role allows the action, all of its copies if there are several.
    fn role(&mut self, kind: RoleKind, slot: usize) -> Result<Verdict, Exhausted> {
        if let Some(known) = self.verdicts.get(&(kind, slot)) {
            return Ok(*known);
        }
        let mut verdict = Verdict::No;
        if let Some(role) = self.rbac.role(kind, slot) {
            let mut allowing = 0;
            for (copy, source) in &role.copies {
                let of_copy = if copy.selectors.is_empty() {
                    self.rule(&copy.rules)?.map(|rule| Hit { role: *source, rules_of: *source, rule }).map_or(Verdict::No, Verdict::Yes)
                } else {
                    self.aggregated(Open { slot, role: copy, source: *source, unsure: None })?
                };
                verdict = match (verdict, of_copy) {
                    (Verdict::Yes(hit), _) | (_, Verdict::Yes(hit)) => Verdict::Yes(hit),
                    (Verdict::Perhaps, _) | (_, Verdict::Perhaps) => Verdict::Perhaps,
                    (Verdict::No, Verdict::No) => Verdict::No,
                };
                allowing += usize::from(matches!(of_copy, Verdict::Yes(_)));
            }
            if matches!(verdict, Verdict::Yes(_)) && allowing < role.copies.len() {
                self.ambiguous(kind.as_str(), role);
                verdict = Verdict::Perhaps;
            }
        }
        self.verdicts.insert((kind, slot), verdict);
        Ok(verdict)
    }

    /// The first rule that allows the action.
    fn rule(&mut self, rules: &[Rule]) -> Result<Option<usize>, Exhausted> {
        for (index, rule) in rules.iter().enumerate() {
            self.spend(rule.weight())?;
            if rule.allows(self.action) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Whether an aggregated cluster role allows the action once the control plane has filled it in (`syncClusterRole` in Kubernetes'
    /// `pkg/controller/clusterroleaggregation`): whether a rule does of any cluster role that its selectors reach. The controller
    /// runs whenever a cluster role changes, so that aggregated roles of aggregated roles count, and circles add nothing.
    fn aggregated(&mut self, start: Open<'q>) -> Result<Verdict, Exhausted> {
        let rbac = self.rbac;
        let top = start.source;
        let mut verdict = Verdict::No;
        // Copies of cluster roles, and whether they were reached with certainty.
        let mut seen = HashSet::new();
        let mut queue = VecDeque::from([start]);
        while let Some(open) = queue.pop_front() {
            if self.rule(&open.role.rules)?.is_some() {
                let name = rbac.cluster_roles.get(open.slot).map(|slot| slot.named.name.clone()).unwrap_or_default();
                self.note(EvaluationError::AggregatedRules { name, role: open.source });
                verdict = Verdict::Perhaps;
            }
            let sure = open.unsure.is_none();
            for (selector, slot) in rbac.selected(open.role) {
                let Some(candidate) = rbac.cluster_roles.get(slot).filter(|_| slot != open.slot) else { continue };
                self.spend(1 + candidate.copies.len() * selector.weight())?;
                let unsure = open.unsure.or((candidate.copies.len() > 1).then_some(slot));
                let (mut fresh, mut hits) = (false, Vec::new());
                for (copy, (role, source)) in candidate.copies.iter().enumerate().filter(|(_, (role, _))| selector.matches(&role.labels)) {
                    let new = !seen.contains(&(slot, copy, true)) && seen.insert((slot, copy, sure));
                    fresh |= new;
                    if role.selectors.is_empty() {
                        // One that was seen alone may count together with another copy.
                        if new || candidate.copies.len() > 1 {
                            hits.extend(self.rule(&role.rules)?.map(|rule| Hit { role: top, rules_of: *source, rule }));
                        }
                    } else if new {
                        queue.push_back(Open { slot, role, source: *source, unsure });
                    }
                }
                match hits.first() {
                    Some(hit) if sure && hits.len() == candidate.copies.len() => return Ok(Verdict::Yes(*hit)),
                    Some(_) if fresh => {
                        let doubtful = unsure.and_then(|slot| rbac.cluster_roles.get(slot)).unwrap_or(candidate);
                        self.ambiguous(RoleKind::ClusterRole.as_str(), doubtful);
                        verdict = Verdict::Perhaps;
                    }
                    _ => {}
                }
            }
        }
        Ok(verdict)
    }

    fn grant(&self, place: Place, hit: Hit) -> Option<Grant> {
        let slot = self.rbac.bindings.get(place.slot)?;
        let (bound, source) = slot.copies.get(place.copy)?;
        // Kubernetes writes the name before the namespace.
        let (kind, name) = match slot.named.namespace.as_str() {
            "" => ("ClusterRoleBinding", slot.named.name.clone()),
            namespace => ("RoleBinding", format!("{}/{namespace}", slot.named.name)),
        };
        let subject = match bound.binding.subjects.get(place.subject)? {
            Subject::User(name) => format!("User {}", quoted(name)),
            Subject::Group(name) => format!("Group {}", quoted(name)),
            Subject::Account { namespace, name } => format!("ServiceAccount {}", quoted(&format!("{name}/{namespace}"))),
        };
        let role = &bound.binding;
        let description = format!("{kind} {} of {} {} to {subject}", quoted(&name), role.role_kind.as_str(), quoted(&role.role));
        Some(Grant::Binding {
            binding: *source,
            subject: place.subject,
            role: hit.role,
            rules_of: hit.rules_of,
            rule: hit.rule,
            description,
        })
    }
}
