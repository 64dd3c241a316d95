//! The cluster roles and cluster role bindings that users meet in every cluster although nobody loads them.
//!
//! From Kubernetes' bootstrap policy (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`) with its default feature gates: the
//! user-facing roles with the roles that they aggregate, the bindings for whole groups of users with their roles, and
//! `system:auth-delegator`, which add-ons bind. The roles of control plane components are not here.
//!
//! An API server puts back at its start what is missing of these (`rbac.authorization.kubernetes.io/autoupdate`). That is not
//! imitated: a loaded object replaces the one of its name.

use crate::answer::RoleKind;
use crate::object::{Binding, Role, Subject};
use crate::rule::Rule;
use crate::selector::{Labels, Selector};

/// The version of Kubernetes whose built-in roles these are.
pub const KUBERNETES_VERSION: &str = "1.37";

const ALL: &[&str] = &["*"];
const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const READ_WRITE: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];

/// What may be done.
enum Row {
    /// Verbs, groups, resources.
    Resources(&'static [&'static str], &'static [&'static str], &'static [&'static str]),
    /// Verbs, URLs.
    Urls(&'static [&'static str], &'static [&'static str]),
}
use Row::{Resources, Urls};

/// A name, what the role is aggregated to, what it aggregates itself, and its rules.
type Entry = (&'static str, &'static str, &'static str, &'static [Row]);

const ROLES: &[Entry] = &[
    ("cluster-admin", "", "", &[Resources(ALL, ALL, ALL), Urls(ALL, ALL)]),
    ("admin", "", "admin", &[]),
    ("edit", "admin", "edit", &[]),
    ("view", "edit", "view", &[]),
    ("system:aggregate-to-admin", "admin", "", TO_ADMIN),
    ("system:aggregate-to-edit", "edit", "", TO_EDIT),
    ("system:aggregate-to-view", "view", "", TO_VIEW),
    (
        "system:auth-delegator",
        "",
        "",
        &[
            Resources(CREATE, &["authentication.k8s.io"], &["tokenreviews"]),
            Resources(CREATE, &["authorization.k8s.io"], &["subjectaccessreviews"]),
        ],
    ),
    (
        "system:basic-user",
        "",
        "",
        &[
            Resources(CREATE, &["authorization.k8s.io"], &["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
            Resources(CREATE, &["authentication.k8s.io"], &["selfsubjectreviews"]),
        ],
    ),
    ("system:cluster-trust-bundle-discovery", "", "", &[Resources(READ, &["certificates.k8s.io"], &["clustertrustbundles"])]),
    ("system:discovery", "", "", &[Urls(&["get"], DISCOVERY)]),
    ("system:public-info-viewer", "", "", &[Urls(&["get"], &["/healthz", "/livez", "/readyz", "/version", "/version/"])]),
    (
        "system:service-account-issuer-discovery",
        "",
        "",
        &[Urls(
            &["get"],
            &["/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"],
        )],
    ),
];

const TO_ADMIN: &[Row] = &[
    Resources(CREATE, &["authorization.k8s.io"], &["localsubjectaccessreviews"]),
    Resources(READ_WRITE, &["rbac.authorization.k8s.io"], &["rolebindings", "roles"]),
];

const TO_EDIT: &[Row] = &[
    Resources(READ, &[""], &["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"]),
    Resources(&["impersonate"], &[""], &["serviceaccounts"]),
    Resources(WRITE, &[""], &["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"]),
    Resources(CREATE, &[""], &["pods/eviction"]),
    Resources(
        WRITE,
        &[""],
        &[
            "configmaps",
            "persistentvolumeclaims",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "secrets",
            "serviceaccounts",
            "services",
            "services/proxy",
        ],
    ),
    Resources(CREATE, &[""], &["serviceaccounts/token"]),
    Resources(WRITE, &["", "events.k8s.io"], &["events"]),
    Resources(
        WRITE,
        &["apps"],
        &[
            "daemonsets",
            "deployments",
            "deployments/rollback",
            "deployments/scale",
            "replicasets",
            "replicasets/scale",
            "statefulsets",
            "statefulsets/scale",
        ],
    ),
    Resources(WRITE, &["autoscaling"], &["horizontalpodautoscalers"]),
    Resources(WRITE, &["batch"], &["cronjobs", "jobs"]),
    Resources(
        WRITE,
        &["extensions"],
        &[
            "daemonsets",
            "deployments",
            "deployments/rollback",
            "deployments/scale",
            "ingresses",
            "networkpolicies",
            "replicasets",
            "replicasets/scale",
            "replicationcontrollers/scale",
        ],
    ),
    Resources(WRITE, &["policy"], &["poddisruptionbudgets"]),
    Resources(WRITE, &["networking.k8s.io"], &["ingresses", "networkpolicies"]),
    Resources(READ_WRITE, &["coordination.k8s.io"], &["leases"]),
    Resources(WRITE, &["resource.k8s.io"], &["resourceclaims", "resourceclaimtemplates"]),
];

const TO_VIEW: &[Row] = &[
    Resources(
        READ,
        &[""],
        &[
            "configmaps",
            "endpoints",
            "persistentvolumeclaims",
            "persistentvolumeclaims/status",
            "pods",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "serviceaccounts",
            "services",
            "services/status",
        ],
    ),
    Resources(
        READ,
        &[""],
        &[
            "bindings",
            "limitranges",
            "namespaces/status",
            "pods/log",
            "pods/status",
            "replicationcontrollers/status",
            "resourcequotas",
            "resourcequotas/status",
        ],
    ),
    Resources(READ, &[""], &["namespaces"]),
    Resources(READ, &["", "events.k8s.io"], &["events"]),
    Resources(READ, &["discovery.k8s.io"], &["endpointslices"]),
    Resources(
        READ,
        &["apps"],
        &[
            "controllerrevisions",
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/scale",
            "deployments/status",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "statefulsets",
            "statefulsets/scale",
            "statefulsets/status",
        ],
    ),
    Resources(READ, &["autoscaling"], &["horizontalpodautoscalers", "horizontalpodautoscalers/status"]),
    Resources(READ, &["batch"], &["cronjobs", "cronjobs/status", "jobs", "jobs/status"]),
    Resources(
        READ,
        &["extensions"],
        &[
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/scale",
            "deployments/status",
            "ingresses",
            "ingresses/status",
            "networkpolicies",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "replicationcontrollers/scale",
        ],
    ),
    Resources(READ, &["policy"], &["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    Resources(READ, &["networking.k8s.io"], &["ingresses", "ingresses/status", "networkpolicies"]),
    Resources(READ, &["resource.k8s.io"], &["resourceclaims", "resourceclaims/status", "resourceclaimtemplates"]),
];

const DISCOVERY: &[&str] =
    &["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"];

/// The groups that are bound to the cluster role of the same name as the binding.
const BINDINGS: &[(&str, &[&str])] = &[
    ("cluster-admin", &["system:masters"]),
    ("system:basic-user", &["system:authenticated"]),
    ("system:cluster-trust-bundle-discovery", &["system:serviceaccounts"]),
    ("system:discovery", &["system:authenticated"]),
    ("system:public-info-viewer", &["system:authenticated", "system:unauthenticated"]),
    ("system:service-account-issuer-discovery", &["system:serviceaccounts"]),
];

/// The cluster roles, by name.
pub(crate) fn roles() -> impl Iterator<Item = (&'static str, Role)> {
    ROLES.iter().map(|(name, to, from, rules)| {
        let labels = |target: &str| Labels::from([(format!("rbac.authorization.k8s.io/aggregate-to-{target}"), "true".to_owned())]);
        let mut own = if to.is_empty() { Labels::new() } else { labels(to) };
        own.insert("kubernetes.io/bootstrapping".to_owned(), "rbac-defaults".to_owned());
        let selectors = if from.is_empty() { Vec::new() } else { vec![Selector { match_labels: labels(from), ..Selector::default() }] };
        (*name, Role { labels: own, rules: rules.iter().map(rule).collect(), selectors })
    })
}

/// The cluster role bindings, by name.
pub(crate) fn bindings() -> impl Iterator<Item = (&'static str, Binding)> {
    BINDINGS.iter().map(|(name, groups)| {
        let subjects = groups.iter().map(|group| Subject::Group((*group).to_owned())).collect();
        (*name, Binding { role_kind: RoleKind::ClusterRole, role: (*name).to_owned(), subjects })
    })
}

fn rule(row: &Row) -> Rule {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match row {
        Resources(verbs, groups, resources) => {
            Rule { verbs: list(verbs), api_groups: list(groups), resources: list(resources), ..Rule::default() }
        }
        Urls(verbs, urls) => Rule { verbs: list(verbs), non_resource_urls: list(urls), ..Rule::default() },
    }
}
