//! The suite's metadata: everything that its policies ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Result, anyhow};

use crate::annotations::derived;
use crate::files::{Generated, MARK};
use crate::metadata::Matching;
use crate::package::Package;

/// Groups, versions and operations of rules, with the resources that they name.
type Rules = BTreeMap<(Vec<String>, Vec<String>, Vec<String>), BTreeSet<String>>;

/// `policies/suite/metadata.yml`.
///
/// # Errors
/// Versions and offline rules that do not parse; a resource whose kind is not known.
pub fn generate(packages: &[Package]) -> Result<Generated> {
    let (mut rules, mut offline, mut resources, mut capabilities) = (Rules::new(), Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut minimum = semver::Version::new(0, 0, 0);
    for metadata in packages.iter().map(|package| &package.metadata) {
        for rule in &metadata.rules {
            for group in &rule.api_groups {
                let key = (vec![group.clone()], rule.api_versions.clone(), rule.operations.clone());
                rules.entry(key).or_default().extend(rule.resources.iter().cloned());
            }
        }
        if let Some(text) = metadata.annotations.get("io.fedward.offline-rules") {
            let list: Vec<serde_json::Value> = serde_json::from_str(text)?;
            for rule in list {
                if !offline.contains(&rule) {
                    offline.push(rule);
                }
            }
        }
        resources.extend(metadata.context_aware_resources.iter().map(|one| (&one.api_version, &one.kind)));
        capabilities.extend(&metadata.host_capabilities);
        if let Some(version) = &metadata.minimum_kubewarden_version {
            minimum = minimum.max(version.parse().map_err(|error| anyhow!("`minimumKubewardenVersion`: {error}"))?);
        }
    }
    let rules: Vec<Matching> = rules
        .into_iter()
        .map(|((api_groups, api_versions, operations), resources)| Matching {
            api_groups,
            api_versions,
            resources: resources.into_iter().collect(),
            operations,
        })
        .collect();
    let mut yaml = format!("# {MARK} from the metadata of all policies.\nrules:\n");
    let list = |items: &[String]| serde_json::to_string(items);
    for rule in &rules {
        let _ = writeln!(yaml, "  - apiGroups: {}\n    apiVersions: {}", list(&rule.api_groups)?, list(&rule.api_versions)?);
        let _ = writeln!(yaml, "    resources: {}\n    operations: {}", list(&rule.resources)?, list(&rule.operations)?);
    }
    yaml.push_str(
        "mutating: false\nbackgroundAudit: true\nexecutionMode: kubewarden-wapc\npolicyType: kubernetes\ncontextAwareResources:\n",
    );
    for (api_version, kind) in &resources {
        let _ = writeln!(yaml, "  - {{apiVersion: {api_version}, kind: {kind}}}");
    }
    yaml.push_str("hostCapabilities:\n");
    for capability in &capabilities {
        let _ = writeln!(yaml, "  - {capability}");
    }
    let suite = fedward_modules::SUITE.policy.describe();
    let _ = write!(
        yaml,
        "minimumKubewardenVersion: {minimum}\nannotations:\n  io.fedward.offline-rules: |\n    {}\n  \
         io.kubewarden.policy.category: Workload identity\n  io.kubewarden.policy.severity: high\n  \
         io.artifacthub.displayName: fedward suite\n  \
         io.artifacthub.keywords: workload identity, federation, azure, aws, google cloud, argo cd, rbac, credential\n",
        serde_json::to_string(&offline)?
    );
    for line in derived(suite.id, suite.summary, &rules)?.lines() {
        let _ = writeln!(yaml, "  {line}");
    }
    Ok(Generated { path: "policies/suite/metadata.yml".to_owned(), text: yaml })
}
