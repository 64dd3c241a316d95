//! What `deploy` gives to CI systems and to Argo CD's hooks: it is as they require it, and its command lines are run, by a shell and with hostile
//! values where a shell runs them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const FEDWARD: &str = env!("CARGO_BIN_EXE_fedward");
/// A service account that is cluster-admin: an error.
const BAD: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: orders
  namespace: shop
  annotations:
    azure.workload.identity/client-id: 11111111-1111-4111-8111-111111111111
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: orders}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, namespace: shop, name: orders}]
";
const GOOD: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: orders, namespace: shop}\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    fedward_engine::from_yaml(&text(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Runs a shell's text where `fedward` is on the PATH.
fn shell(program: &str, script: &str, folder: &Path, variables: &HashMap<&str, &str>) -> Output {
    let path = format!("{}:{}", Path::new(FEDWARD).parent().unwrap().display(), std::env::var("PATH").unwrap());
    Command::new(program).args(["-c", script]).current_dir(folder).envs(variables).env("PATH", path).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What a shell would run, if it read a variable as its own text.
const HOSTILE: &str = "deploy\n$(touch a)\n`touch b`\n; touch c\n\"; touch d; \"\n* | touch e\n--output=f";

#[test]
fn the_github_action_is_one() {
    let action = yaml("action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    assert!(action["name"].is_string() && action["description"].is_string());
    let inputs = action["inputs"].as_object().unwrap();
    for (name, input) in inputs {
        assert!(input["description"].is_string() && input["default"].is_string(), "{name}");
    }
    let mut scripts = 0;
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(step["name"].is_string());
        let Some(run) = step["run"].as_str() else {
            assert!(step["uses"].as_str().unwrap().contains('@'));
            continue;
        };
        assert_eq!(step["shell"], "bash", "a step of a composite action names its shell");
        assert!(!run.contains("${{"), "an input in the text of a command: {run}");
        let file = run.strip_prefix("bash \"$GITHUB_ACTION_PATH/").unwrap().trim_end_matches('"');
        assert!(root().join(file).is_file(), "{file}");
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap();
            assert!(text(file).contains(name.as_str()), "{file} does not know `{name}`");
            if let Some(input) = value.strip_prefix("${{ inputs.").and_then(|value| value.strip_suffix(" }}")) {
                assert!(inputs.contains_key(input), "{input}");
            }
        }
        scripts += 1;
    }
    assert_eq!(scripts, 2);
    // What was rendered is kept whether or not the check passes.
    let steps = action["runs"]["steps"].as_array().unwrap();
    let uses =
        |name: &str| steps.iter().position(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with(&format!("{name}@")))).unwrap();
    let check = steps.iter().position(|step| step["name"] == "Check").unwrap();
    let (restore, save) = (uses("actions/cache/restore"), uses("actions/cache/save"));
    assert!(restore < check && check < save);
    assert!(steps[save]["if"].as_str().unwrap().contains("always() && "));
    for field in ["path", "key"] {
        assert_eq!(steps[restore]["with"][field], steps[save]["with"][field], "{field}");
    }
    // Every input is used.
    for name in inputs.keys() {
        assert!(text("action.yml").contains(&format!("inputs.{name}")), "{name}");
    }
    // And so is every variable of the script.
    for line in text("deploy/ci/check.sh").lines().filter_map(|line| line.strip_prefix("#   FEDWARD_")) {
        let name = line.split(' ').next().unwrap();
        assert!(text("action.yml").contains(&format!(" FEDWARD_{name}: ")), "{name}");
    }
}

#[test]
fn the_script_of_the_action_checks() {
    let script = text("deploy/ci/check.sh");
    let work = folder(&[("deploy/a.yaml", BAD), ("good/b.yaml", GOOD)]);
    let run = |variables: &[(&str, &str)]| {
        let mut variables: HashMap<&str, &str> = variables.iter().copied().collect();
        variables.insert("FEDWARD_PROGRAM", FEDWARD);
        shell("bash", &script, work.path(), &variables)
    };
    let annotated = run(&[("FEDWARD_PATHS", "deploy\r\n"), ("FEDWARD_FORMAT", "github"), ("FEDWARD_SARIF", "s.sarif")]);
    assert_eq!(annotated.status.code(), Some(1), "{}", said(&annotated));
    assert!(said(&annotated).starts_with("::error file=deploy/a.yaml,line="), "{}", said(&annotated));
    let sarif: Value = serde_json::from_str(&fs::read_to_string(work.path().join("s.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    for paths in ["good", "\n\ngood\n"] {
        let passed = run(&[("FEDWARD_PATHS", paths), ("FEDWARD_ARGS", "--no-ignores\n--namespace=shop"), ("FEDWARD_JUNIT", "j.xml")]);
        assert_eq!(passed.status.code(), Some(0), "{}", said(&passed));
    }
    // Without anything: the folder, for people, errors.
    assert_eq!(run(&[]).status.code(), Some(1));
    let before = names(work.path());
    for variable in
        ["FEDWARD_PATHS", "FEDWARD_ARGS", "FEDWARD_FAIL_ON", "FEDWARD_FORMAT", "FEDWARD_SARIF", "FEDWARD_JUNIT", "FEDWARD_CACHE"]
    {
        let output = run(&[(variable, HOSTILE)]);
        // A file may be called so; nothing else may.
        let is_file = fs::remove_file(work.path().join(HOSTILE)).is_ok();
        // A folder may, too, but nothing is rendered here that could be kept in it.
        let may_be = is_file || variable == "FEDWARD_CACHE";
        assert_eq!(output.status.code(), Some(if may_be { 1 } else { 2 }), "{variable}: {}", said(&output));
        assert_eq!(is_file, ["FEDWARD_SARIF", "FEDWARD_JUNIT"].contains(&variable), "{variable}");
        assert_eq!(names(work.path()), before, "{variable}");
    }
}

#[test]
fn the_script_of_the_action_builds_nothing_that_is_there() {
    let work = folder(&[]);
    let output = shell("bash", &text("deploy/ci/install.sh"), work.path(), &HashMap::new());
    assert!(output.status.success() && said(&output).starts_with("fedward "), "{}", said(&output));
    let package = format!("--package {} ", env!("CARGO_PKG_NAME"));
    assert!(text("deploy/ci/install.sh").contains(&package));
}

#[test]
fn the_gitlab_job_runs() {
    let template = yaml("deploy/ci/gitlab.yml");
    let job = &template["fedward"];
    assert_eq!(job["stage"], "test");
    assert_eq!(job["artifacts"]["when"], "always", "reports of a job that fails are the ones that matter");
    let script: Vec<&str> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let script = format!("set -e\n{}", script.join("\n"));
    let mut variables: HashMap<&str, &str> =
        job["variables"].as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let work = folder(&[("deploy/a.yaml", BAD), ("good/b.yaml", GOOD)]);
    let failed = shell("sh", &script, work.path(), &variables);
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    for report in ["codequality", "junit"] {
        let file = job["artifacts"]["reports"][report].as_str().unwrap();
        assert!(fs::read_to_string(work.path().join(file)).unwrap().contains("federated-account-cluster-admin"), "{file}");
    }
    variables.insert("FEDWARD_PATHS", "good deploy/../good");
    assert_eq!(shell("sh", &script, work.path(), &variables).status.code(), Some(0));
    let before = names(work.path());
    let mut further = variables.clone();
    further.insert("FEDWARD_PATHS", "deploy");
    further.insert("FEDWARD_ARGUMENTS", "--verbose --policy=require-identity-labels");
    assert_eq!(shell("sh", &script, work.path(), &further).status.code(), Some(0));
    for variable in ["FEDWARD_PATHS", "FEDWARD_FAIL_ON", "FEDWARD_ARGUMENTS"] {
        let mut variables = variables.clone();
        variables.insert(variable, HOSTILE);
        assert_eq!(shell("sh", &script, work.path(), &variables).status.code(), Some(2), "{variable}");
        assert_eq!(names(work.path()), before, "{variable}");
    }
}

#[test]
fn the_azure_steps_run() {
    let template = yaml("deploy/ci/azure-pipelines.yml");
    let parameters: HashMap<&str, &Value> =
        template["parameters"].as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), one)).collect();
    let step = &template["steps"][0];
    let script = step["bash"].as_str().unwrap();
    assert!(!script.contains("${{"), "a parameter in the text of a command");
    let given = |value: &Value| {
        let name = value.as_str().unwrap().strip_prefix("${{ parameters.").unwrap().strip_suffix(" }}").unwrap();
        parameters[name]["default"].as_str().unwrap()
    };
    let mut variables: HashMap<&str, &str> =
        step["env"].as_object().unwrap().iter().map(|(name, value)| (name.as_str(), given(value))).collect();
    let work = folder(&[("deploy/a.yaml", BAD)]);
    let failed = shell("bash", script, work.path(), &variables);
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(said(&failed).starts_with("##vso[task.logissue type=error;sourcepath=deploy/a.yaml;"), "{}", said(&failed));
    let publish = &template["steps"][1];
    assert_eq!(publish["condition"], "succeededOrFailed()", "results of a step that fails are the ones that matter");
    assert!(work.path().join(given(&publish["inputs"]["testResultsFiles"])).is_file());
    let before = names(work.path());
    for variable in ["FEDWARD_PATHS", "FEDWARD_FAIL_ON"] {
        variables.insert(variable, HOSTILE);
        assert_eq!(shell("bash", script, work.path(), &variables).status.code(), Some(2), "{variable}");
        assert_eq!(names(work.path()), before, "{variable}");
    }
}

#[test]
fn the_pre_commit_hook_runs() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let [hook] = hooks.as_array().unwrap().as_slice() else { panic!("one hook") };
    for field in ["id", "name", "entry", "language", "files"] {
        assert!(hook[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    let known = ["id", "name", "entry", "language", "files", "description", "args", "pass_filenames"];
    assert!(hook.as_object().unwrap().keys().all(|field| known.contains(&field.as_str())));
    assert_eq!((&hook["language"], &hook["pass_filenames"]), (&json!("system"), &json!(false)));
    // What changes a render starts it.
    let files = hook["files"].as_str().unwrap();
    let is_meant = |name: &str| {
        let line = format!("printf '%s' '{name}' | grep -qE '{files}'");
        shell("sh", &line, Path::new("."), &HashMap::new()).status.success()
    };
    for name in [
        "a/values.yaml",
        "_names.tpl",
        "a/b.jsonnet",
        "b.libsonnet",
        "charts/a.tgz",
        "templates/NOTES.txt",
        "Kustomization",
        "a/Chart.lock",
    ] {
        assert!(is_meant(name), "{name}");
    }
    assert!(!is_meant("README.md") && !is_meant("src/main.rs"));
    let mut line = hook["entry"].as_str().unwrap().to_owned();
    for argument in hook["args"].as_array().unwrap() {
        line.push_str(&format!(" {}", argument.as_str().unwrap()));
    }
    for (file, code) in [(("a.yaml", BAD), 1), (("a.yaml", GOOD), 0), (("values.yaml", "replicas: 2\n"), 0)] {
        let work = folder(&[file]);
        let output = shell("sh", &line, work.path(), &HashMap::new());
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    }
}

/// The objects of the hook's manifests.
fn gate() -> Vec<Value> {
    fedward_engine::objects(&text("deploy/argocd/presync/gate/gate.yaml"), "default").into_iter().map(|(object, _)| object).collect()
}

#[test]
fn the_hook_is_one_and_passes_its_own_check() {
    let objects = gate();
    assert_eq!(
        objects.iter().map(|object| object["kind"].as_str().unwrap()).collect::<Vec<_>>(),
        ["ServiceAccount", "NetworkPolicy", "Pod"]
    );
    let mut waves = Vec::new();
    for object in &objects {
        let annotations = &object["metadata"]["annotations"];
        assert_eq!(annotations["argocd.argoproj.io/hook"], "PreSync");
        assert_eq!(annotations["argocd.argoproj.io/hook-delete-policy"], "BeforeHookCreation");
        waves.push(annotations["argocd.argoproj.io/sync-wave"].as_str().unwrap().parse::<i32>().unwrap());
    }
    assert!(waves[0] < waves[2] && waves[1] < waves[2], "the Pod comes after what it needs");
    let [_, policy, pod] = objects.as_slice() else { panic!() };
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    assert!(policy["spec"].get("egress").is_none() && policy["spec"].get("ingress").is_none(), "nothing is let through");
    let selected = policy["spec"]["podSelector"]["matchLabels"].as_object().unwrap();
    assert!(selected.iter().all(|(name, value)| &pod["metadata"]["labels"][name] == value));
    let (spec, container) = (&pod["spec"], &pod["spec"]["containers"][0]);
    assert_eq!((&spec["restartPolicy"], &spec["automountServiceAccountToken"]), (&json!("Never"), &json!(false)));
    assert_eq!(
        (&spec["securityContext"]["runAsNonRoot"], &spec["securityContext"]["seccompProfile"]["type"]),
        (&json!(true), &json!("RuntimeDefault"))
    );
    let security = &container["securityContext"];
    assert_eq!((&security["allowPrivilegeEscalation"], &security["readOnlyRootFilesystem"]), (&json!(false), &json!(true)));
    assert_eq!(security["capabilities"]["drop"], json!(["ALL"]));
    let log = format!("--format=termination-log={}", container["terminationMessagePath"].as_str().unwrap());
    assert!(container["args"].as_array().unwrap().contains(&json!(log)));
    let checked = Command::new(FEDWARD)
        .args(["check", "--fail-on", "info", "deploy/argocd/presync/gate/gate.yaml"])
        .current_dir(root())
        .output()
        .unwrap();
    assert_eq!(said(&checked), "no findings\n1 file, 3 objects, 3 evaluated\n");
}

/// The container's own arguments, on a ConfigMap as the kubelet lays it out: links to a hidden folder.
#[cfg(unix)]
#[test]
fn the_hook_tells_why_it_fails() {
    let objects = gate();
    let work =
        folder(&[("manifests/..2030/app.yaml", BAD), ("manifests/..2030/fedward.yaml", "policies: {}\n"), ("log", &"old ".repeat(2000))]);
    std::os::unix::fs::symlink("..2030", work.path().join("manifests/..data")).unwrap();
    std::os::unix::fs::symlink("..data/app.yaml", work.path().join("manifests/app.yaml")).unwrap();
    let run = || {
        let arguments = objects[2]["spec"]["containers"][0]["args"].as_array().unwrap().iter().map(|argument| {
            let argument = argument.as_str().unwrap().replace("/etc/fedward/", &format!("{}/", root().join("deploy/ci").display()));
            argument.replace("/manifests", "manifests").replace("/dev/termination-log", "log")
        });
        let output = Command::new(FEDWARD).args(arguments).current_dir(work.path()).output().unwrap();
        (output.status.code(), said(&output), fs::read_to_string(work.path().join("log")).unwrap())
    };
    let (code, report, message) = run();
    assert_eq!(code, Some(1), "{report}");
    assert!(message.len() <= 4096 && message.starts_with("fedward: 1 error, 2 objects judged\nerror: manifests/app.yaml:"), "{message}");
    assert!(report.contains("error[federated-account-cluster-admin]"), "{report}");
    fs::write(work.path().join("manifests/..2030/app.yaml"), GOOD).unwrap();
    let (code, _, message) = run();
    assert_eq!((code, message.as_str()), (Some(0), "fedward: no findings, 1 object judged\n"));
}

/// With the renderers in this build: what the page shows is what comes of it, and passes.
#[test]
fn the_example_of_the_hook_renders() {
    let rendered = Command::new(FEDWARD).args(["render", "deploy/argocd/presync/example"]).current_dir(root()).output().unwrap();
    if !common::renders() {
        assert_eq!(rendered.status.code(), Some(3));
        return;
    }
    let printed = String::from_utf8(rendered.stdout).unwrap();
    assert_eq!(rendered.status.code(), Some(0), "{}", String::from_utf8_lossy(&rendered.stderr));
    let work = folder(&[("all.yaml", &printed)]);
    let checked = Command::new(FEDWARD).args(["check", "--fail-on", "info", "all.yaml"]).current_dir(work.path()).output().unwrap();
    assert_eq!(said(&checked), "no findings\n1 file, 5 objects, 5 evaluated\n", "{printed}");
    let objects = fedward_engine::objects(&printed, "default");
    let (input, _) = objects.iter().find(|(object, _)| object["kind"] == "ConfigMap").unwrap();
    assert_eq!(input["metadata"]["name"], "manifest-gate-input", "{printed}");
    assert_eq!(input["metadata"]["annotations"]["argocd.argoproj.io/hook"], "PreSync", "{printed}");
    assert!(input["data"]["app.yaml"].as_str().unwrap().contains("orders"), "{printed}");
}

#[test]
fn the_image_is_made_of_what_is_there() {
    let file = text("Containerfile");
    let value = |name: &str| file.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    assert!(text("rust-toolchain.toml").contains(&format!("channel = \"{}\"", value("ARG RUST="))));
    let needed = text("renderers/go.mod");
    let needed = needed.lines().find_map(|line| line.strip_prefix("go ")).unwrap();
    let minor = |version: &str| version.split('.').nth(1).unwrap().parse::<u32>().unwrap();
    assert!(minor(value("ARG GO=")) >= minor(needed));
    assert!(file.contains("\nRUN cargo xtask shipped\n") && text("xtask/src/main.rs").contains("[\"shipped\"] =>"));
    assert!(file.contains("/shipped/fedward ") && Path::new(FEDWARD).file_stem().unwrap() == "fedward");
    // Files that it names are in the sources, and the ignore file does not leave them out.
    assert!(file.contains(" deploy/ci/fedward.yaml "));
    let config = Command::new(FEDWARD).args(["config", "--config", "deploy/ci/fedward.yaml"]).current_dir(root()).output().unwrap();
    assert_eq!(config.status.code(), Some(0), "{}", said(&config));
    let ignored = text(".dockerignore");
    for name in ["Cargo.toml", "Cargo.lock", "cli", "crates", "policies", "renderers", "fixtures", "deploy", "docs", "rust-toolchain.toml"]
    {
        assert!(root().join(name).exists() && !ignored.lines().any(|line| line == format!("/{name}")), "{name}");
    }
    // The last stage is what is shipped: no base, no root.
    let last = file.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("scratch\n") && last.contains("\nUSER 65532:65532\n"), "{last}");
    let entry: Vec<String> = serde_json::from_str(last.lines().find_map(|line| line.strip_prefix("ENTRYPOINT ")).unwrap()).unwrap();
    assert_eq!(entry, ["/usr/local/bin/fedward"]);
    // What names the program and its configuration names those of the image.
    for command in [&["spec", "generate"][..], &["spec", "discover", "find"], &["spec", "parameters", "dynamic"]] {
        let plugin = yaml("deploy/argocd/cmp/plugin.yaml");
        assert_eq!(command.iter().fold(&plugin, |value, key| &value[*key])["command"][0], entry[0].as_str());
    }
}
