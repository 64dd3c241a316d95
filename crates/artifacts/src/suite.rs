//! The suite's metadata: everything that its policies ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result, anyhow};

use crate::files::{Generated, MARK};
use crate::metadata::Metadata;

/// Groups, versions and operations of rules, with the resources that they name.
type Rules = BTreeMap<(Vec<String>, Vec<String>, Vec<String>), BTreeSet<String>>;

/// `policies/suite/metadata.yml`.
///
/// # Errors
/// Metadata that do not parse.
pub fn generate() -> Result<Generated> {
    let (mut rules, mut offline, mut resources, mut capabilities) = (Rules::new(), Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut minimum = semver::Version::new(0, 0, 0);
    for builtin in fedward_modules::ALL {
        let metadata = Metadata::read(builtin.metadata).with_context(|| format!("metadata.yml of `{}`", builtin.id))?;
        for rule in metadata.rules {
            for group in rule.api_groups {
                let key = (vec![group], rule.api_versions.clone(), rule.operations.clone());
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
        resources.extend(metadata.context_aware_resources.into_iter().map(|one| (one.api_version, one.kind)));
        capabilities.extend(metadata.host_capabilities);
        if let Some(version) = metadata.minimum_kubewarden_version {
            minimum = minimum.max(version.parse().map_err(|error| anyhow!("`minimumKubewardenVersion`: {error}"))?);
        }
    }
    let mut yaml = format!("# {MARK} from the metadata of all policies.\nrules:\n");
    let list = |items: &[String]| serde_json::to_string(items);
    for ((groups, versions, operations), names) in &rules {
        let names: Vec<String> = names.iter().cloned().collect();
        let _ = writeln!(yaml, "  - apiGroups: {}\n    apiVersions: {}", list(groups)?, list(versions)?);
        let _ = writeln!(yaml, "    resources: {}\n    operations: {}", list(&names)?, list(operations)?);
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
    let (version, summary) = (env!("CARGO_PKG_VERSION"), fedward_modules::SUITE.policy.describe().summary);
    let _ = write!(
        yaml,
        "minimumKubewardenVersion: {minimum}\nannotations:\n  io.fedward.offline-rules: |\n    {}\n  \
         io.kubewarden.policy.title: suite\n  io.kubewarden.policy.version: {version}\n  \
         io.kubewarden.policy.description: {summary}\n  \
         io.kubewarden.policy.license: Apache-2.0\n  io.kubewarden.policy.category: Workload identity\n  \
         io.kubewarden.policy.severity: high\n",
        serde_json::to_string(&offline)?
    );
    Ok(Generated { path: "policies/suite/metadata.yml".to_owned(), text: yaml })
}
