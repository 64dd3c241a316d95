//! Sessions with the command on Argo CD repositories. Without renderers in the build there is nothing to run.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::Command;

#[test]
fn cases() {
    assert!(fedward_render::available() || std::env::var_os("CI").is_none(), "this build has no renderers");
    if fedward_render::available() {
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

/// Kustomize drops comments: entries count in the files that people write them into.
#[test]
fn ignore_entries_in_bases_and_patches_count() {
    if !fedward_render::available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let deployment = |labels: &str, comment: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  template:\n    metadata:\n      labels:{labels}\n    spec:\n      # {comment}\n      serviceAccountName: web\n"
        )
    };
    write("base/kustomization.yaml", "resources: [deployment.yaml]\n");
    write(
        "base/deployment.yaml",
        &deployment("\n        app: web", "fedward: ignore[wrong-azure-label-value] nothing of that kind is here"),
    );
    write("overlay/kustomization.yaml", "resources: [../base]\nnamePrefix: own-\npatches: [{path: label.yaml}]\n");
    let entry = "fedward: ignore[wrong-azure-label-value] the webhook of this cluster takes it";
    let label = format!("\n        # {entry}\n        azure.workload.identity/use: \"yes\"");
    write("overlay/label.yaml", &deployment(&label, "fedward: ignore[missing-service-account]"));
    let check = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedward"));
        let output = command.args(["check", "overlay", "--format", "json"]).args(more).current_dir(folder.path()).output().unwrap();
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let line = |finding: &serde_json::Value| {
            let place = &finding["location"];
            let ignored = if finding["suppressed"].is_null() { "" } else { " ignored" };
            format!("{}:{} {}{ignored}", text(&place["file"]), place["line"], text(&finding["rule"]))
        };
        let mut lines: Vec<String> = said["findings"].as_array().unwrap().iter().map(line).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        check(&[]),
        [
            "base/deployment.yaml:12 stale-ignore",
            "base/deployment.yaml:13 missing-service-account",
            "overlay/label.yaml:11 wrong-azure-label-value ignored",
            "overlay/label.yaml:13 stale-ignore",
        ]
    );
    assert!(check(&["--no-ignores"]).iter().all(|line| !line.ends_with("ignored") && !line.contains("stale-ignore")));
}
