//! The rules of a policy as they are written.

use crate::at::{At, Problems};
use crate::fields;
use crate::matching::{Rule, Scope};

/// Kinds of the API server itself by the singular that is written for their resource.
const SINGULARS: [(&str, &str); 29] = [
    ("clusterrole", "clusterroles"),
    ("clusterrolebinding", "clusterrolebindings"),
    ("configmap", "configmaps"),
    ("cronjob", "cronjobs"),
    ("customresourcedefinition", "customresourcedefinitions"),
    ("daemonset", "daemonsets"),
    ("deployment", "deployments"),
    ("endpoint", "endpoints"),
    ("endpointslice", "endpointslices"),
    ("event", "events"),
    ("horizontalpodautoscaler", "horizontalpodautoscalers"),
    ("ingress", "ingresses"),
    ("ingressclass", "ingressclasses"),
    ("job", "jobs"),
    ("lease", "leases"),
    ("limitrange", "limitranges"),
    ("namespace", "namespaces"),
    ("networkpolicy", "networkpolicies"),
    ("node", "nodes"),
    ("persistentvolume", "persistentvolumes"),
    ("persistentvolumeclaim", "persistentvolumeclaims"),
    ("pod", "pods"),
    ("replicaset", "replicasets"),
    ("role", "roles"),
    ("rolebinding", "rolebindings"),
    ("secret", "secrets"),
    ("service", "services"),
    ("serviceaccount", "serviceaccounts"),
    ("statefulset", "statefulsets"),
];
const OPERATIONS: [&str; 5] = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];

/// Reads a rule. What no request can have is a warning: the cluster takes it.
pub(crate) fn rule(at: &At<'_>, problems: &mut Problems) -> Rule {
    at.only(problems, &[&fields::RULE]);
    let groups = list(at, "apiGroups", problems, |item, group, problems| {
        if let Some(why) = why_no_group(group) {
            item.warn(problems, &format!("no request has the group `{group}`: {why}"));
        }
    });
    let versions = list(at, "apiVersions", problems, |item, version, problems| {
        if version.contains('/') {
            item.warn(problems, &format!("no request has the version `{version}`: its group belongs in `apiGroups`"));
        }
    });
    // Custom resources can have any plural, but their groups are domains of others.
    let only_builtin = groups.iter().all(|group| group != "*" && (!group.contains('.') || group.ends_with(".k8s.io")));
    let resources = list(at, "resources", problems, |item, resource, problems| {
        let lower = resource.to_ascii_lowercase();
        let (name, sub) = lower.split_once('/').map_or((lower.as_str(), None), |(name, sub)| (name, Some(sub)));
        let is_singular = SINGULARS.iter().any(|(singular, _)| *singular == name);
        if lower != resource || (only_builtin && is_singular) {
            let known = SINGULARS.iter().find(|(singular, plural)| *singular == name || *plural == name);
            let hint = known.map_or_else(String::new, |(_, plural)| match sub {
                Some(sub) => format!(": `{plural}/{sub}`"),
                None => format!(": `{plural}`"),
            });
            item.warn(problems, &format!("no request has the resource `{resource}`: it is the plural in small letters{hint}"));
        }
    });
    let operations = list(at, "operations", problems, |item, operation, problems| {
        if !OPERATIONS.contains(&operation) {
            item.refuse(problems, &format!("there is no operation `{operation}` (`CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`)"));
        }
    });
    let scopes = [("*", Scope::All), ("Cluster", Scope::Cluster), ("Namespaced", Scope::Namespaced)];
    Rule { groups, versions, resources, operations, scope: at.get("scope").one_of(problems, &scopes) }
}

/// A rule of a policy of a namespace as the controller has it: its webhook sees nothing of the cluster's scope, whatever the rule says
/// (kubewarden-controller, `GetRules`). What no allow list of the controller can hold is refused: it is never deployed.
pub(crate) fn of_namespace(at: &At<'_>, rule: Rule, problems: &mut Problems) -> Rule {
    if rule.scope == Scope::Cluster {
        let message = "the scope of a policy of a namespace is `Namespaced`, whatever the rule says: it sees nothing of the cluster's";
        at.get("scope").warn(problems, message);
    }
    let field = |name: &'static str| at.get(name);
    let star = "a policy of a namespace names no `*`: the controller does not deploy it";
    for item in field("apiGroups").items(problems).iter().filter(|item| item.is_text(|group| group.contains('*'))) {
        item.refuse(problems, star);
    }
    let is_report = |resource: &str| resource.split('/').next() == Some("policyreports");
    for item in field("resources").items(problems) {
        if item.is_text(|resource| resource.split('/').next().is_some_and(|name| name.contains('*'))) {
            item.refuse(problems, star);
        } else if item.is_text(is_report) && rule.groups.iter().any(|group| group == "wgpolicyk8s.io") {
            item.refuse(problems, "no policy of a namespace may see `policyreports`: the controller does not deploy it");
        }
    }
    Rule { scope: Scope::Namespaced, ..rule }
}

/// The texts of a list, each looked at by `check`.
fn list(rule: &At<'_>, field: &str, problems: &mut Problems, check: impl Fn(&At<'_>, &str, &mut Problems)) -> Vec<String> {
    let at = rule.get(field);
    let items = at.items(problems);
    if items.is_empty() {
        at.refuse(problems, &format!("a rule needs `{field}`"));
    }
    let mut found = Vec::new();
    for item in items {
        let Some(text) = item.any_text(problems) else { continue };
        // The empty group is the core's.
        if text.is_empty() && field != "apiGroups" {
            item.refuse(problems, &format!("an entry of `{field}` is empty"));
        } else {
            check(&item, &text, problems);
        }
        found.push(text);
    }
    if found.len() > 1 && (found.iter().any(|item| item == "*/*") || has_everything_and_more(&found)) {
        at.refuse(problems, "`*` stands alone");
    }
    found
}

/// Beside `*` only sub-resources may stand.
fn has_everything_and_more(list: &[String]) -> bool {
    list.iter().any(|item| item == "*") && list.iter().any(|item| item != "*" && !item.contains('/'))
}

fn why_no_group(group: &str) -> Option<&'static str> {
    if group.contains('/') {
        return Some("its version belongs in `apiVersions`");
    }
    if matches!(group, "core" | "v1") {
        return Some("that of the core is the empty text");
    }
    group.contains(|letter: char| letter.is_ascii_uppercase()).then_some("groups are written in small letters")
}
