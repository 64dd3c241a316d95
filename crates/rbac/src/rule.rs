//! One rule of a role against one action.
//!
//! The comparisons are those of `RuleAllows` in Kubernetes' `plugin/pkg/auth/authorizer/rbac/rbac.go` and of the helpers it uses
//! (`VerbMatches`, `APIGroupMatches`, `ResourceMatches`, `ResourceNameMatches`, `NonResourceURLMatches`), version 1.37.

use serde::Deserialize;

use crate::question::{Action, ResourceAttributes};
use crate::read::list;

/// A rule. What is absent is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Rule {
    #[serde(deserialize_with = "list")]
    pub(crate) verbs: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) api_groups: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) resources: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs", deserialize_with = "list")]
    pub(crate) non_resource_urls: Vec<String>,
}

impl Rule {
    /// Whether the rule allows the action.
    pub(crate) fn allows(&self, action: &Action) -> bool {
        match action {
            Action::Resource(asked) => {
                any_or(&self.verbs, &asked.verb)
                    && any_or(&self.api_groups, &asked.group)
                    && self.resources.iter().any(|own| covers(own, asked))
                    // An action without a name is not matched by a list of names: that is how such a list keeps `list`, `watch`,
                    // `create` and `deletecollection` out.
                    && (self.resource_names.is_empty() || self.resource_names.contains(&asked.name))
            }
            Action::NonResource(asked) => {
                any_or(&self.verbs, &asked.verb) && self.non_resource_urls.iter().any(|own| reaches(own, &asked.path))
            }
        }
    }

    /// About how many comparisons [`Rule::allows`] may take.
    pub(crate) fn weight(&self) -> usize {
        1 + [&self.verbs, &self.api_groups, &self.resources, &self.resource_names, &self.non_resource_urls]
            .iter()
            .map(|list| list.len())
            .sum::<usize>()
    }
}

fn any_or(list: &[String], asked: &str) -> bool {
    list.iter().any(|own| own == "*" || own == asked)
}

/// `*` is every resource with all its sub-resources, `pods` is pods without any, `*/scale` is that sub-resource of everything;
/// `pods/*` means nothing.
fn covers(own: &str, asked: &ResourceAttributes) -> bool {
    if own == "*" {
        return true;
    }
    if asked.subresource.is_empty() {
        return own == asked.resource;
    }
    let exact = own.strip_prefix(asked.resource.as_str()).and_then(|rest| rest.strip_prefix('/'));
    [exact, own.strip_prefix("*/")].contains(&Some(&asked.subresource))
}

/// Any number of `*` at the end stand for any rest; elsewhere they stand for themselves.
fn reaches(own: &str, path: &str) -> bool {
    own == path || own.ends_with('*') && path.starts_with(own.trim_end_matches('*'))
}
