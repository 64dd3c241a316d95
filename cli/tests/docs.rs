//! What the documentation shows is run: every command line, every configuration, every ignore comment.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PAGES: [&str; 4] = ["README.md", "docs/configuration.md", "docs/policies.md", "docs/bench.md"];

/// A folder with what the samples name, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fedward-docs-{name}-{}", std::process::id()));
        let folder = Folder(path);
        for name in ["deploy/a.yaml", "app/a.yaml", "platform/a.yaml"] {
            folder.file(name, ACCOUNT);
        }
        folder.file(
            "deploy/b.yaml",
            &format!("{ACCOUNT}  annotations:\n    azure.workload.identity/client-id: 6f1d2c3b-4a59-4e68-9b07-1c2d3e4f5a6b\n")
                .replace("orders", "invoices"),
        );
        folder.file("policies/labels.yaml", POLICY);
        folder.file("policies/a.policy-test.yaml", &blocks("docs/testing.md", "yaml").concat());
        folder
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn fedward(&self, args: &[&str]) -> Output {
        self.fed(args, ACCOUNT.as_bytes())
    }

    fn fed(&self, args: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedward"));
        command.current_dir(&self.0).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // What does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const POLICY: &str = "\
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {name: labels}
spec:
  module: require-identity-labels
  mutating: false
  rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [serviceaccounts], operations: [\"*\"]}]
";

const ACCOUNT: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: orders\n";

/// The blocks of a language in a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page)).unwrap();
    let begin = format!("```{language}\n");
    text.split(begin.as_str()).skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn command_lines_run() {
    let folder = Folder::new("commands");
    for (name, text) in [("prod", ACCOUNT), ("policies", POLICY)] {
        folder.file(&format!("overlays/{name}/a.yaml"), text);
        folder.file(&format!("overlays/{name}/kustomization.yaml"), "resources: [a.yaml]\nnamePrefix: prod-\n");
    }
    let renders = common::renders();
    let mut run = 0;
    for line in PAGES
        .iter()
        .chain(&["docs/testing.md", "docs/ci.md"])
        .flat_map(|page| blocks(page, "sh"))
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
    {
        if line.starts_with("fedward render ") && !renders {
            continue;
        }
        // What other programs print is taken for an account.
        let mut input = ACCOUNT.as_bytes().to_vec();
        for command in line.split(" #").next().unwrap().split("| ") {
            let Some(args) = command.trim().strip_prefix("fedward ") else { continue };
            let output = folder.fed(&args.split_whitespace().collect::<Vec<_>>(), &input);
            assert_eq!(output.status.code(), Some(0), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
            input = output.stdout;
            run += 1;
        }
    }
    assert!(run > 5, "only {run}");
}

#[test]
fn configurations_are_right() {
    let folder = Folder::new("configurations");
    let mut read = 0;
    for (page, text) in PAGES.iter().flat_map(|page| blocks(page, "yaml").into_iter().map(move |text| (page, text))) {
        if text.starts_with("apiVersion") || text.starts_with("# policies.yml") {
            continue;
        }
        folder.file("fedward.yaml", &text);
        let output = folder.fedward(&["config", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{page}\n{text}\n{}", String::from_utf8_lossy(&output.stderr));
        read += 1;
    }
    assert_eq!(read, 2);
    // The page has every field that there is.
    let shown = blocks("docs/configuration.md", "yaml").concat();
    let schema = folder.fedward(&["config", "--schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    let definitions = schema.get("$defs").unwrap().as_object().unwrap().values().chain([&schema]);
    for name in definitions.filter_map(|definition| definition.get("properties")?.as_object()).flat_map(serde_json::Map::keys) {
        assert!(shown.contains(&format!("{name}:")), "docs/configuration.md does not show `{name}`");
    }
}

/// What the page shows is what is printed.
#[test]
fn the_inventory_is_as_the_page_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shown = blocks("docs/identities.md", "console");
    assert!(!shown.is_empty());
    for block in shown {
        let (command, printed) = block.strip_prefix("$ fedward ").unwrap().split_once('\n').unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_fedward")).current_dir(&root).args(command.split_whitespace()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), printed, "{command}");
    }
}

#[test]
fn tests_of_policies_are_right() {
    let folder = Folder::new("tests");
    let output = folder.fedward(&["test", "policies", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report.pointer("/summary/passed").unwrap(), 3);
    // The page has every field that there is.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/testing.md")).unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&folder.fedward(&["test", "--schema"]).stdout).unwrap();
    let file = fs::read_to_string(root.join("docs/schema/policy-test.schema.json")).unwrap();
    let mut of_file: serde_json::Value = serde_json::from_str(&file).unwrap();
    of_file.as_object_mut().unwrap().remove("$comment");
    assert_eq!(of_file, schema, "`fedward test --schema` prints the same");
    let definitions = schema.get("$defs").unwrap().as_object().unwrap().values().chain([&schema]);
    for name in definitions.filter_map(|definition| definition.get("properties")?.as_object()).flat_map(serde_json::Map::keys) {
        assert!(page.contains(&format!("{name}:")) || page.contains(&format!("`{name}`")), "docs/testing.md does not show `{name}`");
    }
}

#[test]
fn policy_manifests_are_right() {
    let folder = Folder::new("manifests");
    let samples = blocks("docs/policies.md", "yaml");
    assert_eq!(samples.len(), 2);
    for text in samples {
        folder.file("own/policies.yml", &text);
        let output = folder.fedward(&["check", "app", "--policies", "own", "--no-ignores"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.code() == Some(0) && said.contains("1 object, 1 evaluated"), "{text}\n{said}");
    }
}

#[test]
fn ignore_comments_are_right() {
    let folder = Folder::new("comments");
    let sample = blocks("docs/configuration.md", "yaml").into_iter().find(|text| text.starts_with("apiVersion")).unwrap();
    let account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: builder\n  namespace: ci\n  annotations:\n    iam.gke.io/gcp-service-account: builder@sample-project.iam.gserviceaccount.com\n";
    folder.file("builds.yaml", &format!("{sample}{account}"));
    let output = folder.fedward(&["check", "builds.yaml", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let suppressed = report.pointer("/findings/0/suppressed/reason").and_then(serde_json::Value::as_str);
    assert_eq!(suppressed, Some("the build system owns this cluster"), "{report:#}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_told() {
    let folder = Folder::new("full");
    folder.file("old.json", "before");
    let output = folder.fedward(&["check", "app", "--format", "json=old.json", "--format", "human=/dev/full"]);
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr)),
        (Some(2), "error: cannot write `/dev/full`: the disk is full\n".into())
    );
    assert_eq!(fs::read_to_string(folder.0.join("old.json")).unwrap(), "before");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 5, "a temporary file is left");
    let piped = folder.fedward(&["check", "/dev/stdin", "--format", "human=/dev/stdout"]);
    assert_eq!(
        String::from_utf8_lossy(&piped.stdout),
        "no findings\n1 file, 1 object, 1 evaluated\n",
        "{}",
        String::from_utf8_lossy(&piped.stderr)
    );
}

#[test]
fn standard_input_is_read_once() {
    let folder = Folder::new("stdin");
    let output = folder.fedward(&["check", "-", "-", "--context", "-"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "no findings\n1 file, 1 object, 1 evaluated\n");
}

/// Editors and code scanning show a rule's page without the project's files.
#[test]
fn sarif_holds_the_pages_of_the_rules() {
    let folder = Folder::new("sarif");
    let output = folder.fedward(&["check", "app", "--format", "sarif"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules = report.pointer("/runs/0/tool/driver/rules").unwrap().as_array().unwrap();
    assert!(rules.len() > 50);
    for rule in rules {
        let page = rule.pointer("/help/markdown").unwrap().as_str().unwrap();
        assert!(page.contains("## Use instead") && !page.contains(".md)"), "{page}");
        assert_eq!(rule.get("helpUri"), None);
    }
}

/// The pages about clusters are run in a folder with the manifests that they name.
#[test]
fn command_lines_about_clusters_run() {
    let folder = Folder::new("clusters");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    folder.file("live/a.yaml", ACCOUNT);
    let mut rendered = String::new();
    let fix = ["overlays/fix/kustomization.yaml", "overlays/fix/require-identity-labels-fix.yaml"];
    for name in ["fedward.yaml", "base/kustomization.yaml", "base/access.yaml"].into_iter().chain(fix) {
        folder.file(&format!("deploy/kubewarden/{name}"), &fs::read_to_string(root.join("deploy/kubewarden").join(name)).unwrap());
    }
    for policy in [
        "enforce-audience-issuer",
        "forbid-federated-cluster-admin",
        "forbid-identity-sharing",
        "forbid-static-credentials",
        "require-identity-labels",
        "verify-argocd-identity",
        "verify-token-projection",
    ] {
        let name = format!("deploy/kubewarden/base/{policy}.yaml");
        let text = fs::read_to_string(root.join(&name)).unwrap();
        rendered.push_str(&format!("---\n{}", text.replace("mode: monitor", "mode: protect")));
        folder.file(&name, &text);
    }
    // What `kubectl kustomize` prints; a test of the manifests holds the overlays to it.
    folder.file("protect.yaml", &rendered);
    // The page on the chart has a registry of its own in both.
    let own = |text: &str| text.replace("registry.example/fedward", "registry.internal.example/security");
    folder.file("policies.yaml", &own(&rendered));
    folder.file("own.yaml", &own(&fs::read_to_string(root.join("deploy/kubewarden/fedward.yaml")).unwrap()));
    let mut run = 0;
    let lines = ["docs/rollout.md", "deploy/kubewarden/README.md"].iter().flat_map(|page| blocks(page, "sh"));
    for line in lines.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()) {
        let Some(args) = line.strip_prefix("fedward ") else { continue };
        let output = folder.fedward(&args.split_whitespace().collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{line}\n{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(args.contains("--format sarif") || said.contains("1 evaluated"), "{line}\n{said}");
        run += 1;
    }
    assert!(run >= 7, "only {run}");
}

/// Every render of the page, in a folder with what it names. A build without renderers says so, and exits with 3.
#[test]
fn renders_run() {
    let folder = Folder::new("rendering");
    folder.file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    folder.file("charts/web/values-prod.yaml", "name: orders\n");
    folder.file(
        "charts/web/templates/a.yaml",
        "kind: ServiceAccount\nmetadata: {name: {{ .Values.name }}, namespace: {{ .Release.Namespace }}}\n",
    );
    folder.file("overlays/prod/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: prod-\n");
    folder.file("overlays/prod/a.yaml", ACCOUNT);
    folder.file("app.jsonnet", "{ kind: 'ServiceAccount', metadata: { name: std.extVar('env') } }\n");
    let has_renderers = common::renders();
    let expected = ["metadata: {name: orders, namespace: web}", "  name: prod-orders", "\"name\": \"prod\""];
    let block = blocks("docs/rendering.md", "sh").concat();
    let lines: Vec<&str> = block.lines().collect();
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.into_iter().zip(expected) {
        let args = line.strip_prefix("fedward ").unwrap();
        let output = folder.fedward(&args.split_whitespace().collect::<Vec<_>>());
        let [printed, said] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        if has_renderers {
            assert!(output.status.code() == Some(0) && printed.contains(expected), "{line}\n{printed}\n{said}");
        } else {
            assert!(output.status.code() == Some(3) && said.contains("built without renderers"), "{line}\n{said}");
        }
    }
}

/// One writer for the answers of all commands: none panics, and all say the same.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_by_every_command() {
    let folder = Folder::new("full-stdout");
    for args in [
        &["--help"][..],
        &["--version"],
        &["check", "--help"],
        &["completions", "bash"],
        &["rules"],
        &["rules", "--format", "json"],
        &["explain", "forbid-identity-sharing"],
        &["config"],
        &["config", "--schema"],
        &["test", "--schema"],
        &["init", "--list"],
        &["init", "gke", "--list"],
        &["check", "app"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_fedward")).current_dir(&folder.0).args(args).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.ends_with("error: cannot write to standard output: the disk is full\n"), "{args:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}
