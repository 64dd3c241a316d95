//! `fedward cmp`, called as Argo CD calls a config management plugin: by a double of `argocd-cmp-server` that does what the server's text says, and, in
//! `cargo xtask argocd`, by the server itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use common::renders;

const FEDWARD: &str = env!("CARGO_BIN_EXE_fedward");

fn plugin() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/argocd/cmp/plugin.yaml");
    fedward_engine::from_yaml(&fs::read_to_string(file).unwrap()).unwrap()
}

/// What asks plugins, as the repo server does.
trait Server {
    /// The objects of the manifests, or the error of the run.
    fn generate(&self, repository: &Path, folder: &str, environment: &[(&str, &str)]) -> Result<Vec<Value>, String>;
    /// Whether the plugin takes the folder.
    fn matches(&self, repository: &Path, folder: &str) -> bool;
    /// The parameters that it announces.
    fn parameters(&self, repository: &Path, folder: &str) -> Value;
}

/// A double of `argocd-cmp-server`: the commands of `plugin.yaml` in the folder of the source, standard output if they succeed, and otherwise an error
/// that has the command, how it ended, and all of standard error, trimmed (`cmpserver/plugin/plugin.go`).
struct Double;

impl Double {
    fn run(&self, command: &Value, folder: &Path, environment: &[(&str, &str)]) -> Result<String, String> {
        let words: Vec<&str> = command["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert!(command.get("args").is_none() && words[0] == "/usr/local/bin/fedward");
        let output = Command::new(FEDWARD).args(&words[1..]).current_dir(folder).envs(environment.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        if output.status.success() {
            return Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text));
        }
        assert_eq!(text, "", "a run that fails prints nothing");
        let said = String::from_utf8(output.stderr).unwrap();
        Err(format!("`{}` failed exit status {}: {}", words.join(" "), output.status.code().unwrap(), said.trim()))
    }
}

impl Server for Double {
    fn generate(&self, repository: &Path, folder: &str, environment: &[(&str, &str)]) -> Result<Vec<Value>, String> {
        let printed = self.run(&plugin()["spec"]["generate"], &repository.join(folder), environment)?;
        Ok(fedward_engine::objects(&printed, "default").into_iter().map(|(object, _)| object).collect())
    }

    fn matches(&self, repository: &Path, folder: &str) -> bool {
        // The command must succeed, and print something.
        !self.run(&plugin()["spec"]["discover"]["find"], &repository.join(folder), &[]).unwrap().is_empty()
    }

    fn parameters(&self, repository: &Path, folder: &str) -> Value {
        serde_json::from_str(&self.run(&plugin()["spec"]["parameters"]["dynamic"], &repository.join(folder), &[]).unwrap()).unwrap()
    }
}

/// The server itself, in the program that `FEDWARD_ARGOCD` names (`tests/argocd`).
struct Real {
    program: PathBuf,
    folder: tempfile::TempDir,
    running: Child,
}

impl Real {
    fn start() -> Self {
        let program = PathBuf::from(std::env::var_os("FEDWARD_ARGOCD").expect("FEDWARD_ARGOCD"));
        let folder = tempfile::tempdir().unwrap();
        // JSON is YAML; here the program is elsewhere.
        let text = plugin().to_string().replace("/usr/local/bin/fedward", FEDWARD);
        fs::write(folder.path().join("plugin.yaml"), text).unwrap();
        let running = Command::new(&program)
            .args(["serve", "--loglevel", "error", "--config-dir-path"])
            .arg(folder.path())
            .env("ARGOCD_PLUGINSOCKFILEPATH", folder.path())
            .env("ARGOCD_CMP_WORKDIR", folder.path())
            .spawn()
            .unwrap();
        let real = Real { program, folder, running };
        let start = Instant::now();
        while !real.socket().exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "no socket");
            std::thread::sleep(Duration::from_millis(50));
        }
        real
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join(format!("{}.sock", plugin()["metadata"]["name"].as_str().unwrap()))
    }

    fn ask(&self, what: &str, repository: &Path, folder: &str, environment: &[(&str, &str)]) -> Result<Value, String> {
        let mut command = Command::new(&self.program);
        command.arg(what).arg(self.socket()).arg(repository).arg(repository.join(folder));
        let output = command.args(environment.iter().map(|(name, value)| format!("{name}={value}"))).output().unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        if let Some(error) = said["error"].as_str() { Err(error.to_owned()) } else { Ok(said["answer"].clone()) }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

impl Server for Real {
    fn generate(&self, repository: &Path, folder: &str, environment: &[(&str, &str)]) -> Result<Vec<Value>, String> {
        let answer = self.ask("generate", repository, folder, environment)?;
        let manifests = answer["manifests"].as_array().into_iter().flatten();
        Ok(manifests.map(|text| fedward_engine::from_yaml(text.as_str().unwrap()).unwrap()).collect())
    }

    fn matches(&self, repository: &Path, folder: &str) -> bool {
        self.ask("match", repository, folder, &[]).unwrap()["isSupported"] == true
    }

    fn parameters(&self, repository: &Path, folder: &str) -> Value {
        let answer = self.ask("parameters", repository, folder, &[]).unwrap();
        answer.get("parameterAnnouncements").cloned().unwrap_or(json!([]))
    }
}

const GOOD: &str = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: orders}\n";
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
metadata: {name: orders} # fedward: ignore[federated-account-cluster-admin] says the repository
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, namespace: shop, name: orders}]
";

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("plain/a.yaml", GOOD);
    write("plain/b.json", "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"b\"}}");
    write("plain/.c.yml", "# only a comment\n");
    write("plain/notes.md", "no manifest");
    write("plain/deep/d.yaml", &GOOD.replace("orders", "deep"));
    write("bad/rbac.yaml", BAD);
    write("bad/fedward.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {severities: none}\n");
    write("plain/fedward.yaml", "failOn: info\n");
    write("values/values.yaml", "replicas: 2\n");
    write("strange/a.yaml", &format!("{GOOD}---\nwhat: is this\n"));
    write("template/a.yaml", "kind: Pod\nmetadata: {name: {{ .Values.name }}}\napiVersion: v1\n");
    write("nothing/README.md", "nothing");
    write("base/kustomization.yaml", "resources: [a.yaml]\n");
    write("base/a.yaml", GOOD);
    write("overlay/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\n");
    write("remote/kustomization.yaml", "resources: ['https://git.example/base?ref=v1']\n");
    write("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    write(
        "chart/templates/a.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Release.Name }}-{{ .Values.stage }}-{{ .Values.size }}\n  namespace: {{ .Release.Namespace }}\n",
    );
    write("chart/values.yaml", "stage: none\nsize: s\n");
    write("env/prod.yaml", "stage: prod\n");
    folder
}

/// What every server must see of the plugin.
fn passes(server: &dyn Server) {
    let repository = repository();
    let root = repository.path();
    let error = |folder: &str, environment: &[(&str, &str)]| server.generate(root, folder, environment).unwrap_err();

    // Plain manifests, as they are.
    let manifests = server.generate(root, "plain", &[("ARGOCD_APP_NAME", "web"), ("ARGOCD_APP_SOURCE_PATH", "plain")]).unwrap();
    assert_eq!(manifests.len(), 2, "{manifests:?}");
    assert_eq!((&manifests[0]["metadata"]["name"], &manifests[1]["kind"]), (&json!("orders"), &json!("ConfigMap")));
    let recursive = [("ARGOCD_APP_PARAMETERS", r#"[{"name":"directory-recurse","string":"true"}]"#)];
    assert_eq!(server.generate(root, "plain", &recursive).unwrap().len(), 3);

    // Findings stop it, whatever the repository says, and read well: the verdict, then a line each.
    let said = error("bad", &[("ARGOCD_APP_SOURCE_PATH", "bad")]);
    let (before, findings) = said.split_once("fedward: ").unwrap();
    assert!(before.contains("cmp generate` failed exit status 1: "), "{said}");
    assert!(findings.starts_with("1 error, 3 objects judged\nerror: bad/rbac.yaml:13:") && findings.lines().count() == 2, "{said}");
    assert!(findings.contains("(ClusterRoleBinding orders) [federated-account-cluster-admin]"), "{said}");

    // What is no manifest, does not parse or is not there is no manifest that passes.
    assert!(error("values", &[]).contains("fedward: nothing was judged"), "{}", error("values", &[]));
    let strange = error("strange", &[("ARGOCD_APP_SOURCE_PATH", "strange")]);
    assert!(
        strange.contains("exit status 3: fedward: 1 object could not be judged") && strange.contains("\nerror: strange/a.yaml:4:1: "),
        "{strange}"
    );
    assert!(error("template", &[]).contains("[leftover-template]"), "{}", error("template", &[]));
    assert!(error("nothing", &[]).contains("fedward: nothing was judged"), "{}", error("nothing", &[]));
    assert!(error("plain", &[("ARGOCD_APP_PARAMETERS", r#"[{"name":"recurse","string":"true"}]"#)]).contains("no parameter `recurse`"));

    let is_taken = ["plain", "bad", "chart", "overlay", "nothing"].map(|folder| server.matches(root, folder));
    assert_eq!(is_taken, [true, true, true, true, false]);
    let names = |folder: &str| -> Vec<String> {
        server.parameters(root, folder).as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("chart"), ["helm-values-files", "helm-parameters", "helm-release-name"]);
    assert_eq!((names("plain"), names("overlay")), (vec!["directory-recurse".to_owned()], vec![]));

    if !renders() {
        assert!(error("overlay", &[]).contains("built without renderers"));
        return;
    }
    // A base beside the folder is in the repository that stands before the source's path.
    let built = server.generate(root, "overlay", &[("ARGOCD_APP_SOURCE_PATH", "overlay")]).unwrap();
    assert!(built.len() == 1 && built[0]["metadata"]["name"] == "prod-orders", "{built:?}");
    assert!(error("overlay", &[]).contains("fedward: not rendered: kustomize does not render it: "), "{}", error("overlay", &[]));
    assert!(error("remote", &[]).contains("fedward: not rendered: "), "{}", error("remote", &[]));
    // A chart for the Application.
    let parameters =
        r#"[{"name":"helm-values-files","array":["/env/$ARGOCD_ENV_STAGE.yaml"]},{"name":"helm-parameters","map":{"size":"xl"}}]"#;
    let environment = [
        ("ARGOCD_APP_NAME", "team_orders"),
        ("ARGOCD_APP_NAMESPACE", "shop"),
        ("ARGOCD_APP_SOURCE_PATH", "chart"),
        ("ARGOCD_ENV_STAGE", "prod"),
        ("ARGOCD_APP_PARAMETERS", parameters),
    ];
    let built = server.generate(root, "chart", &environment).unwrap();
    assert!(built.len() == 1 && built[0]["metadata"] == json!({"name": "orders-prod-xl", "namespace": "shop"}), "{built:?}");
    let missing = [("ARGOCD_APP_SOURCE_PATH", "chart"), ("ARGOCD_APP_PARAMETERS", r#"[{"name":"helm-values-files","array":["no.yaml"]}]"#)];
    assert!(error("chart", &missing).contains("chart/no.yaml"), "{}", error("chart", &missing));
}

#[test]
fn a_double_of_the_server_is_content() {
    passes(&Double);
}

#[test]
#[ignore = "`cargo xtask argocd` builds the server"]
fn the_server_itself_is_content() {
    passes(&Real::start());
}

/// A folder is what Argo CD takes it for.
#[test]
fn folders_are_read_as_argo_cd_does() {
    let repository = repository();
    let write = |name: &str, text: &str| {
        let path = repository.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let generate = |folder: &str| Double.generate(repository.path(), folder, &[("ARGOCD_APP_SOURCE_PATH", folder)]);
    // What is taken for values is passed over, whatever words are in it.
    write("words/a.yaml", GOOD);
    write("words/values.yaml", "# apiVersion and kind of what is made\nreplicas: 2\n");
    write("words/no.yaml", "apiVersion: v1\nkind of: [\n");
    assert_eq!(generate("words").unwrap().len(), 1);
    // 10 MB together, without what says that it does not count.
    let large = format!("{GOOD}# {}\n", "x".repeat(6_000_000));
    write("large/a.yaml", &large);
    write("large/b.yaml", &format!("# +argocd:skip-file-rendering\n{large}"));
    assert_eq!(generate("large").unwrap().len(), 1);
    write("large/c.yaml", &large.replace("orders", "more"));
    assert!(generate("large").unwrap_err().contains("its manifests have more than 10000000 bytes together"));
    // The last file by name that makes something of a folder does.
    let names = |folder: &str| Double.parameters(repository.path(), folder).as_array().unwrap().len();
    write("several/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    assert_eq!(names("several"), 3);
    write("several/kustomization.yaml", "resources: []\n");
    assert_eq!(names("several"), 0);
    write("several/myChart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    assert_eq!(names("several"), 3);
    write("chartless/kustomization.yaml/a.yaml", GOOD);
    assert_eq!(names("chartless"), 0);
    if renders() {
        // Jsonnet looks for imports in the folder of the source.
        write("jsonnet/name.libsonnet", "'orders'");
        write(
            "jsonnet/deep/a.jsonnet",
            "{apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: import 'name.libsonnet', namespace: 'shop'}}",
        );
        let environment =
            [("ARGOCD_APP_SOURCE_PATH", "jsonnet"), ("ARGOCD_APP_PARAMETERS", r#"[{"name":"directory-recurse","string":"true"}]"#)];
        let built = Double.generate(repository.path(), "jsonnet", &environment).unwrap();
        assert!(built.len() == 1 && built[0]["metadata"]["name"] == "orders", "{built:?}");
        // A comma is part of a value, wherever it stands.
        let environment = [
            ("ARGOCD_APP_NAME", "orders"),
            ("ARGOCD_APP_SOURCE_PATH", "chart"),
            ("ARGOCD_APP_PARAMETERS", r#"[{"name":"helm-parameters","map":{"size":",xl,"}}]"#),
        ];
        write(
            "chart/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: orders}\ndata:\n  size: {{ .Values.size | quote }}\n",
        );
        let built = Double.generate(repository.path(), "chart", &environment).unwrap();
        assert_eq!(built[0]["data"]["size"], ",xl,");
    }
}

/// What is printed is what there is, byte for byte.
#[test]
fn manifests_are_passed_on_as_they_are() {
    let repository = repository();
    let run = |folder: &str, arguments: &[&str]| {
        Command::new(FEDWARD).args(["cmp", "generate"]).args(arguments).current_dir(repository.path().join(folder)).output().unwrap()
    };
    fs::write(
        repository.path().join("plain/a.yaml"),
        "# Grüße\r\nkind:   ServiceAccount\r\napiVersion: 'v1'\r\nmetadata: {\"name\": orders}",
    )
    .unwrap();
    let output = run("plain", &[]);
    let expected = "---\n# Grüße\r\nkind:   ServiceAccount\r\napiVersion: 'v1'\r\nmetadata: {\"name\": orders}\n---\n\
        {\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"b\"}}";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "fedward: no findings, 2 objects judged\n");
    // An answer without a manifest makes Argo CD delete what is there: somebody has to ask for it.
    assert_eq!(run("nothing", &[]).status.code(), Some(4));
    let empty = run("nothing", &["--allow-empty"]);
    assert_eq!((empty.status.code(), empty.stdout.len()), (Some(0), 0));
    // A threshold and a configuration come from the command line only.
    fs::write(repository.path().join("gate.yaml"), "severities: {federated-account-cluster-admin: off}\n").unwrap();
    assert_eq!(run("bad", &["--config", "../gate.yaml"]).status.code(), Some(0));
    if renders() {
        let rendered = Command::new(FEDWARD).args(["render", "base"]).current_dir(repository.path()).output().unwrap();
        assert_eq!(run("base", &[]).stdout, rendered.stdout);
    }
}

#[cfg(unix)]
#[test]
fn nothing_outside_of_the_repository_is_read() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.yaml"), GOOD.replace("orders", "outside")).unwrap();
    let repository = repository();
    std::os::unix::fs::symlink(outside.path().join("secret.yaml"), repository.path().join("plain/link.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path(), repository.path().join("base/linked")).unwrap();
    let error = Double.generate(repository.path(), "plain", &[("ARGOCD_APP_SOURCE_PATH", "plain")]).unwrap_err();
    assert!(error.ends_with("fedward: not rendered: cannot read `plain/link.yaml`: it leads out of the repository"), "{error}");
    fs::write(repository.path().join("base/kustomization.yaml"), "resources: [linked/secret.yaml]\n").unwrap();
    let error = Double.generate(repository.path(), "base", &[("ARGOCD_APP_SOURCE_PATH", "base")]).unwrap_err();
    assert!(error.contains("fedward: not rendered: "), "{error}");
    // A path of the Application that is not that of the folder opens nothing around it.
    for path in ["../base", "/", "..", "x/plain"] {
        let overlay = Double.generate(repository.path(), "overlay", &[("ARGOCD_APP_SOURCE_PATH", path)]).unwrap_err();
        assert!(overlay.contains("fedward: not rendered: "), "{path}: {overlay}");
    }
}

/// Names and errors of the repository are text, on one line.
#[cfg(unix)]
#[test]
fn hostile_names_are_text() {
    let repository = tempfile::tempdir().unwrap();
    fs::write(repository.path().join("a\u{1b}[31m\n##vso[x]y.yaml"), BAD.replace("{name: orders} #", "{name: \"a\\e[2J\\n::error::b\"} #"))
        .unwrap();
    let error = Double.generate(repository.path(), "", &[]).unwrap_err();
    assert!(!error.contains('\u{1b}') && !error.contains("##") && error.lines().all(|line| !line.starts_with("::")), "{error}");
    assert!(error.lines().skip(1).all(|line| line.starts_with("error: ") || line.starts_with("warning: ")), "{error}");
}

#[test]
fn the_sidecar_is_what_argo_cd_asks_for() {
    let plugin = plugin();
    assert_eq!((&plugin["kind"], &plugin["metadata"]["name"]), (&json!("ConfigManagementPlugin"), &json!("fedward")));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/argocd/cmp");
    let read = |name: &str| -> Value { fedward_engine::from_yaml(&fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    let (patch, component) = (read("repo-server.yaml"), read("kustomization.yaml"));
    assert_eq!(patch["metadata"]["name"], "argocd-repo-server");
    let spec = &patch["spec"]["template"]["spec"];
    let container = &spec["containers"][0];
    assert_eq!(container["command"], json!(["/var/run/argocd/argocd-cmp-server"]));
    let security = &container["securityContext"];
    assert_eq!(
        (&security["runAsUser"], &security["runAsNonRoot"], &security["readOnlyRootFilesystem"]),
        (&json!(999), &json!(true), &json!(true))
    );
    let mounts: Vec<&str> =
        container["volumeMounts"].as_array().unwrap().iter().map(|mount| mount["mountPath"].as_str().unwrap()).collect();
    assert_eq!(mounts, ["/var/run/argocd", "/home/argocd/cmp-server/plugins", "/home/argocd/cmp-server/config/plugin.yaml", "/tmp"]);
    // The volumes that are not the repo server's own are there, and the ConfigMap is the component's.
    let own: Vec<&str> = spec["volumes"].as_array().unwrap().iter().map(|volume| volume["name"].as_str().unwrap()).collect();
    for mount in container["volumeMounts"].as_array().unwrap() {
        let name = mount["name"].as_str().unwrap();
        assert!(own.contains(&name) || ["var-files", "plugins"].contains(&name), "{name}");
    }
    assert_eq!(component["configMapGenerator"][0]["name"], spec["volumes"][0]["configMap"]["name"]);
    assert_eq!(
        (&component["configMapGenerator"][0]["files"], &component["patches"][0]["path"]),
        (&json!(["plugin.yaml"]), &json!("repo-server.yaml"))
    );
    // The sample of the page names parameters that there are.
    let page = fs::read_to_string(folder.join("README.md")).unwrap();
    let repository = repository();
    for folder in ["chart", "plain"] {
        for one in Double.parameters(repository.path(), folder).as_array().unwrap() {
            assert!(page.contains(&format!("`{}`", one["name"].as_str().unwrap())), "{one}");
        }
    }
}
