//! Sessions with the command on Argo CD repositories. Without renderers in the build there is nothing to run.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{git, write};

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
    let git = |args: &[&str]| git(folder.path(), args);
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
    if !common::renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| write(folder.path(), path, text);
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

/// A run of the command: its exit code, standard output and standard error.
fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fedward")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { _ = fs::copy(entry.path(), to).unwrap() }
    }
}

/// A repository that Git tracks, as `fleet.trycmd` has it, and room beside it.
fn fleet() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let repository = place.path().join("repo");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/argocd/fleet.in"), &repository);
    for args in [["init", "--quiet"], ["add", "--all"]] {
        git(&repository, &args);
    }
    place
}

#[test]
fn outputs_are_the_same_with_a_cache_and_without() {
    if !common::renders() {
        return;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let place = tempfile::tempdir().unwrap();
    let cache = place.path().join("cache");
    let names = |folder: &Path| {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let mut cases = vec![(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/argocd/fleet.in"), vec![".".to_owned()])];
    for (group, inside) in [("gitops/repos", "repo"), ("scenarios", "secure"), ("scenarios", "as-published")] {
        let folders = names(&fixtures.join(group)).into_iter().map(|name| fixtures.join(group).join(name).join(inside));
        cases.extend(folders.filter(|folder| folder.is_dir()).map(|folder| (folder, vec![".".to_owned()])));
    }
    // Charts and kustomizations that are named themselves.
    let render = fixtures.join("gitops/render");
    let each =
        ["helm", "kustomize"].iter().flat_map(|tool| names(&render.join(tool)).into_iter().map(move |name| format!("{tool}/{name}")));
    let each = each.filter(|path| ["Chart.yaml", "kustomization.yaml"].iter().any(|file| render.join(path).join(file).is_file())).collect();
    cases.push((render, each));
    let (mut kept, mut again) = (0, 0);
    for (number, (folder, paths)) in cases.iter().enumerate() {
        let own = place.path().join(format!("{number}"));
        copy(folder, &own);
        let maps = ["--repo", "https://git.example/fleet=.", "--repo", "https://git.example/team/repo=.", "--format", "json"];
        let args: Vec<&str> = ["check"].into_iter().chain(paths.iter().map(String::as_str)).chain(maps).collect();
        let (code, out, _) = run(&own, &args);
        for is_second in [false, true] {
            let (code_now, out_now, said) = run(&own, &[&args[..], &["--verbose", "--cache", cache.to_str().unwrap()]].concat());
            assert_eq!((code_now, out_now), (code, out.clone()), "{}", folder.display());
            let counts = said.lines().find_map(|line| line.strip_prefix("rendered ")?.split_once(", taken from the cache ")).unwrap();
            if is_second {
                again += counts.0.parse::<usize>().unwrap();
                kept += counts.1.parse::<usize>().unwrap();
            }
        }
    }
    // Only what a limit ends is tried anew: what includes itself without end.
    assert!(kept > 25 && again <= 3, "{kept} {again}");
}

#[test]
fn a_cache_is_no_part_of_what_is_checked() {
    if !common::renders() {
        return;
    }
    let place = fleet();
    let repository = place.path().join("repo");
    let check = |cache: &str| run(&repository, &["check", ".", "--repo", "https://git.example/fleet=.", "--cache", cache, "--verbose"]);
    let counts = |cache: &str| check(cache).2.lines().last().unwrap_or_default().to_owned();
    let git = |args: &[&str]| git(&repository, args);
    // One that Git does not track is none, wherever it lies, and never becomes one.
    let first = counts(".cache/renders");
    assert!(first.ends_with("taken from the cache 0") && !first.starts_with("rendered 0"), "{first}");
    git(&["add", "--all"]);
    assert!(counts(".cache/renders").starts_with("rendered 0, "), "{}", counts(".cache/renders"));
    git(&["add", "--force", ".cache"]);
    let (code, out, said) = check(".cache/renders");
    assert!(code == Some(2) && out.is_empty() && said.contains("is in the repository that is checked"), "{said}");
    // The same without Git, and for a folder with other files.
    fs::remove_dir_all(repository.join(".git")).unwrap();
    assert!(check("renders").2.contains("is in the repository that is checked"));
    assert!(!repository.join("renders").exists());
    assert!(check("..").2.contains("has other files in it"));
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_to_is_a_note() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    if !common::renders() {
        return;
    }
    let place = fleet();
    let repository = place.path().join("repo");
    let args = ["check", ".", "--repo", "https://git.example/fleet=."];
    let without = run(&repository, &args);
    // Where nothing can be made, whoever asks.
    symlink("/proc/self", place.path().join("nowhere")).unwrap();
    let with = run(&repository, &[&args[..], &["--cache", "../nowhere/cache"]].concat());
    assert_eq!((with.0, &with.1), (without.0, &without.1));
    assert!(with.2.starts_with("note: the cache `../nowhere/cache` is of no use: "), "{}", with.2);
    // One that others may write to.
    let cache = [&args[..], &["--cache", "../cache"]].concat();
    assert_eq!(run(&repository, &cache).2, "");
    fs::set_permissions(place.path().join("cache"), fs::Permissions::from_mode(0o777)).unwrap();
    let with = run(&repository, &cache);
    assert_eq!((with.0, &with.1), (without.0, &without.1));
    assert!(with.2.contains("nobody else allowed to write to it"), "{}", with.2);
}

#[test]
fn two_processes_may_use_a_cache_at_once() {
    if !common::renders() {
        return;
    }
    let place = fleet();
    let repository = place.path().join("repo");
    let args = ["check", ".", "--repo", "https://git.example/fleet=.", "--cache", "../cache", "--verbose"];
    let both: Vec<_> =
        std::thread::scope(|scope| [0, 1].map(|_| scope.spawn(|| run(&repository, &args))).map(|run| run.join().unwrap()).into());
    assert_eq!((both[0].0, &both[0].1), (both[1].0, &both[1].1));
    assert!(run(&repository, &args).2.starts_with("rendered 0, "));
}

/// One cluster is one world, whether Applications give its name or its address.
#[test]
fn a_cluster_is_one_by_name_and_by_address() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| write(folder.path(), path, text);
    let application = |name: &str, destination: &str| {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: 'https://git.example/shop', path: {name}}}\n  destination: {{{destination}, namespace: shop}}\n"
        );
        write(&format!("apps/{name}.yaml"), &text);
    };
    let shared = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\n";
    write(
        "account/account.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  annotations: {azure.workload.identity/client-id: 3f1d2c4b-5a69-4788-9c0d-1e2f3a4b5c6e}\n",
    );
    write("account/shared.yaml", shared);
    write(
        "web/pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers: [{name: web, image: 'registry.example/web:1'}]\n",
    );
    write("web/shared.yaml", shared);
    write("clusters.yml", "clusters: [{name: prod, server: 'https://prod.example/'}]\n");
    for (one, other, clusters, is_one) in [
        ("name: in-cluster", "server: https://kubernetes.default.svc", "", true),
        ("name: prod", "server: https://prod.example", "--clusters=clusters.yml", true),
        ("name: prod", "server: https://other.example", "", false),
    ] {
        application("account", one);
        application("web", other);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedward"));
        command.args(["check", "apps", "account", "web", "--argocd", "--repo", "https://git.example/shop=.", "--format", "json"]);
        let output = command.args(Some(clusters).filter(|text| !text.is_empty())).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("\"schema_version\""), "{}", String::from_utf8_lossy(&output.stderr));
        for rule in ["object-of-two-applications", "missing-azure-label"] {
            assert_eq!(said.contains(&format!("\"rule\":\"{rule}\"")), is_one, "{one} {other} {rule}: {said}");
        }
    }
}

/// What a run finds, a line each: file, line, rule, and who deploys it.
fn findings(folder: &Path, args: &[&str]) -> Vec<String> {
    let said: serde_json::Value = serde_json::from_str(&run(folder, &[args, &["--format", "json"]].concat()).1).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let line = |finding: &serde_json::Value| {
        let by = finding["origin"]["deployed_by"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ");
        let place = &finding["location"];
        let ignored = if finding["suppressed"].is_null() { "" } else { " ignored" };
        format!("{}:{} {}{ignored} {by}", text(&place["file"]), place["line"], text(&finding["rule"]))
    };
    let mut lines: Vec<String> =
        said["findings"].as_array().unwrap().iter().map(line).filter(|line| line.contains("label-value")).collect();
    lines.sort();
    lines
}

/// The base is right, and the patch is not.
#[test]
fn values_of_json_patches_are_on_their_line() {
    if !common::renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let base =
        common::LABELLED.replace("NAME", "web").replace("VALUE", "\"true\" # fedward: ignore[wrong-azure-label-value] it is right here");
    write(folder, "base/deployment.yaml", &base);
    write(folder, "base/kustomization.yaml", "resources: [deployment.yaml]\n");
    let path = "/spec/template/metadata/labels/azure.workload.identity~1use";
    write(folder, "file/kustomization.yaml", "resources: [../base]\npatches:\n- path: own.json\n  target: {kind: Deployment}\n");
    write(folder, "file/own.json", &format!("[\n  {{\"op\": \"replace\",\n   \"path\": \"{path}\",\n   \"value\": \"TRUE\"}}\n]\n"));
    let inline = format!(
        "resources: [../base]\npatches:\n- target: {{kind: Deployment}}\n  patch: |-\n    - op: replace\n      path: {path}\n      value: 'TRUE'\n"
    );
    write(folder, "inline/kustomization.yaml", &inline);
    assert_eq!(findings(folder, &["check", "file"]), ["file/own.json:4 wrong-azure-label-value kustomization file"]);
    assert_eq!(findings(folder, &["check", "inline"]), ["inline/kustomization.yaml:7 wrong-azure-label-value kustomization inline"]);
}

/// One line of a template may be wrong in several ways.
#[test]
fn what_differs_between_applications_is_told_of_each() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    write(folder, "web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    let template = common::LABELLED.replace("NAME", "{{ .Release.Name }}").replace("VALUE", "{{ .Values.use | quote }}");
    write(folder, "web/templates/deployment.yaml", &template);
    for (name, value) in [("dev", "yes"), ("test", "yes"), ("prod", "True")] {
        write(folder, &format!("web/values-{name}.yaml"), &format!("use: {value:?}\n"));
        // What may be in the name of what is rendered may be in that of a file.
        write(
            folder,
            &format!("apps/a#{name}.yaml"),
            &format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: 'https://git.example/shop', path: web, helm: {{valueFiles: [values-{name}.yaml]}}}}\n  destination: {{server: 'https://kubernetes.default.svc', namespace: shop}}\n"
            ),
        );
    }
    let git = |args: &[&str]| git(folder, args);
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "first"]);
    let check = ["check", ".", "--repo", "https://git.example/shop=."];
    let both = [
        "web/templates/deployment.yaml:10 wrong-azure-label-value Application argocd/dev, Application argocd/test",
        "web/templates/deployment.yaml:10 wrong-azure-label-value Application argocd/prod",
    ];
    assert_eq!(findings(folder, &check), both);
    let (_, out, _) = run(folder, &check);
    for set_in in ["web/values-dev.yaml:1:6", "web/values-test.yaml:1:6", "web/values-prod.yaml:1:6"] {
        assert!(out.contains(set_in), "{set_in}: {out}");
    }
    // A change of an Application's own file touches it.
    let file = folder.join("apps/a#prod.yaml");
    fs::write(&file, fs::read_to_string(&file).unwrap() + "# changed\n").unwrap();
    assert_eq!(findings(folder, &[&check[..], &["--changed-since", "HEAD"]].concat()), both[1..]);
}

#[test]
fn the_rules_about_a_repository_run_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let application = |project: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop, namespace: argocd}}\nspec:\n  project: {project}\n  source: {{repoURL: 'https://git.example/shop', path: plain}}\n  destination: {{server: 'https://kubernetes.default.svc', namespace: shop}}\n"
        )
    };
    write(folder, "apps/shop.yaml", &application("plattform"));
    write(
        folder,
        "apps/project.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: platform, namespace: argocd}\nspec: {sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}]}\n",
    );
    write(
        folder,
        "plain/pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {azure.workload.identity/use: 'yes'}}\nspec: {containers: [{name: a, image: registry.example/a:1}]}\n",
    );
    let rules = |args: &[&str]| {
        let (code, out, _) = run(folder, &[&["check", ".", "--format", "json"], args].concat());
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let rules = report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap().to_owned());
        (rules.collect::<Vec<String>>(), code.unwrap())
    };
    let repo = ["--repo", "https://git.example/shop=."];
    let alone = [&repo[..], &["--policy", "argocd-repository"]].concat();
    assert!(rules(&repo).0.iter().any(|rule| rule == "wrong-azure-label-value"));
    assert_eq!(rules(&alone), (vec!["misspelt-project".to_owned()], 1));
    assert_eq!(rules(&["--policy", "argocd-repository", "--no-argocd"]), (vec![], 4));
    // With another, both run.
    let both = rules(&[&alone[..], &["--policy", "require-identity-labels"]].concat()).0;
    assert!(both.contains(&"misspelt-project".to_owned()) && both.contains(&"wrong-azure-label-value".to_owned()), "{both:?}");
    write(folder, "apps/shop.yaml", &application("platform"));
    assert_eq!(rules(&alone), (vec![], 0));
}

/// Nothing but time is lost, and CI often has no home that anybody can write to: that is said to those who ask.
#[test]
fn a_cache_of_modules_that_cannot_be_used_is_told_on_demand() {
    if !common::renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    write(folder.path(), "web/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n");
    write(folder.path(), "home", "no folder");
    let said = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedward"));
        command.args(["check", "web"]).args(args).env("XDG_CACHE_HOME", folder.path().join("home")).current_dir(folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(said(&[]), "");
    let told = said(&["--verbose"]);
    assert!(told.starts_with("note: nothing keeps the unpacked renderers for the next run: module cache `"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

/// Two Applications that render one chart have one place for what they both deploy.
#[test]
fn an_object_of_two_applications_has_one_place_and_a_help() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    write(folder, "web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    write(folder, "web/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\n");
    for name in ["one", "two"] {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: 'https://git.example/shop', path: web}}\n  destination: {{name: in-cluster, namespace: shop}}\n"
        );
        write(folder, &format!("apps/{name}.yaml"), &text);
    }
    let (_, out, _) = run(folder, &["check", ".", "--repo", "https://git.example/shop=.", "--format", "json"]);
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    let all: Vec<_> = said["findings"].as_array().unwrap().iter().filter(|one| one["rule"] == "object-of-two-applications").collect();
    assert_eq!(all.len(), 1, "{out}");
    assert_eq!((&all[0]["location"]["file"], all[0]["related"].as_array().map(Vec::len)), (&"web/templates/map.yaml".into(), Some(0)));
    assert!(all[0]["help"].as_str().unwrap().starts_with("let one of the two deploy it"), "{out}");
}

/// A repository with an Application that plugin `builder` builds, and a script beside it that stands for that plugin.
#[cfg(unix)]
fn plugged(script: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    write(
        place.path(),
        "repo/apps/web.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec:\n  project: default\n  source:\n    \
         repoURL: https://git.example/shop\n    path: web\n    plugin:\n      name: builder-v1.2\n      env:\n      - {name: USE, value: yes-please}\n  \
         destination: {name: in-cluster, namespace: shop}\n",
    );
    write(place.path(), "repo/web/deployment.tpl", &common::LABELLED.replace("NAME", "$ARGOCD_APP_NAME"));
    write(place.path(), "build.sh", script);
    place
}

/// Puts in what it is told, and says elsewhere that it ran.
#[cfg(unix)]
const BUILD: &str = "echo run >> \"$1\"\nsed -e \"s/VALUE/$ARGOCD_ENV_USE/\" -e \"s/.ARGOCD_APP_NAME/$ARGOCD_APP_NAME/\" deployment.tpl\n";

#[cfg(unix)]
#[test]
fn what_a_plugin_builds_is_judged_where_a_person_names_what_runs() {
    let place = plugged(BUILD);
    let repository = place.path().join("repo");
    let plugin = format!("builder=sh '{0}/build.sh' '{0}/runs'", place.path().canonicalize().unwrap().display());
    let map = ["--repo", "https://git.example/shop=."];
    let check = |more: &[&str]| run(&repository, &[&["check", "."], &map[..], more].concat());
    let runs = || fs::read_to_string(place.path().join("runs")).map_or(0, |text| text.lines().count());
    // Nothing runs without it.
    let (code, out, _) = check(&[]);
    assert_eq!((code, runs()), (Some(4), 0), "{out}");
    assert!(out.contains("1 Application: 1 deferred") && out.contains("`--plugin builder-v1.2=COMMAND` says what to run"), "{out}");
    // With it, findings are at the place of the plugin.
    let (code, out, said) = check(&["--plugin", &plugin]);
    assert_eq!((code, said.as_str()), (Some(1), ""), "{out}");
    for line in [
        "error[wrong-azure-label-value]: ",
        " --> apps/web.yaml:9:5",
        "  = deployed: by Application argocd/web",
        "  = rendered: `azure.workload.identity/use: yes-please`",
        "1 Application: 1 rendered",
    ] {
        assert!(out.lines().any(|own| own.starts_with(line)), "{line}: {out}");
    }
    assert_eq!(runs(), 1);
    // What a program prints depends on anything: it runs every time.
    if common::renders() {
        let cache = place.path().join("cache");
        for expected in [2, 3] {
            assert_eq!(check(&["--plugin", &plugin, "--cache", cache.to_str().unwrap()]).1, out);
            assert_eq!(runs(), expected);
        }
    }
    let print = ["render", "--app", "web", "--plugin", &plugin];
    let (code, printed, _) = run(&repository, &[&print[..], &map[..]].concat());
    assert_eq!(code, Some(0));
    assert!(printed.starts_with("---\n# Source: apps/web.yaml\napiVersion: apps/v1\n") && printed.contains("name: web"), "{printed}");
    let (code, listed, _) = run(&repository, &[&["render", "--list", "--plugin", &plugin], &map[..]].concat());
    assert!(code == Some(0) && listed.starts_with("rendered  argocd/web"), "{listed}");
}

#[cfg(unix)]
#[test]
fn a_plugin_that_fails_or_is_mistyped_is_told() {
    let place = plugged("echo 'no such key: region' >&2\nexit 3\n");
    let repository = place.path().join("repo");
    let check = |more: &[&str]| run(&repository, &[&["check", ".", "--repo", "https://git.example/shop=."], more].concat());
    let plugin = format!("builder=sh '{}/build.sh'", place.path().canonicalize().unwrap().display());
    let why = "`--plugin builder` fails with exit code 3: no such key: region";
    let (code, out, _) = check(&["--plugin", &plugin]);
    assert_eq!(code, Some(3), "{out}");
    // A finding says it, and nothing else does.
    assert!(out.contains(&format!("error[unrenderable-application]: {why}")) && out.matches(why).count() == 1, "{out}");
    assert!(out.contains("1 Application: 1 failed"), "{out}");
    let (code, out, _) = check(&["--plugin", "bilder=true", "--repo", "https://git.example/other=."]);
    assert_eq!(code, Some(4), "{out}");
    assert!(out.contains("note: `--plugin bilder`: no source that was looked at has such a plugin (there is `builder-v1.2`)\n"), "{out}");
    assert!(out.contains("note: `--repo https://git.example/other=…`: nothing that was looked at is of such a repository or revision\n"));
    // Of what is not wanted, nobody knows what it would have used.
    let (_, _, said) = run(&repository, &["render", "--app", "web", "--repo", "https://git.example/shop=.", "--plugin", "bilder=true"]);
    assert!(!said.contains("note: "), "{said}");
}

#[test]
fn what_is_no_plugin_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "app.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n");
    for (args, expected) in [
        (["--plugin=a=true", "--plugin=a=false"].as_slice(), "error: `--plugin a` is given twice: one command stands for a plugin\n"),
        (&["--plugin=a"], "error: `--plugin`: `a` is not `NAME=COMMAND`\n"),
        (&["--plugin=a='b"], "error: `--plugin`: `'b` has a quote or a backslash that nothing closes\n"),
    ] {
        let (code, _, said) = run(folder.path(), &[&["check", "."], args].concat());
        assert_eq!((code, said.as_str()), (Some(2), expected));
    }
    let (code, _, said) = run(folder.path(), &["check", ".", "--no-argocd", "--plugin", "a=true"]);
    assert!(code == Some(2) && said.contains("cannot be used with"), "{said}");
}

/// Our own plugin stands for itself: what it reads is what is written here.
#[cfg(unix)]
#[test]
fn our_own_plugin_is_one() {
    if !common::renders() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    write(
        folder,
        "app.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec:\n  project: default\n  source:\n    \
         repoURL: https://git.example/shop\n    path: charts/web\n    plugin:\n      name: fedward\n      env: [{name: STAGE, value: prod}]\n      \
         parameters:\n      - {name: helm-values-files, array: [values-$ARGOCD_ENV_STAGE.yaml]}\n      - {name: helm-parameters, map: {b: two}}\n  \
         destination: {name: in-cluster, namespace: shop}\n",
    );
    write(folder, "charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    write(folder, "charts/web/values-prod.yaml", "a: one\n");
    write(
        folder,
        "charts/web/templates/account.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Release.Name }}-{{ .Values.a }}-{{ .Values.b }}\n  namespace: {{ .Release.Namespace }}\n",
    );
    let plugin = format!("fedward='{}' cmp generate", env!("CARGO_BIN_EXE_fedward"));
    let args = ["render", "--app", "web", "--repo", "https://git.example/shop=.", "--plugin", &plugin];
    let (code, out, said) = run(folder, &args);
    assert_eq!((code, said.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("name: web-one-two\n  namespace: shop\n"), "{out}");
}
