//! `fedward render --app`, and what generators that ask a service find (`--generators`).

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{renders, run};

fn write(folder: &Path, files: &[(&str, &str)]) {
    files.iter().for_each(|(name, text)| common::write(folder, name, text));
}

fn application(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{{spec}, destination: {{name: prod, namespace: shop}}}}\n"
    )
}

const REPO: &str = "repoURL: 'https://git.example/r'";
const MAPPED: [&str; 2] = ["--repo", "https://git.example/r=."];

#[test]
fn objects_come_in_the_order_of_the_sources_and_in_their_namespaces() {
    if !renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let map = |name: &str, more: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}{more}\n");
    write(
        folder.path(),
        &[
            (
                "app.yaml",
                &application(
                    "shop",
                    "argocd",
                    &format!("sources: [{{{REPO}, path: two}}, {{{REPO}, path: one}}, {{{REPO}, path: chart}}]"),
                ),
            ),
            ("one/a.yaml", &format!("# a comment\n{}---\n{}", map("a", " # its name"), map("b", "\n  namespace: own"))),
            ("one/list.yaml", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n"),
            ("one/lease.yaml", "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: left-out}\n"),
            ("two/space.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"),
            ("two/a.yaml", &map("a", "\n  labels: {of: the-first}")),
            ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n"),
            (
                "chart/templates/job.yaml",
                "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}\n  annotations: {helm.sh/hook: pre-install}\n",
            ),
        ],
    );
    let (out, said, code) = run(folder.path(), &[["render", "--app", "shop"].as_slice(), &MAPPED].concat());
    assert_eq!((said.as_str(), code), ("", 0));
    let expected = "---\n# Source: two/space.yaml\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n\
        ---\n# Source: one/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a # its name\n  namespace: shop\n\
        ---\n# Source: one/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n  namespace: own\n\
        ---\n# Source: one/list.yaml\n{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"ConfigMap\",\n  \"metadata\": {\n    \"name\": \"c\",\n    \"namespace\": \"shop\"\n  }\n}\n\
        ---\n# Source: chart/templates/job.yaml\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: shop\n  annotations: {helm.sh/hook: pre-install}\n  namespace: shop\n";
    assert_eq!(out, expected);
}

#[test]
fn applications_that_others_and_sets_make_are_found_and_only_what_is_needed_is_rendered() {
    if !renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let set = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: set, namespace: argocd}}\nspec:\n  generators: [{{list: {{elements: [{{id: one}}, {{id: two}}]}}}}]\n  template:\n    metadata: {{name: 'of-{{{{id}}}}'}}\n    spec: {{project: default, source: {{{REPO}, path: plain}}, destination: {{name: prod, namespace: '{{{{id}}}}'}}}}\n"
    );
    write(
        folder.path(),
        &[
            ("apps/root.yaml", &application("root", "argocd", &format!("source: {{{REPO}, path: root}}"))),
            ("apps/broken.yaml", &application("broken", "argocd", &format!("source: {{{REPO}, path: broken}}"))),
            ("apps/twin.yaml", &application("twin", "one", &format!("source: {{{REPO}, path: plain}}"))),
            ("apps/other.yaml", &application("twin", "two", &format!("source: {{{REPO}, path: plain}}"))),
            ("root/Chart.yaml", "apiVersion: v2\nname: root\nversion: 1.0.0\n"),
            ("root/templates/child.yaml", &application("child", "argocd", &format!("source: {{{REPO}, path: kustom}}"))),
            ("root/templates/set.yaml", &set.replace("{{id}}", "{{ \"{{id}}\" }}")),
            ("kustom/kustomization.yaml", "namePrefix: of-child-\nresources: [map.yaml]\n"),
            ("kustom/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n"),
            ("plain/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n"),
            ("broken/Chart.yaml", "apiVersion: v2\nname: broken\nversion: 1.0.0\n"),
            ("broken/templates/a.yaml", "{{ fail \"as it is meant\" }}\n"),
        ],
    );
    let app = |name: &str| run(folder.path(), &[["render", "--app", name, "apps"].as_slice(), &MAPPED].concat());
    let (out, said, code) = app("child");
    assert!(code == 0 && out.contains("name: of-child-map\n  namespace: shop\n"), "{out}{said}");
    let (out, said, code) = app("argocd/of-two");
    assert!(code == 0 && out.contains("namespace: two"), "{out}{said}");
    let (out, said, code) = app("broken");
    assert!(
        out.is_empty()
            && code == 3
            && said.starts_with("apps/broken.yaml:3:18: Application argocd/broken is failed: helm does not render it: "),
        "{said}"
    );
    let (_, said, code) = app("twin");
    assert!(code == 2 && said.starts_with("error: there are 2 Applications `twin`: give one's namespace and name"), "{said}");
    assert!(said.contains("  one/twin to prod shop  apps/twin.yaml:3\n"), "{said}");
    assert_eq!(app("two/twin").2, 0);
    let (_, said, code) = app("chid");
    assert_eq!((said.as_str(), code), ("error: there is no Application `chid` (did you mean `child`?)\n", 2));
    let (_, said, _) = app("nothing-of-the-kind");
    assert!(said.contains("(there are `argocd/broken`, "), "{said}");
}

#[test]
fn what_services_find_is_read_from_a_file() {
    if !renders() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let set = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: previews, namespace: argocd}}\nspec:\n  generators: [{{pullRequest: {{github: {{owner: o, repo: r}}}}}}]\n  template:\n    metadata: {{name: 'pr-{{{{number}}}}'}}\n    spec: {{project: default, source: {{{REPO}, path: plain}}, destination: {{name: prod, namespace: '{{{{branch_slug}}}}'}}}}\n"
    );
    write(
        folder.path(),
        &[
            ("set.yaml", &set),
            ("plain/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n"),
            (
                "found/generators.yaml",
                "generators:\n- {applicationSet: argocd/previews, generator: pullRequest, found: [{number: 7, branch: feature/A}]}\n",
            ),
            ("found/wrong.yaml", "generators:\n- {applicationSet: previews, generator: git, found: []}\n"),
            ("found/two.yaml", "generators: []\n---\ngenerators: []\n"),
        ],
    );
    let args = |file: &'static str| [["render", "--app", "pr-7", "--generators", file].as_slice(), &MAPPED].concat();
    let (out, said, code) = run(folder.path(), &args("found/generators.yaml"));
    assert!(code == 0 && out.contains("namespace: feature-a"), "{out}{said}");
    let check = |more: &[&str]| run(folder.path(), &[["check", "."].as_slice(), &MAPPED, more].concat());
    assert!(check(&[]).0.contains("what `pullRequest` finds is known to a service only"));
    let (out, ..) = check(&["--generators", "found/generators.yaml"]);
    assert!(out.contains("1 Application: 1 rendered\n1 ApplicationSet: 1 rendered\n"), "{out}");
    for (file, expected) in [
        (
            "found/wrong.yaml",
            "error: found/wrong.yaml:2:41: `generator` is none of scmProvider, pullRequest, plugin, clusterDecisionResource\n",
        ),
        ("found/two.yaml", "error: `found/two.yaml`: one document with `generators` is required, and there are 2\n"),
        ("found/none.yaml", "error: cannot read `found/none.yaml`: no such file or folder\n"),
    ] {
        let (_, said, code) = run(folder.path(), &args(file));
        assert_eq!((said.as_str(), code), (expected, 2));
    }
}

#[test]
fn files_that_the_command_line_names_are_read_up_to_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"), ("app.yaml", &application("a", "b", "source: {}"))],
    );
    // It takes no room on a disk.
    fs::File::create(folder.path().join("huge.yaml")).unwrap().set_len(1 << 30).unwrap();
    for args in [
        &["render", "web", "--values", "huge.yaml"][..],
        &["render", "--app", "a", "--clusters", "huge.yaml"],
        &["check", "app.yaml", "--generators", "huge.yaml"],
    ] {
        let (_, said, code) = run(folder.path(), args);
        assert_eq!((said.as_str(), code), ("error: cannot read `huge.yaml`: larger than 32 MiB\n", 2), "{args:?}");
    }
}
