//! The bases of `deploy/kubewarden`: policies and access for a cluster, as the policies' metadata ask for them.

use std::fmt::Write as _;

use crate::files::{Generated, MARK};
use crate::manifest;
use crate::metadata::{Matching, Metadata};
use crate::package::Package;

/// Where everything goes.
const FOLDER: &str = "deploy/kubewarden";
/// Groups that every cluster serves.
const EVERYWHERE: [&str; 6] = ["", "apps", "batch", "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io"];
/// The namespace and the service accounts of Kubewarden's chart, where nobody changes them.
const NAMESPACE: &str = "kubewarden";
/// What the audit scanner gets no leave to list unless somebody says so.
pub(crate) const SECRETS: &str = "secrets";
/// What the names of policies on the other kinds end in.
pub(crate) const CUSTOM: &str = "-custom";

/// All files of both bases, and the configuration that knows their modules.
pub fn generate(packages: &[Package]) -> Vec<Generated> {
    let (suite, single): (Vec<&Package>, Vec<&Package>) = packages.iter().partition(|package| package.is_suite());
    let mut files = base("base", &single);
    files.extend(base("suite", &suite));
    if let Some(package) = single.iter().find(|package| package.id() == MENDS) {
        let descriptor = package.builtin.policy.describe();
        let rules: Vec<&str> = descriptor.rules.iter().map(|rule| rule.id).collect();
        let text = mending_policy(&package.metadata, &rules);
        files.push(Generated { path: format!("{FOLDER}/overlays/fix/{MENDS}-fix.yaml"), text });
    }
    let mut modules = format!("# {MARK}: which built-in policy each module of the manifests is.\nmodules:\n");
    for package in packages {
        let _ = writeln!(modules, "  {}: {}", manifest::module(package.id()), package.id());
    }
    files.push(Generated { path: format!("{FOLDER}/fedward.yaml"), text: modules });
    files
}

/// A base: the policies, and the access that they need.
fn base(folder: &str, packages: &[&Package]) -> Vec<Generated> {
    let mut files = Vec::new();
    let mut context = manifest::ByGroup::new();
    let mut audited = manifest::ByGroup::new();
    let mut kustomization =
        format!("# {MARK}.\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - access.yaml\n");
    for package in packages {
        let (id, metadata) = (package.id(), &package.metadata);
        let (core, custom) = split(&metadata.rules);
        let about = "# On what not every cluster has, and on sub-resources. The audit scanner gives up a whole policy for one such name.\n";
        let text = format!("# {MARK} from `policies/{id}/metadata.yml`.\n{}---\n{about}{}", policy(id, metadata, &core, true), {
            policy(&format!("{id}{CUSTOM}"), metadata, &custom, false)
        });
        files.push(Generated { path: format!("{FOLDER}/{folder}/{id}.yaml"), text });
        let _ = writeln!(kustomization, "  - {id}.yaml");
        for (group, resources) in manifest::looked_at(&metadata.context_aware_resources) {
            context.entry(group).or_default().extend(resources);
        }
        for (group, resources) in audited_resources(&metadata.rules) {
            audited.entry(group).or_default().extend(resources.into_iter().filter(|name| name != SECRETS));
        }
    }
    let access = [
        format!("# {MARK} from the policies' metadata.\n# What the policies look at: the policy server reads it for them.\n"),
        manifest::role("fedward-context", &context),
        binding("fedward-context", "policy-server"),
        "---\n# What the audit scanner lists, beyond its role `view`. Secrets are left out: they are then not audited.\n".to_owned(),
        manifest::role("fedward-audit", &audited),
        binding("fedward-audit", "audit-scanner"),
    ];
    files.push(Generated { path: format!("{FOLDER}/{folder}/access.yaml"), text: access.concat() });
    files.push(Generated { path: format!("{FOLDER}/{folder}/kustomization.yaml"), text: kustomization });
    files
}

/// What the audit scanner lists of an audited policy.
pub(crate) fn audited_resources(rules: &[Matching]) -> manifest::ByGroup<'_> {
    let mut audited = manifest::ByGroup::new();
    for rule in rules {
        let (core, _) = split(std::slice::from_ref(rule));
        let resources: Vec<String> = core.into_iter().flat_map(|rule| rule.resources).collect();
        for group in rule.api_groups.iter().filter(|_| !resources.is_empty()) {
            audited.entry(group).or_default().extend(resources.iter().cloned());
        }
    }
    audited
}

/// The rules on kinds that every cluster has, and all others: those that name a sub-resource, any version, or a custom resource.
///
/// Kubewarden's audit scanner (`internal/audit-scanner/policies/client.go`) leaves out rules with `*`, and the whole policy if a rule
/// names something that the cluster does not serve by that name.
pub(crate) fn split(rules: &[Matching]) -> (Vec<Matching>, Vec<Matching>) {
    let (mut core, mut custom) = (Vec::new(), Vec::new());
    for rule in rules {
        let is_everywhere =
            rule.api_groups.iter().all(|group| EVERYWHERE.contains(&group.as_str())) && rule.api_versions.iter().all(|one| one != "*");
        let (whole, sub): (Vec<String>, Vec<String>) =
            rule.resources.iter().cloned().partition(|resource| is_everywhere && !resource.contains('/'));
        for (resources, list) in [(whole, &mut core), (sub, &mut custom)] {
            if !resources.is_empty() {
                list.push(Matching { resources, ..rule.clone() });
            }
        }
    }
    (core, custom)
}

fn policy(name: &str, metadata: &Metadata, rules: &[Matching], is_audited: bool) -> String {
    let id = name.strip_suffix(CUSTOM).unwrap_or(name);
    let mut yaml = format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata:\n  name: {name}\n  labels:\n    \
         app.kubernetes.io/part-of: fedward\n  annotations:\n"
    );
    // Reports of the audit scanner have them from here, not from the module.
    for key in ["io.kubewarden.policy.category", "io.kubewarden.policy.severity"] {
        if let Some(value) = metadata.annotations.get(key) {
            let _ = writeln!(yaml, "    {key}: {value}");
        }
    }
    let _ = write!(
        yaml,
        "spec:\n  module: {}\n  mode: monitor\n  mutating: false\n  backgroundAudit: {}\n  \
         failurePolicy: Ignore\n  timeoutSeconds: 5\n",
        manifest::module(id),
        is_audited && metadata.background_audit,
    );
    yaml.push_str(&manifest::rules(rules));
    yaml.push_str(&manifest::context(&metadata.context_aware_resources));
    yaml
}

/// The policy that mends objects (`mode: fix`), and nothing else: what it finds besides, the others say.
const MENDS: &str = "require-identity-labels";
/// The rule that it mends.
const MENDED: &str = "missing-azure-label";
/// What it mends: groups, resources of which it changes what is there already, and resources that it changes when they are made. A test
/// holds this to what the policy does.
const MENDED_KINDS: [(&str, &[&str], &[&str]); 8] = [
    ("", &["podtemplates", "replicationcontrollers"], &["pods"]),
    ("apps", &["deployments", "statefulsets", "daemonsets", "replicasets"], &[]),
    ("batch", &["cronjobs"], &["jobs"]),
    ("argoproj.io", &["workflowtemplates", "cronworkflows", "rollouts", "analysistemplates"], &["workflows", "experiments"]),
    ("keda.sh", &["scaledjobs"], &[]),
    ("serving.knative.dev", &[], &["services", "configurations"]),
    ("jobset.x-k8s.io", &[], &["jobsets"]),
    ("actions.github.com", &["autoscalingrunnersets"], &[]),
];

fn mending_policy(metadata: &Metadata, rules: &[&str]) -> String {
    let of = |group: &str, resources: &[&str], operations: &[&str]| {
        let rule = metadata.rules.iter().find(|rule| rule.api_groups.iter().any(|own| own == group));
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        rule.filter(|_| !resources.is_empty()).map(|rule| Matching {
            resources: owned(resources),
            operations: owned(operations),
            ..rule.clone()
        })
    };
    let matching: Vec<Matching> = MENDED_KINDS
        .iter()
        .flat_map(|&(group, there, made)| [of(group, there, &["CREATE", "UPDATE"]), of(group, made, &["CREATE"])])
        .flatten()
        .collect();
    let mut yaml = format!(
        "# {MARK}.\napiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata:\n  name: {MENDS}-fix\n  labels:\n    \
         app.kubernetes.io/part-of: fedward\nspec:\n  module: {}\n  # It rejects nothing, but in monitor mode it could change nothing.\n  \
         mode: protect\n  mutating: true\n  backgroundAudit: false\n  failurePolicy: Ignore\n  timeoutSeconds: 5\n  settings:\n    \
         mode: fix\n    # The policies that judge say what is wrong; a rule that is `off` would keep nothing from being changed.\n    severities:\n",
        manifest::module(MENDS)
    );
    for rule in rules {
        let _ = writeln!(yaml, "      {rule}: {}", if *rule == MENDED { "warning" } else { "info" });
    }
    yaml.push_str(&manifest::rules(&matching));
    yaml.push_str(&manifest::context(&metadata.context_aware_resources));
    yaml
}

fn binding(role: &str, account: &str) -> String {
    format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: {role}\nroleRef:\n  \
         apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: {role}\nsubjects:\n  - kind: ServiceAccount\n    \
         namespace: {NAMESPACE}\n    name: {account}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(groups: &str, version: &str, resources: &[&str]) -> Matching {
        let own = |text: &&str| (*text).to_owned();
        Matching {
            api_groups: vec![groups.to_owned()],
            api_versions: vec![version.to_owned()],
            resources: resources.iter().map(own).collect(),
            operations: vec!["CREATE".to_owned()],
        }
    }

    #[test]
    fn what_the_audit_scanner_would_stumble_over_is_apart() {
        let rules = [rule("", "v1", &["pods", "pods/ephemeralcontainers"]), rule("argoproj.io", "v1alpha1", &["workflows"])];
        let (core, custom) = split(&rules);
        assert_eq!(core, [rule("", "v1", &["pods"])]);
        assert_eq!(custom, [rule("", "v1", &["pods/ephemeralcontainers"]), rule("argoproj.io", "v1alpha1", &["workflows"])]);
        assert_eq!(split(&[rule("apps", "*", &["deployments"])]).0, []);
    }
}
