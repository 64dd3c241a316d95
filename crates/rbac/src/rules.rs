//! All that a role allows, as a list.

use std::collections::HashSet;

use crate::answer::{RoleKind, Source};
use crate::index::Rbac;
use crate::rule::Rule;

/// What a role allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRules {
    /// Its rules: as they are written in it, or, if it is aggregated, those of the cluster roles that it selects, in the order of their
    /// names, each rule once.
    pub rules: Vec<Rule>,
    /// Whether that is all as far as objects are loaded: no differing copies, no rules of an aggregated role that the control plane
    /// overwrites, and no more to look at than the question was worth.
    pub is_certain: bool,
    /// Whether the rules are those of other roles.
    pub is_aggregated: bool,
    /// Where the role comes from.
    pub source: Source,
}

impl Rbac {
    /// What a role allows; `None` if there is none of that name. A cluster role has no namespace. `work` is how many comparisons of roles
    /// the question is worth, such as [`crate::MAX_WORK`]; what it took is taken off.
    pub fn rules(&self, kind: RoleKind, namespace: &str, name: &str, work: &mut usize) -> Option<RoleRules> {
        let top = self.position(kind, namespace, name)?;
        let slot = self.role(kind, top)?;
        let (role, source) = slot.copies.first()?;
        let mut found =
            RoleRules { rules: Vec::new(), is_certain: slot.copies.len() == 1, is_aggregated: !role.selectors.is_empty(), source: *source };
        if !found.is_aggregated {
            found.rules.clone_from(&role.rules);
            return Some(found);
        }
        let mut known = HashSet::new();
        let (mut seen, mut open) = (HashSet::from([top]), vec![role]);
        while let Some(role) = open.pop() {
            // What the control plane made of roles that are not loaded, or will overwrite.
            found.is_certain &= role.rules.is_empty();
            let mut selected: Vec<usize> = Vec::new();
            for (selector, at) in self.selected(role) {
                let Some(candidate) = self.cluster_roles.get(at) else { continue };
                let weight: usize = candidate.copies.iter().map(|(role, _)| 1 + selector.weight() + role.rules.len()).sum();
                let Some(rest) = work.checked_sub(weight) else {
                    *work = 0;
                    found.is_certain = false;
                    return Some(found);
                };
                *work = rest;
                if candidate.copies.iter().any(|(role, _)| selector.matches(&role.labels)) && seen.insert(at) {
                    selected.push(at);
                }
            }
            selected.sort_unstable();
            for candidate in selected.into_iter().filter_map(|at| self.cluster_roles.get(at)) {
                found.is_certain &= candidate.copies.len() == 1;
                let Some((role, _)) = candidate.copies.first() else { continue };
                if role.selectors.is_empty() {
                    found.rules.extend(role.rules.iter().filter(|rule| known.insert(*rule)).cloned());
                } else {
                    open.push(role);
                }
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, json};

    use super::RoleRules;
    use crate::{Rbac, RoleKind, Source};

    fn role(name: &str, label: &str, selects: &str, verbs: &[&str]) -> Value {
        let rules: Vec<Value> = verbs.iter().map(|verb| json!({ "verbs": [verb], "apiGroups": [""], "resources": ["pods"] })).collect();
        let mut role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": name, "labels": { "to": label } }, "rules": rules,
        });
        if !selects.is_empty() {
            role.as_object_mut()
                .unwrap()
                .insert("aggregationRule".into(), json!({ "clusterRoleSelectors": [{ "matchLabels": { "to": selects } }] }));
        }
        role
    }

    fn verbs(found: &RoleRules) -> Vec<&str> {
        found.rules.iter().flat_map(|rule| &rule.verbs).map(String::as_str).collect()
    }

    fn of(objects: &[Value], name: &str) -> RoleRules {
        Rbac::new(objects).rules(RoleKind::ClusterRole, "anything", name, &mut 1000).unwrap()
    }

    #[test]
    fn a_role_has_its_own_rules() {
        let found = of(&[role("a", "", "", &["list", "get"])], "a");
        assert_eq!(
            (verbs(&found), found.is_certain, found.is_aggregated, found.source),
            (vec!["list", "get"], true, false, Source::Loaded(0))
        );
    }

    #[test]
    fn an_aggregated_role_has_those_of_others() {
        let all =
            [role("c", "x", "", &["list"]), role("b", "x", "", &["get", "list"]), role("d", "x", "y", &[]), role("e", "y", "", &["watch"])];
        let with = |more: Value| of(&[all.as_slice(), &[more]].concat(), "top");
        let found = with(role("top", "y", "x", &[]));
        assert_eq!((verbs(&found), found.is_certain, found.is_aggregated), (vec!["get", "list", "watch"], true, true));
        // Written rules are overwritten: what is not loaded may have made them.
        let found = with(role("top", "", "x", &["delete"]));
        assert_eq!((verbs(&found), found.is_certain), (vec!["get", "list", "watch"], false));
    }

    #[test]
    fn copies_that_differ_are_not_certain() {
        assert!(!of(&[role("a", "", "", &["get"]), role("a", "", "", &["list"])], "a").is_certain);
        assert!(of(&[role("a", "", "", &["get"]), role("a", "", "", &["get"])], "a").is_certain);
    }

    #[test]
    fn a_question_that_takes_too_long_ends() {
        let all: Vec<Value> = (0..100).map(|at| role(&format!("r{at}"), "x", "x", &[])).collect();
        let mut work = 500;
        let found = Rbac::new(&all).rules(RoleKind::ClusterRole, "", "r0", &mut work).unwrap();
        assert_eq!((found.is_certain, work), (false, 0));
    }

    #[test]
    fn roles_of_every_cluster_are_there() {
        let rbac = Rbac::new(Vec::<Value>::new());
        for (name, aggregated) in [("cluster-admin", false), ("admin", true), ("edit", true), ("view", true)] {
            let found = rbac.rules(RoleKind::ClusterRole, "", name, &mut 1000).unwrap();
            assert!(!found.rules.is_empty() && found.is_certain && found.source == Source::BuiltIn, "{name}");
            assert_eq!(found.is_aggregated, aggregated, "{name}");
        }
        assert_eq!(rbac.rules(RoleKind::Role, "shop", "view", &mut 1000), None);
    }
}
