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
