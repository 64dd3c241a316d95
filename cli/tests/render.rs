//! What `fedward render` says where the command line is wrong: nothing of it is the chart's fault.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

fn chart(folder: &Path) {
    fs::create_dir_all(folder.join("web/templates")).unwrap();
    fs::write(folder.join("web/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n").unwrap();
    fs::write(folder.join("web/templates/fail.yaml"), "{{ if .Values.broken }}{{ fail \"failed parsing --set data\" }}{{ end }}\n")
        .unwrap();
}

#[test]
fn a_wrong_command_line_is_told_from_a_chart_that_does_not_render() {
    let folder = tempfile::tempdir().unwrap();
    chart(folder.path());
    if !common::renders() {
        return;
    }
    fs::write(folder.path().join("above.txt"), "").unwrap();
    for (args, code, said) in [
        (&["--set", "a"][..], 2, "error: failed parsing --set data: key \"a\" has no value\n"),
        (&["--set-json", "a={"], 2, "error: failed parsing --set-json data a={\n"),
        (&["--kube-version", "abc"], 2, "error: invalid kube version 'abc': "),
        (
            &["--set-file", "a=/etc/hostname"],
            2,
            "error: `--set-file`: `/etc/hostname` leads out of the root, outside of which nothing is read",
        ),
        (&["--set-file", "a=../above.txt", "--root", "web"], 2, "error: "),
        (&["--set-file", "a=none"], 2, "error: failed parsing --set-file data: open none: no such file or directory\n"),
        (&["--values", "none.yaml"], 2, "error: cannot read `none.yaml`: no such file or folder\n"),
        (&["--root", "none"], 2, "error: cannot read `none`: no such file or folder\n"),
        (&["--set", "broken=true"], 3, "web: helm does not render it: "),
        (&["--set", "broken=false"], 0, ""),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_fedward")).current_dir(folder.path()).args(["render", "web"]).args(args).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with(said), "{args:?}: {text}");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    }
}

const SET: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: previews, namespace: argocd}
spec:
  generators: [{pullRequest: {github: {owner: shop, repo: shop}}}]
  template:
    metadata: {name: 'preview-{{number}}'}
    spec:
      project: default
      source: {repoURL: https://git.example/shop, path: app, targetRevision: HEAD}
      destination: {server: https://kubernetes.default.svc, namespace: shop}
";

/// Sets whose Applications nobody knows here are listed with the reason, and named where an Application is not found.
#[test]
fn sets_of_which_not_all_is_known_are_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("set.yaml"), SET).unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_fedward")).current_dir(folder.path()).args(args).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), said)
    };
    let (code, said) = run(&["render", "--list"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("deferred  ApplicationSet argocd/previews  set.yaml:"), "{said}");
    assert!(said.lines().nth(1).is_some_and(|line| line.starts_with("          ") && line.trim().len() > 20), "{said}");
    let (code, said) = run(&["render", "--app", "preview-7"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`--generators FILE`") && said.contains("ApplicationSet argocd/previews"), "{said}");
    let (code, said) = run(&["render", ".", "--repo", "https://git.example/shop=."]);
    assert!(code == Some(2) && said.contains("give `--app` or `--list`"), "{said}");

    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: twice, namespace: argocd}\nspec:\n  project: default\n  \
        source: {repoURL: https://git.example/shop, path: app}\n  destination: {server: https://kubernetes.default.svc, namespace: shop}\n";
    for file in ["a.yaml", "b.yaml"] {
        fs::write(folder.path().join(file), application).unwrap();
    }
    let (code, said) = run(&["render", "--app", "argocd/twice"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("of the same namespace and name") && said.contains("a.yaml:") && said.contains("b.yaml:"), "{said}");
}
