//! Which requests reach a policy: what the API server decides for its webhook, short of CEL.

use crate::selector::{LabelSelector, Labels};
use crate::spec::Condition;

/// The label that every namespace has, with its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Which requests reach a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// Any of them has to match.
    pub rules: Vec<Rule>,
    /// Whether another version of a resource that a rule names matches as well (`matchPolicy: Equivalent`).
    pub equivalent: bool,
    /// Of the object's namespace. `None` for everything.
    pub namespace_selector: Option<LabelSelector>,
    /// Of the object. `None` for everything.
    pub object_selector: Option<LabelSelector>,
    /// The only namespace, for policies of a namespace.
    pub only_namespace: Option<String>,
    /// All have to hold.
    pub conditions: Vec<Condition>,
}

/// A rule of a webhook (`admissionregistration.k8s.io/v1`, RuleWithOperations).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Groups, or `*`.
    pub groups: Vec<String>,
    /// Versions, or `*`.
    pub versions: Vec<String>,
    /// Resources: `pods`, `pods/log`, `pods/*`, `*/scale`, `*`, `*/*`.
    pub resources: Vec<String>,
    /// Operations, or `*`.
    pub operations: Vec<String>,
    /// Which scope.
    pub scope: Scope,
}

/// The scope of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Cluster-scoped resources, namespaces included.
    Cluster,
    /// Resources in a namespace.
    Namespaced,
    /// Both.
    #[default]
    All,
}

/// What of a request decides.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    /// The group; empty for the core.
    pub group: &'a str,
    /// The version.
    pub version: &'a str,
    /// The versions that the API server has of the resource, as far as they are known.
    pub versions: Option<&'a [&'a str]>,
    /// The resource plural.
    pub resource: &'a str,
    /// The sub-resource, or empty.
    pub subresource: &'a str,
    /// The namespace; empty for cluster-scoped objects. For a Namespace it is its own name, as in the API server.
    pub namespace: &'a str,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: &'a str,
    /// The object's labels; `None` if there is no object (on DELETE).
    pub labels: Option<&'a Labels>,
    /// The labels of the object before; `None` if there is none (on CREATE).
    pub old_labels: Option<&'a Labels>,
    /// The labels of the namespace; `None` if they are not known.
    pub namespace_labels: Option<&'a Labels>,
}

/// Whether a request reaches a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It does, if the conditions hold.
    Yes,
    /// It does not.
    No,
    /// The labels of the namespace decide, and they are not known.
    NotKnown,
}

/// What of a policy keeps a request from it: the first that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// No rule names the resource.
    Resource,
    /// None that names the resource has the operation.
    Operation,
    /// None that has both holds in a namespace, or outside of one.
    Scope,
    /// The selector of objects.
    Labels,
    /// The policy is for the objects of another namespace.
    OnlyNamespace,
    /// The selector of namespaces.
    Namespace,
}

/// Whose labels decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsksForLabels {
    /// Those of the object.
    pub of_object: bool,
    /// Those of its namespace.
    pub of_namespace: bool,
}

impl AsksForLabels {
    /// Those of both.
    pub const ALL: Self = Self { of_object: true, of_namespace: true };

    /// What either asks for.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { of_object: self.of_object || other.of_object, of_namespace: self.of_namespace || other.of_namespace }
    }
}

impl Matching {
    /// Whether labels of the object and of its namespace decide. The name of a namespace, by which most are selected, is no label that
    /// somebody would have to know. For a Namespace its own labels are those of the namespace.
    #[must_use]
    pub fn asks_for_labels(&self) -> AsksForLabels {
        let selects = |selector: &Option<LabelSelector>, besides: &str| {
            selector.iter().flat_map(|selector| &selector.requirements).any(|requirement| requirement.key != besides)
        };
        let of_namespace = selects(&self.namespace_selector, NAMESPACE_NAME);
        AsksForLabels { of_object: of_namespace || selects(&self.object_selector, ""), of_namespace }
    }

    /// Whether its rules name the kind of the request, which is to say its resource and operation, and whether it is in a namespace.
    #[must_use]
    pub fn takes(&self, request: &Attributes<'_>) -> bool {
        self.rules.iter().any(|rule| rule.matches(request, self.equivalent))
    }

    /// Whether a request of a kind that it takes reaches the policy.
    #[must_use]
    pub fn selects(&self, request: &Attributes<'_>) -> Reach {
        if !self.selects_object(request) {
            return Reach::No;
        }
        if !self.is_of_namespace(request) {
            return Reach::No;
        }
        self.selects_namespace(request)
    }

    /// Why a request does not reach the policy, its conditions aside; `None` if it does, or may.
    #[must_use]
    pub fn misses(&self, request: &Attributes<'_>) -> Option<Miss> {
        let any = |is: &dyn Fn(&Rule) -> bool| self.rules.iter().any(is);
        let named = |rule: &Rule| rule.names(request, self.equivalent);
        if !any(&named) {
            Some(Miss::Resource)
        } else if !any(&|rule| named(rule) && rule.has_operation(request)) {
            Some(Miss::Operation)
        } else if !self.takes(request) {
            Some(Miss::Scope)
        } else if !self.selects_object(request) {
            Some(Miss::Labels)
        } else if !self.is_of_namespace(request) {
            Some(Miss::OnlyNamespace)
        } else {
            (self.selects_namespace(request) == Reach::No).then_some(Miss::Namespace)
        }
    }

    fn is_of_namespace(&self, request: &Attributes<'_>) -> bool {
        self.only_namespace.as_deref().is_none_or(|only| only == request.namespace)
    }

    /// Either object; one that does not exist is not selected, not even by the empty selector (`plugin/webhook/predicates/object`).
    fn selects_object(&self, request: &Attributes<'_>) -> bool {
        let Some(selector) = self.object_selector.as_ref().filter(|selector| !selector.requirements.is_empty()) else { return true };
        [request.labels, request.old_labels].into_iter().flatten().any(|labels| selector.selects(labels))
    }

    /// A cluster-scoped object other than a namespace is always selected; a namespace by its own labels
    /// (`plugin/webhook/predicates/namespace`).
    fn selects_namespace(&self, request: &Attributes<'_>) -> Reach {
        let Some(selector) = &self.namespace_selector else { return Reach::Yes };
        let is_namespace = request.group.is_empty() && request.resource == "namespaces";
        if request.namespace.is_empty() && !is_namespace {
            return Reach::Yes;
        }
        let own = if is_namespace && request.subresource.is_empty() { request.labels.or(request.old_labels) } else { None };
        // The API server sets the name's label on every namespace.
        let selected = selector.selects_with((NAMESPACE_NAME, request.namespace), own.or(request.namespace_labels));
        match selected {
            Some(true) => Reach::Yes,
            Some(false) => Reach::No,
            None => Reach::NotKnown,
        }
    }
}

impl Rule {
    /// As `plugin/webhook/predicates/rules` of the API server decides. With `equivalent`, another version of a resource that the rule
    /// names matches, too: the API server converts it first. It cannot from or to a version that it does not have; where those are not
    /// known, any is taken for one.
    #[must_use]
    pub fn matches(&self, request: &Attributes<'_>, equivalent: bool) -> bool {
        self.has_operation(request) && self.names(request, equivalent) && self.scope.holds(request)
    }

    fn has_operation(&self, request: &Attributes<'_>) -> bool {
        self.operations.iter().any(|operation| operation == "*" || operation == request.operation)
    }

    /// Whether it names the resource.
    fn names(&self, request: &Attributes<'_>, equivalent: bool) -> bool {
        let has = |list: &[String], value: &str| list.iter().any(|item| item == "*" || item == value);
        let exists = |version: &str| match request.versions {
            Some(known) => known.contains(&version),
            // What has a `/` is the version of nothing that could be converted.
            None => !version.contains('/'),
        };
        let converts = || equivalent && exists(request.version) && self.versions.iter().any(|version| exists(version));
        let as_it_is = || has(&self.groups, request.group) && (has(&self.versions, request.version) || converts());
        let as_twin = || twin(request).is_some_and(|group| equivalent && has(&self.groups, group) && has(&self.versions, "v1"));
        (as_it_is() || as_twin())
            && self.resources.iter().any(|resource| {
                let (name, sub) = resource.split_once('/').unwrap_or((resource, ""));
                (name == "*" || name == request.resource) && (sub == "*" || sub == request.subresource)
            })
    }
}

/// The other group that has the same objects: the API server keeps both in one place and converts (`AddCohabitatingResources`). Of those
/// that are served by versions of Kubernetes which have support, only events have two, each with `v1`.
fn twin(request: &Attributes<'_>) -> Option<&'static str> {
    match (request.group, request.resource) {
        ("", "events") => Some("events.k8s.io"),
        ("events.k8s.io", "events") => Some(""),
        _ => None,
    }
}

impl Scope {
    fn holds(self, request: &Attributes<'_>) -> bool {
        // The namespace of a request for a Namespace is its own name, and yet it is cluster-scoped.
        let is_namespace = request.group.is_empty() && request.resource == "namespaces";
        let is_namespaced = !request.namespace.is_empty() && !is_namespace;
        match self {
            Self::All => true,
            Self::Cluster => !is_namespaced,
            Self::Namespaced => is_namespaced,
        }
    }
}
