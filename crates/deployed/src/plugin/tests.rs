#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::HashMap;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::Instant;

use fedward_gitops::{Fixtures, Mapping, Wanted};
use fedward_outcome::{Deployed as Entry, State};

use super::*;
use crate::{Deployed, Request};

/// A repository, and a folder beside it for scripts.
struct Stage {
    repository: TempDir,
    beside: TempDir,
    limits: Limits,
}

impl Stage {
    /// `plugin`: what the Application says of its plugin.
    fn new(plugin: &str) -> Self {
        let stage = Stage { repository: tempfile::tempdir().unwrap(), beside: tempfile::tempdir().unwrap(), limits: Limits::default() };
        stage.write("apps/web/text.txt", "as committed\n");
        stage.write(
            "app.yaml",
            &format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web, namespace: argocd}}\nspec:\n  \
                 source:\n    repoURL: https://git.example/shop\n    path: apps/web\n    plugin: {plugin}\n  \
                 destination: {{name: in-cluster, namespace: shop}}\n"
            ),
        );
        stage
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.repository.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What becomes of the repository with a script for plugin `p`.
    fn script(&self, script: &str) -> Deployed {
        let file = self.beside.path().join("plugin.sh");
        fs::write(&file, script).unwrap();
        self.with(&[&format!("p=sh '{}'", file.display())])
    }

    fn with(&self, commands: &[&str]) -> Deployed {
        let commands: Vec<PluginCommand> = commands.iter().map(|text| PluginCommand::parse(text).unwrap()).collect();
        let mapping = Mapping {
            url: "https://git.example/shop".to_owned(),
            revision: None,
            path: self.repository.path().to_owned(),
            shown: String::new(),
        };
        let request = Request {
            root: self.repository.path(),
            shown: "",
            mappings: &[mapping],
            charts: None,
            revisions: &[],
            clusters: None,
            fixtures: &Fixtures::default(),
            plugins: &commands,
            takes: &|_| true,
            wanted: Wanted::All,
            folders: Vec::new(),
            namespace: "default",
            names: HashMap::new(),
            cache: None,
        };
        let plugins = Plugins { limits: self.limits, ..Plugins::new(&commands) };
        Deployed::find_with(request, plugins).unwrap()
    }
}

fn entry(deployed: &Deployed) -> Entry {
    deployed.account().0.into_iter().find(|entry| entry.name == "argocd/web").unwrap()
}

/// The state of the Application, and why.
fn became(deployed: &Deployed) -> String {
    let Entry { state, reasons, .. } = entry(deployed);
    format!("{}: {}", state.name(), reasons.join("; "))
}

fn text(deployed: &Deployed) -> String {
    let entry = entry(deployed);
    assert_eq!(entry.state, State::Rendered, "{:?}", entry.reasons);
    deployed.text(0, &|file| file.to_owned())
}

#[test]
fn it_gets_what_argo_cd_gives_and_nothing_else() {
    let stage = Stage::new(
        "{name: p, env: [{name: STAGE, value: 'prod-$ARGOCD_APP_NAME'}], parameters: [{name: files, array: [a, b]}, {name: set, map: {image.tag: v1}}]}",
    );
    let deployed = stage.script(
        "cat <<END\nkind: ConfigMap\nmetadata: {name: told}\ndata:\n  stage: $ARGOCD_ENV_STAGE\n  second: $PARAM_FILES_1\n  \
         tag: $PARAM_SET_IMAGE_TAG\n  json: '$ARGOCD_APP_PARAMETERS'\n  to: $ARGOCD_APP_NAMESPACE\n  path: $ARGOCD_APP_SOURCE_PATH\n  \
         names: $(env | cut -d= -f1 | sort | tr '\\n' ' ')\nEND\n",
    );
    let text = text(&deployed);
    for line in [
        "stage: prod-web",
        "second: b",
        "tag: v1",
        r#"json: '[{"array":["a","b"],"name":"files"},{"map":{"image.tag":"v1"},"name":"set"}]'"#,
        "to: shop",
        "path: apps/web",
    ] {
        assert!(text.contains(&format!("  {line}\n")), "{line}: {text}");
    }
    let names = text.lines().find_map(|line| line.trim().strip_prefix("names: ")).unwrap();
    // Of the last four, a shell makes those that it likes.
    let own = ["HOME", "PATH", "TMPDIR", "KUBE_VERSION", "KUBE_API_VERSIONS", "PWD", "OLDPWD", "SHLVL", "_"];
    let is_ours =
        |name: &str| own.contains(&name) || ["ARGOCD_APP_", "ARGOCD_ENV_STAGE", "PARAM_"].iter().any(|start| name.starts_with(start));
    assert_eq!(names.split_whitespace().filter(|name| !is_ours(name)).collect::<Vec<_>>(), [""; 0], "the caller's own leak");
    assert!(env::var_os("CARGO_MANIFEST_DIR").is_some(), "there is something that could");
    // What is not said of a namespace goes to the destination's, as of every source.
    assert!(text.contains("namespace: shop"), "{text}");
}

#[test]
fn the_cluster_is_the_one_that_helm_assumes() {
    if !fedward_render::available() {
        return;
    }
    let cluster = cluster::ask();
    assert!(cluster.version.starts_with("v1."), "{}", cluster.version);
    assert!(["v1", "apps/v1"].iter().all(|known| cluster.api_versions.iter().any(|version| version == known)));
}

#[test]
fn it_works_in_a_copy() {
    let stage = Stage::new("{name: p}");
    stage.write("shared/base.txt", "base");
    stage.write("apps/web/tool.sh", "#!/bin/sh\n");
    let tool = stage.repository.path().join("apps/web/tool.sh");
    fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    symlink("../../shared/base.txt", stage.repository.path().join("apps/web/link.txt")).unwrap();
    let deployed = stage.script(
        "[ -x tool.sh ] && exit 9\necho 'kind: ConfigMap'\necho \"metadata: {name: $(cat link.txt)}\"\necho \"data: {text: '$(cat text.txt)'}\"\n\
         echo changed > text.txt\necho changed > link.txt\necho changed > ../../new.txt\nrm -r ../../shared ../../app.yaml\n",
    );
    let text = text(&deployed);
    assert!(text.contains("name: base") && text.contains("text: 'as committed'"), "{text}");
    let read = |name: &str| fs::read_to_string(stage.repository.path().join(name)).unwrap();
    assert_eq!((read("apps/web/text.txt"), read("shared/base.txt")), ("as committed\n".to_owned(), "base".to_owned()));
    assert!(!stage.repository.path().join("new.txt").exists());
}

#[test]
fn a_failure_is_told_with_its_last_words() {
    let stage = Stage::new("{name: p}");
    assert_eq!(
        became(&stage.script("echo first >&2\necho second >&2\necho third >&2\necho \"cannot read $PWD/text.txt\" >&2\nexit 3\n")),
        "failed: `--plugin p` fails with exit code 3: second / third / cannot read apps/web/text.txt"
    );
    assert_eq!(became(&stage.script("exit 1")), "failed: `--plugin p` fails with exit code 1: it says nothing on standard error");
    assert_eq!(became(&stage.script("echo \"$HOME\" >&2; kill -9 $$")), "failed: `--plugin p` fails with signal 9: …/home");
    let long = became(&stage.script("head -c 2000000 /dev/zero | tr '\\0' x >&2\necho >&2\necho end >&2\nexit 1\n"));
    assert!(long.len() < 2 * CHARACTERS && long.ends_with("x / end"), "{long}");
}

#[test]
fn it_ends_in_time_with_all_that_it_started() {
    let mut stage = Stage::new("{name: p}");
    stage.limits.time = Duration::from_millis(300);
    let start = Instant::now();
    assert_eq!(became(&stage.script("sleep 60 | cat")), "failed: `--plugin p` does not end within 0.3 s, and was stopped");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    stage.limits = Limits::default();
    let late = stage.beside.path().join("late");
    let deployed = stage.script(&format!("(sleep 1; touch '{}') &\necho 'kind: A'\n", late.display()));
    assert_eq!(entry(&deployed).state, State::Rendered);
    thread::sleep(Duration::from_millis(1500));
    assert!(!late.exists(), "what it left behind went on");
}

#[test]
fn what_it_prints_is_bounded() {
    let mut stage = Stage::new("{name: p}");
    stage.limits.output_bytes = 1000;
    assert_eq!(became(&stage.script("yes")), "deferred: `--plugin p` prints more than 1000 bytes");
    assert_eq!(became(&stage.script("yes | head -c 3000")), "deferred: `--plugin p` prints more than 1000 bytes");
    let full = "printf 'kind: A\\n'; head -c 992 /dev/zero | tr '\\0' '#'";
    assert_eq!(became(&stage.script(full)), "rendered: ");
}

#[test]
fn what_is_copied_is_bounded() {
    let mut stage = Stage::new("{name: p}");
    stage.limits.files = 1;
    assert_eq!(became(&stage.script("")), "deferred: the repository has more than 1 files: it is not copied for a plugin");
    stage.limits = Limits { bytes: 20, ..Limits::default() };
    assert_eq!(became(&stage.script("")), "deferred: the repository has more than 20 bytes: it is not copied for a plugin");
}

#[test]
fn no_link_leads_out() {
    let stage = Stage::new("{name: p}");
    fs::write(stage.beside.path().join("secret"), "s3cret").unwrap();
    symlink(stage.beside.path(), stage.repository.path().join("apps/web/out")).unwrap();
    assert!(became(&stage.script("cat out/secret")).starts_with("failed: `apps/web/out` "));
    // Where Argo CD allows such links, no plugin gets them all the same.
    stage.write(
        "cm.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cmd-params-cm}\ndata: {reposerver.allow.oob.symlinks: 'true'}\n",
    );
    assert_eq!(
        became(&stage.script("cat out/secret")),
        "failed: `apps/web/out` leads out of the repository: no plugin gets a repository with such a link"
    );
}

#[test]
fn what_it_prints_is_objects() {
    let stage = Stage::new("{name: p}");
    assert_eq!(became(&stage.script("")), "rendered: ");
    assert_eq!(became(&stage.script("echo; echo ---; echo '# nothing'")), "rendered: ");
    assert_eq!(became(&stage.script("echo all is well")), "failed: what `--plugin p` prints is no object, line 1: not a map");
    assert!(became(&stage.script("echo 'a: ['")).starts_with("failed: what `--plugin p` prints is no YAML, line "));
    assert_eq!(became(&stage.script("printf '\\377'")), "failed: what `--plugin p` prints is not UTF-8");
}

#[test]
fn nothing_runs_that_no_person_named() {
    let stage = Stage::new("{name: p}");
    assert_eq!(
        became(&stage.with(&[])),
        "deferred: plugin `p` builds it, and no program that a repository names is run here: `--plugin p=COMMAND` says what to run"
    );
    let other = stage.with(&["other=true", "p-2=true"]);
    assert!(became(&other).starts_with("deferred: plugin `p` builds it"));
    assert_eq!(other.notes(), ["`--plugin other`, `--plugin p-2`: no source that was looked at has such a plugin (there is `p`)"]);
    let nameless = Stage::new("{env: [{name: A, value: b}]}");
    assert!(became(&nameless.with(&["p=false"])).starts_with("deferred: a plugin without a name builds it"));
}

#[test]
fn applications_that_it_makes_are_followed() {
    let stage = Stage::new("{name: p}");
    stage.write("plain/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    let deployed = stage.script(
        "cat <<END\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: child}\nspec:\n  \
         source: {repoURL: https://git.example/shop, path: plain}\n  destination: {name: in-cluster, namespace: $ARGOCD_APP_NAMESPACE}\nEND\n",
    );
    let (all, _) = deployed.account();
    let child = all.iter().find(|entry| entry.name == "shop/child").unwrap();
    assert_eq!((child.state, child.objects, child.destination.as_str()), (State::Rendered, 1, "in-cluster shop"));
    // Where it is written is what a person can edit.
    let place = child.location.as_ref().unwrap();
    assert_eq!((&**place.source.name(), place.start().line), ("app.yaml", 8));
}

#[test]
fn a_version_may_be_left_out() {
    let stage = Stage::new("{name: p-v1.2}");
    assert_eq!(became(&stage.with(&["p=true"])), "rendered: ");
    assert_eq!(became(&stage.with(&["p=false", "p-v1.2=true"])), "rendered: ");
    // Another plugin, whose name begins alike.
    assert!(became(&Stage::new("{name: p-secrets}").with(&["p=true"])).starts_with("deferred: plugin `p-secrets`"));
}

#[test]
fn what_is_no_program_is_told() {
    let stage = Stage::new("{name: p}");
    assert_eq!(
        became(&stage.with(&["p=no-such-program-here --flag"])),
        "failed: `no-such-program-here` of `--plugin p` cannot be started: there is no such program (name one that is found by PATH, or by its path from the working directory)"
    );
    // A path is one from the working directory, and never one of the repository.
    stage.write("apps/web/tool.sh", "#!/bin/sh\necho kind: A\n");
    let tool = stage.repository.path().join("apps/web/tool.sh");
    fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert!(became(&stage.with(&["p=./tool.sh"])).starts_with("failed: `./tool.sh` of `--plugin p` cannot be started: there is no such"));
}

#[test]
fn programs_are_not_looked_for_where_the_repository_is() {
    assert_eq!(located("sh").unwrap(), Path::new("sh"));
    for relative in ["./sh", "bin/sh", "../sh"] {
        assert!(located(relative).unwrap().is_absolute(), "{relative}");
    }
    let path = search_path(Some(OsString::from(".:/usr/bin::bin:/bin")));
    assert_eq!(path, OsString::from("/usr/bin:/bin"));
    for nothing in [None, Some(""), Some("."), Some(":bin")] {
        assert_eq!(search_path(nothing.map(OsString::from)), OsString::from("/usr/bin:/bin"), "{nothing:?}");
    }
}

#[test]
fn commands_are_taken_apart() {
    let words = |text: &str| PluginCommand::parse(text).map(|command| (command.name, command.words.join("|")));
    let good = |name: &str, words: &str| Ok((name.to_owned(), words.to_owned()));
    assert_eq!(words("p=a 'b c' \"d\\\"e\" f=g"), good("p", "a|b c|d\"e|f=g"));
    assert_eq!(words("p=a $HOME;b"), good("p", "a|$HOME;b"));
    for (text, expected) in [
        ("p", "`p` is not `NAME=COMMAND`"),
        ("=a", "`=a` has no name before the `=`"),
        ("p=", "`p=` has no command after the `=`"),
        ("p=  ", "`p=  ` has no command after the `=`"),
        ("p='a", "`'a` has a quote or a backslash that nothing closes"),
    ] {
        assert_eq!(words(text), Err(expected.to_owned()));
    }
}
