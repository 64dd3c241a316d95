//! Reading the objects, and refusing what the API server refuses.
//!
//! An object that the API server does not take cannot grant anything in a cluster, so it grants nothing here. The checks are those of
//! Kubernetes' `pkg/apis/rbac/validation` (1.37) after the defaults of `pkg/apis/rbac/v1`, for the fields that are read.

use serde::Deserialize;
use serde_json::Value;

use crate::answer::RoleKind;
use crate::names;
use crate::question::account_user;
use crate::read::{list, nullable, table};
use crate::rule::Rule;
use crate::selector::{Labels, Selector};

/// The API group of RBAC.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// Why an object counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A field has a type that the API does not take.
    #[error("a field has a type that it does not have in the API")]
    Type,
    /// The name is missing, or is none that an RBAC object can have.
    #[error("`metadata.name` is not a name that RBAC objects can have")]
    Name,
    /// A namespaced object without a namespace.
    #[error("`metadata.namespace` is missing")]
    Namespace,
    /// Labels that are none.
    #[error("`metadata.labels` are not labels")]
    Labels,
    /// A rule without verbs, without groups and resources, or with both resources and URLs; a URL in a `Role`.
    #[error("`rules[{0}]` is not a rule: {1}")]
    Rule(usize, &'static str),
    /// An aggregation rule without selectors, or with one that is none.
    #[error("`aggregationRule.clusterRoleSelectors` are not label selectors")]
    Selectors,
    /// A role reference to something that is no role, or without a name.
    #[error("`roleRef` does not refer to a role")]
    RoleRef,
    /// A subject that is none.
    #[error("`subjects[{0}]` is not a subject: {1}")]
    Subject(usize, &'static str),
}

/// An RBAC object.
pub(crate) enum Object {
    Role(Named, Role),
    Binding(Named, Binding),
}

/// What an object is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Named {
    /// Empty for cluster roles and cluster role bindings.
    pub(crate) namespace: String,
    /// Empty where the API server makes the name.
    pub(crate) name: String,
}

/// A role of either kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Role {
    /// Of cluster roles only: nothing selects a `Role`.
    pub(crate) labels: Labels,
    pub(crate) rules: Vec<Rule>,
    /// Empty unless the rules are aggregated.
    pub(crate) selectors: Vec<Selector>,
}

/// A binding of either kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Binding {
    pub(crate) role_kind: RoleKind,
    pub(crate) role: String,
    pub(crate) subjects: Vec<Subject>,
}

/// A subject of a binding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    User(String),
    Group(String),
    /// With its namespace, which in a role binding is that of the binding unless it is written.
    Account {
        namespace: String,
        name: String,
    },
}

impl Subject {
    /// The user name or the group that the subject stands for, and whether it is a group.
    pub(crate) fn key(&self) -> (bool, String) {
        match self {
            Subject::User(name) => (false, name.clone()),
            Subject::Group(name) => (true, name.clone()),
            Subject::Account { namespace, name } => (false, account_user(namespace, name)),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    generate_name: String,
    #[serde(deserialize_with = "nullable")]
    namespace: String,
    #[serde(deserialize_with = "table")]
    labels: Labels,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawRole {
    #[serde(deserialize_with = "nullable")]
    metadata: Metadata,
    #[serde(deserialize_with = "list")]
    rules: Vec<Rule>,
    aggregation_rule: Option<AggregationRule>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct AggregationRule {
    #[serde(deserialize_with = "list")]
    cluster_role_selectors: Vec<Selector>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RawBinding {
    #[serde(deserialize_with = "nullable")]
    metadata: Metadata,
    #[serde(deserialize_with = "list")]
    subjects: Vec<Reference>,
    #[serde(deserialize_with = "nullable")]
    role_ref: Reference,
}

/// A subject or a role reference.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Reference {
    #[serde(deserialize_with = "nullable")]
    api_group: String,
    #[serde(deserialize_with = "nullable")]
    kind: String,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    namespace: String,
}

impl Object {
    /// Reads an object; `None` if it is none of RBAC.
    ///
    /// Every version of the group is read as `v1`: the earlier ones, which no API server serves any more, were written alike.
    pub(crate) fn read(object: &Value) -> Option<Result<Self, Refusal>> {
        let text = |field: &str| object.get(field).and_then(Value::as_str);
        let (group, version) = text("apiVersion")?.split_once('/')?;
        if group != GROUP || version.is_empty() {
            return None;
        }
        match text("kind")? {
            "Role" => Some(role(object, true)),
            "ClusterRole" => Some(role(object, false)),
            "RoleBinding" => Some(binding(object, true)),
            "ClusterRoleBinding" => Some(binding(object, false)),
            _ => None,
        }
    }
}

fn parse<'v, T: Deserialize<'v>>(object: &'v Value) -> Result<T, Refusal> {
    T::deserialize(object).map_err(|_| Refusal::Type)
}

fn named(metadata: Metadata, namespaced: bool) -> Result<(Named, Labels), Refusal> {
    // Without a name the API server makes one from the prefix.
    let name = if metadata.name.is_empty() { &metadata.generate_name } else { &metadata.name };
    if !names::is_path_segment(name) {
        return Err(Refusal::Name);
    }
    if namespaced && metadata.namespace.is_empty() {
        return Err(Refusal::Namespace);
    }
    if !names::are_labels(&metadata.labels) {
        return Err(Refusal::Labels);
    }
    // What is cluster-scoped loses its namespace on its way in.
    let namespace = if namespaced { metadata.namespace } else { String::new() };
    Ok((Named { namespace, name: metadata.name }, metadata.labels))
}

fn role(object: &Value, namespaced: bool) -> Result<Object, Refusal> {
    let raw: RawRole = parse(object)?;
    let (named, labels) = named(raw.metadata, namespaced)?;
    for (index, rule) in raw.rules.iter().enumerate() {
        check(rule, namespaced).map_err(|why| Refusal::Rule(index, why))?;
    }
    // A `Role` has no such field; one that is written there is dropped.
    let selectors = match raw.aggregation_rule {
        Some(aggregation) if !namespaced => {
            let selectors = aggregation.cluster_role_selectors;
            if selectors.is_empty() || !selectors.iter().all(Selector::is_valid) {
                return Err(Refusal::Selectors);
            }
            selectors
        }
        _ => Vec::new(),
    };
    let labels = if namespaced { Labels::new() } else { labels };
    Ok(Object::Role(named, Role { labels, rules: raw.rules, selectors }))
}

fn check(rule: &Rule, namespaced: bool) -> Result<(), &'static str> {
    if rule.verbs.is_empty() {
        return Err("it has no verbs");
    }
    if rule.non_resource_urls.is_empty() {
        return if rule.api_groups.is_empty() || rule.resources.is_empty() { Err("it needs API groups and resources") } else { Ok(()) };
    }
    if namespaced {
        return Err("a role cannot allow URLs");
    }
    if rule.api_groups.is_empty() && rule.resources.is_empty() && rule.resource_names.is_empty() {
        Ok(())
    } else {
        Err("it has both resources and URLs")
    }
}

fn binding(object: &Value, namespaced: bool) -> Result<Object, Refusal> {
    let raw: RawBinding = parse(object)?;
    let (named, _) = named(raw.metadata, namespaced)?;
    let reference = raw.role_ref;
    let role_kind = match reference.kind.as_str() {
        "ClusterRole" => RoleKind::ClusterRole,
        "Role" if namespaced => RoleKind::Role,
        _ => return Err(Refusal::RoleRef),
    };
    if !in_group(&reference) || !names::is_path_segment(&reference.name) {
        return Err(Refusal::RoleRef);
    }
    let subjects = raw.subjects.into_iter().enumerate();
    let subjects = subjects
        .map(|(index, raw)| subject(raw, &named.namespace).map_err(|why| Refusal::Subject(index, why)))
        .collect::<Result<_, _>>()?;
    Ok(Object::Binding(named, Binding { role_kind, role: reference.name, subjects }))
}

/// Whether the group is RBAC's, which is also what an absent one means.
fn in_group(reference: &Reference) -> bool {
    reference.api_group.is_empty() || reference.api_group == GROUP
}

fn subject(raw: Reference, namespace: &str) -> Result<Subject, &'static str> {
    let grouped = in_group(&raw);
    match raw.kind.as_str() {
        _ if raw.name.is_empty() => Err("it has no name"),
        "User" if grouped => Ok(Subject::User(raw.name)),
        "Group" if grouped => Ok(Subject::Group(raw.name)),
        "ServiceAccount" if raw.api_group.is_empty() && names::is_dns_subdomain(&raw.name) => {
            let namespace = if raw.namespace.is_empty() { namespace.to_owned() } else { raw.namespace };
            if namespace.is_empty() { Err("it needs a namespace") } else { Ok(Subject::Account { namespace, name: raw.name }) }
        }
        "ServiceAccount" if raw.api_group.is_empty() => Err("service accounts have other names"),
        "User" | "Group" | "ServiceAccount" => Err("its kind is of another API group"),
        _ => Err("it is neither a user, nor a group, nor a service account"),
    }
}
