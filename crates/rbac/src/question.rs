//! What is asked: somebody, and what they would do.

use serde::Deserialize;

use crate::read::{list, nullable};

/// Who would act.
///
/// Groups are exactly those given here. A `SubjectAccessReview` adds none to the ones in its spec, not even for a service account
/// (`AuthorizationAttributesFrom` in Kubernetes' `pkg/registry/authorization/util`), so Kubewarden's `can_i` does not either: asked
/// about a user alone, bindings of groups do not count. A real request has the groups that authentication gives it:
/// [`User::service_account`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The name; `system:serviceaccount:<namespace>:<name>` for a service account.
    #[serde(default, rename = "user", deserialize_with = "nullable")]
    pub name: String,
    /// The groups.
    #[serde(default, deserialize_with = "list")]
    pub groups: Vec<String>,
}

impl User {
    /// A service account with the groups that authentication gives its requests: `system:serviceaccounts`,
    /// `system:serviceaccounts:<namespace>` and `system:authenticated` (`MakeGroupNames` in Kubernetes'
    /// `apiserver/pkg/authentication/serviceaccount`, and the authenticated-group adder).
    pub fn service_account(namespace: &str, name: &str) -> Self {
        User {
            name: account_user(namespace, name),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ],
        }
    }
}

/// The user name of a service account.
pub(crate) fn account_user(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// What they would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Something with a resource of the API.
    Resource(ResourceAttributes),
    /// A request to a URL that is no resource.
    NonResource(NonResourceAttributes),
}

/// An action on resources, with the fields of `authorization.k8s.io/v1`. Reads both Kubernetes' and Kubewarden's JSON of it; the
/// version is left out, because RBAC does not look at it.
///
/// `*` asks for everything at once: only a rule that itself says `*` matches it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResourceAttributes {
    /// `get`, `list`, `create`, …; lower case, as rules compare it byte by byte.
    #[serde(deserialize_with = "nullable")]
    pub verb: String,
    /// The API group; empty for the core group.
    #[serde(deserialize_with = "nullable")]
    pub group: String,
    /// The plural name of the resource, without the sub-resource.
    #[serde(deserialize_with = "nullable")]
    pub resource: String,
    /// The sub-resource, or empty.
    #[serde(deserialize_with = "nullable")]
    pub subresource: String,
    /// The namespace; empty for cluster-scoped resources and for all namespaces at once, which only cluster role bindings allow.
    #[serde(deserialize_with = "nullable")]
    pub namespace: String,
    /// The object's name; empty for all of them, which is also what requests without a name have (`list`, `watch`, `create`,
    /// `deletecollection`).
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

/// A request to a URL that is no resource, with the fields of `authorization.k8s.io/v1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NonResourceAttributes {
    /// The HTTP method in lower case.
    #[serde(deserialize_with = "nullable")]
    pub verb: String,
    /// The path, with its leading `/`.
    #[serde(deserialize_with = "nullable")]
    pub path: String,
}

impl Action {
    /// The namespace that role bindings are looked up in; empty if none are.
    pub(crate) fn namespace(&self) -> &str {
        match self {
            Action::Resource(attributes) => &attributes.namespace,
            Action::NonResource(_) => "",
        }
    }
}
