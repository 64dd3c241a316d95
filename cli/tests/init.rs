//! What `fedward init` writes for values of somebody's own passes `fedward check`, and holds none of the samples any more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fedward_config::Placed;
use fedward_deployments::{Deployment, deployments};

fn fedward(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fedward")).current_dir(folder).args(args).output().unwrap()
}

/// The file with made-up values for every parameter of a deployment.
fn values_of(deployment: &Deployment) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/init").join(format!("{}.yaml", deployment.name))
}

fn read(file: &Path) -> BTreeMap<String, String> {
    Placed::read(file).and_then(Placed::get).unwrap_or_else(|error| panic!("{error}")).0
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Everything is judged, and nothing is found, whatever its severity.
fn is_clean(folder: &Path, name: &str) {
    let output = fedward(folder, &["check", name, "--format", "json", "--fail-on", "info"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.pointer("/findings"), Some(&serde_json::json!([])), "{report:#}");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let skipped = report.pointer("/summary/skipped").cloned().unwrap_or_default();
    assert!(skipped.is_null() || skipped == 0, "{report:#}");
}

#[test]
fn what_is_written_passes_and_has_no_samples() {
    for deployment in deployments().unwrap() {
        let root = tempfile::tempdir().unwrap();
        let file = values_of(&deployment);
        let values = read(&file);
        let named: Vec<&str> = deployment.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert!(values.len() == named.len() && named.iter().all(|name| values.contains_key(*name)), "{}: {named:?}", deployment.name);
        let output = fedward(root.path(), &["init", deployment.name, "out", "--values", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.ends_with("next: fedward check out\n"), "{said}");
        let written = files(&root.path().join("out"));
        assert_eq!(written.len(), deployment.files.len());
        for file in &written {
            let (text, path) = (fs::read_to_string(file).unwrap(), file.strip_prefix(root.path()).unwrap().to_string_lossy().into_owned());
            for parameter in &deployment.parameters {
                assert!(!text.contains(&parameter.sample) && !path.contains(&parameter.sample), "{path}: `{}`", parameter.sample);
            }
            assert!(!text.contains(".example"), "{path}");
        }
        is_clean(root.path(), "out");
    }
}

/// Defaults are as good as values, and the folder is named after the deployment.
#[test]
fn defaults_pass_as_well() {
    for deployment in deployments().unwrap() {
        let root = tempfile::tempdir().unwrap();
        let values = read(&values_of(&deployment));
        let required = deployment.parameters.iter().filter(|parameter| parameter.default.is_none());
        let set: Vec<String> =
            required.map(|parameter| format!("--set={}={}", parameter.name, values.get(&parameter.name).unwrap())).collect();
        let mut args = vec!["init", deployment.name];
        args.extend(set.iter().map(String::as_str));
        let output = fedward(root.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        is_clean(root.path(), deployment.name);
    }
}

/// Whoever names other values on the command line than in the file means those of the command line.
#[test]
fn the_command_line_wins_over_the_file() {
    let root = tempfile::tempdir().unwrap();
    let known = deployments().unwrap();
    let deployment = known.iter().find(|deployment| deployment.name == "eks-irsa").unwrap();
    let file = values_of(deployment);
    let args = ["init", "eks-irsa", "out", "--values", file.to_str().unwrap(), "--set", "namespace=payslips"];
    assert_eq!(fedward(root.path(), &args).status.code(), Some(0));
    let text = fs::read_to_string(root.path().join("out/app/namespace.yaml")).unwrap();
    assert!(text.contains("name: payslips\n") && !text.contains("receipts"), "{text}");
    // A second time only on purpose, and what else is there stays.
    let own = root.path().join("out/own.yaml");
    fs::write(&own, "own: true\n").unwrap();
    let again = fedward(root.path(), &args);
    let said = String::from_utf8(again.stderr).unwrap();
    assert_eq!(
        (again.status.code(), said.as_str()),
        (Some(2), "error: `out` is not empty: name another folder, or give `--force` to replace files of the same names there\n")
    );
    let forced: Vec<&str> = args.iter().copied().chain(["--force"]).collect();
    assert_eq!(fedward(root.path(), &forced).status.code(), Some(0));
    assert!(own.is_file());
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deployments").join(format!("{name}.md"))).unwrap()
}

/// A page's section on values, with its table.
fn values_section(page: &str) -> &str {
    page.split("\n## Values\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap()
}

/// The table of a page has what is asked for, in that order. Certificates are too long for a table.
#[test]
fn pages_list_the_parameters() {
    for deployment in deployments().unwrap() {
        let text = page(deployment.name);
        let rows = values_section(&text).lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
        let rows: Vec<String> = rows.map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" | ")).collect();
        let row = |parameter: &fedward_deployments::Parameter| {
            let sample = parameter.kind.example(&parameter.sample).map_or("its `caData`".to_owned(), |sample| format!("`{sample}`"));
            format!("{sample} | `{}`", parameter.name)
        };
        assert_eq!(rows, deployment.parameters.iter().map(row).collect::<Vec<_>>(), "{}", deployment.name);
    }
}

/// What a page shows is run as it stands there, with the file of values filled in.
#[test]
fn commands_of_pages_run() {
    for deployment in deployments().unwrap() {
        let (root, text) = (tempfile::tempdir().unwrap(), page(deployment.name));
        let lines =
            values_section(&text).lines().filter_map(|line| Some(line.strip_prefix("fedward ")?.split(" #").next().unwrap().trim()));
        let mut run = 0;
        for line in lines {
            let args = line.split(" > ").next().unwrap();
            let output = fedward(root.path(), &args.split_whitespace().collect::<Vec<_>>());
            assert_eq!(output.status.code(), Some(0), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
            if line.ends_with(" > values.yaml") {
                fs::copy(values_of(&deployment), root.path().join("values.yaml")).unwrap();
            }
            run += 1;
        }
        assert_eq!(run, 3, "{}", deployment.name);
    }
}
