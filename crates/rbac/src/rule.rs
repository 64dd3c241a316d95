//! One rule of a role against one action.
//!
//! The comparisons are those of `RuleAllows` in Kubernetes' `plugin/pkg/auth/authorizer/rbac/rbac.go` and of the helpers it uses
//! (`VerbMatches`, `APIGroupMatches`, `ResourceMatches`, `ResourceNameMatches`, `NonResourceURLMatches`), version 1.37.

use serde::{Deserialize, Serialize};

use crate::question::{Action, ResourceAttributes};
use crate::read::list;

/// A rule of a role. What is absent is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rule {
    /// `get`, `list`, … or `*`.
    #[serde(deserialize_with = "list")]
    pub verbs: Vec<String>,
    /// API groups, empty for the core group, or `*`.
    #[serde(deserialize_with = "list")]
    pub api_groups: Vec<String>,
    /// Resources, with their sub-resources, or `*`.
    #[serde(deserialize_with = "list")]
    pub resources: Vec<String>,
    /// Names of objects; all if there are none.
    #[serde(deserialize_with = "list")]
    pub resource_names: Vec<String>,
    /// URLs that are no resources.
    #[serde(rename = "nonResourceURLs", deserialize_with = "list")]
    pub non_resource_urls: Vec<String>,
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
