//! Bindings: which role, where, and to which federated subjects.

use fedward_kit::context::Lookup;
use fedward_kit::finding::ObjectRef;
use fedward_kit::node::Node;
use fedward_kit::rule::{Check, Condition};
use fedward_kit::text::any_matches;

use crate::rights::{self, Danger};
use crate::settings::Settings;
use crate::subject::{Federated, Subject};

/// The group of roles and bindings.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";
const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// A ClusterRoleBinding or RoleBinding.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// The object.
    pub(crate) object: Node<'a>,
    /// The namespace; empty for a ClusterRoleBinding.
    pub(crate) namespace: &'a str,
    /// `roleRef.kind`, `ClusterRole` where it is missing.
    pub(crate) role_kind: &'a str,
    /// `roleRef.name`.
    pub(crate) role: Node<'a>,
}

/// What a binding's role comes to by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    /// `cluster-admin`, or another role of the setting `privilegedClusterRoles`.
    ClusterAdmin,
    /// Kubernetes' `admin`.
    Admin,
    /// Kubernetes' `edit`.
    Edit,
    /// To be judged by its rules.
    Other,
}

/// A binding's role, resolved.
pub(crate) enum Role<'a> {
    /// One of Kubernetes' own, with what it allows.
    BuiltIn(&'static [(fedward_kit::finding::Severity, &'static str)]),
    /// An object.
    Known(Node<'a>),
    /// It does not exist, or is not known.
    Unknown,
}

impl<'a> Binding<'a> {
    /// The binding under admission, if it is one.
    pub(crate) fn under(cx: &Check<'a, Settings>) -> Option<Self> {
        if cx.is(GROUP, "ClusterRoleBinding") {
            Some(Self::of(cx.object, ""))
        } else if cx.is(GROUP, "RoleBinding") && !cx.request.namespace.is_empty() {
            Some(Self::of(cx.object, cx.request.namespace))
        } else {
            None
        }
    }

    /// Reads a binding of a namespace (empty for a ClusterRoleBinding).
    pub(crate) fn of(object: Node<'a>, namespace: &'a str) -> Self {
        let reference = object.get("roleRef");
        Binding { object, namespace, role_kind: reference.get("kind").filled().unwrap_or("ClusterRole"), role: reference.get("name") }
    }

    /// Whether it counts in the whole cluster.
    pub(crate) fn is_cluster_wide(&self) -> bool {
        self.namespace.is_empty()
    }

    /// The role's name.
    pub(crate) fn role_name(&self) -> &'a str {
        self.role.peek_str().unwrap_or("")
    }

    /// Where it counts, for messages.
    pub(crate) fn reach(&self) -> String {
        if self.is_cluster_wide() { "in the whole cluster".to_owned() } else { format!("in namespace `{}`", self.namespace) }
    }

    /// Its subjects, those left out that the settings accept.
    pub(crate) fn subjects(&self, settings: &'a Settings) -> impl Iterator<Item = Subject<'a>> {
        let Binding { object, namespace, .. } = *self;
        let role = self.role_name();
        object
            .get("subjects")
            .items()
            .map(move |node| Subject::of(node, namespace, settings))
            .filter(move |subject| !subject.is_allowed(role, settings))
    }

    /// Its federated subjects.
    pub(crate) fn federated(&self, cx: &Check<'a, Settings>) -> Vec<Federated<'a>> {
        self.subjects(cx.settings).filter_map(|subject| Federated::of(cx, subject)).collect()
    }

    /// Whether it lies in a namespace whose administrator can take over the cluster.
    pub(crate) fn is_protected(&self, settings: &Settings) -> bool {
        !self.is_cluster_wide() && any_matches(&settings.protected_namespaces, self.namespace)
    }

    /// What its role comes to by name.
    pub(crate) fn power(&self, settings: &Settings) -> Power {
        if self.role_kind != "ClusterRole" {
            return Power::Other;
        }
        match self.role_name() {
            name if settings.privileged_cluster_roles.iter().any(|role| role == name) => Power::ClusterAdmin,
            "admin" => Power::Admin,
            "edit" => Power::Edit,
            _ => Power::Other,
        }
    }

    /// Its role.
    pub(crate) fn resolve(&self, cx: &Check<'a, Settings>) -> Role<'a> {
        let name = self.role_name();
        let is_cluster_role = self.role_kind == "ClusterRole";
        if is_cluster_role && let Some(rights) = rights::built_in(name) {
            return Role::BuiltIn(rights);
        }
        let (kind, namespace) = if is_cluster_role { ("ClusterRole", "") } else { ("Role", self.namespace) };
        match cx.context.get(ObjectRef { api_version: API_VERSION, kind, namespace, name }, self.role) {
            Lookup::Found(role) => Role::Known(role),
            Lookup::NotFound | Lookup::NotKnown(_) => Role::Unknown,
        }
    }

    /// The dangerous rights of its role, judged by the role's rules, and the role's object.
    pub(crate) fn dangers(&self, cx: &Check<'a, Settings>) -> (Vec<Danger<'a>>, Option<Node<'a>>) {
        if !cx.settings.detect_equivalent || self.power(cx.settings) != Power::Other {
            return (Vec::new(), None);
        }
        match self.resolve(cx) {
            Role::BuiltIn(rights) if self.is_cluster_wide() => {
                (rights.iter().map(|(level, what)| Danger { level: *level, what, named: false, rule: None }).collect(), None)
            }
            Role::Known(role) => (rights::dangers(role.get("rules"), self.is_cluster_wide()), Some(role)),
            Role::BuiltIn(_) | Role::Unknown => (Vec::new(), None),
        }
    }

    /// Its role's power, by name or because its rules allow everything.
    pub(crate) fn real_power(&self, cx: &Check<'a, Settings>) -> Power {
        match self.power(cx.settings) {
            Power::Other if self.dangers(cx).0.iter().any(|danger| danger.what == rights::EVERYTHING) => Power::ClusterAdmin,
            power => power,
        }
    }
}

/// Cluster role bindings that bind a service account to a role which counts as cluster-admin: for the account itself, when it becomes
/// federated after it was bound. Asked only in a cluster; offline the binding is judged anyway.
pub(crate) fn admin_bindings_of<'a>(cx: &Check<'a, Settings>) -> Vec<(Binding<'a>, Subject<'a>)> {
    if cx.context.indexed || !cx.is("", "ServiceAccount") {
        return Vec::new();
    }
    let list = cx.context.list(API_VERSION, "ClusterRoleBinding", "", "", cx.object.get("metadata").get("name"));
    let mut found = Vec::new();
    for object in list.map(|list| list.items).unwrap_or_default() {
        let binding = Binding::of(object, "");
        if binding.power(cx.settings) == Power::ClusterAdmin {
            let subject = binding
                .subjects(cx.settings)
                .find(|subject| subject.who == crate::subject::Who::Account { namespace: cx.request.namespace, name: cx.request.name });
            found.extend(subject.map(|subject| (binding, subject)));
        }
    }
    found
}

/// `condition`, or, for the base of a kustomization that something patches, `draft`: relations are certain only after rendering.
pub(crate) fn unless_draft<'a>(cx: &Check<'a, Settings>, condition: &'a Condition, draft: &'a Condition) -> &'a Condition {
    if cx.request.is_final { condition } else { draft }
}

/// Whether an object is one that the API server makes itself.
pub(crate) fn is_bootstrapped(object: Node<'_>) -> bool {
    let metadata = object.get("metadata");
    // The label alone could be anybody's: the API server's own objects also have these names.
    metadata.get("labels").get("kubernetes.io/bootstrapping").peek_str() == Some("rbac-defaults")
        && metadata.get("name").peek_str().is_some_and(|name| rights::built_in(name).is_some())
}
