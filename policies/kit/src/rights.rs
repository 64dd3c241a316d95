//! What a role allows beyond what it seems to: the rights that Kubernetes' RBAC good practices list as ways to more.

use crate::finding::Severity;
use crate::node::Node;
use crate::order;

/// A right that leads to more than it says.
#[derive(Clone, Copy)]
pub struct Danger<'a> {
    /// How much it matters in a cluster role binding.
    pub level: Severity,
    /// What it allows, as a phrase after "may".
    pub what: &'static str,
    /// Whether it counts for named objects only.
    pub named: bool,
    /// The rule that grants it; `None` in Kubernetes' own roles.
    pub rule: Option<Node<'a>>,
}

impl Danger<'_> {
    /// What it allows, for messages.
    pub fn text(&self) -> String {
        format!("{}{}", self.what, if self.named { " (named ones)" } else { "" })
    }
}

/// Every verb on every resource of every group.
pub const EVERYTHING: &str = "do everything with every resource";
/// TokenRequest.
pub const TOKENS: &str = "have tokens of service accounts issued";
/// Acting as a service account.
pub const ACT_AS: &str = "impersonate service accounts";
/// Running pods, as whatever service account their namespace has.
pub const WORKLOADS: &str = "run pods as any service account";
/// Running commands in pods that are there.
pub const EXEC: &str = "run commands in pods";
/// Reading secrets.
pub const SECRETS: &str = "read secrets";
/// Changing roles and bindings within its own rights.
pub const RBAC: &str = "change roles and bindings";
const ESCALATE: &str = "give roles rights that it does not have (`escalate`)";
const BIND: &str = "bind roles whose rights it does not have (`bind`)";

/// A kind of right.
struct Row {
    what: &'static str,
    level: Severity,
    /// Group and resource, any of them.
    on: &'static [(&'static str, &'static str)],
    /// Any of them.
    verbs: &'static [&'static str],
    /// Whether a role binding can grant it, within its namespace.
    namespaced: bool,
    /// Resource names with which it is as bad as without any.
    names: &'static [&'static str],
}

const WRITE: &[&str] = &["create", "update", "patch"];
const GROUP: &str = "rbac.authorization.k8s.io";
const ROLES: &[(&str, &str)] = &[(GROUP, "clusterroles"), (GROUP, "roles")];
const BINDINGS: &[(&str, &str)] = &[(GROUP, "clusterrolebindings"), (GROUP, "rolebindings")];

const fn row(
    what: &'static str,
    level: Severity,
    on: &'static [(&'static str, &'static str)],
    verbs: &'static [&'static str],
    namespaced: bool,
) -> Row {
    Row { what, level, on, verbs, namespaced, names: &[] }
}

const ROWS: &[Row] = &[
    Row {
        names: &["system:masters"],
        ..row("impersonate users or groups", Severity::Error, &[("", "users"), ("", "groups")], &["impersonate"], false)
    },
    row(ACT_AS, Severity::Warning, &[("", "serviceaccounts")], &["impersonate"], true),
    row(TOKENS, Severity::Warning, &[("", "serviceaccounts/token")], &["create"], true),
    row(SECRETS, Severity::Warning, &[("", "secrets")], &["get", "list", "watch"], true),
    row(
        "change admission webhooks",
        Severity::Warning,
        &[
            ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
            ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ],
        WRITE,
        false,
    ),
    row("change namespaces, and with them their pod security level", Severity::Warning, &[("", "namespaces")], &["update", "patch"], false),
    row("run commands through the kubelet (`nodes/proxy`)", Severity::Warning, &[("", "nodes/proxy")], &["get", "create"], false),
    row("create persistent volumes, host paths included", Severity::Warning, &[("", "persistentvolumes")], &["create"], false),
    Row {
        names: &["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"],
        ..row(
            "approve client certificates of the API server",
            Severity::Warning,
            &[("certificates.k8s.io", "signers")],
            &["approve"],
            false,
        )
    },
    row(
        WORKLOADS,
        Severity::Info,
        &[
            ("", "pods"),
            ("", "replicationcontrollers"),
            ("apps", "deployments"),
            ("apps", "statefulsets"),
            ("apps", "daemonsets"),
            ("apps", "replicasets"),
            ("batch", "jobs"),
            ("batch", "cronjobs"),
            ("argoproj.io", "workflows"),
        ],
        WRITE,
        true,
    ),
    row(EXEC, Severity::Info, &[("", "pods/exec")], &["create", "get"], true),
];

/// A rule of a role, read once.
struct PolicyRule<'a> {
    node: Node<'a>,
    groups: Vec<&'a str>,
    resources: Vec<&'a str>,
    verbs: Vec<&'a str>,
    names: Vec<&'a str>,
    urls: Vec<&'a str>,
}

impl<'a> PolicyRule<'a> {
    fn of(node: Node<'a>) -> Self {
        let list = |field| node.get(field).items().filter_map(Node::str).collect();
        PolicyRule {
            node,
            groups: list("apiGroups"),
            resources: list("resources"),
            verbs: list("verbs"),
            names: list("resourceNames"),
            urls: list("nonResourceURLs"),
        }
    }

    fn is_everything(&self) -> bool {
        self.names.is_empty() && [&self.groups, &self.resources, &self.verbs].iter().all(|list| list.contains(&"*"))
    }

    fn covers(&self, group: &str, resource: &str) -> bool {
        let sub = resource.split_once('/').map(|(_, sub)| sub);
        self.groups.iter().any(|own| *own == "*" || *own == group)
            && self.resources.iter().any(|own| *own == "*" || *own == resource || (sub.is_some() && own.strip_prefix("*/") == sub))
    }

    fn allows(&self, on: &[(&str, &str)], verbs: &[&str]) -> bool {
        self.verbs.iter().any(|own| *own == "*" || verbs.contains(own)) && on.iter().any(|(group, resource)| self.covers(group, resource))
    }
}

/// How a right is granted.
enum Grant<'a> {
    /// On every object, or on one of the names that matter.
    Wide(Node<'a>),
    /// On named objects only.
    Narrow(Node<'a>),
}

fn grant<'a>(rules: &[PolicyRule<'a>], on: &[(&str, &str)], verbs: &[&str], names: &[&str]) -> Option<Grant<'a>> {
    let mut narrow = None;
    for rule in rules.iter().filter(|rule| rule.allows(on, verbs)) {
        if rule.names.is_empty() || rule.names.iter().any(|name| names.contains(name)) {
            return Some(Grant::Wide(rule.node));
        }
        narrow = narrow.or(Some(Grant::Narrow(rule.node)));
    }
    narrow
}

/// The dangerous rights in the rules of a role, as a binding of the whole cluster or of one namespace grants them; the worst first.
///
/// What is granted on named objects only is informational (a name proves little, but it is meant), except for names that are as bad
/// as all of them. In one namespace, rights on cluster-scoped resources do not count.
pub fn dangers<'a>(rules: Node<'a>, cluster_wide: bool) -> Vec<Danger<'a>> {
    let rules: Vec<PolicyRule<'a>> = rules.items().map(PolicyRule::of).collect();
    if let Some(rule) = rules.iter().find(|rule| rule.is_everything()) {
        return vec![Danger { level: Severity::Error, what: EVERYTHING, named: false, rule: Some(rule.node) }];
    }
    let mut found = Vec::new();
    for row in ROWS.iter().filter(|row| cluster_wide || row.namespaced) {
        let (level, named, rule) = match grant(&rules, row.on, row.verbs, row.names) {
            Some(Grant::Wide(rule)) => (row.level, false, rule),
            // Other signers' certificates, or one certain pod: nothing to speak of.
            Some(Grant::Narrow(rule)) if row.level > Severity::Info && row.on != [("certificates.k8s.io", "signers")] => {
                (Severity::Info, true, rule)
            }
            _ => continue,
        };
        found.push(Danger { level, what: row.what, named, rule: Some(rule) });
    }
    rbac(&rules, cluster_wide, &mut found);
    if cluster_wide
        && found.is_empty()
        && let Some(rule) = rules.iter().find(|rule| rule.urls.contains(&"*"))
    {
        found.push(Danger {
            level: Severity::Info,
            what: "reach every URL of the API server that is no resource",
            named: false,
            rule: Some(rule.node),
        });
    }
    order::sort(&mut found, &|one, other| other.level.cmp(&one.level));
    found
}

/// Rights over roles and bindings. `escalate` and `bind` lead to cluster-admin only together with the right to write.
fn rbac<'a>(rules: &[PolicyRule<'a>], cluster_wide: bool, found: &mut Vec<Danger<'a>>) {
    let cluster_admin = &["cluster-admin"];
    // A role binding can name a cluster role too; what one namespace can never reach are cluster role bindings.
    let own = |on: &'static [(&'static str, &'static str)]| if cluster_wide { on } else { on.get(1..).unwrap_or_default() };
    let mut written = false;
    for (what, verb, roles, targets) in [(ESCALATE, "escalate", own(ROLES), own(ROLES)), (BIND, "bind", ROLES, own(BINDINGS))] {
        let write = matches!(grant(rules, targets, WRITE, &[]), Some(Grant::Wide(_)));
        let (level, named, rule) = match grant(rules, roles, &[verb], cluster_admin) {
            Some(Grant::Wide(rule)) if write => (Severity::Error, false, rule),
            Some(Grant::Wide(rule)) => (Severity::Warning, false, rule),
            Some(Grant::Narrow(rule)) => (Severity::Info, true, rule),
            None => continue,
        };
        written |= level == Severity::Error;
        found.push(Danger { level, what, named, rule: Some(rule) });
    }
    if written {
        return;
    }
    let on = (GROUP, "clusterrolebindings");
    let all = |rule: &&PolicyRule<'a>| rule.names.is_empty() && rule.verbs.contains(&"*") && rule.covers(on.0, on.1);
    if cluster_wide && let Some(rule) = rules.iter().find(all) {
        found.push(Danger {
            level: Severity::Error,
            what: "do everything with cluster role bindings",
            named: false,
            rule: Some(rule.node),
        });
    } else if let Some(Grant::Wide(rule)) =
        grant(rules, own(ROLES), WRITE, &[]).filter(is_wide).or_else(|| grant(rules, own(BINDINGS), WRITE, &[]))
    {
        found.push(Danger { level: Severity::Warning, what: RBAC, named: false, rule: Some(rule) });
    }
}

fn is_wide(grant: &Grant<'_>) -> bool {
    matches!(grant, Grant::Wide(_))
}

/// What Kubernetes' own roles allow, of those that are worth speaking of; `None` for a role that is not Kubernetes' own.
/// `cluster-admin`, `admin` and `edit` are judged by name.
pub fn built_in(name: &str) -> Option<&'static [(Severity, &'static str)]> {
    match name {
        "cluster-admin" | "admin" | "edit" | "view" => Some(&[]),
        "system:controller:clusterrole-aggregation-controller" => Some(&[(Severity::Error, ESCALATE)]),
        "system:kube-controller-manager" => Some(&[(Severity::Warning, SECRETS), (Severity::Warning, TOKENS)]),
        "system:kubelet-api-admin" => Some(&[(Severity::Warning, "run commands through the kubelet (`nodes/proxy`)")]),
        _ => name.starts_with("system:").then_some(&[]),
    }
}
