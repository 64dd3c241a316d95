//! No output replaces what a run reads, whichever way it is named.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

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
