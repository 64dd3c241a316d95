//! What projects permit.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use crate::clusters::Target;
use crate::glob::Glob;
use crate::place::Place;
use crate::url::normalise;
use crate::value::Value;

/// What a project permits.
pub(crate) struct Permissions<'a> {
    spec: &'a Value,
    /// Its patterns, of which each is compared with every object.
    globs: RefCell<Globs<'a>>,
}

/// Patterns that were compiled; one that is none matches nothing.
type Globs<'a> = HashMap<(Sort, Cow<'a, str>), Option<Glob>>;

/// A sort of patterns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Sort {
    /// `*` crosses `/`.
    Crossing,
    /// It does not.
    Separated,
    /// Go's `filepath.Match`.
    Path,
}

impl<'a> Permissions<'a> {
    /// What a project permits; `None` if it is none that could be read.
    pub(crate) fn of(project: &'a Value) -> Option<Self> {
        if crate::shape::mismatch(project, &crate::shape::PROJECT, "").is_some() {
            return None;
        }
        Some(Permissions { spec: project.get("spec")?, globs: RefCell::default() })
    }

    /// Where the project says it.
    pub(crate) fn place(&self, key: &str) -> &'a Place {
        self.spec.get(key).map_or(&self.spec.place, |list| &list.place)
    }

    /// Whether a repository may be a source. An entry with `!` that does not hit permits, too.
    pub(crate) fn permits_source(&self, url: &str) -> bool {
        let url = normalise(url);
        let mut permits = false;
        for pattern in self.spec.texts("sourceRepos") {
            let (denies, pattern) = pattern.strip_prefix('!').map_or((false, pattern), |pattern| (true, pattern));
            let pattern = normalise(pattern);
            let hits = pattern == "*" && !denies || self.is_hit(Sort::Separated, pattern, &url);
            if denies && hits {
                return false;
            }
            permits |= denies || hits;
        }
        permits
    }

    /// Whether Applications may be in a namespace other than Argo CD's own: a pattern, or a regular expression between slashes.
    pub(crate) fn permits_application_in(&self, namespace: &str) -> bool {
        self.spec.texts("sourceNamespaces").any(|pattern| match pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            // Go's dialect has more than ours: what cannot be read here may permit.
            Some(expression) => regex_lite::Regex::new(expression).map_or(true, |expression| expression.is_match(namespace)),
            None => self.is_hit(Sort::Crossing, pattern, namespace),
        })
    }

    /// Whether a namespace of a cluster may be a destination; `None` if that depends on what is not known of the cluster.
    pub(crate) fn permits_destination(&self, cluster: &Target, namespace: &str) -> Option<bool> {
        let mut permits = false;
        for destination in self.spec.list("destinations") {
            let field = |key: &str| destination.text(key);
            let fits = |pattern: &'a str, known: &Option<String>| match known {
                Some(text) => Some(!text.is_empty() && self.matches(pattern, text)),
                None if pattern.is_empty() => Some(false),
                None if pattern == "*" => Some(true),
                None => None,
            };
            let (by_name, by_server) = (fits(field("name"), &cluster.name)?, fits(field("server"), &cluster.server)?);
            let in_namespace = self.matches(field("namespace"), namespace);
            let denies = |key: &str| field(key).starts_with('!');
            if (by_name || by_server) && in_namespace {
                permits = true;
            } else if (!by_name && denies("name") || !by_server && denies("server")) && in_namespace
                || !in_namespace && denies("namespace") && by_server
            {
                return Some(false);
            }
        }
        Some(permits)
    }

    /// Whether a kind may be deployed. Of kinds without a namespace, those in the list; of others, all if there is no list.
    pub(crate) fn permits_kind(&self, group: &str, kind: &str, name: &str, namespaced: bool) -> bool {
        let (white, black) = if namespaced {
            ("namespaceResourceWhitelist", "namespaceResourceBlacklist")
        } else {
            ("clusterResourceWhitelist", "clusterResourceBlacklist")
        };
        let is_in = |key: &str| {
            self.spec.list(key).any(|item| {
                // Only lists of cluster kinds have names.
                let named = namespaced || item.text("name").is_empty() || self.is_hit(Sort::Path, item.text("name"), name);
                self.is_hit(Sort::Path, item.text("kind"), kind) && self.is_hit(Sort::Path, item.text("group"), group) && named
            })
        };
        let is_white = if namespaced && self.spec.get(white).is_none() { true } else { is_in(white) };
        is_white && !is_in(black)
    }

    /// A pattern, with `!` before it for all that does not match; one that is none matches nothing.
    fn matches(&self, pattern: &'a str, text: &str) -> bool {
        match pattern.strip_prefix('!') {
            Some(pattern) => !self.is_hit(Sort::Crossing, pattern, text),
            None => pattern == "*" || self.is_hit(Sort::Crossing, pattern, text),
        }
    }

    /// Whether a pattern matches; one that is none matches nothing.
    fn is_hit(&self, sort: Sort, pattern: impl Into<Cow<'a, str>>, text: &str) -> bool {
        let mut globs = self.globs.borrow_mut();
        let glob = globs.entry((sort, pattern.into())).or_insert_with_key(|(sort, pattern)| match sort {
            Sort::Crossing => Glob::crossing(pattern).ok(),
            Sort::Separated => Glob::separated(pattern).ok(),
            Sort::Path => Glob::path(pattern).ok(),
        });
        glob.as_ref().is_some_and(|glob| glob.matches(text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::application::Destination;
    use crate::clusters::Clusters;
    use crate::test_text::value;

    fn project(spec: &str) -> Value {
        value(&format!("spec: {{{spec}}}")).1
    }

    #[test]
    fn sources_are_compared_as_argo_cd_does() {
        for (repositories, url, expected) in [
            ("['*']", "https://git.example/a/b", true),
            ("['https://git.example/*']", "https://git.example/a/b", false),
            ("['https://git.example/**']", "https://git.example/a/b", true),
            ("['https://git.example/a/*']", "https://GIT.example/a/b.git", true),
            ("['git@git.example:a/*']", "https://git.example/a/b", false),
            ("['git@git.example:a/*']", "ssh://git@git.example/a/b", true),
            ("['*', '!https://git.example/secret/*']", "https://git.example/secret/b", false),
            ("['!https://git.example/secret/*']", "https://git.example/a/b", true),
            ("['https://git.example/{a,b}/c']", "https://git.example/a/c", false),
            ("[]", "https://git.example/a/c", false),
        ] {
            let project = project(&format!("sourceRepos: {repositories}"));
            assert_eq!(Permissions::of(&project).unwrap().permits_source(url), expected, "{repositories} {url}");
        }
    }

    #[test]
    fn destinations_are_compared_as_argo_cd_does() {
        let here = Target { name: Some("prod".to_owned()), server: Some("https://prod.example".to_owned()) };
        for (destinations, namespace, expected) in [
            ("[{server: '*', namespace: '*'}]", "a", true),
            ("[{server: 'https://prod.example', namespace: a}]", "a", true),
            ("[{name: prod, namespace: 'a-*'}]", "a-b", true),
            ("[{name: prod, namespace: a}]", "b", false),
            ("[{server: '*', namespace: '*'}, {server: '*', namespace: '!kube-*'}]", "kube-system", false),
            ("[{server: '*', namespace: '*'}, {server: '!https://prod.example', namespace: '*'}]", "a", false),
            ("[{server: '!https://other.example', namespace: a}]", "a", true),
            ("[]", "a", false),
        ] {
            let project = project(&format!("destinations: {destinations}"));
            assert_eq!(
                Permissions::of(&project).unwrap().permits_destination(&here, namespace),
                Some(expected),
                "{destinations} {namespace}"
            );
        }
    }

    #[test]
    fn what_depends_on_something_unknown_is_not_known() {
        let destination =
            |server: &str, name: &str| Destination { server: server.to_owned(), name: name.to_owned(), namespace: String::new() };
        let permits = |destinations: &str, server: &str, name: &str| {
            let project = project(&format!("destinations: {destinations}"));
            Permissions::of(&project).unwrap().permits_destination(&Clusters::default().target(&destination(server, name)), "a")
        };
        assert_eq!(permits("[{server: 'https://prod.example', namespace: a}]", "https://prod.example/", ""), Some(true));
        assert_eq!(permits("[{server: 'https://other.example', namespace: a}]", "https://prod.example", ""), Some(false));
        assert_eq!(permits("[{name: prod, namespace: a}]", "https://prod.example", ""), None);
        assert_eq!(permits("[{name: '*', namespace: a}]", "https://prod.example", ""), Some(true));
        assert_eq!(permits("[{server: 'https://prod.example', namespace: a}]", "", "prod"), None);
        assert_eq!(permits("[{server: 'https://kubernetes.default.svc', namespace: a}]", "", "in-cluster"), Some(true));
    }

    #[test]
    fn kinds_are_in_lists() {
        for (spec, group, kind, namespaced, expected) in [
            ("", "", "Namespace", false, false),
            ("clusterResourceWhitelist: [{group: '', kind: Namespace}]", "", "Namespace", false, true),
            ("clusterResourceWhitelist: [{group: '', kind: Namespace, name: 'team-*'}]", "", "Namespace", false, false),
            (
                "clusterResourceWhitelist: [{group: '*', kind: '*'}], clusterResourceBlacklist: [{group: '', kind: Node}]",
                "",
                "Node",
                false,
                false,
            ),
            ("", "apps", "Deployment", true, true),
            ("namespaceResourceWhitelist: []", "apps", "Deployment", true, false),
            ("namespaceResourceWhitelist: [{group: apps, kind: '*'}]", "apps", "Deployment", true, true),
            ("namespaceResourceBlacklist: [{group: '', kind: ResourceQuota}]", "", "ResourceQuota", true, false),
        ] {
            let project = value(&format!("spec: {{sourceRepos: [], {spec}}}")).1;
            assert_eq!(Permissions::of(&project).unwrap().permits_kind(group, kind, "prod", namespaced), expected, "{spec} {kind}");
        }
    }
}
