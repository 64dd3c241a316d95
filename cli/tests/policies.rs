//! Policies of a repository: `fedward test policies`, as the README has it, finds cases and passes; what a kustomization makes of manifests is told
//! by the files that people edit.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::process::Command;

#[test]
fn the_policies_pass_their_own_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fedward")).args(["test", "policies"]).current_dir(root).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().any(|line| line.ends_with(" passed") && line.contains(" cases: ")), "{said}");
}

#[test]
fn policies_that_are_rendered_are_named_by_their_files() {
    if !common::renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let policy = |name: &str| {
        format!(
            "---\napiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{name: {name}}}\nspec:\n  module: require-identity-labels\n  mutating: false\n  rules: [{{apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE]}}]\n"
        )
    };
    for (name, text) in [
        ("base/kustomization.yaml", "resources: [policies.yaml, web.yaml]\n"),
        ("base/policies.yaml", &(policy("labels") + &policy("owners"))),
        ("base/web.yaml", &common::LABELLED.replace("NAME", "web").replace("VALUE", "\"True\"")),
        ("prod/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\n"),
    ] {
        common::write(folder.path(), name, text);
    }
    common::git(folder.path(), &["init", "-q"]);
    common::git(folder.path(), &["add", "-A"]);
    let (said, problems, code) = common::run(folder.path(), &["check", "prod"]);
    assert_eq!((code, problems.as_str()), (1, ""), "{said}");
    let by =
        "= policy: ClusterAdmissionPolicy prod-labels (base/policies.yaml:2), ClusterAdmissionPolicy prod-owners (base/policies.yaml:10)";
    assert!(said.contains(by), "{said}");
    assert!(said.contains("`require-identity-labels` runs as `clusterwide-prod-labels` says, on what"), "{said}");
    // A name that only the engine knows.
    assert!(!said.contains('#'), "{said}");
}
