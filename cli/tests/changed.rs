//! `fedward check --changed-since`: what a change touches is judged, all else is still there to be seen, and nothing is guessed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{git, renders};
use serde_json::Value;

/// A repository whose branch `main` is what was before.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Repository(tempfile::tempdir().unwrap());
        for (name, text) in files {
            repository.write(name, text);
        }
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["remote", "add", "origin", "https://git.example/fleet"]);
        repository.commit("first");
        repository.git(&["checkout", "--quiet", "-b", "change"]);
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        common::write(self.0.path(), name, text);
    }

    fn git(&self, args: &[&str]) {
        git(self.0.path(), args);
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
    }

    /// Back to what was before.
    fn reset(&self) {
        self.git(&["reset", "--quiet", "--hard", "main"]);
        self.git(&["clean", "--quiet", "-d", "--force"]);
    }

    fn check(&self, args: &[&str]) -> (Value, i32) {
        self.check_in(".", args)
    }

    fn check_in(&self, path: &str, args: &[&str]) -> (Value, i32) {
        self.check_with(path, args, &[])
    }

    fn check_with(&self, path: &str, args: &[&str], environment: &[(&str, &str)]) -> (Value, i32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedward"));
        command.args(["check", path, "--format", "json"]).args(args).envs(environment.iter().copied());
        let output = command.current_dir(self.0.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        (serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}")), output.status.code().unwrap())
    }

    /// The Applications that the change since `main` touches.
    fn touched(&self) -> Vec<String> {
        self.touched_with(&[])
    }

    fn touched_with(&self, args: &[&str]) -> Vec<String> {
        let (report, _) = self.check(&[&["--changed-since", "main"], args].concat());
        let all = report["deployed"].as_array().unwrap().iter();
        let touched = all.filter(|one| one["kind"] == "Application" && one["state"] != "untouched");
        let mut names: Vec<String> = touched.map(|one| one["name"].as_str().unwrap().trim_start_matches("argocd/").to_owned()).collect();
        names.sort();
        names
    }
}

/// The places of findings of a rule.
fn places(report: &Value, rule: &str) -> Vec<String> {
    let found = report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == rule);
    found.map(|finding| finding["location"]["file"].as_str().unwrap().to_owned()).collect()
}

fn application(name: &str, source: &str, more: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd{more}}}\nspec:\n  project: {}\n  source: {{repoURL: 'https://git.example/fleet', {source}}}\n  destination: {{name: prod, namespace: shop}}\n",
        if name == "till" { "team" } else { "default" }
    )
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";

fn fleet() -> Repository {
    let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: envs, namespace: argocd}\nspec:\n  generators:\n  - git: {repoURL: 'https://git.example/fleet', revision: HEAD, files: [{path: 'envs/*.json'}]}\n  template:\n    metadata: {name: 'env-{{name}}'}\n    spec:\n      project: default\n      source: {repoURL: 'https://git.example/fleet', path: env, targetRevision: HEAD}\n      destination: {name: prod, namespace: '{{name}}'}\n";
    let project = "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: team, namespace: argocd}\nspec: {sourceRepos: ['*'], destinations: [{name: '*', namespace: '*'}]}\n";
    let child = application("child", "path: child", "").replace("name: child,", "name: {{ .Values.name }},");
    let noted = ", annotations: {argocd.argoproj.io/manifest-generate-paths: '.;/docs/*.md'}";
    let files = [
        (
            "apps/shop.yaml",
            application("shop", "path: charts/web, helm: {valueFiles: [../../values/shop.yaml], ignoreMissingValueFiles: true}", ""),
        ),
        ("apps/till.yaml", application("till", "path: overlays/prod", "")),
        ("apps/plain.yaml", application("plain", "path: plain, directory: {recurse: true, exclude: 'skip/*'}", "")),
        ("apps/sums.yaml", application("sums", "path: sums", "")),
        ("apps/root.yaml", application("root", "path: charts/apps", "")),
        ("apps/noted.yaml", application("noted", "path: noted", noted)),
        ("apps/envs.yaml", set.to_owned()),
        ("projects/team.yaml", project.to_owned()),
        (
            "charts/web/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: lib, version: 1.0.0, repository: 'file://../lib'}]\n"
                .to_owned(),
        ),
        ("charts/web/templates/map.yaml", MAP.to_owned()),
        ("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\n".to_owned()),
        ("charts/lib/templates/_lib.tpl", "{{ define \"lib\" }}{{ end }}\n".to_owned()),
        ("charts/apps/Chart.yaml", "apiVersion: v2\nname: apps\nversion: 1.0.0\n".to_owned()),
        ("charts/apps/values.yaml", "name: child\n".to_owned()),
        ("charts/apps/templates/child.yaml", child),
        ("values/shop.yaml", "a: b\n".to_owned()),
        (
            "overlays/prod/kustomization.yaml",
            "resources: [../../base]\ncomponents: [../../component]\npatches: [{path: ../../patches/one.yaml}]\n".to_owned(),
        ),
        ("base/kustomization.yaml", "resources: [map.yaml]\nconfigMapGenerator: [{name: more, files: [data.txt]}]\n".to_owned()),
        ("base/map.yaml", MAP.to_owned()),
        ("base/data.txt", "data\n".to_owned()),
        ("component/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n".to_owned()),
        ("patches/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map, labels: {a: b}}\n".to_owned()),
        ("plain/deep/map.yaml", MAP.to_owned()),
        ("plain/skip/map.yaml", MAP.to_owned()),
        (
            "sums/one.jsonnet",
            "local lib = import '../jsonnet/lib.libsonnet';\nlib + {data: {text: importstr '../text/one.txt'}}\n".to_owned(),
        ),
        ("jsonnet/lib.libsonnet", "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'sums'}}\n".to_owned()),
        ("text/one.txt", "one\n".to_owned()),
        ("text/other.txt", "other\n".to_owned()),
        ("noted/map.yaml", MAP.to_owned()),
        ("child/map.yaml", MAP.to_owned()),
        ("env/map.yaml", MAP.to_owned()),
        ("envs/one.json", "{\"name\": \"one\"}\n".to_owned()),
        ("envs/two.json", "{\"name\": \"two\"}\n".to_owned()),
        ("README.md", "# fleet\n".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Repository::new(&files)
}

#[test]
fn an_application_is_touched_by_what_it_is_written_in_generated_from_and_rendered_from() {
    if !renders() {
        return;
    }
    let repository = fleet();
    assert_eq!(repository.touched(), [""; 0]);
    for (file, expected) in [
        ("README.md", &[][..]),
        ("text/other.txt", &[]),
        ("plain/skip/map.yaml", &[]),
        ("values/unused.yaml", &[]),
        ("apps/shop.yaml", &["shop"]),
        ("charts/web/templates/map.yaml", &["shop"]),
        ("charts/web/files/new.txt", &["shop"]),
        ("charts/lib/templates/_lib.tpl", &["shop"]),
        ("values/shop.yaml", &["shop"]),
        ("charts/web/.argocd-source-shop.yaml", &["shop"]),
        ("overlays/prod/kustomization.yaml", &["till"]),
        ("base/map.yaml", &["till"]),
        ("base/data.txt", &["till"]),
        ("component/kustomization.yaml", &["till"]),
        ("patches/one.yaml", &["till"]),
        ("overlays/prod/.argocd-source.yaml", &["till"]),
        ("projects/team.yaml", &["till"]),
        ("plain/deep/map.yaml", &["plain"]),
        ("plain/new.yaml", &["plain"]),
        ("plain/Chart.yaml", &["plain"]),
        ("sums/one.jsonnet", &["sums"]),
        ("jsonnet/lib.libsonnet", &["sums"]),
        ("text/one.txt", &["sums"]),
        // What a chart makes an Application of may be anything in it.
        ("charts/apps/values.yaml", &["child", "root"]),
        ("charts/apps/templates/child.yaml", &["child", "root"]),
        ("apps/root.yaml", &["child", "root"]),
        ("child/map.yaml", &["child"]),
        ("apps/envs.yaml", &["env-one", "env-two"]),
        ("envs/two.json", &["env-two"]),
        ("envs/three.json", &["env-three"]),
        ("env/map.yaml", &["env-one", "env-two"]),
        ("noted/map.yaml", &["noted"]),
        ("docs/a.md", &["noted"]),
        ("docs/deep/a.md", &[]),
        ("docs/a.txt", &[]),
    ] {
        repository.reset();
        let before = fs::read_to_string(repository.path(file)).unwrap_or_default();
        let text = match file.rsplit_once('.') {
            Some((_, "json")) => "{\"name\": \"@\"}\n".replace('@', file.trim_start_matches("envs/").trim_end_matches(".json")) + "\n",
            Some((_, "jsonnet" | "libsonnet")) => format!("{before}// more\n"),
            _ => format!("{before}# more\n"),
        };
        repository.write(file, &text);
        // Argo CD does not see what is not added.
        repository.git(&["add", "--all"]);
        assert_eq!(repository.touched(), expected, "{file}, added");
        repository.commit("change");
        assert_eq!(repository.touched(), expected, "{file}, committed");
    }
    for (file, expected) in [
        ("values/shop.yaml", &["shop"][..]),
        ("base/map.yaml", &["till"]),
        ("patches/one.yaml", &["till"]),
        ("plain/deep/map.yaml", &["plain"]),
        ("plain/skip/map.yaml", &[]),
        ("child/map.yaml", &["child"]),
        ("text/one.txt", &["sums"]),
        ("envs/two.json", &[]),
    ] {
        repository.reset();
        fs::remove_file(repository.path(file)).unwrap();
        assert_eq!(repository.touched(), expected, "{file}, gone");
    }
    // What happened on the other branch since is not this change.
    repository.reset();
    repository.write("base/map.yaml", &format!("{MAP}# more\n"));
    repository.commit("of the other");
    repository.git(&["branch", "--quiet", "--force", "main"]);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repository.write("plain/new.yaml", MAP);
    repository.commit("own");
    assert_eq!(repository.touched(), ["plain"]);
}

#[test]
fn a_configuration_that_is_touched_touches_everything() {
    if !renders() {
        return;
    }
    let repository = fleet();
    repository.write("fedward.yaml", "namespace: shop\n");
    repository.git(&["add", "--all"]);
    assert_eq!(repository.touched().len(), 9);
    let (report, _) = repository.check(&["--changed-since", "main"]);
    assert!(report["notes"][0].as_str().unwrap().starts_with("everything was judged: since `main`, the change touches"), "{report}");
}

/// Whether a run judged everything because of the change.
fn is_everything(report: &Value) -> bool {
    report["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().starts_with("everything was judged: "))
}

#[test]
fn what_decides_about_others_touches_everything() {
    let policy = "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: labels}\nspec:\n  module: require-identity-labels\n  mutating: false\n  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n";
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: []\n";
    let repository = Repository::new(&[
        ("app/map.yaml", MAP),
        ("app/other.yaml", MAP),
        ("app/policy.yaml", policy),
        ("app/role.yaml", role),
        ("context/map.yaml", MAP),
        ("context/account.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n"),
        ("elsewhere/policy.yaml", policy),
        ("fedward.yaml", "namespace: shop\n"),
        ("policies/policies.yml", "own:\n  module: file://own.wasm\nnew:\n  module: \"file://../modules/new.wasm\"\n"),
        ("policies/own.wasm", "own"),
        ("modules/other.wasm", "other"),
    ]);
    let everything = || {
        let args = ["--policies", "policies/policies.yml", "--context", "context", "--changed-since", "main"];
        is_everything(&repository.check_in("app", &args).0)
    };
    assert!(!everything());
    for (file, expected) in [
        ("app/map.yaml", false),
        ("app/role.yaml", false),
        ("app/policy.yaml", true),
        ("context/account.yaml", true),
        ("elsewhere/policy.yaml", false),
        ("fedward.yaml", true),
        ("policies/policies.yml", true),
        ("policies/own.wasm", true),
        ("modules/new.wasm", true),
        ("modules/other.wasm", false),
    ] {
        repository.reset();
        let before = fs::read_to_string(repository.path(file)).unwrap_or_default();
        repository.write(file, &format!("{before}# more\n"));
        assert_eq!(everything(), expected, "{file}, changed");
    }
    for (file, expected) in [
        ("app/map.yaml", false),
        ("app/role.yaml", true),
        ("app/policy.yaml", true),
        ("context/account.yaml", true),
        ("elsewhere/policy.yaml", false),
        ("fedward.yaml", true),
        ("policies/own.wasm", true),
        ("modules/other.wasm", false),
    ] {
        repository.reset();
        fs::remove_file(repository.path(file)).unwrap();
        assert_eq!(everything(), expected, "{file}, gone");
        repository.commit("gone");
        assert_eq!(everything(), expected, "{file}, gone for good");
    }
    // A policy that is gone, and its file is not.
    repository.reset();
    repository.write("app/policy.yaml", MAP);
    assert!(everything());
}

#[test]
fn a_run_that_leaves_nothing_out_is_none_on_a_change() {
    let repository = Repository::new(&[("empty/notes.md", "# nothing\n"), ("a.yaml", MAP)]);
    let since = |path: &str| repository.check_in(path, &["--changed-since", "main"]).1;
    assert_eq!((since("empty"), since(".")), (4, 0));
    repository.write("fedward.yaml", "namespace: shop\n");
    assert_eq!((since("empty"), since(".")), (4, 0));
}

#[test]
fn charts_of_helm_repositories_touch_what_takes_them() {
    if !renders() {
        return;
    }
    let needs = |name: &str, chart: &str| {
        format!(
            "apiVersion: v2\nname: {name}\nversion: 1.0.0\ndependencies: [{{name: {chart}, version: '>=1', repository: 'https://charts.example'}}]\n"
        )
    };
    let db = application("db", "chart: db, targetRevision: 1.x", "").replace("https://git.example/fleet", "https://charts.example");
    let repository = Repository::new(&[
        ("apps/web.yaml", &application("web", "path: web", "")),
        ("apps/db.yaml", &db),
        ("apps/plain.yaml", &application("plain", "path: plain", "")),
        ("web/Chart.yaml", &needs("web", "lib")),
        ("web/charts/sub/Chart.yaml", &needs("sub", "deep")),
        ("plain/map.yaml", MAP),
        ("shelf/lib-1.0.0.tgz", "lib"),
        ("shelf/deep-1.0.0.tgz", "deep"),
        ("shelf/db-1.0.0.tgz", "db"),
        ("shelf/other-1.0.0.tgz", "other"),
    ]);
    let touched = || {
        repository.git(&["add", "--all"]);
        repository.touched_with(&["--helm-repo-cache", "shelf"])
    };
    assert_eq!(touched(), [""; 0]);
    for (file, expected) in [
        ("lib-1.0.0.tgz", &["web"][..]),
        ("lib-1.1.0.tgz", &["web"]),
        ("lib/Chart.yaml", &["web"]),
        ("deep-1.0.0.tgz", &["web"]),
        ("db-1.0.0.tgz", &["db"]),
        ("db-1.1.0.tgz", &["db"]),
        ("other-1.0.0.tgz", &[]),
        ("index.yaml", &["db", "web"]),
    ] {
        repository.reset();
        repository.write(&format!("shelf/{file}"), "more");
        assert_eq!(touched(), expected, "{file}");
    }
    for (file, expected) in [("lib-1.0.0.tgz", &["web"][..]), ("db-1.0.0.tgz", &["db"])] {
        repository.reset();
        fs::remove_file(repository.path("shelf").join(file)).unwrap();
        assert_eq!(touched(), expected, "{file}, gone");
    }
}

#[cfg(unix)]
#[test]
fn configuration_of_git_in_the_environment_counts() {
    use std::os::unix::fs::PermissionsExt as _;
    let repository = Repository::new(&[("a.yaml", MAP), ("b.yaml", MAP)]);
    // What a filter is turned off with comes after it.
    repository.git(&["config", "filter.own.clean", "cat"]);
    fs::set_permissions(repository.path("a.yaml"), fs::Permissions::from_mode(0o755)).unwrap();
    let files =
        |environment: &[(&str, &str)]| repository.check_with(".", &["--changed-since", "main"], environment).0["summary"]["files"].clone();
    assert_eq!(files(&[]), 1);
    let ignoring = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.fileMode"), ("GIT_CONFIG_VALUE_0", "false")];
    assert_eq!(files(&ignoring), 0);
}

#[test]
fn paths_that_miss_what_is_rendered_are_told_of() {
    if !renders() {
        return;
    }
    let repository = fleet();
    let more = ", annotations: {argocd.argoproj.io/manifest-generate-paths: .}";
    repository.write("apps/till.yaml", &application("till", "path: overlays/prod", more));
    repository.commit("paths");
    repository.git(&["branch", "--quiet", "--force", "main"]);
    repository.write("base/map.yaml", &format!("{MAP}# more\n"));
    let (report, _) = repository.check(&["--changed-since", "main"]);
    let notes = report["notes"].as_array().unwrap();
    let told =
        "Application `till` is rendered from `base/map.yaml`, which the change touches, and its `manifest-generate-paths` do not hold it";
    assert!(notes.iter().any(|note| note.as_str().unwrap().starts_with(told)), "{notes:?}");
    assert_eq!(report["summary"]["applications"]["untouched"], 8);
}

/// A pod that runs as a service account of its namespace, with an account of its own beside it.
fn pod(name: &str, account: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: shop}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{azure.workload.identity/use: 'true'}}}}\nspec: {{serviceAccountName: {account}, containers: [{{name: a, image: registry.example/a:1}}]}}\n"
    )
}

#[test]
fn what_is_not_rendered_is_not_known_and_never_missing() {
    if !renders() {
        return;
    }
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop, annotations: {azure.workload.identity/client-id: 3f1d2c4b-5a69-4788-9c0d-1e2f3a4b5c6d}}\n";
    let repository = Repository::new(&[
        ("apps/web.yaml", &application("web", "path: web", "")),
        ("apps/user.yaml", &application("user", "path: user", "")),
        ("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("web/templates/account.yaml", account),
        ("user/pod.yaml", &pod("user", "nobody")),
    ]);
    repository.write("user/pod.yaml", &pod("user", "web"));
    const RULE: &str = "missing-service-account";
    for more in [&[][..], &["--closed-world"]] {
        let since = |args: &[&str]| repository.check(&[args, more].concat()).0;
        let all = since(&[]);
        let narrowed = since(&["--changed-since", "main"]);
        assert_eq!((places(&all, RULE), places(&narrowed, RULE)), (vec![], vec![]), "{narrowed}");
        assert_eq!(narrowed["summary"]["applications"]["untouched"], 1);
        assert_eq!(narrowed["summary"]["evaluated"], 2);
    }
    // An account that is in no Application is missing for all that anybody knows, as soon as all is rendered.
    repository.write("user/pod.yaml", &pod("user", "gone"));
    assert_eq!(places(&repository.check(&[]).0, RULE), ["user/pod.yaml"]);
    assert_eq!(places(&repository.check(&["--changed-since", "main"]).0, RULE), [""; 0]);
    repository.write("web/values.yaml", "a: b\n");
    repository.git(&["add", "--all"]);
    assert_eq!(places(&repository.check(&["--changed-since", "main"]).0, RULE), ["user/pod.yaml"]);
    // Plain manifests of an Application that is not touched need no tool: they are seen.
    repository.reset();
    repository.write("web/account.yaml", account);
    fs::remove_file(repository.path("web/Chart.yaml")).unwrap();
    fs::remove_file(repository.path("web/templates/account.yaml")).unwrap();
    repository.commit("plain");
    repository.git(&["branch", "--quiet", "--force", "main"]);
    repository.write("user/pod.yaml", &pod("user", "gone"));
    let (narrowed, code) = repository.check(&["--changed-since", "main"]);
    assert_eq!((places(&narrowed, RULE), code), (vec!["user/pod.yaml".to_owned()], 0), "{narrowed}");
    assert_eq!(places(&repository.check(&["--changed-since", "main", "--closed-world"]).0, RULE), ["user/pod.yaml"]);
}

#[test]
fn plain_files_are_judged_if_they_are_touched_and_seen_in_any_case() {
    let broken = "apiVersion: v1\nkind: Pod\nmetadata: {name: old, name: twice}\n";
    let repository = Repository::new(&[
        ("old.yaml", &pod("old", "gone")),
        ("accounts.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n"),
        ("broken.yaml", broken),
        ("ignored.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a} # fedward: ignore[missing-service-account] not here\n"),
    ]);
    const RULE: &str = "missing-service-account";
    let (report, code) = repository.check(&["--changed-since", "main"]);
    assert_eq!((report["findings"].as_array().unwrap().len(), code), (0, 0), "{report}");
    assert_eq!(report["notes"][0], "4 files are not touched by the change since `main`, and not judged");
    // New files count without being added.
    repository.write("new.yaml", &pod("new", "gone"));
    repository.write("fine.yaml", &pod("fine", "web"));
    let (report, _) = repository.check(&["--changed-since", "main"]);
    assert_eq!(places(&report, RULE), ["new.yaml"], "{report}");
    assert_eq!((&report["summary"]["files"], &report["summary"]["evaluated"]), (&2.into(), &4.into()), "{report}");
    let (report, _) = repository.check(&["--changed-since", "main", "--no-argocd", "--include", "old.yaml"]);
    assert_eq!(places(&report, RULE), [""; 0]);
    assert_eq!(places(&repository.check(&[]).0, RULE), ["new.yaml", "old.yaml"]);
    // A file whose times differ and whose content does not is not touched.
    repository.write("old.yaml", &pod("old", "gone"));
    assert_eq!(places(&repository.check(&["--changed-since", "main"]).0, RULE), ["new.yaml"]);
}

#[test]
fn a_change_that_cannot_be_told_is_wrong_usage() {
    let repository = Repository::new(&[("a.yaml", MAP)]);
    repository.commit("second");
    let said = |folder: &Path, args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_fedward")).args(["check"]).args(args).current_dir(folder).output().unwrap();
        (String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
    };
    let here = repository.0.path();
    for (args, expected) in [
        (
            &[".", "--changed-since", "nowhere"][..],
            "error: `--changed-since nowhere`: there is no revision `nowhere` in the Git repository",
        ),
        (&[".", "--changed-since", "--output=x"], "error: "),
        (&[".", "--changed-since=--output=x"], "error: `--changed-since --output=x`: there is no revision `--output=x`"),
        (&["-", "--changed-since", "main"], "error: `--changed-since main`: standard input is in no Git repository"),
    ] {
        let (text, code) = said(here, args);
        assert!(code == 2 && text.starts_with(expected), "{args:?}: {text}");
    }
    assert!(!repository.path("x").exists());
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.yaml"), MAP).unwrap();
    let (text, code) = said(outside.path(), &[".", "--changed-since", "main"]);
    assert_eq!((text.as_str(), code), ("error: `--changed-since main`: `.` is in no Git repository\n", 2));
    // Of a shallow clone, only the last commit is there.
    let clone = tempfile::tempdir().unwrap();
    let address = format!("file://{}", here.canonicalize().unwrap().display());
    git(clone.path(), &["clone", "--quiet", "--depth=1", "--no-single-branch", &address, "clone"]);
    let (text, code) = said(&clone.path().join("clone"), &[".", "--changed-since", "origin/main"]);
    assert!(code == 2 && text.contains("have no commit in common; the clone is shallow: fetch more of it"), "{text}");
}

#[cfg(unix)]
#[test]
fn no_program_of_the_repository_is_run() {
    let repository = Repository::new(&[(".gitattributes", "*.yaml filter=own diff=own\n"), ("a.yaml", MAP), ("b.yaml", MAP)]);
    let mark = repository.path("ran");
    let program = format!("touch '{}'; cat", mark.display());
    for key in ["filter.own.clean", "filter.own.smudge", "diff.own.textconv", "diff.own.command", "diff.external", "core.fsmonitor"] {
        repository.git(&["config", key, &program]);
    }
    repository.git(&["config", "filter.own.required", "true"]);
    // Git has to look into it.
    repository.write("a.yaml", MAP);
    repository.write("b.yaml", &pod("b", "gone"));
    let (report, code) = repository.check(&["--changed-since", "main"]);
    assert!(!mark.exists());
    assert_eq!((&report["summary"]["files"], code), (&1.into(), 0), "{report}");
}
