//! Parts of Kubernetes manifests that follow from a policy's metadata, as YAML: for the READMEs and for `deploy/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::kinds::plural;
use crate::metadata::{Matching, Resource};
use crate::origin::Origin;

/// Where a policy's module is. The host is no registry: whoever deploys replaces it by their own.
pub fn module(id: &str) -> String {
    format!("registry://{}", Origin::default().image(id))
}

/// The field `rules` of a policy's spec.
pub fn rules(rules: &[Matching]) -> String {
    let mut yaml = "  rules:\n".to_owned();
    for rule in rules {
        let lists = [
            ("- apiGroups", &rule.api_groups),
            ("  apiVersions", &rule.api_versions),
            ("  resources", &rule.resources),
            ("  operations", &rule.operations),
        ];
        for (name, list) in lists {
            let items: Vec<String> = list.iter().map(|item| quoted(item)).collect();
            let _ = writeln!(yaml, "    {name}: [{}]", items.join(", "));
        }
    }
    yaml
}

/// The field `contextAwareResources` of a policy's spec.
pub fn context(resources: &[Resource]) -> String {
    let mut yaml = "  contextAwareResources:\n".to_owned();
    for resource in resources {
        let _ = writeln!(yaml, "    - {{apiVersion: {}, kind: {}}}", resource.api_version, resource.kind);
    }
    yaml
}

/// Resource names by API group.
pub type ByGroup<'m> = BTreeMap<&'m str, BTreeSet<String>>;

/// The resources that a policy looks at.
pub fn looked_at(resources: &[Resource]) -> ByGroup<'_> {
    let mut by_group = ByGroup::new();
    for resource in resources {
        let group = resource.api_version.split_once('/').map_or("", |(group, _)| group);
        by_group.entry(group).or_default().insert(plural(&resource.kind));
    }
    by_group
}

/// A cluster role that may read resources.
pub fn role(name: &str, by_group: &ByGroup<'_>) -> String {
    let mut yaml = format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {name}\nrules:\n");
    for (group, resources) in by_group {
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        let _ =
            writeln!(yaml, "  - apiGroups: [{}]\n    resources: [{}]\n    verbs: [get, list, watch]", quoted(group), resources.join(", "));
    }
    yaml
}

/// A flow scalar.
fn quoted(text: &str) -> String {
    if text.is_empty() || text == "*" { format!("\"{text}\"") } else { text.to_owned() }
}
