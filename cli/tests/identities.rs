//! `fedward identities` of what Argo CD deploys.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::path::Path;

use common::{renders, run, write};

fn application(name: &str, cluster: &str, path: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec: {{project: default, source: {{repoURL: 'https://git.example/r', path: {path}}}, destination: {{name: {cluster}, namespace: shop}}}}\n"
    )
}

const ACCOUNT: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: orders\n  annotations:\n    azure.workload.identity/client-id: 6f1d2c3b-4a59-4e68-9b07-1c2d3e4f5a6b\n";
const WORKLOAD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  selector: {matchLabels: {app: orders}}\n  template:\n    metadata: {labels: {app: orders}}\n    spec: {serviceAccountName: orders, containers: []}\n";

fn fleet(folder: &Path) {
    write(folder, "apps/blue.yaml", &application("blue", "blue", "chart"));
    write(folder, "apps/green.yaml", &application("green", "green", "kustom"));
    write(folder, "chart/Chart.yaml", "apiVersion: v2\nname: orders\nversion: 1.0.0\n");
    write(folder, "chart/templates/account.yaml", ACCOUNT);
    write(folder, "chart/templates/deployment.yaml", WORKLOAD);
    write(folder, "kustom/kustomization.yaml", "namePrefix: of-\nresources: [account.yaml]\n");
    write(folder, "kustom/account.yaml", ACCOUNT);
}

const MAPPED: [&str; 3] = ["identities", "--repo", "https://git.example/r=."];

#[test]
fn what_applications_deploy_is_in_the_list_on_the_lines_that_a_person_edits() {
    if !renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path());
    let (out, said, code) = run(folder.path(), &[MAPPED.as_slice(), &["."]].concat());
    assert_eq!((said.as_str(), code), ("", 0));
    let expected = "\
Azure identity 6f1d2c3b-4a59-4e68-9b07-1c2d3e4f5a6b: 1 workload uses it
├─ service account shop/of-orders in green  kustom/account.yaml
│  └─ no workload among the files runs as it
└─ service account shop/orders in blue  chart/templates/account.yaml:4
   └─ Deployment shop/blue  chart/templates/deployment.yaml:4

1 identity, 2 service accounts, 1 object that uses them
7 files, 5 objects
";
    assert_eq!(out, expected);
    let (json, ..) = run(folder.path(), &[MAPPED.as_slice(), &[".", "--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let states: Vec<_> = json["deployed"].as_array().unwrap().iter().map(|one| (&one["name"], &one["state"])).collect();
    assert_eq!(serde_json::to_value(states).unwrap(), serde_json::json!([["argocd/blue", "rendered"], ["argocd/green", "rendered"]]));
    assert_eq!(json["accounts"][1]["cluster"], "blue");
    let (picture, ..) = run(folder.path(), &[MAPPED.as_slice(), &[".", "--format", "mermaid"]].concat());
    assert!(picture.contains("\"service account<br/>shop/of-orders<br/>in green<br/>kustom/account.yaml\""), "{picture}");
    assert!(picture.contains("\"service account<br/>shop/orders<br/>in blue<br/>chart/templates/account.yaml:4\""), "{picture}");
    // As files alone they are templates and bases.
    let (out, _, code) = run(folder.path(), &["identities", ".", "--no-argocd"]);
    assert!(out.contains("what Application `blue` (and 1 more) deploys is not rendered, and not in the list"), "{out}");
    assert_eq!(code, 0);
}

#[test]
fn what_is_not_rendered_is_told_and_changes_the_exit_code() {
    if !renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path());
    // Without a mapping the repository is not known.
    let (out, _, code) = run(folder.path(), &["identities", "."]);
    assert!(out.contains("deferred: Application `argocd/blue`: "), "{out}");
    assert_eq!(code, 0, "what stands there is an identity, too");
    let (out, _, code) = run(folder.path(), &["identities", ".", "--strict", "--quiet"]);
    assert!(out.contains("deferred: Application `argocd/blue`: "), "{out}");
    assert_eq!(code, 3);
    assert!(out.ends_with("error: 2 not rendered (2 deferred, which `--strict` counts)\n\n"), "{out}");
    // A picture has no room for it.
    let (out, said, code) = run(folder.path(), &["identities", ".", "--strict", "--format", "mermaid"]);
    assert!(out.starts_with("flowchart LR\n") && !out.contains("deferred"), "{out}");
    assert_eq!((said.as_str(), code), ("error: 2 not rendered (2 deferred, which `--strict` counts)\n", 3));
    write(folder.path(), "chart/templates/broken.yaml", "{{ fail \"as it is meant\" }}\n");
    let (out, _, code) = run(folder.path(), &[MAPPED.as_slice(), &["."]].concat());
    assert!(out.contains("failed: Application `argocd/blue`: ") && out.contains("as it is meant"), "{out}");
    assert!(out.contains("service account shop/of-orders"), "{out}");
    assert_eq!(code, 3);
}

/// What is rendered is read, whatever it is called, and no output takes its place.
#[test]
fn no_output_replaces_what_something_is_rendered_from() {
    if !renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path());
    write(folder.path(), "kustom/kustomization.yaml", "resources: [account.yaml]\nconfigMapGenerator: [{name: a, files: [settings]}]\n");
    write(folder.path(), "kustom/settings", "as a person wrote it\n");
    let (_, said, code) = run(folder.path(), &[MAPPED.as_slice(), &[".", "--format", "json=kustom/settings"]].concat());
    assert_eq!(code, 2, "{said}");
    assert_eq!(std::fs::read_to_string(folder.path().join("kustom/settings")).unwrap(), "as a person wrote it\n");
}
