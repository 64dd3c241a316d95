//! No output replaces what a run reads, whichever way it is named.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::git;

const ACCOUNT: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: orders\n  namespace: shop\n";
const POLICY: &str = "\
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata:
  name: labels
spec:
  module: registry://require-identity-labels
  rules: [{apiGroups: [''], apiVersions: [v1], resources: [serviceaccounts], operations: [CREATE]}]
  mutating: false
";

fn fedward(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fedward")).current_dir(folder).args(args).output().unwrap()
}

/// A folder with a file of each sort.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from_file = POLICY.replace("registry://require-identity-labels", "file://policies.wasm");
    let files = [
        ("app/orders.yaml", ACCOUNT),
        ("old.yaml", ACCOUNT),
        ("context.yaml", ACCOUNT),
        ("policies.yaml", POLICY),
        ("settings.yaml", "extraRequiredLabels: [owner]\n"),
        ("clusters.yaml", "clusters: [{name: prod, server: 'https://prod.example'}]\n"),
        ("other/chart/values.yaml", "replicas: 1\n"),
        ("configured/fedward.yaml", "context: [platform.yaml]\nmodules: {'registry://registry.example/labels:v1': labels.wasm}\n"),
        ("configured/platform.yaml", ACCOUNT),
        ("configured/labels.wasm", "\0asm"),
        ("configured/app.yaml", ACCOUNT),
        ("cases/own.wasm", "\0asm"),
        ("cases/objects.yaml", ACCOUNT),
        ("cases/a.policy-test.yaml", "policy: own.wasm\ncases: [{name: a, objects: [objects.yaml], expect: {allowed: true}}]\n"),
        ("cases/modules/policies.yaml", &from_file),
        ("cases/modules/policies.wasm", "\0asm"),
        ("values.yaml", "region: eu-central-1\n"),
    ];
    for (path, text) in files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

#[test]
fn what_is_read_is_not_replaced() {
    let folder = folder();
    for (file, args) in [
        ("app/orders.yaml", "check app/orders.yaml"),
        ("context.yaml", "check app --context context.yaml"),
        ("old.yaml", "check app --old old.yaml"),
        ("policies.yaml", "check app --policies policies.yaml"),
        ("settings.yaml", "check app --settings require-identity-labels=settings.yaml"),
        ("clusters.yaml", "check app --clusters clusters.yaml"),
        ("other/chart/values.yaml", "check app --repo https://git.example/other=other"),
        ("other/chart/values.yaml", "check app --repo https://git.example/other@v1=./other/../other"),
        ("configured/fedward.yaml", "check configured"),
        ("configured/platform.yaml", "check configured"),
        ("configured/labels.wasm", "check configured"),
        ("configured/platform.yaml", "identities configured"),
        ("context.yaml", "identities app --context context.yaml"),
        ("cases/a.policy-test.yaml", "test cases"),
        ("cases/own.wasm", "test cases"),
        ("cases/objects.yaml", "test cases"),
        ("cases/modules/policies.wasm", "check app --policies cases/modules"),
    ] {
        let before = fs::read(folder.path().join(file)).unwrap();
        let format = format!("--format=json={file}");
        let args: Vec<&str> = args.split(' ').chain([format.as_str()]).collect();
        let output = fedward(folder.path(), &args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("`{file}` is ")) && said.contains("the output would replace it"), "{args:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(fs::read(folder.path().join(file)).unwrap() == before, "{args:?}");
    }
}

/// A report in a folder that is checked, or in the repository around it, is replaced by the next one.
#[test]
fn what_is_a_report_is_replaced() {
    let folder = folder();
    for args in
        ["check app -o app/report.json", "check app --context . -o report.json", "check app --repo https://git.example/x=. -o report.json"]
    {
        let args: Vec<&str> = args.split(' ').chain(["--format", "json", "--allow-empty"]).collect();
        for _ in 0..2 {
            let output = fedward(folder.path(), &args);
            assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

const APPLICATION: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: plain, namespace: argocd}
spec:
  project: default
  source: {repoURL: https://git.example/shop, path: apps/plain, targetRevision: HEAD}
  destination: {server: https://kubernetes.default.svc, namespace: shop}
";

/// Files of folders that are walked, and of a repository that Argo CD deploys from.
#[test]
fn what_lies_in_a_folder_that_is_read_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("argocd/plain.yaml", APPLICATION),
        ("apps/plain/a.yaml", ACCOUNT),
        ("apps/plain/notes.txt", "notes\n"),
        ("apps/chart/values.yaml", "replicas: 1\n"),
        ("apps/chart/templates/_names.tpl", "{{/* names */}}\n"),
        ("platform/b.yaml", ACCOUNT),
        ("policies/labels.yaml", POLICY),
    ];
    for (path, text) in files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let refused = |file: &str, args: &str| {
        let before = fs::read(folder.path().join(file)).unwrap();
        let format = format!("--format=junit={file}");
        let args: Vec<&str> = args.split(' ').chain([format.as_str()]).collect();
        let output = fedward(folder.path(), &args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("`{file}` ")) && said.contains("name a file"), "{args:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(fs::read(folder.path().join(file)).unwrap() == before, "{args:?}");
    };
    let everywhere = [
        ("apps/plain/a.yaml", "check ."),
        ("apps/plain/a.yaml", "check . --no-argocd"),
        ("apps/plain/a.yaml", "check platform --context apps"),
        ("apps/plain/a.yaml", "check argocd --argocd"),
        ("apps/plain/a.yaml", "check . --repo https://git.example/shop=."),
        ("apps/chart/values.yaml", "check ."),
        ("apps/chart/templates/_names.tpl", "check ."),
        ("policies/labels.yaml", "check platform --policies policies"),
    ];
    everywhere.iter().for_each(|(file, args)| refused(file, args));
    let output = fedward(folder.path(), &["identities", ".", "--format", "mermaid", "-o", "platform/b.yaml"]);
    assert_eq!((output.status.code(), fs::read_to_string(folder.path().join("platform/b.yaml")).unwrap()), (Some(2), ACCOUNT.to_owned()));

    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["remote", "add", "origin", "https://git.example/shop"]);
    git(folder.path(), &["add", "."]);
    everywhere.iter().for_each(|(file, args)| refused(file, args));
    for (file, args) in [
        (".git/config", "check ."),
        (".git/config", "check platform"),
        ("apps/plain/notes.txt", "check ."),
        ("apps/plain/a.yaml", "check argocd"),
    ] {
        refused(file, args);
    }
    fs::write(folder.path().join("new.yaml"), ACCOUNT).unwrap();
    refused("new.yaml", "check .");
    fs::remove_file(folder.path().join("new.yaml")).unwrap();

    let cache = tempfile::tempdir().unwrap();
    let tag = cache.path().join("CACHEDIR.TAG");
    fs::write(&tag, "Signature: 8a477f597d28d172789f06886806bc55\n").unwrap();
    refused(tag.to_str().unwrap(), &format!("check . --cache {}", cache.path().display()));

    // Reports of earlier runs are replaced by those of every sort.
    for report in [
        "json=report.json",
        "json=apps/json.json",
        "sarif=report.sarif",
        "sarif=apps/sarif.json",
        "gitlab=report.gitlab",
        "gitlab=apps/gitlab.json",
        "junit=report.junit",
        "human=report.human",
    ] {
        let format = format!("--format={report}");
        for _ in 0..2 {
            let output = fedward(folder.path(), &["check", ".", "--fail-on", "error", &format]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code().is_some_and(|code| code < 2), "{format}: {:?} {said}", output.status);
        }
    }
}

#[test]
fn values_are_not_replaced_by_what_is_made_of_them() {
    let folder = folder();
    let values = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/init/eks-irsa.yaml")).unwrap();
    let place = folder.path().join("shop/fedward.yaml");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, &values).unwrap();
    let output = fedward(folder.path(), &["init", "eks-irsa", "shop", "--values", "shop/fedward.yaml", "--force"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`shop/fedward.yaml` is an input"), "{said}");
    assert_eq!((output.status.code(), fs::read(&place).unwrap()), (Some(2), values));
}

/// Files that rendering reads, whatever they are called, where there is no Git that would know them.
#[test]
fn what_something_is_rendered_from_is_not_replaced() {
    if !common::renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("overlay/kustomization.yaml", "configMapGenerator: [{name: a, files: [words.txt], envs: [app.env]}]\n"),
        ("overlay/words.txt", "words\n"),
        ("overlay/app.env", "a=b\n"),
        ("overlay/other.txt", "other\n"),
        ("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("chart/files/page.html", "page\n"),
        ("chart/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\n"),
    ];
    for (name, text) in files {
        common::write(folder.path(), name, text);
    }
    let run = |path: &str, file: &str| {
        let output = fedward(folder.path(), &["check", path, &format!("--format=junit={file}")]);
        (String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
    };
    for (path, file) in [("overlay", "overlay/words.txt"), ("overlay", "overlay/app.env"), ("chart", "chart/files/page.html")] {
        let before = fs::read(folder.path().join(file)).unwrap();
        let (said, code) = run(path, file);
        assert!(
            code == 2 && said.contains(&format!("`{file}` is read for what is deployed: the output would replace it")),
            "{file}: {said}"
        );
        assert!(fs::read(folder.path().join(file)).unwrap() == before, "{file}");
    }
    // Nobody reads the first, and the second is a report that a chart would read.
    for (path, file) in [("overlay", "overlay/other.txt"), ("chart", "chart/report.xml")] {
        for _ in 0..2 {
            assert_eq!(run(path, file), (String::new(), 0), "{file}");
        }
    }
}
