//! Sessions with the command on Argo CD repositories. Without renderers in the build there is nothing to run.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::process::Command;

#[test]
fn cases() {
    if common::renders() {
        trycmd::TestCases::new().case("tests/argocd/*.trycmd");
    }
}

#[test]
fn applications_that_git_does_not_track_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let application = |name: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  source: {{repoURL: 'https://git.example/shop', path: plain}}\n  destination: {{namespace: shop}}\n"
        )
    };
    let git = |args: &[&str]| assert!(Command::new("git").arg("-C").arg(folder.path()).args(args).status().unwrap().success());
    let said = || {
        let output = Command::new(env!("CARGO_BIN_EXE_fedward")).args(["check", "."]).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    fs::write(folder.path().join("a.yaml"), application("a")).unwrap();
    fs::write(folder.path().join("b.yaml"), application("b")).unwrap();
    assert!(said().contains("`a.yaml` and 1 more file are not tracked by Git"), "{}", said());
    git(&["add", "b.yaml"]);
    assert!(said().contains("`a.yaml` is not tracked by Git") && said().contains("1 Application: "), "{}", said());
    git(&["add", "--all"]);
    assert!(!said().contains("tracked by Git") && said().contains("2 Applications: "), "{}", said());
}

/// One cluster is one world, whether Applications give its name or its address.
#[test]
fn a_cluster_is_one_by_name_and_by_address() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let application = |name: &str, destination: &str| {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: 'https://git.example/shop', path: {name}}}\n  destination: {{{destination}, namespace: shop}}\n"
        );
        write(&format!("apps/{name}.yaml"), &text);
    };
    let shared = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\n";
    write(
        "account/account.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  annotations: {azure.workload.identity/client-id: 3f1d2c4b-5a69-4788-9c0d-1e2f3a4b5c6e}\n",
    );
    write("account/shared.yaml", shared);
    write(
        "web/pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers: [{name: web, image: 'registry.example/web:1'}]\n",
    );
    write("web/shared.yaml", shared);
    write("clusters.yml", "clusters: [{name: prod, server: 'https://prod.example/'}]\n");
    for (one, other, clusters, is_one) in [
        ("name: in-cluster", "server: https://kubernetes.default.svc", "", true),
        ("name: prod", "server: https://prod.example", "--clusters=clusters.yml", true),
        ("name: prod", "server: https://other.example", "", false),
    ] {
        application("account", one);
        application("web", other);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedward"));
        command.args(["check", "apps", "account", "web", "--argocd", "--repo", "https://git.example/shop=.", "--format", "json"]);
        let output = command.args(Some(clusters).filter(|text| !text.is_empty())).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("\"schema_version\""), "{}", String::from_utf8_lossy(&output.stderr));
        for rule in ["object-of-two-applications", "missing-azure-label"] {
            assert_eq!(said.contains(&format!("\"rule\":\"{rule}\"")), is_one, "{one} {other} {rule}: {said}");
        }
    }
}
