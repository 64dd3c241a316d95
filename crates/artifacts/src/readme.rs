//! The parts of each policy's README that follow from its code and its metadata: rules, settings, a manifest for the cluster, access.
//!
//! People write `policies/<id>/README.md`; what stands between `<!-- NAME: … -->` and `<!-- end of NAME -->` is replaced.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use fedward_kit::policy::Descriptor;

use crate::files::{Generated, MARK};
use crate::manifest;
use crate::metadata::Metadata;
use crate::package::Package;
use crate::pages::cell;
use crate::settings;

/// Settings for the manifest, of the policy's own rather than the common ones.
const SETTINGS: &[(&str, &str)] = &[
    (
        "enforce-audience-issuer",
        "cloud: public\nclusterIssuer: https://oidc.clusters.example/blue\nallowedIssuers:\n  - https://token.actions.githubusercontent.com\n",
    ),
    (
        "forbid-federated-cluster-admin",
        "forbidAdminGroups: true\nallowed:\n  - role: cluster-admin\n    subject: delivery/bootstrap\n    reason: sets up new clusters, see the runbook\n",
    ),
    ("forbid-identity-sharing", "strict: true\nidentityOwners:\n  shop/orders:\n    - Deployment/orders\n    - CronJob/orders-*\n"),
    ("forbid-static-credentials", "allowedSecretNames:\n  - registry/mirror-login\nextraEnvPatterns:\n  - '*_PAT'\n"),
    ("require-identity-labels", "extraRequiredLabels:\n  - team\nexemptNamespaces:\n  - kube-*\n"),
    (
        "suite",
        "exemptNamespaces:\n  - kube-*\npolicies:\n  enforce-audience-issuer:\n    settings:\n      cloud: public\n  \
         require-identity-labels:\n    enabled: false\n",
    ),
    ("verify-argocd-identity", "argocdNamespace: argocd\nextraAzureHosts:\n  - charts.harbour.example\n"),
    ("verify-token-projection", "maxExpirationSeconds: 43200\nseverities:\n  unneeded-api-token: off\n"),
];

/// A policy's README as it is.
///
/// # Errors
/// There is none.
pub fn text(root: &Path, id: &str) -> Result<String> {
    let path = format!("policies/{id}/README.md");
    fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read `{path}`"))
}

/// What a README says to somebody who has the module alone, in `kwctl inspect`: without the long tables and the role, which come with the
/// module as a file, and without the manifest, which `kwctl` writes from the module.
///
/// # Errors
/// A README that lacks one of these places.
pub fn usage(text: &str, id: &str) -> Result<String> {
    let file = format!("See the policy's README, `policies/{id}/README.md`, which releases have as `{id}.md`.\n");
    let scaffold = "`kwctl scaffold manifest --type ClusterAdmissionPolicy MODULE` writes a manifest with all rules.\n";
    let mut text = text.to_owned();
    let rules = if id == fedward_modules::SUITE.id { "policies" } else { "rules" };
    // The whole text counts in the size of a module.
    let again = "See the README.\n";
    for (name, line) in [(rules, &*file), ("settings", again), ("manifest", scaffold), ("access", again)] {
        let (before, _, after) = around(&text, name).ok_or_else(|| anyhow!("the README of `{id}` has no place for its {name}"))?;
        text = format!("{before}{line}{}", after.strip_prefix('\n').unwrap_or(after));
    }
    Ok(text)
}

/// The READMEs of all policies, with what is generated in its places.
///
/// # Errors
/// A README that is not there or lacks a place.
pub fn generate(root: &Path, packages: &[Package]) -> Result<Vec<Generated>> {
    packages.iter().map(|package| readme(root, package)).collect()
}

fn readme(root: &Path, package: &Package) -> Result<Generated> {
    let Package { builtin, metadata, .. } = package;
    let path = format!("policies/{}/README.md", builtin.id);
    let policy = builtin.policy.describe();
    let parts = [
        if package.is_suite() { ("policies", policies()) } else { ("rules", rules(&policy)) },
        ("settings", settings::rows(policy.settings.iter())),
        ("manifest", fenced(&policy_manifest(builtin.id, metadata))),
        ("access", fenced(&manifest::role(&format!("fedward-{}", builtin.id), &manifest::looked_at(&metadata.context_aware_resources)))),
    ];
    let mut text = text(root, builtin.id)?;
    for (name, part) in parts {
        text = replaced(&text, name, &part).ok_or_else(|| anyhow!("`{path}` has no `<!-- {name}: -->` … `<!-- end of {name} -->`"))?;
    }
    Ok(Generated { path, text })
}

/// The text with a part between its marks, which are written anew.
fn replaced(text: &str, name: &str, part: &str) -> Option<String> {
    let (before, end, after) = around(text, name)?;
    Some(format!("{before}<!-- {name}: {MARK}. -->\n{part}{end}{after}"))
}

/// What stands before a part's first mark, its second mark, and what stands after that.
fn around<'t>(text: &'t str, name: &str) -> Option<(&'t str, String, &'t str)> {
    let (before, rest) = text.split_once(&format!("<!-- {name}:"))?;
    let end = format!("<!-- end of {name} -->");
    let (_, after) = rest.split_once(&end)?;
    Some((before, end, after))
}

fn fenced(yaml: &str) -> String {
    format!("```yaml\n{yaml}```\n")
}

/// The policies of the suite.
fn policies() -> String {
    let mut text = "| policy | rules | what it enforces |\n|---|---|---|\n".to_owned();
    for policy in fedward_modules::ALL.iter().map(|builtin| builtin.policy.describe()) {
        let _ = writeln!(text, "| [`{0}`](../{0}/README.md) | {1} | {2} |", policy.id, policy.rules.len(), cell(policy.summary));
    }
    text
}

fn rules(policy: &Descriptor) -> String {
    let mut text = "| rule | severity | what is reported |\n|---|---|---|\n".to_owned();
    for rule in &policy.rules {
        let gravest = rule.conditions.iter().map(|condition| condition.severity).max();
        let _ = writeln!(text, "| `{}` | {} | {} |", rule.id, gravest.map_or("", |severity| severity.name()), cell(rule.summary));
    }
    text
}

/// A `ClusterAdmissionPolicy`, with what the metadata ask for.
fn policy_manifest(id: &str, metadata: &Metadata) -> String {
    let module = manifest::module(id);
    // Without the setting for it no policy changes an object, and those that are judged after all changes judge what there will be.
    let comment = if metadata.mutating { " # true only with the setting that changes objects" } else { "" };
    let mut yaml = format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata:\n  name: {id}\nspec:\n  \
         module: {module} # wherever you pushed it\n  mutating: false{comment}\n  \
         # The audit scanner skips a policy whose rules name a sub-resource or a kind that the cluster lacks: leave those out, or take\n  \
         # deploy/kubewarden, which keeps them apart.\n  \
         backgroundAudit: {}\n  mode: monitor # protect, once the reports are clean\n",
        metadata.background_audit
    );
    yaml.push_str("  settings:\n");
    for line in example_settings(id).lines() {
        let _ = writeln!(yaml, "    {line}");
    }
    yaml.push_str(&manifest::rules(&metadata.rules));
    yaml.push_str(&manifest::context(&metadata.context_aware_resources));
    yaml
}

/// The example's settings, for the manifest and its test.
pub fn example_settings(id: &str) -> &'static str {
    SETTINGS.iter().find(|(known, _)| *known == id).map_or("{}\n", |(_, settings)| settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_between_its_marks_and_only_there() {
        let text = "# a\n<!-- rules: old mark -->\nold\n<!-- end of rules -->\nmine\n";
        let want = format!("# a\n<!-- rules: {MARK}. -->\nnew\n<!-- end of rules -->\nmine\n");
        assert_eq!(replaced(text, "rules", "new\n").as_deref(), Some(want.as_str()));
        assert_eq!(replaced(&want, "rules", "new\n").as_deref(), Some(want.as_str()));
        assert_eq!(replaced(text, "settings", "new\n"), None);
    }

    #[test]
    fn usage_says_where_the_tables_are() {
        let part = |name| format!("<!-- {name}: x -->\n| {name} |\n<!-- end of {name} -->\n");
        let text = format!("# a\n\n{}\nof it\n\n{}{}{}", part("rules"), part("settings"), part("manifest"), part("access"));
        let usage = usage(&text, "some-policy").unwrap_or_default();
        assert!(usage.starts_with("# a\n\nSee the policy's README, `policies/some-policy/README.md`"), "{usage}");
        assert!(usage.contains("`some-policy.md`.\n\nof it\n\nSee the README.\n"), "{usage}");
        for gone in ["| rules |", "| settings |", "| manifest |", "| access |"] {
            assert!(!usage.contains(gone), "{usage}");
        }
        assert!(super::usage("# a\n", "some-policy").is_err());
    }
}
